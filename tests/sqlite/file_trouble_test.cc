// A file that cannot be used, or is broken: what is said, and that nothing else comes of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "mcp_session/sqlite/database.h"
#include "mcp_session/sqlite/file_store.h"
#include "tests/sqlite/file_client.h"
#include "tests/sqlite/test_folder.h"
#include "tests/store/matchers.h"

namespace mcp_session {
namespace {

using testing::HasSubstr;

constexpr RecordKey kRecord{"alice", "session", "id-1"};
constexpr Lifetime kLong{.idle_ttl = Hours(1)};

class FileTroubleTest : public testing::Test {
 protected:
  FileStoreOptions Options() { return {.path = folder_.File()}; }

  // Why the file cannot be opened.
  Error OpenFails(FileStoreOptions options) {
    FileClient client(std::move(options), clock_);
    EXPECT_TRUE(client.failure().has_value());
    return client.failure().value_or(Error{});
  }

  std::unique_ptr<sqlite::Database> OpenByHand() {
    return std::move(*sqlite::Database::Open(folder_.File(), Seconds(10)));
  }

  // A file with 200 records in it and nothing beside it.
  void MakeFile() {
    FileClient client(Options(), clock_);
    for (int i = 0; i < 200; ++i) {
      const std::string id = std::to_string(i);
      client.Submit(1, store::Create{{"", "session", id}, std::string(3000, 'x'), kLong});
    }
    ASSERT_EQ(client.Replies(200).size(), 200u);
  }

  void WriteBytes(std::size_t from, std::size_t to, char byte) {
    std::fstream file(folder_.File(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(from));
    const std::string bytes(to - from, byte);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    ASSERT_TRUE(file.good());
  }

  std::size_t FileSize() { return std::filesystem::file_size(folder_.File()); }

  TestFolder folder_;
  ManualClock clock_;
};

TEST_F(FileTroubleTest, AFolderThatIsNotThere) {
  FileStoreOptions options = Options();
  options.path = folder_.File("nowhere/sessions.db");
  const Error error = OpenFails(options);
  EXPECT_EQ(error.code, ErrorCode::kMisconfigured);
  EXPECT_THAT(error.message, HasSubstr("folder"));
  EXPECT_THAT(error.message, HasSubstr("No such file"));
}

TEST_F(FileTroubleTest, APathThatIsNoFile) {
  FileStoreOptions options = Options();
  options.path = folder_.path();
  EXPECT_EQ(OpenFails(options).code, ErrorCode::kMisconfigured);
  options.path = "";
  EXPECT_EQ(OpenFails(options).code, ErrorCode::kMisconfigured);
}

TEST_F(FileTroubleTest, ANameThatSqliteWouldTakeForMemory) {
  FileStoreOptions options = Options();
  std::filesystem::current_path(folder_.path());
  options.path = ":memory:";
  {
    FileClient client(options, clock_);
    EXPECT_THAT(client.Run(store::Create{kRecord, "x", kLong}), IsDone());
  }
  EXPECT_TRUE(std::filesystem::exists(folder_.File(":memory:")));
  FileClient client(options, clock_);
  EXPECT_THAT(client.Run(store::Get{kRecord}), Holds("x"));
  std::filesystem::current_path("/");
}

TEST_F(FileTroubleTest, OptionsOutOfRange) {
  for (const std::size_t bytes : {std::size_t{0}, (std::size_t{1} << 20) + 1}) {
    FileStoreOptions options = Options();
    options.max_record_bytes = bytes;
    EXPECT_EQ(OpenFails(options).code, ErrorCode::kInvalidArgument);
  }
}

TEST_F(FileTroubleTest, AFileThatIsNoDatabase) {
  for (const std::size_t size : {std::size_t{50}, std::size_t{10'000}}) {
    std::ofstream(folder_.File(), std::ios::trunc) << std::string(size, 'x');
    const Error error = OpenFails(Options());
    EXPECT_EQ(error.code, ErrorCode::kMisconfigured);
    EXPECT_THAT(error.message, HasSubstr("not a database"));
    EXPECT_EQ(FileSize(), size) << "it is somebody's, and was changed";
  }
}

TEST_F(FileTroubleTest, ADatabaseOfAnotherProgram) {
  std::ofstream(folder_.File()).close();
  OpenByHand()->Run("CREATE TABLE theirs (x)");
  EXPECT_THAT(OpenFails(Options()).message, HasSubstr("another program"));
  OpenByHand()->Run("PRAGMA application_id = 1");
  const Error error = OpenFails(Options());
  EXPECT_EQ(error.code, ErrorCode::kMisconfigured);
  EXPECT_THAT(error.message, HasSubstr("another program"));
  EXPECT_EQ(OpenByHand()->ReadText("PRAGMA journal_mode"), "delete");
}

TEST_F(FileTroubleTest, AFileThatAnotherProgramKeepsToItself) {
  MakeFile();
  const auto holder = OpenByHand();
  holder->Run("PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE");
  ASSERT_FALSE(holder->failed());
  FileStoreOptions options = Options();
  options.busy_timeout = Millis{50};
  const Error error = OpenFails(options);
  EXPECT_EQ(error.code, ErrorCode::kUnavailable);
  EXPECT_THAT(error.message, HasSubstr("locked"));
}

TEST_F(FileTroubleTest, AFileOfANewerVersion) {
  MakeFile();
  OpenByHand()->Run("PRAGMA user_version = 2");
  const Error error = OpenFails(Options());
  EXPECT_EQ(error.code, ErrorCode::kMisconfigured);
  EXPECT_THAT(error.message, HasSubstr("newer"));
  OpenByHand()->Run("PRAGMA user_version = 1");
  EXPECT_FALSE(FileClient(Options(), clock_).failure().has_value());
}

// What is forbidden to everybody is not to root; to a thread without this capability it is.
void RunWithoutRootsPowers(const std::function<void()>& body) {
  std::thread([&body] {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct capabilities[2] = {};
    ASSERT_EQ(syscall(SYS_capset, &header, &capabilities), 0);
    body();
  }).join();
}

TEST_F(FileTroubleTest, AFileThatMayOnlyBeRead) {
  MakeFile();
  ASSERT_EQ(chmod(folder_.File().c_str(), 0444), 0);
  RunWithoutRootsPowers([this] {
    const Error error = OpenFails(Options());
    EXPECT_EQ(error.code, ErrorCode::kMisconfigured);
    EXPECT_THAT(error.message, HasSubstr("read-only"));
  });
}

TEST_F(FileTroubleTest, AFileThatMayNotBeRead) {
  MakeFile();
  ASSERT_EQ(chmod(folder_.File().c_str(), 0), 0);
  RunWithoutRootsPowers([this] {
    const Error error = OpenFails(Options());
    EXPECT_EQ(error.code, ErrorCode::kMisconfigured);
    EXPECT_THAT(error.message, HasSubstr("permission"));
  });
}

TEST_F(FileTroubleTest, AFolderThatMayOnlyBeRead) {
  ASSERT_EQ(chmod(folder_.path().c_str(), 0555), 0);
  RunWithoutRootsPowers([this] {
    const Error error = OpenFails(Options());
    EXPECT_EQ(error.code, ErrorCode::kMisconfigured);
    EXPECT_THAT(error.message, HasSubstr("Permission denied"));
  });
  ASSERT_EQ(chmod(folder_.path().c_str(), 0755), 0);
}

TEST_F(FileTroubleTest, AFirstPageThatIsBroken) {
  MakeFile();
  WriteBytes(100, 4096, '\xa5');
  EXPECT_EQ(OpenFails(Options()).code, ErrorCode::kCorrupt);
}

// Every command gets an answer, and none brings the program down.
void AskAll(FileClient& client, const std::function<void(std::size_t, const StoreReply&)>& look) {
  std::size_t asked = 0;
  const auto ask = [&](StoreCommand command) {
    look(asked, client.Run(std::move(command)));
    ++asked;
  };
  for (int i = 0; i < 200; i += 20) {
    const std::string id = std::to_string(i);
    const RecordKey key{"", "session", id};
    ask(store::Get{key});
    ask(store::Put{key, "new", std::nullopt});
    ask(store::Append{key, "event"});
    ask(store::ReadEvents{key});
    ask(store::Take{key});
    ask(store::Create{{"alice", "session", id}, "new", kLong});
  }
  ask(store::List{.owner = "alice", .kind = "session"});
  ask(store::RemoveOwned{"alice"});
}

TEST_F(FileTroubleTest, PagesThatAreBroken) {
  MakeFile();
  WriteBytes(4096, FileSize(), '\xa5');
  FileClient client(Options(), clock_);
  // All of it is broken, so it is known at once.
  ASSERT_TRUE(client.failure().has_value());
  EXPECT_EQ(client.failure()->code, ErrorCode::kCorrupt);
}

TEST_F(FileTroubleTest, PagesThatBreakWhileTheStoreIsOpen) {
  MakeFile();
  FileClient client(Options(), clock_);
  ASSERT_FALSE(client.failure().has_value());
  WriteBytes(8 * 4096, FileSize(), '\xa5');
  int corrupt = 0;
  AskAll(client, [&](std::size_t, const StoreReply& reply) {
    if (reply.error == ErrorCode::kCorrupt) ++corrupt;
    EXPECT_FALSE(reply.maybe_done);
  });
  EXPECT_GT(corrupt, 10);
  EXPECT_EQ(client.store().Status().state, StoreState::kMisconfigured);
  EXPECT_THAT(client.store().Status().reason, HasSubstr("malformed"));
}

TEST_F(FileTroubleTest, AFileThatIsCutShort) {
  for (const double part : {0.9, 0.5, 0.1, 0.02}) {
    SCOPED_TRACE(part);
    std::filesystem::remove(folder_.File());
    ASSERT_NO_FATAL_FAILURE(MakeFile());
    const auto size = static_cast<std::uintmax_t>(static_cast<double>(FileSize()) * part);
    std::filesystem::resize_file(folder_.File(), size);
    FileClient client(Options(), clock_);
    if (client.failure()) {
      EXPECT_EQ(client.failure()->code, ErrorCode::kCorrupt);
      continue;
    }
    int corrupt = 0;
    AskAll(client, [&](std::size_t, const StoreReply& reply) {
      if (reply.error == ErrorCode::kCorrupt) ++corrupt;
    });
    EXPECT_GT(corrupt, 0);
  }
}

}  // namespace
}  // namespace mcp_session

// Writes that fail while the store is in use, because another process keeps the file, the disk is
// full or a statement goes wrong: what is said, and what goes on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

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

class FileFailureTest : public testing::Test {
 protected:
  FileStoreOptions Options() {
    return {.path = folder_.File(),
            .busy_timeout = Millis{200},
            .log = [this](std::string_view line) { log_.emplace_back(line); }};
  }

  std::unique_ptr<sqlite::Database> OpenByHand() {
    return std::move(*sqlite::Database::Open(folder_.File(), Seconds(10)));
  }

  std::size_t FileSize() { return std::filesystem::file_size(folder_.File()); }

  TestFolder folder_;
  ManualClock clock_;
  std::vector<std::string> log_;
};

TEST_F(FileFailureTest, AnotherProcessThatKeepsTheFile) {
  FileClient client(Options(), clock_);
  client.Run(store::Create{kRecord, "x", kLong});
  const auto holder = OpenByHand();
  holder->Run("BEGIN IMMEDIATE");
  const StoreReply put = client.Run(store::Put{kRecord, "y", std::nullopt});
  EXPECT_THAT(put, FailsWith(ErrorCode::kUnavailable));
  EXPECT_FALSE(put.maybe_done);
  EXPECT_EQ(client.store().Status().state, StoreState::kUnavailable);
  EXPECT_THAT(client.store().Status().reason, HasSubstr("locked"));
  EXPECT_THAT(client.Run(store::Get{kRecord}), Holds("x"));
  EXPECT_EQ(client.store().Status().state, StoreState::kUnavailable) << "nobody can write yet";
  // A Get that should count as an access answers all the same.
  clock_.Advance(Minutes(10));
  EXPECT_THAT(client.Run(store::Get{kRecord}), Holds("x"));
  holder->Run("COMMIT");
  EXPECT_THAT(client.Run(store::Put{kRecord, "y", std::nullopt}), Holds("y"));
  EXPECT_EQ(client.store().Status().state, StoreState::kConnected);
  ASSERT_TRUE(client.WaitFor([&] { return log_.size() == 2; }));
  EXPECT_THAT(log_, testing::ElementsAre(HasSubstr("in trouble"), HasSubstr("works again")));
}

// For as long as it lives, no file can become longer than `bytes`, as if the disk were full.
class FullDisk {
 public:
  explicit FullDisk(std::size_t bytes) {
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit small{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
  }
  ~FullDisk() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(FileFailureTest, ADiskThatIsFull) {
  FileClient client(Options(), clock_);
  ASSERT_THAT(client.Run(store::Create{kRecord, "before", kLong}), IsDone());
  clock_.Advance(Minutes(10));  // a Get would count as an access
  {
    const FullDisk full(FileSize());
    int refused = 0;
    for (int i = 0; i < 100; ++i) {
      const std::string id = std::to_string(i);
      const StoreReply created =
          client.Run(store::Create{{"", "session", id}, std::string(60'000, 'x'), kLong});
      if (!created.error) continue;
      ++refused;
      EXPECT_THAT(created, FailsWith(ErrorCode::kCapacity));
      EXPECT_FALSE(created.maybe_done);
      EXPECT_THAT(client.Run(store::Get{{"", "session", id}}), FailsWith(ErrorCode::kNotFound));
    }
    EXPECT_GT(refused, 50);
    EXPECT_THAT(client.Run(store::Put{kRecord, "lost", std::nullopt}),
                FailsWith(ErrorCode::kCapacity));
    EXPECT_THAT(client.Run(store::Get{kRecord}), Holds("before"));
    EXPECT_EQ(client.store().Status().state, StoreState::kConnected);
    ASSERT_TRUE(client.WaitFor([&] { return log_.size() == 1; }));
    EXPECT_THAT(log_[0], HasSubstr("in trouble"));
  }
  EXPECT_THAT(client.Run(store::Put{kRecord, "after", std::nullopt}), Holds("after"));
  EXPECT_EQ(OpenByHand()->ReadText("PRAGMA integrity_check"), "ok");
}

// Nobody may be answered what was never committed.
TEST_F(FileFailureTest, AReadInATransactionThatFailed) {
  FileStoreOptions options = Options();
  options.busy_timeout = Seconds(20);
  FileClient client(options, clock_);
  client.Run(store::Create{kRecord, "before", kLong});
  const auto holder = OpenByHand();
  std::vector<StoreReply> replies;
  {
    const FullDisk full(FileSize());
    // Until there is no room in the log either.
    for (int i = 0; i < 100; ++i) {
      client.Run(store::Create{{"", "session", std::to_string(i)}, std::string(3000, 'x'), kLong});
    }
    holder->Run("BEGIN IMMEDIATE");
    client.Submit(1, store::Put{kRecord, std::string(60'000, 'y'), std::nullopt});
    ASSERT_TRUE(client.WaitFor([&] { return client.store().Counters().busy_retries > 0; }));
    client.Submit(2, store::Put{kRecord, std::string(60'000, 'z'), std::nullopt});
    client.Submit(3, store::Get{kRecord});
    client.Submit(4, store::Remove{kRecord});
    client.Submit(5, store::Get{kRecord});
    holder->Run("COMMIT");
    replies = client.Replies(5);
  }
  EXPECT_THAT(replies, testing::ElementsAre(FailsWith(ErrorCode::kCapacity),
                                            FailsWith(ErrorCode::kCapacity), Holds("before"),
                                            FailsWith(ErrorCode::kCapacity), Holds("before")));
}

// A trigger fails in ways that a test cannot bring about otherwise.
TEST_F(FileFailureTest, AFailingStatementTakesOnlyItsOwnCommandAlong) {
  for (const char* how : {"ABORT", "FAIL", "ROLLBACK"}) {
    SCOPED_TRACE(how);
    FileStoreOptions options = Options();
    options.path = folder_.File(how);
    options.busy_timeout = Seconds(20);
    FileClient client(options, clock_);
    const auto owner = std::move(*sqlite::Database::Open(options.path, Seconds(10)));
    owner->Run(("CREATE TRIGGER t AFTER INSERT ON records WHEN NEW.kind = CAST('bad' AS BLOB) "
                "BEGIN SELECT RAISE(" +
                std::string(how) + ", 'no'); END")
                   .c_str());
    ASSERT_FALSE(owner->failed());
    owner->Run("BEGIN IMMEDIATE");
    client.Submit(1, store::Touch{kRecord});
    ASSERT_TRUE(client.WaitFor([&] { return client.store().Counters().busy_retries > 0; }));
    const RecordKey one{"", "good", "1"}, two{"", "good", "2"}, bad{"", "bad", "3"};
    client.Submit(2, store::Create{one, "one", kLong});
    client.Submit(3, store::Create{bad, "bad", kLong});
    client.Submit(4, store::Get{one});
    client.Submit(5, store::Create{two, "two", kLong});
    client.Submit(6, store::Get{bad});
    owner->Run("COMMIT");
    EXPECT_THAT(client.Replies(6),
                testing::ElementsAre(FailsWith(ErrorCode::kNotFound), Holds("one"),
                                     FailsWith(ErrorCode::kInternal), Holds("one"), Holds("two"),
                                     FailsWith(ErrorCode::kNotFound)));
    EXPECT_THAT(client.Run(store::Get{one}), Holds("one"));
    EXPECT_THAT(client.Run(store::Get{two}), Holds("two"));
    EXPECT_EQ(owner->ReadInt("SELECT held FROM meta"), 2) << "the books are wrong";
  }
}

TEST_F(FileFailureTest, AFailingStatementDoesNotStopAGetThatShouldCountAsAnAccess) {
  for (const char* how : {"ABORT", "ROLLBACK"}) {
    SCOPED_TRACE(how);
    FileStoreOptions options = Options();
    options.path = folder_.File(how);
    FileClient client(options, clock_);
    client.Run(store::Create{kRecord, "x", kLong});
    const auto owner = std::move(*sqlite::Database::Open(options.path, Seconds(10)));
    owner->Run(("CREATE TRIGGER t AFTER UPDATE ON records BEGIN SELECT RAISE(" + std::string(how) +
                ", 'no'); END")
                   .c_str());
    clock_.Advance(Minutes(10));
    const StoreReply got = client.Run(store::Get{kRecord});
    EXPECT_THAT(got, Holds("x"));
    EXPECT_EQ(got.record.expires_in, Minutes(50));
    owner->Run("DROP TRIGGER t");
    EXPECT_EQ(client.Run(store::Get{kRecord}).record.expires_in, Hours(1));
  }
}

}  // namespace
}  // namespace mcp_session

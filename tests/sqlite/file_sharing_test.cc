// Several stores, in one process or in several, that have one file open.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "mcp_session/sqlite/database.h"
#include "mcp_session/sqlite/file_store.h"
#include "tests/sqlite/file_client.h"
#include "tests/sqlite/test_folder.h"
#include "tests/store/matchers.h"

namespace mcp_session {
namespace {

using std::chrono::steady_clock;

constexpr RecordKey kRecord{"alice", "counter", "id-1"};
constexpr Lifetime kLong{.idle_ttl = Hours(1)};

class FileSharingTest : public testing::Test {
 protected:
  // All stores agree on the time, to the millisecond.
  FileStoreOptions Options() {
    return {.path = folder_.File(), .busy_timeout = Seconds(30), .wall_clock = [] {
              return Instant{1'750'000'000'000};
            }};
  }

  TestFolder folder_;
  ManualClock clock_;
};

// Runs in a process of its own: reads, adds one and writes, until that was done so often.
// Answers how often somebody else was faster; -1: something went wrong.
int CountUp(const FileStoreOptions& options, const ManualClock& clock, int times) {
  FileClient client(options, clock);
  if (client.failure()) return -1;
  int conflicts = 0;
  for (int done = 0; done < times;) {
    const StoreReply got = client.Run(store::Get{kRecord});
    if (got.error) return -1;
    const std::string next = std::to_string(std::stoi(*got.record.data) + 1);
    const StoreReply put = client.Run(store::Put{kRecord, next, got.record.version});
    if (put.error && put.error != ErrorCode::kConflict) return -1;
    put.error ? ++conflicts : ++done;
  }
  return conflicts;
}

// No process loses an update of another one's, and none is refused for being slow.
TEST_F(FileSharingTest, ProcessesThatCountTogetherMissNothing) {
  constexpr int kProcesses = 4;
  constexpr int kTimes = 250;
  FileStoreOptions options = Options();
  options.synchronous = FileSynchronous::kNormal;  // kill -9 is no power loss: see crash_test.cc
  {
    FileClient client(options, clock_);
    ASSERT_THAT(client.Run(store::Create{kRecord, "0", kLong}), IsDone());
  }
  // No store is open and no other thread runs: this process may be forked.
  std::vector<pid_t> children;
  for (int i = 0; i < kProcesses; ++i) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) _exit(CountUp(options, clock_, kTimes) >= 0 ? 0 : 1);
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  FileClient client(options, clock_);
  EXPECT_THAT(client.Run(store::Get{kRecord}), Holds(std::to_string(kProcesses * kTimes)));
}

TEST_F(FileSharingTest, StoresThatOpenANewFileAtOnceAgreeOnIt) {
  for (int round = 0; round < 20; ++round) {
    std::filesystem::remove_all(folder_.File());
    std::filesystem::remove_all(folder_.File() + "-wal");
    std::filesystem::remove_all(folder_.File() + "-shm");
    std::vector<pid_t> children;
    for (int i = 0; i < 4; ++i) {
      const pid_t child = fork();
      ASSERT_GE(child, 0);
      if (child == 0) {
        FileClient client(Options(), clock_);
        const std::string id = std::to_string(i);
        const bool works =
            !client.failure() && !client.Run(store::Create{{"", "session", id}, id, kLong}).error;
        client.Close();
        _exit(works ? 0 : 1);
      }
      children.push_back(child);
    }
    for (const pid_t child : children) {
      int status = 0;
      ASSERT_EQ(waitpid(child, &status, 0), child);
      EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    FileClient client(Options(), clock_);
    for (const char* id : {"0", "1", "2", "3"}) {
      EXPECT_THAT(client.Run(store::Get{{"", "session", id}}), Holds(id));
    }
  }
}

TEST_F(FileSharingTest, ALockKeepsTheOtherStoreOutUntilItsLeaseIsOver) {
  FileClient anna(Options(), clock_);
  FileClient ben(Options(), clock_);
  anna.Run(store::Create{kRecord, "0", kLong});
  const StoreReply annas = anna.Run(store::Lock{kRecord, 1, Seconds(10)});
  ASSERT_THAT(annas, IsDone());
  clock_.Advance(Seconds(4));
  const StoreReply locked = ben.Run(store::Lock{kRecord, 2, Seconds(10)});
  EXPECT_THAT(locked, FailsWith(ErrorCode::kLocked));
  EXPECT_EQ(locked.record.expires_in, Seconds(6));
  clock_.Advance(Seconds(6));
  const StoreReply bens = ben.Run(store::Lock{kRecord, 2, Seconds(10)});
  ASSERT_THAT(bens, IsDone());
  EXPECT_GT(bens.fence, annas.fence);
  EXPECT_THAT(anna.Run(store::Put{kRecord, "late", std::nullopt, 0, annas.fence}),
              FailsWith(ErrorCode::kFenced));
  EXPECT_THAT(anna.Run(store::Extend{kRecord, 1, Seconds(1)}), FailsWith(ErrorCode::kLockLost));
  EXPECT_THAT(ben.Run(store::Put{kRecord, "ben's", std::nullopt, 0, bens.fence}), Holds("ben's"));
}

TEST_F(FileSharingTest, VersionsGrowAcrossStores) {
  FileClient first(Options(), clock_);
  FileClient second(Options(), clock_);
  std::uint64_t version = first.Run(store::Create{kRecord, "0", kLong}).record.version;
  for (int i = 0; i < 20; ++i) {
    FileClient& client = i % 2 == 0 ? second : first;
    const StoreReply put = client.Run(store::Put{kRecord, "x", version});
    ASSERT_THAT(put, IsDone());
    EXPECT_GT(put.record.version, version);
    version = put.record.version;
  }
}

// Real time passes here, for the readers wait in it; nothing is asserted of how much.
TEST_F(FileSharingTest, AReaderHearsOfWhatAnotherStoreAppends) {
  FileClient reader(Options(), clock_);
  FileClient writer(Options(), clock_);
  const RecordKey other{"", "session", "other"};
  for (const RecordKey& key : {kRecord, other}) reader.Run(store::Create{key, "x", kLong});
  std::uint64_t after = 0;
  for (int i = 0; i < 3; ++i) {
    const std::string event = "event " + std::to_string(i);
    reader.Submit(101, store::ReadEvents{kRecord, after, 10, kMaxEventWait});
    reader.Submit(102, store::ReadEvents{other, 0, 10, kMaxEventWait});
    reader.Run(store::Touch{kRecord});  // both wait by now
    if (i == 2) {                       // and have looked at the file since
      const auto until = steady_clock::now() + std::chrono::milliseconds(150);
      while (steady_clock::now() < until) reader.Turn();
    }
    const StoreReply appended = writer.Run(store::Append{kRecord, event});
    after = appended.sequence;
    std::vector<StoreReply> replies = reader.Replies(1);
    ASSERT_EQ(replies.size(), 1u) << "nobody told the reader";
    EXPECT_EQ(replies[0].ticket.number, 101u);
    EXPECT_THAT(replies[0], HasEvents(std::vector<std::string>{event}));
    // The other one is still waiting.
    writer.Run(store::Append{other, "end"});
    replies = reader.Replies(1);
    ASSERT_EQ(replies.size(), 1u);
    EXPECT_EQ(replies[0].ticket.number, 102u);
    reader.Run(store::Remove{other});
    reader.Run(store::Create{other, "x", kLong});
  }
}

TEST_F(FileSharingTest, AReaderThatNobodyTellsAnythingWaitsForItsTime) {
  FileClient reader(Options(), clock_);
  const Instant created = clock_.Now();
  reader.Run(store::Create{kRecord, "x", kLong});
  reader.Submit(101, store::ReadEvents{kRecord, 0, 10, Seconds(30)});
  EXPECT_EQ(reader.store().NextDeadline(), clock_.Now() + Seconds(5)) << "of the housekeeping";
  clock_.Advance(Seconds(29));
  reader.store().Tick(clock_.Now());
  EXPECT_EQ(reader.store().NextDeadline(), clock_.Now() + Seconds(1));
  clock_.Advance(Seconds(1));
  reader.store().Tick(clock_.Now());
  const std::vector<StoreReply> replies = reader.Replies(1);
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies[0].ticket.number, 101u);
  EXPECT_THAT(replies[0], HasEvents(std::vector<std::string>{}));
  EXPECT_TRUE(reader.WaitFor([&] { return reader.store().NextDeadline() == created + Hours(1); }))
      << "until the record ends there is nothing to do";
}

TEST_F(FileSharingTest, AFullStoreIsFullForBoth) {
  FileStoreOptions options = Options();
  options.max_records = 3;
  FileClient first(options, clock_);
  FileClient second(options, clock_);
  for (const char* id : {"1", "2", "3"}) {
    FileClient& client = *id == '2' ? second : first;
    EXPECT_THAT(client.Run(store::Create{{"", "session", id}, id, kLong}), IsDone());
  }
  for (FileClient* client : {&first, &second}) {
    EXPECT_THAT(client->Run(store::Create{kRecord, "x", kLong}), FailsWith(ErrorCode::kCapacity));
  }
  EXPECT_THAT(first.Run(store::Remove{{"", "session", "2"}}), Removed(1));
  EXPECT_THAT(second.Run(store::Create{kRecord, "x", kLong}), IsDone());
}

}  // namespace
}  // namespace mcp_session

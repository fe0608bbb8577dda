// What is on the disk, and when: each fsync and fdatasync of this program, SQLite's too, is one of
// those defined here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <string>
#include <vector>

#include "mcp_session/sqlite/file_store.h"
#include "tests/sqlite/file_client.h"
#include "tests/sqlite/test_folder.h"
#include "tests/store/matchers.h"

namespace mcp_session {
namespace {

// Called on any thread.
class Disk {
 public:
  int Sync(int file, long call) {
    const std::lock_guard<std::mutex> lock(mutex_);
    struct stat synced {};
    if (is_broken_ || fstat(file, &synced) != 0) {
      errno = EIO;
      return -1;
    }
    synced_.push_back(synced.st_ino);
    return static_cast<int>(syscall(call, file));
  }
  void Break(bool is_broken) {
    const std::lock_guard<std::mutex> lock(mutex_);
    is_broken_ = is_broken;
  }
  // What was synced, in order.
  std::vector<ino_t> Synced() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return synced_;
  }

 private:
  std::mutex mutex_;
  bool is_broken_ = false;
  std::vector<ino_t> synced_;
};

Disk& TheDisk() {
  static Disk& disk = *new Disk;
  return disk;
}

}  // namespace
}  // namespace mcp_session

extern "C" int fsync(int file) { return mcp_session::TheDisk().Sync(file, SYS_fsync); }
extern "C" int fdatasync(int file) { return mcp_session::TheDisk().Sync(file, SYS_fdatasync); }

namespace mcp_session {
namespace {

constexpr RecordKey kRecord{"alice", "session", "id-1"};
constexpr Lifetime kLong{.idle_ttl = Hours(1)};

ino_t InodeOf(const std::string& path) {
  struct stat found {};
  EXPECT_EQ(stat(path.c_str(), &found), 0) << path;
  return found.st_ino;
}

class FileSyncTest : public testing::Test {
 protected:
  TestFolder folder_;
  ManualClock clock_;
};

TEST_F(FileSyncTest, TheNameOfANewFileIsOnTheDisk) {
  const std::size_t before = TheDisk().Synced().size();
  FileClient client({.path = folder_.File()}, clock_);
  ASSERT_FALSE(client.failure());
  const std::vector<ino_t> synced = TheDisk().Synced();
  ASSERT_GT(synced.size(), before);
  EXPECT_EQ(synced[before], InodeOf(folder_.path())) << "before SQLite had anything to sync";
}

TEST_F(FileSyncTest, AWriteIsOnTheDiskBeforeItIsAcknowledged) {
  FileClient client({.path = folder_.File()}, clock_);
  ASSERT_THAT(client.Run(store::Create{kRecord, "0", kLong}), IsDone());
  const ino_t log = InodeOf(folder_.File() + "-wal");
  for (int i = 1; i <= 10; ++i) {
    const std::size_t before = TheDisk().Synced().size();
    ASSERT_THAT(client.Run(store::Put{kRecord, std::to_string(i), std::nullopt}), IsDone());
    const std::vector<ino_t> synced = TheDisk().Synced();
    ASSERT_EQ(synced.size(), before + 1);
    EXPECT_EQ(synced.back(), log);
  }
}

TEST_F(FileSyncTest, AWriteThatCannotBeSyncedIsNotAcknowledged) {
  FileClient client({.path = folder_.File()}, clock_);
  ASSERT_THAT(client.Run(store::Create{kRecord, "before", kLong}), IsDone());
  TheDisk().Break(true);
  const StoreReply put = client.Run(store::Put{kRecord, "lost", std::nullopt});
  TheDisk().Break(false);
  EXPECT_THAT(put, FailsWith(ErrorCode::kUnavailable));
  EXPECT_TRUE(put.maybe_done);
  EXPECT_EQ(client.store().Status().state, StoreState::kUnavailable);
  EXPECT_THAT(client.Run(store::Get{kRecord}), Holds("before"));
  EXPECT_THAT(client.Run(store::Put{kRecord, "after", std::nullopt}), Holds("after"));
  EXPECT_EQ(client.store().Status().state, StoreState::kConnected);
}

}  // namespace
}  // namespace mcp_session

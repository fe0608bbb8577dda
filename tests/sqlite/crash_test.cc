// A process that writes is killed at a random moment, two hundred times. After each, the file must
// be whole, and all that was acknowledged must be in it.
//
// kill -9 takes the process and not the machine: what it wrote is in the system's hands, synced or
// not. So most rounds run with kNormal, which is faster and so reaches more states of the file; the
// rest run with kFull, the default. What power loss leaves cannot be tested this way.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "mcp_session/sqlite/database.h"
#include "mcp_session/sqlite/file_store.h"
#include "tests/sqlite/file_client.h"
#include "tests/sqlite/test_folder.h"
#include "tests/store/matchers.h"

namespace mcp_session {
namespace {

constexpr int kRounds = 200;
constexpr int kRoundsPerFile = 25;
constexpr std::uint32_t kKeys = 12;
constexpr Lifetime kLong{.idle_ttl = Hours(100)};

// What the child says of each write: that it will submit it, and that it was acknowledged. Smaller
// than what a pipe takes in one piece.
struct Report {
  std::uint32_t key = 0;
  std::uint32_t counter = 0;  // of what it writes; 0: it removes the record
  std::uint64_t version = 0;  // of the acknowledged record
  bool is_acknowledged = false;
};

// How far a key is known to have come.
struct KeyState {
  std::uint32_t counter = 0;
  std::uint64_t version = 0;
  bool is_removed = true;
  // A write that was under way when the process ended, and may or may not have been done.
  bool may_be_written = false;
  bool may_be_removed = false;

  void Learn(const Report& report) {
    const bool removes = report.counter == 0;
    if (!report.is_acknowledged) {
      (removes ? may_be_removed : may_be_written) = true;
      return;
    }
    may_be_removed = may_be_written = false;
    is_removed = removes;
    if (removes) return;
    counter = report.counter;
    version = report.version;
  }
};

std::string IdOf(std::uint32_t key) { return "key-" + std::to_string(key); }

// Data that says whose it is, and is only itself: the key, the counter, and bytes that follow from
// the two, of a length that changes.
std::string DataOf(std::uint32_t key, std::uint32_t counter) {
  std::mt19937 bytes(key * 1'000'003u + counter);
  std::string data = std::to_string(key) + ":" + std::to_string(counter) + ":";
  const std::size_t size = bytes() % (counter % 8 == 0 ? 20'000 : 600);
  while (data.size() < size) data.push_back(static_cast<char>(bytes()));
  return data;
}

// The counter of data that is whole; 0: it is not.
std::uint32_t CounterOf(std::uint32_t key, const std::string& data) {
  const std::size_t colon = data.find(':');
  if (colon == std::string::npos) return 0;
  const auto counter = static_cast<std::uint32_t>(std::atoi(data.c_str() + colon + 1));
  return data == DataOf(key, counter) ? counter : 0;
}

const char* OwnerOf(std::uint32_t key) { return key % 2 == 0 ? "" : "alice"; }

void Tell(int pipe, const Report& report) {
  if (write(pipe, &report, sizeof report) != sizeof report) _exit(3);
}

// The child: several writes at a time, on random keys, for ever.
[[noreturn]] void Write(const FileStoreOptions& options, std::uint32_t seed,
                        std::map<std::uint32_t, KeyState> keys, int pipe) {
  ManualClock clock;
  FileClient client(options, clock);
  if (client.failure()) _exit(1);
  std::mt19937 random(seed);
  std::vector<std::string> ids;
  for (std::uint32_t key = 0; key < kKeys; ++key) ids.push_back(IdOf(key));
  for (;;) {
    std::vector<Report> reports;
    std::vector<std::uint32_t> order(kKeys);
    std::iota(order.begin(), order.end(), 0u);
    std::shuffle(order.begin(), order.end(), random);
    order.resize(1 + random() % 5);
    for (const std::uint32_t key : order) {
      const KeyState& state = keys[key];
      const bool removes = !state.is_removed && random() % 6 == 0;
      reports.push_back({.key = key, .counter = removes ? 0 : state.counter + 1});
      Tell(pipe, reports.back());
    }
    for (std::size_t i = 0; i < reports.size(); ++i) {
      const auto [key, counter, version, is_acknowledged] = reports[i];
      const KeyState& state = keys[key];
      const RecordKey record{OwnerOf(key), "session", ids[key]};
      if (counter == 0) {
        client.Submit(i, store::Remove{record, state.version});
      } else if (state.is_removed) {
        client.Submit(i, store::Create{record, DataOf(key, counter), kLong});
      } else {
        client.Submit(i, store::Put{record, DataOf(key, counter), state.version});
      }
    }
    for (const StoreReply& reply : client.Replies(reports.size())) {
      if (reply.error) _exit(2);
      Report& report = reports[reply.ticket.number];
      report.version = reply.record.version;
      report.is_acknowledged = true;
      keys[report.key].Learn(report);
      Tell(pipe, report);
    }
  }
}

class CrashTest : public testing::TestWithParam<int> {
 protected:
  // One round. What is known of the keys goes in, and comes out as it is in the file.
  void Round(const FileStoreOptions& options, std::uint32_t seed,
             std::map<std::uint32_t, KeyState>* keys, int* acknowledged) {
    int pipe[2] = {};
    ASSERT_EQ(pipe2(pipe, O_CLOEXEC), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) Write(options, seed, *keys, pipe[1]);
    close(pipe[1]);
    KillAtARandomMoment(child, seed, pipe[0]);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "it ended by itself: " << WEXITSTATUS(status);
    for (Report report; read(pipe[0], &report, sizeof report) == sizeof report;) {
      *acknowledged += report.is_acknowledged ? 1 : 0;
      (*keys)[report.key].Learn(report);
    }
    close(pipe[0]);
    Compare(options, keys);
  }

  // Some time after it began to write.
  void KillAtARandomMoment(pid_t child, std::uint32_t seed, int pipe) {
    pollfd reports{pipe, POLLIN, 0};
    EXPECT_EQ(poll(&reports, 1, 30'000), 1) << "it never began";
    std::mt19937 random(~seed);
    usleep(random() % 30'000);
    kill(child, SIGKILL);
  }

  void Compare(const FileStoreOptions& options, std::map<std::uint32_t, KeyState>* keys) {
    ManualClock clock;
    FileClient client(options, clock);
    ASSERT_FALSE(client.failure().has_value()) << client.failure()->message;
    for (std::uint32_t key = 0; key < kKeys; ++key) {
      SCOPED_TRACE(key);
      KeyState& state = (*keys)[key];
      const std::string id = IdOf(key);
      const StoreReply got = client.Run(store::Get{{OwnerOf(key), "session", id}});
      if (got.error) {
        ASSERT_EQ(got.error, ErrorCode::kNotFound);
        ASSERT_TRUE(state.is_removed || state.may_be_removed) << "an acknowledged write is lost";
        state.is_removed = true;
      } else {
        const std::uint32_t counter = CounterOf(key, *got.record.data);
        ASSERT_NE(counter, 0u) << "the record is mixed up";
        if (counter == state.counter) {
          ASSERT_FALSE(state.is_removed) << "an acknowledged removal is undone";
          ASSERT_EQ(got.record.version, state.version);
        } else {
          ASSERT_TRUE(state.may_be_written) << "an acknowledged write is lost, or nobody's";
          ASSERT_EQ(counter, state.counter + 1);
          ASSERT_GT(got.record.version, state.version);
        }
        state.counter = counter;
        state.version = got.record.version;
        state.is_removed = false;
      }
      state.may_be_removed = state.may_be_written = false;
    }
    const auto database = std::move(*sqlite::Database::Open(options.path, Seconds(10)));
    EXPECT_EQ(database->ReadText("PRAGMA integrity_check"), "ok");
    EXPECT_EQ(database->ReadInt("SELECT held FROM meta"),
              database->ReadInt("SELECT count(*) FROM records"));
  }
};

TEST_P(CrashTest, WhatWasAcknowledgedIsThere) {
  TestFolder folder;
  std::map<std::uint32_t, KeyState> keys;
  int acknowledged = 0;
  for (int round = 0; round < kRoundsPerFile; ++round) {
    SCOPED_TRACE(round);
    const auto synchronous = round % 5 == 4 ? FileSynchronous::kFull : FileSynchronous::kNormal;
    const FileStoreOptions options{.path = folder.File(), .synchronous = synchronous};
    const auto seed = static_cast<std::uint32_t>(GetParam() * 1000 + round);
    ASSERT_NO_FATAL_FAILURE(Round(options, seed, &keys, &acknowledged));
  }
  EXPECT_GT(acknowledged, kRoundsPerFile);
  std::printf("%d writes were acknowledged\n", acknowledged);
}

INSTANTIATE_TEST_SUITE_P(Files, CrashTest, testing::Range(0, kRounds / kRoundsPerFile));

}  // namespace
}  // namespace mcp_session

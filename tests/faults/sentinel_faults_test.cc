// A failover by sentinels under load. Redis may lose writes that were not replicated yet; those are
// counted. Nothing else may be wrong: no record vanishes, and no version is used for two things.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mcp_session/system/clock.h"
#include "tests/faults/fault_client.h"
#include "tests/faults/redis_talk.h"
#include "tests/redis/redis_cluster.h"
#include "tests/redis/redis_server.h"
#include "tests/store/matchers.h"

namespace mcp_session {
namespace {

constexpr std::size_t kRecords = 40;

// Records that are written to, by turns, at the version that was seen last.
class SentinelFaults : public testing::Test {
 protected:
  struct Written {
    std::string id;
    std::uint64_t version = 0;                   // seen last
    std::map<std::uint64_t, std::string> wrote;  // what was acknowledged, or seen
    std::string data;                            // being written
    RecordKey key() const { return {"", "session", id}; }
  };

  SentinelFaults() : client_(OptionsFor(sentinels_)) {
    EXPECT_TRUE(client_.RunUntil(StoreState::kConnected));
    for (std::size_t i = 0; i < kRecords; ++i) {
      records_.push_back({.id = "hush-" + std::to_string(i)});
      const StoreReply reply = client_.Create(records_.back().key(), records_.back().id);
      EXPECT_THAT(reply, IsDone());
      Saw(records_.back(), reply.record);
    }
    RedisTalk talk(sentinels_.master().port());
    talk.Command({"SET", "marker", "1"});
    talk.Command({"WAIT", "1", "20000"});
  }

  static RedisOptions OptionsFor(RedisSentinels& sentinels) {
    RedisOptions options = FaultOptions(0);
    options.layout = RedisLayout::kSentinel;
    options.master_name = "sessions";
    options.endpoints.clear();
    for (std::size_t i = 0; i < sentinels.size(); ++i) {
      options.endpoints.push_back({.port = sentinels.sentinel(i).port()});
    }
    return options;
  }

  void Saw(Written& record, const Record& seen) {
    ASSERT_NE(seen.data, nullptr);
    EXPECT_TRUE(seen.data->starts_with(record.id)) << "somebody else's";
    const auto [at, is_new] = record.wrote.emplace(seen.version, *seen.data);
    EXPECT_EQ(at->second, *seen.data) << "a version that is used twice";
    record.version = seen.version;
  }

  // Writes all records once; answers how many were acknowledged.
  int WriteAll() {
    int done = 0;
    WriteAll(&done);
    acknowledged_ += done;
    return done;
  }
  void WriteAll(int* done) {
    for (Written& record : records_) {
      record.data = record.id + " #" + std::to_string(++writes_);
      client_.Submit(store::Put{record.key(), record.data, record.version});
    }
    for (const StoreReply& reply : client_.Replies()) {
      // All commands so far came by turns.
      Written& record = records_[(reply.ticket.number - 1) % kRecords];
      if (reply.error == ErrorCode::kUnavailable) continue;
      if (!reply.error) ++*done;
      if (reply.error) {
        ASSERT_THAT(reply, FailsWith(ErrorCode::kConflict));
        if (reply.record.version < record.version) ++undone_;
      } else {
        EXPECT_GT(reply.record.version, record.wrote.rbegin()->first) << "versions go back";
      }
      Saw(record, reply.record);
    }
  }

  // Writes until a connection to another master works.
  void WriteOver() {
    const std::uint64_t connects = client_.counters().connects;
    const Instant end = MonotonicNow() + Seconds(kFailoverPatience.count());
    int after = 0;
    while (after < 3 && MonotonicNow() < end && !HasFailure()) {
      const int done = WriteAll();
      if (client_.counters().connects > connects && done > 0) ++after;
    }
    EXPECT_EQ(after, 3) << client_.reason();
  }

  // Every record is there; counts what the failover has undone.
  void ExpectAll() {
    for (Written& record : records_) {
      const std::uint64_t newest = record.wrote.rbegin()->first;
      const StoreReply reply = client_.Get(record.key());
      ASSERT_THAT(reply, IsDone());
      Saw(record, reply.record);
      EXPECT_GE(reply.record.version, newest) << "it was written to after the failover";
    }
    EXPECT_EQ(client_.counters().desyncs, 0u);
    std::printf("%d writes acknowledged, %d records found as they were before one of these\n",
                acknowledged_, undone_);
    RecordProperty("undone", undone_);
  }

  RedisSentinels sentinels_;
  FaultClient client_;
  std::vector<Written> records_;
  std::uint64_t writes_ = 0;
  int acknowledged_ = 0;
  int undone_ = 0;
};

TEST_F(SentinelFaults, AKilledMaster) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(WriteAll(), static_cast<int>(kRecords));
  sentinels_.master().Kill();
  WriteOver();
  ExpectAll();
}

TEST_F(SentinelFaults, AMasterThatIsMadeAReplica) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(WriteAll(), static_cast<int>(kRecords));
  ASSERT_EQ(sentinels_.sentinel(0).Command({"SENTINEL", "FAILOVER", "sessions"}), "OK");
  WriteOver();
  ExpectAll();
}

TEST_F(SentinelFaults, SentinelsThatAreAwayCostNothingWhileTheMasterIsThere) {
  for (std::size_t i = 0; i < sentinels_.size(); ++i) sentinels_.sentinel(i).Pause();
  EXPECT_EQ(WriteAll(), static_cast<int>(kRecords));
  // Without them nobody knows where to go, until one is back.
  sentinels_.master().Command({"CLIENT", "KILL", "TYPE", "normal"});
  for (int i = 0; i < 3; ++i) WriteAll();
  sentinels_.sentinel(2).Resume();
  ASSERT_TRUE(client_.RunUntil(StoreState::kConnected));
  EXPECT_EQ(WriteAll(), static_cast<int>(kRecords));
  for (std::size_t i = 0; i < 2; ++i) sentinels_.sentinel(i).Resume();
  ExpectAll();
}

}  // namespace
}  // namespace mcp_session

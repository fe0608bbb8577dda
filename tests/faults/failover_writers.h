// FailoverWriters: records that are written to by turns, each at the version that was seen last,
// while another server takes over. Redis may lose writes that were not replicated yet; those are
// counted. Nothing else may be wrong: no record vanishes, and no version is used for two things.
#ifndef TESTS_FAULTS_FAILOVER_WRITERS_H_
#define TESTS_FAULTS_FAILOVER_WRITERS_H_

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "mcp_session/system/clock.h"
#include "tests/faults/fault_client.h"
#include "tests/store/matchers.h"

namespace mcp_session {

class FailoverWriters {
 public:
  static constexpr int kRecords = 40;

  // Makes the records. `client` has run nothing so far, and runs nothing else.
  explicit FailoverWriters(FaultClient& client) : client_(client) {
    for (int i = 0; i < kRecords; ++i) {
      records_.push_back({.id = "hush-" + std::to_string(i)});
      const StoreReply reply = client_.Create(records_.back().key(), records_.back().id);
      EXPECT_THAT(reply, IsDone());
      Saw(records_.back(), reply.record);
    }
  }

  // Records of these ids must not fail.
  void NeverFails(std::function<bool(const std::string& id)> never_fails) {
    never_fails_ = std::move(never_fails);
  }

  // Writes all records once; answers how many were acknowledged.
  int WriteAll() {
    int done = 0;
    WriteAll(&done);
    acknowledged_ += done;
    return done;
  }

  // Writes until connections were made anew since there were `connects`, and all is written.
  void WriteOver(std::uint64_t connects, std::chrono::seconds patience) {
    const Instant end = MonotonicNow() + Seconds(patience.count());
    int after = 0;
    while (after < 3 && MonotonicNow() < end && !testing::Test::HasFailure()) {
      const int done = WriteAll();
      if (client_.counters().connects > connects && done == kRecords) ++after;
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
    testing::Test::RecordProperty("undone", undone_);
  }

 private:
  struct Written {
    std::string id;
    std::uint64_t version = 0;                   // seen last
    std::map<std::uint64_t, std::string> wrote;  // what was acknowledged, or seen
    std::string data;                            // being written
    RecordKey key() const { return {"", "session", id}; }
  };

  void Saw(Written& record, const Record& seen) {
    ASSERT_NE(seen.data, nullptr);
    EXPECT_TRUE(seen.data->starts_with(record.id)) << "somebody else's";
    const auto [at, is_new] = record.wrote.emplace(seen.version, *seen.data);
    EXPECT_EQ(at->second, *seen.data) << "a version that is used twice";
    record.version = seen.version;
  }

  void WriteAll(int* done) {
    for (Written& record : records_) {
      record.data = record.id + " #" + std::to_string(++writes_);
      client_.Submit(store::Put{record.key(), record.data, record.version});
    }
    for (const StoreReply& reply : client_.Replies()) {
      // All commands so far came by turns.
      Written& record = records_[(reply.ticket.number - 1) % kRecords];
      if (reply.error == ErrorCode::kUnavailable) {
        EXPECT_FALSE(never_fails_ && never_fails_(record.id)) << record.id;
        continue;
      }
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

  FaultClient& client_;
  std::function<bool(const std::string&)> never_fails_;
  std::vector<Written> records_;
  std::uint64_t writes_ = 0;
  int acknowledged_ = 0;
  int undone_ = 0;
};

}  // namespace mcp_session

#endif  // TESTS_FAULTS_FAILOVER_WRITERS_H_

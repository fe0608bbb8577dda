// A failover by sentinels under load.
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>

#include "tests/faults/failover_writers.h"
#include "tests/faults/fault_client.h"
#include "tests/redis/redis_cluster.h"
#include "tests/redis/redis_server.h"

namespace mcp_session {
namespace {

class SentinelFaults : public testing::Test {
 protected:
  SentinelFaults() : client_(OptionsFor(sentinels_)) {
    EXPECT_TRUE(client_.RunUntil(StoreState::kConnected));
    writers_ = std::make_unique<FailoverWriters>(client_);
    sentinels_.master().AwaitReplica();
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

  RedisSentinels sentinels_;
  FaultClient client_;
  std::unique_ptr<FailoverWriters> writers_;
};

TEST_F(SentinelFaults, AKilledMaster) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(writers_->WriteAll(), FailoverWriters::kRecords);
  const std::uint64_t connects = client_.counters().connects;
  sentinels_.master().Kill();
  writers_->WriteOver(connects, kFailoverPatience);
  writers_->ExpectAll();
}

TEST_F(SentinelFaults, AMasterThatIsMadeAReplica) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(writers_->WriteAll(), FailoverWriters::kRecords);
  const std::uint64_t connects = client_.counters().connects;
  ASSERT_EQ(sentinels_.sentinel(0).Command({"SENTINEL", "FAILOVER", "sessions"}), "OK");
  writers_->WriteOver(connects, kFailoverPatience);
  writers_->ExpectAll();
}

TEST_F(SentinelFaults, SentinelsThatAreAwayCostNothingWhileTheMasterIsThere) {
  for (std::size_t i = 0; i < sentinels_.size(); ++i) sentinels_.sentinel(i).Pause();
  EXPECT_EQ(writers_->WriteAll(), FailoverWriters::kRecords);
  // Without them nobody knows where to go, until one is back.
  sentinels_.master().Command({"CLIENT", "KILL", "TYPE", "normal"});
  for (int i = 0; i < 3; ++i) writers_->WriteAll();
  sentinels_.sentinel(2).Resume();
  ASSERT_TRUE(client_.RunUntil(StoreState::kConnected));
  EXPECT_EQ(writers_->WriteAll(), FailoverWriters::kRecords);
  for (std::size_t i = 0; i < 2; ++i) sentinels_.sentinel(i).Resume();
  writers_->ExpectAll();
}

}  // namespace
}  // namespace mcp_session

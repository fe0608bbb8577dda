// What is made of a server's answers: with a server whose clock is not ours, to the millisecond.
#include "mcp_session/redis/operations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <variant>

#include "mcp_session/redis/record_codec.h"
#include "mcp_session/stored/stored_key.h"
#include "tests/store/matchers.h"
#include "tests/support/counting_entropy.h"

namespace mcp_session {
namespace {

constexpr RecordKey kRecord{"alice", "session", "id-1"};
constexpr std::int64_t kServerNow = 1'000'000'000'000;  // in 2001

RedisReply Text(std::string text) {
  return {.type = RedisReply::Type::kString, .text = std::move(text)};
}

class RedisOperationsTest : public testing::Test {
 protected:
  // To a Get.
  StoreReply Got(RedisRecordHeader header) {
    RedisPlanned planned = operations_.Plan(store::Get{kRecord});
    header.tag = tag_;
    RedisDelivery delivery;
    delivery.server_now = kServerNow;
    delivery.replies = {Text(EncodeRedisRecord(header, kRecord.kind, "data"))};
    return std::get<RedisPlan>(planned).read(delivery);
  }

  const std::string tag_ = MakeStoredKey(kRecord).record_tag;
  RedisOptions options_;
  RedisCounters counters_;
  CountingEntropy entropy_;
  RedisOperations operations_{options_, counters_, entropy_};
};

TEST_F(RedisOperationsTest, TheServersClockSaysWhatIsLeft) {
  const StoreReply got =
      Got({.version = 1, .end = kServerNow + 5'000, .last_end = kServerNow + 7'000});
  EXPECT_THAT(got, Holds("data"));
  EXPECT_EQ(got.record.expires_in, Seconds(5));
  EXPECT_EQ(got.record.max_life_left, Seconds(7));
}

TEST_F(RedisOperationsTest, AGetSeesTheEndToTheMillisecond) {
  EXPECT_EQ(Got({.version = 1, .end = kServerNow + 1}).record.expires_in, Millis{1});
  EXPECT_THAT(Got({.version = 1, .end = kServerNow, .remember = Seconds(5)}),
              FailsWith(ErrorCode::kExpired));
}

}  // namespace
}  // namespace mcp_session

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

RedisReply Integer(std::int64_t number) {
  return {.type = RedisReply::Type::kInteger, .integer = number};
}
RedisReply Text(std::string text) {
  return {.type = RedisReply::Type::kString, .text = std::move(text)};
}

class RedisOperationsTest : public testing::Test {
 protected:
  // To a Get, by a server that has the record for so long.
  StoreReply Got(std::int64_t pttl, RedisRecordHeader header) {
    RedisPlanned planned = operations_.Plan(store::Get{kRecord}, Instant{});
    header.tag = tag_;
    RedisReply time{.type = RedisReply::Type::kArray};
    time.elements = {Text(std::to_string(kServerNow / 1000)), Text("0")};
    RedisDelivery delivery;
    delivery.replies = {Integer(pttl), Text(EncodeRedisRecord(header, kRecord.kind, "data")), time};
    return std::get<RedisPlan>(planned).read(delivery);
  }

  const std::string tag_ = MakeStoredKey(kRecord).record_tag;
  RedisOptions options_;
  RedisCounters counters_;
  CountingEntropy entropy_;
  RedisOperations operations_{options_, counters_, entropy_};
};

TEST_F(RedisOperationsTest, TheServersClockSaysWhatIsLeft) {
  const StoreReply got = Got(4'999, {.version = 1, .last_end = kServerNow + 7'000});
  EXPECT_THAT(got, Holds("data"));
  EXPECT_EQ(got.record.max_life_left, Seconds(7));
}

// Where the two differ, the PTTL is what the server said last.
TEST_F(RedisOperationsTest, NothingIsLeftLongerThanTheLastEnd) {
  for (const std::int64_t behind : {-2, -1, 0}) {
    const StoreReply got = Got(4'999, {.version = 1, .last_end = kServerNow + 5'000 + behind});
    EXPECT_EQ(got.record.expires_in, Seconds(5));
    EXPECT_EQ(got.record.max_life_left, Seconds(5)) << behind;
  }
}

// The clock that came with an answer is good for the next Gets, but not if the answer took long: it
// would be behind by nobody knows how much.
TEST_F(RedisOperationsTest, AClockThatWasHeardOfLateIsAskedAgain) {
  const auto asks_the_time = [this](Instant now) {
    return std::get<RedisPlan>(operations_.Plan(store::Get{kRecord}, now)).exchange.replies == 3;
  };
  const auto hear = [this](Instant asked, Instant heard) {
    RedisPlanned planned = operations_.Plan(store::Get{kRecord}, asked);
    RedisReply time{.type = RedisReply::Type::kArray};
    time.elements = {Text(std::to_string(kServerNow / 1000)), Text("0")};
    RedisDelivery delivery;
    delivery.heard = heard;
    delivery.replies = {
        Integer(4'999),
        Text(EncodeRedisRecord({.version = 1, .last_end = kServerNow + 7'000, .tag = tag_},
                               kRecord.kind, "data")),
        time};
    return std::get<RedisPlan>(planned).read(delivery);
  };
  EXPECT_EQ(hear(Instant{1'000}, Instant{1'100}).record.max_life_left, Seconds(7));
  EXPECT_TRUE(asks_the_time(Instant{1'101}));
  EXPECT_EQ(hear(Instant{1'200}, Instant{1'205}).record.max_life_left, Seconds(7));
  EXPECT_FALSE(asks_the_time(Instant{1'206}));
  EXPECT_TRUE(asks_the_time(Instant{2'206}));
}

// The key goes away when its PTTL would be below 0: a record that ends with it has a millisecond
// more. One that is remembered ends so much sooner.
TEST_F(RedisOperationsTest, AGetSeesTheEndToTheMillisecond) {
  EXPECT_EQ(Got(0, {.version = 1}).record.expires_in, Millis{1});
  EXPECT_EQ(Got(5'000, {.version = 1, .remember = Seconds(5)}).record.expires_in, Millis{1});
  EXPECT_THAT(Got(4'999, {.version = 1, .remember = Seconds(5)}), FailsWith(ErrorCode::kExpired));
}

}  // namespace
}  // namespace mcp_session

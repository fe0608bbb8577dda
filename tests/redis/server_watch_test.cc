#include "mcp_session/redis/server_watch.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace mcp_session {
namespace {

constexpr Instant kStart{1000};

RedisVitals Vitals(const std::string& run_id, std::uint64_t keys, std::uint64_t expired = 0,
                   std::uint64_t evicted = 0) {
  RedisVitals vitals;
  vitals.run_id = run_id;
  vitals.eviction_policy = "noeviction";
  vitals.keys = keys;
  vitals.expired = expired;
  vitals.evicted = evicted;
  return vitals;
}

// Whether the second is a reset after the first.
bool IsReset(const RedisVitals& before, const RedisVitals& after, bool keys_move = false) {
  RedisServerWatch watch(keys_move);
  EXPECT_FALSE(watch.See(before, kStart).reset);
  return watch.See(after, kStart).reset;
}

TEST(RedisServerWatch, ReadsWhatInfoSays) {
  RedisVitals vitals;
  vitals.ReadMemory("# Memory\r\nused_memory:1\r\nmaxmemory_policy:allkeys-lru\r\n");
  vitals.ReadStats("# Stats\r\nexpired_keys:12\r\nevicted_keys:3\r\n");
  vitals.ReadKeyspace("# Keyspace\r\ndb1:keys=7,expires=7,avg_ttl=9\r\n", 1);
  EXPECT_EQ(vitals.eviction_policy, "allkeys-lru");
  EXPECT_EQ(vitals.expired, 12u);
  EXPECT_EQ(vitals.evicted, 3u);
  EXPECT_EQ(vitals.keys, 7u);
  vitals.ReadKeyspace("# Keyspace\r\ndb1:keys=7,expires=7,avg_ttl=9\r\n", 0);
  EXPECT_EQ(vitals.keys, 0u) << "a database without keys is not named";
}

TEST(RedisServerWatch, AServerThatComesBackWithATenthIsReset) {
  EXPECT_TRUE(IsReset(Vitals("a", 1), Vitals("b", 0)));
  EXPECT_TRUE(IsReset(Vitals("a", 1000), Vitals("b", 99)));
  EXPECT_FALSE(IsReset(Vitals("a", 1000), Vitals("b", 100)));
  EXPECT_FALSE(IsReset(Vitals("a", 0), Vitals("b", 0)));
  EXPECT_FALSE(IsReset(Vitals("a", 5), Vitals("b", 1000)));
  EXPECT_TRUE(IsReset(Vitals("a", 1000), Vitals("b", 0), true)) << "of a cluster too";
}

TEST(RedisServerWatch, AServerThatLosesMostOfManyKeysIsReset) {
  EXPECT_TRUE(IsReset(Vitals("a", 100), Vitals("a", 9)));
  EXPECT_FALSE(IsReset(Vitals("a", 100), Vitals("a", 10)));
  EXPECT_FALSE(IsReset(Vitals("a", 99), Vitals("a", 0))) << "they may have been removed";
  EXPECT_FALSE(IsReset(Vitals("a", 100), Vitals("a", 9), true)) << "they may have moved";
}

TEST(RedisServerWatch, WhatEndedByItselfIsNotLost) {
  EXPECT_FALSE(IsReset(Vitals("a", 1000, 50), Vitals("a", 0, 1050)));
  EXPECT_FALSE(IsReset(Vitals("a", 1000, 50, 5), Vitals("a", 0, 500, 555)));
  EXPECT_TRUE(IsReset(Vitals("a", 1000, 50), Vitals("a", 0, 950))) << "100 are lost";
  EXPECT_TRUE(IsReset(Vitals("a", 1000, 50), Vitals("a", 0, 10))) << "the counts began again";
}

TEST(RedisServerWatch, OneThatDoesNotSayIsNotReset) {
  RedisVitals silent = Vitals("b", 0);
  silent.keys.reset();
  EXPECT_FALSE(IsReset(Vitals("a", 1000), silent));
  EXPECT_FALSE(IsReset(silent, Vitals("a", 0)));
}

TEST(RedisServerWatch, AResetIsSaidForTenMinutes) {
  RedisServerWatch watch(false);
  watch.See(Vitals("a", 1000), kStart);
  EXPECT_EQ(watch.Warning(kStart), "");
  EXPECT_TRUE(watch.See(Vitals("b", 2), kStart).reset);
  EXPECT_FALSE(watch.See(Vitals("b", 2), kStart).reset) << "it is one";
  EXPECT_EQ(watch.Warning(kStart), "store_reset: the server has 2 keys, and had 1000");
  EXPECT_NE(watch.Warning(kStart + Millis{Minutes(10).count - 1}), "");
  EXPECT_EQ(watch.Warning(kStart + Minutes(10)), "");
}

TEST(RedisServerWatch, EvictedKeysAreCountedOnce) {
  RedisServerWatch watch(false);
  EXPECT_EQ(watch.See(Vitals("a", 1, 0, 5), kStart).evicted, 5u);
  EXPECT_EQ(watch.See(Vitals("a", 1, 0, 8), kStart).evicted, 3u);
  EXPECT_EQ(watch.See(Vitals("a", 1, 0, 2), kStart).evicted, 0u) << "CONFIG RESETSTAT";
  EXPECT_EQ(watch.See(Vitals("a", 1, 0, 3), kStart).evicted, 1u);
  EXPECT_EQ(watch.See(Vitals("b", 1, 0, 3), kStart).evicted, 3u);
}

TEST(RedisServerWatch, WhoMayEvictIsWarnedOf) {
  RedisServerWatch watch(false);
  EXPECT_EQ(watch.MayEvict(), std::nullopt);
  RedisVitals vitals = Vitals("a", 1000);
  watch.See(vitals, kStart);
  EXPECT_EQ(watch.MayEvict(), std::optional(false));
  vitals.eviction_policy = "allkeys-lru";
  vitals.keys = 0;
  watch.See(vitals, kStart);
  EXPECT_EQ(watch.MayEvict(), std::optional(true));
  EXPECT_EQ(watch.Warning(kStart),
            "the server may drop live sessions: its maxmemory-policy is allkeys-lru, and should be "
            "noeviction; store_reset: the server has 0 keys, and had 1000");
}

}  // namespace
}  // namespace mcp_session

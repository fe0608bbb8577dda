// A store whose records go on in another one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mcp_session/store/record_store.h"
#include "tests/store/matchers.h"
#include "tests/support/counting_entropy.h"
#include "tests/support/manual_clock.h"

namespace mcp_session {
namespace {

using testing::Not;

class Store {
 public:
  explicit Store(Instant now, const MemoryStoreOptions& options = {})
      : clock(now), records(options, entropy_) {}

  StoreReply Run(StoreCommand command) {
    records.Submit({1}, std::move(command), clock.Now());
    std::vector<StoreReply> replies;
    records.Drain(&replies);
    return replies.at(0);
  }

  ManualClock clock;

 private:
  SeededEntropy entropy_{7};

 public:
  RecordStore records;
};

constexpr RecordKey kOne{"alice", "basket", "one"};
constexpr RecordKey kTwo{"alice", "basket", "two"};
constexpr RecordKey kBearer{"", "session", "bearer"};
constexpr std::string_view kBytes{"a\0\xff\n", 4};

ErrorCode Refusal(std::string_view snapshot, const MemoryStoreOptions& options = {}) {
  Store store(Instant{}, options);
  const Result<void> restored = store.records.Restore(snapshot, Millis{}, Instant{});
  return restored ? ErrorCode::kInternal : restored.error().code;
}

TEST(RecordSnapshot, GoesOnInAnotherStoreWithAnotherClock) {
  Store old(Instant{5'000'000});
  old.Run(store::Create{kTwo, "2", {.idle_ttl = Minutes(10)}});
  old.Run(store::Create{kOne, std::string(kBytes), {.idle_ttl = Minutes(5), .max_life = Hours(1)}});
  old.Run(store::Create{kBearer, "b", {.max_life = Minutes(3)}});
  old.clock.Advance(Minutes(1));
  const StoreReply put = old.Run(store::Put{kTwo, "two", std::nullopt});
  const std::string snapshot = old.records.Snapshot(old.clock.Now());
  const StoreReply later = old.Run(store::Put{kTwo, "lost", std::nullopt});

  Store fresh(Instant{70});
  ASSERT_TRUE(fresh.records.Restore(snapshot, Seconds(90), fresh.clock.Now()));
  EXPECT_EQ(fresh.records.size(), 3u);
  const StoreReply listed = fresh.Run(store::List{"alice", "basket", "", 10});
  ASSERT_EQ(listed.listed.size(), 2u);
  EXPECT_EQ(listed.listed[0].id, "two");  // as they were made
  EXPECT_EQ(listed.listed[0].expires_in, Millis{Minutes(10).count - 90'000});
  const StoreReply one = fresh.Run(store::Get{kOne});
  EXPECT_THAT(one, Holds(std::string(kBytes)));
  EXPECT_EQ(one.record.max_life_left, Millis{Minutes(59).count - 90'000});
  // No version that the old store gave, also after the snapshot, is good here.
  EXPECT_GT(one.record.version, later.record.version);
  for (const std::uint64_t version : {put.record.version, later.record.version}) {
    EXPECT_THAT(fresh.Run(store::Put{kTwo, "x", version}), FailsWith(ErrorCode::kConflict));
  }
  // Its life goes on to be counted, with the time in between.
  fresh.clock.Advance(Seconds(29));
  EXPECT_THAT(fresh.Run(store::Get{kBearer}), Holds("b"));
  fresh.clock.Advance(Seconds(1));
  EXPECT_THAT(fresh.Run(store::Get{kBearer}), FailsWith(ErrorCode::kNotFound));
}

TEST(RecordSnapshot, LeavesOutWhatIsOver) {
  Store old(Instant{});
  old.Run(store::Create{kOne, "1", {.idle_ttl = Minutes(1)}});
  old.Run(store::Create{kTwo, "2", {.idle_ttl = Minutes(3), .remember = Hours(1)}});
  old.Run(store::Create{kBearer, "3", {.idle_ttl = Minutes(9)}});
  old.Run(store::Remove{kBearer});
  old.clock.Advance(Minutes(1));
  const std::string snapshot = old.records.Snapshot(old.clock.Now());
  Store soon(Instant{});
  ASSERT_TRUE(soon.records.Restore(snapshot, Minutes(1), Instant{}));
  EXPECT_EQ(soon.records.size(), 1u);
  soon.clock.Advance(Minutes(1));
  EXPECT_THAT(soon.Run(store::Get{kTwo}), FailsWith(ErrorCode::kExpired));  // remembered, as agreed
  Store late(Instant{});
  ASSERT_TRUE(late.records.Restore(snapshot, Minutes(2), Instant{}));
  EXPECT_EQ(late.records.size(), 0u);
}

TEST(RecordSnapshot, RefusesWhatIsNone) {
  Store old(Instant{});
  old.Run(store::Create{kOne, "data", {.idle_ttl = Minutes(1)}});
  const std::string good = old.records.Snapshot(Instant{});
  EXPECT_EQ(Refusal(good), ErrorCode::kInternal);  // taken
  const std::size_t head = Store(Instant{}).records.Snapshot(Instant{}).size();
  for (std::size_t size = 0; size < good.size(); ++size) {
    if (size == head) continue;  // an empty store's
    EXPECT_EQ(Refusal(good.substr(0, size)), ErrorCode::kCorrupt) << size;
  }
  EXPECT_EQ(Refusal(good + "x"), ErrorCode::kCorrupt);
  EXPECT_EQ(Refusal(good + good.substr(head)), ErrorCode::kCorrupt);  // twice the same
  // Any byte that is another one: no crash, and nothing with a life that cannot be.
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const char byte : {'\0', '\x7f', '\xff'}) {
      std::string bad = good;
      bad[at] = byte;
      Store store(Instant{});
      if (!store.records.Restore(bad, Millis{}, Instant{})) continue;
      store.clock.Advance(kMaxLifetime);
      EXPECT_THAT(store.Run(store::Get{kOne}), Not(IsDone())) << at;
    }
  }
}

TEST(RecordSnapshot, KeepsToTheLimitsOfTheNewStore) {
  Store old(Instant{});
  old.Run(store::Create{kOne, "1234", {.idle_ttl = Minutes(1)}});
  old.Run(store::Create{kTwo, "1", {.idle_ttl = Minutes(1)}});
  const std::string snapshot = old.records.Snapshot(Instant{});
  EXPECT_EQ(Refusal(snapshot, {.max_record_bytes = 3}), ErrorCode::kTooLarge);
  EXPECT_EQ(Refusal(snapshot, {.max_records = 1}), ErrorCode::kCapacity);
}

TEST(RecordSnapshot, CountsWhatMayHaveChanged) {
  Store store(Instant{});
  EXPECT_EQ(store.records.changes(), 0u);
  store.Run(store::Create{kOne, "1", {.idle_ttl = Minutes(1)}});
  store.Run(store::List{"alice", "basket", "", 10});
  EXPECT_EQ(store.records.changes(), 1u);
  store.Run(store::Get{kOne});
  EXPECT_EQ(store.records.changes(), 2u);
}

}  // namespace
}  // namespace mcp_session

// The names and the lines that every store draws alike.
#include "mcp_session/store/store.h"

#include <gtest/gtest.h>

#include <string>

#include "mcp_session/store/rules.h"
#include "tests/support/printers.h"

namespace mcp_session {
namespace {

constexpr RecordKey kKey{"alice", "session", "id-1"};

TEST(StoreState, HasAName) {
  EXPECT_EQ(StateName(StoreState::kConnected), "connected");
  EXPECT_EQ(StateName(StoreState::kConnecting), "connecting");
  EXPECT_EQ(StateName(StoreState::kUnavailable), "unavailable");
  EXPECT_EQ(StateName(StoreState::kMisconfigured), "misconfigured");
  EXPECT_EQ(StateName(StoreState::kDegraded), "degraded");
}

TEST(StoreRules, AKeyHasAKindAndAnId) {
  const std::string longest(256, 'x'), longer(257, 'x');
  EXPECT_TRUE(IsStorable(kKey));
  EXPECT_TRUE(IsStorable({"", "k", "i"}));
  EXPECT_TRUE(IsStorable({longest, longest, longest}));
  EXPECT_FALSE(IsStorable({longer, "k", "i"}));
  EXPECT_FALSE(IsStorable({"o", longer, "i"}));
  EXPECT_FALSE(IsStorable({"o", "k", longer}));
  EXPECT_FALSE(IsStorable({"o", "", "i"}));
  EXPECT_FALSE(IsStorable({"o", "k", ""}));
}

TEST(StoreRules, ALifetimeHasAnEnd) {
  EXPECT_FALSE(IsValid(Lifetime{}));
  EXPECT_FALSE(IsValid(Lifetime{.remember = Minutes(1)}));
  EXPECT_TRUE(IsValid(Lifetime{.idle_ttl = Millis{1}}));
  EXPECT_TRUE(IsValid(Lifetime{.max_life = kMaxLifetime, .remember = kMaxLifetime}));
  EXPECT_FALSE(IsValid(Lifetime{.max_life = Millis{0}}));
  EXPECT_FALSE(IsValid(Lifetime{.idle_ttl = Millis{kMaxLifetime.count + 1}}));
  EXPECT_FALSE(IsValid(Lifetime{.max_life = Millis{1}, .remember = Millis{-1}}));
  EXPECT_FALSE(
      IsValid(Lifetime{.max_life = Millis{1}, .remember = Millis{kMaxLifetime.count + 1}}));
}

TEST(StoreRules, ALockHasAHolderAndALease) {
  EXPECT_TRUE(IsValid(store::Lock{kKey, 1, Millis{1}}));
  EXPECT_TRUE(IsValid(store::Lock{kKey, 1, kMaxLease}));
  EXPECT_FALSE(IsValid(store::Lock{kKey, 0, kMaxLease}));
  EXPECT_FALSE(IsValid(store::Lock{kKey, 1, Millis{0}}));
  EXPECT_FALSE(IsValid(store::Lock{kKey, 1, Millis{kMaxLease.count + 1}}));
  EXPECT_FALSE(IsValid(store::Lock{{"o", "k", ""}, 1, kMaxLease}));
  EXPECT_TRUE(IsValid(store::Extend{kKey, 0, kMaxLease}));
  EXPECT_FALSE(IsValid(store::Extend{kKey, 1, Millis{0}}));
  EXPECT_FALSE(IsValid(store::Extend{kKey, 1, Millis{kMaxLease.count + 1}}));
}

TEST(StoreRules, AStreamIsReadInBoundedPieces) {
  for (const std::size_t wrong : {std::size_t{0}, kMaxEventLimit + 1}) {
    EXPECT_FALSE(IsValid(store::Append{kKey, "event", wrong})) << wrong;
    EXPECT_FALSE(IsValid(store::ReadEvents{kKey, 0, wrong})) << wrong;
  }
  for (const std::size_t right : {std::size_t{1}, kMaxEventLimit}) {
    EXPECT_TRUE(IsValid(store::Append{kKey, "event", right})) << right;
    EXPECT_TRUE(IsValid(store::ReadEvents{kKey, 0, right, kMaxEventWait})) << right;
  }
  EXPECT_FALSE(IsValid(store::ReadEvents{kKey, 0, 1, Millis{-1}}));
  EXPECT_FALSE(IsValid(store::ReadEvents{kKey, 0, 1, Millis{kMaxEventWait.count + 1}}));
}

}  // namespace
}  // namespace mcp_session

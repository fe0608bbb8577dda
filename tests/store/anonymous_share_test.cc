// What records without an owner may take of a store in memory (semantics H47, H48).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mcp_session/store/memory_store.h"
#include "tests/store/matchers.h"
#include "tests/support/counting_entropy.h"
#include "tests/support/manual_clock.h"

namespace mcp_session {
namespace {

constexpr Lifetime kTenMinutes{.idle_ttl = Minutes(10)};

class AnonymousShare : public testing::Test {
 protected:
  void NewStore(const MemoryStoreOptions& options) { store_.emplace(options, entropy_); }

  StoreReply Run(StoreCommand command) {
    std::vector<StoreReply> replies;
    store_->Submit({1}, std::move(command), clock_.Now());
    store_->Drain(&replies);
    EXPECT_EQ(replies.size(), 1u);
    return std::move(replies.front());
  }

  StoreReply Create(std::string_view owner, const std::string& id, std::string data = "data") {
    return Run(store::Create{{owner, "session", id}, std::move(data), kTenMinutes});
  }

  // Creates them until one is refused; answers how many were not.
  int Flood(const std::string& data) {
    int created = 0;
    while (!Create("", "flood-" + std::to_string(flood_++), data).error) ++created;
    return created;
  }

  ManualClock clock_;
  CountingEntropy entropy_;
  std::optional<MemorySessionStore> store_;
  int flood_ = 0;
};

TEST_F(AnonymousShare, IsAllOfIfNothingIsSaid) {
  NewStore({.max_records = 100});
  EXPECT_EQ(Flood("x"), 100);
}

TEST_F(AnonymousShare, IsSoManyRecordsAndLeavesTheRestToOwners) {
  NewStore({.max_records = 99, .anonymous_percent = 20});
  EXPECT_EQ(Flood("x"), 19);
  for (int i = 0; i < 80; ++i) {
    EXPECT_THAT(Create("user-" + std::to_string(i), "mine"), IsDone()) << i;
  }
  EXPECT_THAT(Create("one-too-many", "mine"), FailsWith(ErrorCode::kCapacity));
}

TEST_F(AnonymousShare, IsSoManyBytes) {
  NewStore({.max_bytes = 1'000'000, .anonymous_percent = 20});
  const int created = Flood(std::string(10'000, 'x'));
  EXPECT_GE(created, 18);
  EXPECT_LE(created, 20);
  // Nor do those that are there grow, be it in data or in events.
  const RecordKey first{"", "session", "flood-0"};
  EXPECT_THAT(Run(store::Put{first, std::string(30'000, 'x')}), FailsWith(ErrorCode::kCapacity));
  EXPECT_THAT(Run(store::Append{first, std::string(30'000, 'x')}), FailsWith(ErrorCode::kCapacity));
  EXPECT_THAT(Run(store::Put{first, "less"}), IsDone());
  EXPECT_THAT(Run(store::Put{first, "more"}), IsDone());
  EXPECT_THAT(Create("alice", "mine", std::string(60'000, 'x')), IsDone());
  EXPECT_THAT(Run(store::Put{{"alice", "session", "mine"}, "small"}), IsDone());
}

TEST_F(AnonymousShare, IsFreeAgainWhenItsRecordsAreGone) {
  NewStore({.max_records = 100, .anonymous_percent = 20});
  EXPECT_EQ(Flood("x"), 20);
  EXPECT_THAT(Run(store::Remove{{"", "session", "flood-3"}}), Removed(1));
  EXPECT_EQ(Flood("x"), 1);
  clock_.Advance(Minutes(10));
  EXPECT_EQ(Flood("x"), 20);
}

TEST_F(AnonymousShare, CountsWhatChangesItsOwner) {
  NewStore({.max_records = 10, .anonymous_percent = 20});
  const RecordKey anonymous{"", "session", "flood-0"};
  const RecordKey owned{"alice", "session", "hers"};
  EXPECT_EQ(Flood("x"), 2);
  EXPECT_THAT(Run(store::Regenerate{anonymous, owned}), IsDone());  // a login
  EXPECT_EQ(Flood("x"), 1);
  EXPECT_THAT(Run(store::Regenerate{owned, anonymous}), FailsWith(ErrorCode::kCapacity));
  EXPECT_THAT(Run(store::Get{owned}), Holds("x"));
  EXPECT_THAT(Run(store::Remove{{"", "session", "flood-1"}}), Removed(1));
  EXPECT_THAT(Run(store::Regenerate{owned, anonymous}), IsDone());
  EXPECT_EQ(Flood("x"), 0);
}

TEST_F(AnonymousShare, AFloodHurtsNobodyWhoHasAName) {
  NewStore({.max_records = 10'000, .max_bytes = 8u << 20, .anonymous_percent = 20});
  std::vector<std::string> users;
  std::size_t most = 0;
  for (int i = 0; i < 100'000; ++i) {
    Create("", "flood-" + std::to_string(i), std::string(500, 'x'));
    if (i % 20 == 0) {
      const std::string& user = users.emplace_back("user-" + std::to_string(i));
      ASSERT_THAT(Create(user, "mine", user), IsDone()) << user;
    }
    most = std::max(most, store_->MemoryUse());
  }
  EXPECT_EQ(users.size(), 5'000u);
  for (const std::string& user : users) {
    ASSERT_THAT(Run(store::Get{{user, "session", "mine"}}), Holds(user));
  }
  EXPECT_LE(most, 8u << 20);
}

}  // namespace
}  // namespace mcp_session

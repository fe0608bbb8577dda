// DegradingStore, sentence by sentence of its header.
#include "mcp_session/fallback/degrading_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/fallback/flaky_backend.h"
#include "tests/support/counting_entropy.h"
#include "tests/support/manual_clock.h"
#include "tests/support/printers.h"

namespace mcp_session {
namespace {

using ::testing::HasSubstr;

const Lifetime kHour{.idle_ttl = Hours(1)};
const RecordKey kOld{"p", "cart", "old"};
const RecordKey kNew{"p", "cart", "new"};

class DegradingStoreTest : public testing::Test {
 protected:
  StoreReply Run(StoreCommand command) {
    store_.Submit({++ticket_}, std::move(command), clock_.Now());
    std::vector<StoreReply> replies;
    store_.Drain(&replies);
    EXPECT_EQ(replies.size(), 1u);
    if (replies.empty()) return {};
    EXPECT_EQ(replies[0].ticket.number, ticket_);
    return std::move(replies[0]);
  }
  StoreReply Create(const RecordKey& key, std::string data = "data", std::uint64_t write_id = 0) {
    return Run(store::Create{key, std::move(data), kHour, write_id});
  }
  // As another process sees the backend.
  StoreReply Elsewhere(StoreCommand command) {
    inner_.Submit({1}, std::move(command), clock_.Now());
    std::vector<StoreReply> replies;
    inner_.Drain(&replies);
    return std::move(replies[0]);
  }
  std::string DataElsewhere(const RecordKey& key) {
    const StoreReply reply = Elsewhere(store::Get{key});
    return reply.error ? std::string(CodeName(*reply.error)) : *reply.record.data;
  }
  void TickOnce() {
    clock_.Advance(Millis{50});
    store_.Tick(clock_.Now());
    std::vector<StoreReply> none;
    store_.Drain(&none);
    EXPECT_TRUE(none.empty());
  }
  void Recover() {
    flaky_->ComeBack();
    for (int i = 0; i < 100 && store_.Status().state != StoreState::kConnected; ++i) TickOnce();
    EXPECT_EQ(store_.Status().state, StoreState::kConnected);
  }

  ManualClock clock_;
  SeededEntropy entropy_{1};
  MemorySessionStore inner_{{}, entropy_};
  FlakyBackend* flaky_ = nullptr;
  std::vector<std::string> lines_;
  std::unique_ptr<FlakyBackend> owned_ = [this] {
    auto made = std::make_unique<FlakyBackend>(inner_);
    flaky_ = made.get();
    return made;
  }();
  DegradingStore store_{std::move(owned_),
                        {.local = {.max_records = 1000},
                         .log = [this](std::string_view line) { lines_.emplace_back(line); },
                         .owner_that_is =
                             [](const RecordKey& key) {
                               return key.kind == "session" ? "session:" + std::string(key.id)
                                                            : std::string();
                             }},
                        entropy_};
  std::uint64_t ticket_ = 100;
};

TEST_F(DegradingStoreTest, IsTheBackendWhileThatIsThere) {
  EXPECT_EQ(Create(kOld).error, std::nullopt);
  EXPECT_EQ(DataElsewhere(kOld), "data");
  EXPECT_EQ(store_.Status().state, StoreState::kConnected);
  EXPECT_EQ(store_.local_records(), 0u);
}

TEST_F(DegradingStoreTest, TakesNewRecordsWhileItIsAway) {
  flaky_->GoAway();
  const StoreReply made = Create(kNew, "one");
  EXPECT_EQ(made.error, std::nullopt);
  EXPECT_EQ(*Run(store::Get{kNew}).record.data, "one");
  EXPECT_EQ(Run(store::Put{kNew, "two", made.record.version}).error, std::nullopt);
  const StoreReply conflict = Run(store::Put{kNew, "three", made.record.version});
  EXPECT_EQ(conflict.error, ErrorCode::kConflict);
  EXPECT_EQ(*conflict.record.data, "two");
  EXPECT_EQ(Run(store::Touch{kNew}).error, std::nullopt);
  EXPECT_EQ(Create(kNew).error, ErrorCode::kExists);
  EXPECT_EQ(store_.Status().state, StoreState::kDegraded);
  EXPECT_THAT(store_.Status().reason, HasSubstr("the cable is out"));
  EXPECT_EQ(store_.Status().backend, "memory");
  EXPECT_EQ(store_.counters().created, 1u);
}

TEST_F(DegradingStoreTest, RefusesWhatOnlyTheBackendKnows) {
  ASSERT_EQ(Create(kOld).error, std::nullopt);
  flaky_->GoAway();
  const std::size_t before = flaky_->commands();
  EXPECT_EQ(Run(store::Get{kOld}).error, ErrorCode::kUnavailable);
  EXPECT_EQ(Run(store::Put{kOld, "x", std::nullopt}).error, ErrorCode::kUnavailable);
  EXPECT_EQ(Run(store::Touch{kOld}).error, ErrorCode::kUnavailable);
  EXPECT_EQ(Run(store::Remove{kOld}).error, ErrorCode::kUnavailable);
  EXPECT_EQ(Run(store::Take{kOld}).error, ErrorCode::kUnavailable);
  EXPECT_EQ(Run(store::Regenerate{kOld, kNew}).error, ErrorCode::kUnavailable);
  EXPECT_EQ(Run(store::RemoveOwned{"p"}).error, ErrorCode::kUnavailable);
  EXPECT_EQ(Run(store::List{"p", "cart", "", 10}).error, ErrorCode::kUnavailable);
  EXPECT_EQ(Run(store::Lock{kOld, 1, Seconds(1)}).error, ErrorCode::kUnavailable);
  EXPECT_EQ(Run(store::Append{kOld, "e"}).error, ErrorCode::kUnavailable);
  EXPECT_EQ(store_.counters().refused, 10u);
  EXPECT_EQ(flaky_->commands(), before);
  Recover();
  EXPECT_EQ(DataElsewhere(kOld), "data");
}

TEST_F(DegradingStoreTest, RefusesWhatALocalRecordCannotHave) {
  flaky_->GoAway();
  ASSERT_EQ(Create(kNew).error, std::nullopt);
  EXPECT_EQ(Run(store::Lock{kNew, 1, Seconds(1)}).error, ErrorCode::kUnavailable);
  EXPECT_EQ(Run(store::Append{kNew, "e"}).error, ErrorCode::kUnavailable);
  EXPECT_EQ(Run(store::ReadEvents{kNew}).error, ErrorCode::kUnavailable);
  EXPECT_EQ(Run(store::Put{kNew, "x", std::nullopt, 0, 7}).error, ErrorCode::kUnavailable);
  EXPECT_EQ(Run(store::Remove{kNew, std::nullopt, 7}).error, ErrorCode::kUnavailable);
  EXPECT_EQ(*Run(store::Get{kNew}).record.data, "data");
}

// The backend would say that it is not there.
TEST_F(DegradingStoreTest, DoesNotAskTheBackendAheadForWhatIsHere) {
  ASSERT_EQ(Create(kOld).error, std::nullopt);
  const RecordKey other{"p", "cart", "other"};
  ASSERT_EQ(Create(other).error, std::nullopt);
  flaky_->AnswerAhead();
  const StoreReply there = Run(store::Get{kOld, other});
  ASSERT_NE(there.ahead, nullptr);
  EXPECT_EQ(*there.ahead->record.data, "data");
  flaky_->GoAway();
  ASSERT_EQ(Create(kNew, "new").error, std::nullopt);
  flaky_->ComeBack();
  const StoreReply here = Run(store::Get{kOld, kNew});
  EXPECT_EQ(here.error, std::nullopt);
  EXPECT_EQ(here.ahead, nullptr);
}

TEST_F(DegradingStoreTest, MovesThemWhenItIsBack) {
  flaky_->GoAway();
  const StoreReply made = Create(kNew, "one");
  ASSERT_EQ(Run(store::Put{kNew, "two", made.record.version}).error, std::nullopt);
  Recover();
  EXPECT_EQ(DataElsewhere(kNew), "two");
  EXPECT_EQ(store_.counters().moved, 1u);
  EXPECT_EQ(store_.local_records(), 0u);
  const StoreReply stale = Run(store::Put{kNew, "late", made.record.version});
  EXPECT_EQ(stale.error, ErrorCode::kConflict);
  EXPECT_EQ(Run(store::Put{kNew, "three", stale.record.version}).error, std::nullopt);
  EXPECT_EQ(DataElsewhere(kNew), "three");
}

TEST_F(DegradingStoreTest, MovesAtMost200InASecond) {
  flaky_->GoAway();
  std::vector<std::string> ids;
  for (int i = 0; i < 100; ++i) {
    ids.push_back(std::to_string(i));
    ASSERT_EQ(Create({"", "cart", ids.back()}).error, std::nullopt);
  }
  flaky_->ComeBack();
  TickOnce();
  EXPECT_GE(store_.local_records(), 80u);
  EXPECT_EQ(store_.Status().state, StoreState::kDegraded);
  EXPECT_THAT(store_.Status().reason, HasSubstr("being moved"));
  Recover();
  EXPECT_EQ(store_.counters().moved, 100u);
}

TEST_F(DegradingStoreTest, ServesARecordUntilItsMoveIsAcknowledged) {
  flaky_->GoAway();
  ASSERT_EQ(Create(kNew).error, std::nullopt);
  flaky_->ComeBack();
  flaky_->Hold(true);
  TickOnce();
  TickOnce();
  ASSERT_EQ(flaky_->held(), 1u);
  EXPECT_EQ(*Run(store::Get{kNew}).record.data, "data");
  const StoreReply put = Run(store::Put{kNew, "x", std::nullopt});
  EXPECT_EQ(put.error, ErrorCode::kUnavailable);
  EXPECT_FALSE(put.maybe_done);
  flaky_->Hold(false);
  flaky_->Deliver();
  Recover();
  EXPECT_EQ(Run(store::Put{kNew, "x", std::nullopt}).error, std::nullopt);
  EXPECT_EQ(DataElsewhere(kNew), "x");
}

TEST_F(DegradingStoreTest, NeverOverwritesTheBackendsRecord) {
  flaky_->GoAway();
  ASSERT_EQ(Create(kNew, "ours").error, std::nullopt);
  ASSERT_EQ(Elsewhere(store::Create{kNew, "theirs", kHour}).error, std::nullopt);
  Recover();
  EXPECT_EQ(DataElsewhere(kNew), "theirs");
  EXPECT_EQ(*Run(store::Get{kNew}).record.data, "theirs");
  EXPECT_EQ(store_.counters().lost, 1u);
  EXPECT_EQ(store_.counters().moved, 0u);
  EXPECT_THAT(lines_, testing::Contains(HasSubstr("a local cart is lost")));
}

TEST_F(DegradingStoreTest, WhatWasRemovedDoesNotComeBack) {
  flaky_->GoAway();
  ASSERT_EQ(Create(kNew).error, std::nullopt);
  EXPECT_EQ(Run(store::Remove{kNew}).removed, 1u);
  ASSERT_EQ(Create(kOld).error, std::nullopt);
  EXPECT_EQ(*Run(store::Take{kOld}).record.data, "data");
  Recover();
  EXPECT_EQ(DataElsewhere(kNew), "NOT_FOUND");
  EXPECT_EQ(DataElsewhere(kOld), "NOT_FOUND");
  EXPECT_EQ(store_.counters().removed, 2u);
}

TEST_F(DegradingStoreTest, RemovingAllOfAnOwnerIsHalfDoneWhileItIsAway) {
  ASSERT_EQ(Create(kOld).error, std::nullopt);
  flaky_->GoAway();
  ASSERT_EQ(Create(kNew).error, std::nullopt);
  ASSERT_EQ(Create({"other", "cart", "new"}).error, std::nullopt);
  const StoreReply reply = Run(store::RemoveOwned{"p"});
  EXPECT_EQ(reply.error, ErrorCode::kUnavailable);
  EXPECT_TRUE(reply.maybe_done);
  Recover();
  EXPECT_EQ(DataElsewhere(kNew), "NOT_FOUND");
  EXPECT_EQ(DataElsewhere({"other", "cart", "new"}), "data");
  EXPECT_EQ(Run(store::RemoveOwned{"p"}).removed, 1u);
}

TEST_F(DegradingStoreTest, RemovingAllOfAnOwnerCountsBothPlaces) {
  ASSERT_EQ(Create(kOld).error, std::nullopt);
  flaky_->GoAway();
  ASSERT_EQ(Create(kNew).error, std::nullopt);
  flaky_->ComeBack();
  EXPECT_EQ(Run(store::RemoveOwned{"p"}).removed, 2u);
  EXPECT_EQ(store_.local_records(), 0u);
}

TEST_F(DegradingStoreTest, GivesLocalRecordsNewKeys) {
  flaky_->GoAway();
  ASSERT_EQ(Create(kOld).error, std::nullopt);
  EXPECT_EQ(*Run(store::Regenerate{kOld, kNew}).record.data, "data");
  Recover();
  EXPECT_EQ(DataElsewhere(kNew), "data");
  EXPECT_EQ(DataElsewhere(kOld), "NOT_FOUND");
}

// What a session owns that was born here is here, or nowhere.
TEST_F(DegradingStoreTest, ASessionThatWasBornHereHasNothingElsewhere) {
  const RecordKey session{"", "session", "born-here"};
  const RecordKey state{"session:born-here", "state", "state"};
  const RecordKey basket{"session:born-here", "basket", "basket"};
  flaky_->GoAway();
  EXPECT_EQ(Run(store::Get{state}).error, ErrorCode::kUnavailable);
  ASSERT_EQ(Create(session).error, std::nullopt);
  EXPECT_EQ(Run(store::Get{state}).error, ErrorCode::kNotFound);
  EXPECT_EQ(Run(store::Remove{state}).removed, 0u);
  EXPECT_EQ(Run(store::Lock{state, 1, Seconds(1)}).error, ErrorCode::kUnavailable);
  ASSERT_EQ(Create(state).error, std::nullopt);
  ASSERT_EQ(Create(basket).error, std::nullopt);
  const StoreReply list = Run(store::List{"session:born-here", "basket", "", 10});
  ASSERT_EQ(list.listed.size(), 1u);
  EXPECT_EQ(Run(store::Put{basket, "x", list.listed[0].version}).error, std::nullopt);
  EXPECT_EQ(Run(store::RemoveOwned{"session:born-here"}).removed, 2u);
  ASSERT_EQ(Create(state, "again").error, std::nullopt);
  // While the session is not moved, what is made in it stays with it.
  flaky_->ComeBack();
  ASSERT_EQ(Create(basket).error, std::nullopt);
  EXPECT_EQ(DataElsewhere(basket), "NOT_FOUND");
  EXPECT_EQ(*Run(store::Get{basket}).record.data, "data");
  ASSERT_EQ(Elsewhere(store::Create{kOld, "theirs", kHour}).error, std::nullopt);
  EXPECT_EQ(Run(store::Regenerate{kOld, {"session:born-here", "cart", "theirs"}}).error,
            ErrorCode::kUnavailable);
  Recover();
  EXPECT_EQ(DataElsewhere(session), "data");
  EXPECT_EQ(DataElsewhere(state), "again");
  EXPECT_EQ(DataElsewhere(basket), "data");
  // Then others may know it.
  flaky_->GoAway();
  EXPECT_EQ(Run(store::Get{{"session:born-here", "state", "other"}}).error,
            ErrorCode::kUnavailable);
}

// The first move was done, and its reply was lost.
TEST_F(DegradingStoreTest, AMoveThatWasDoneUnheardIsRecognised) {
  flaky_->GoAway();
  ASSERT_EQ(Create(kNew).error, std::nullopt);
  flaky_->ComeBack();
  flaky_->Hold(true);
  TickOnce();
  TickOnce();
  ASSERT_EQ(flaky_->held(), 1u);
  flaky_->GoAway();
  flaky_->Hold(false);
  TickOnce();
  // Nobody knows: it may be a record of the backend by now.
  EXPECT_EQ(*Run(store::Get{kNew}).record.data, "data");
  EXPECT_EQ(Run(store::Remove{kNew}).error, ErrorCode::kUnavailable);
  Recover();
  EXPECT_EQ(store_.counters().moved, 1u);
  EXPECT_EQ(store_.counters().lost, 0u);
  EXPECT_EQ(DataElsewhere(kNew), "data");
  EXPECT_EQ(Run(store::Remove{kNew}).removed, 1u);
}

// The caller's own Create had reached the backend before that went away.
TEST_F(DegradingStoreTest, ACreateThatComesAgainIsTheSameRecord) {
  flaky_->Hold(true);
  store_.Submit({7}, store::Create{kNew, "one", kHour, 77}, clock_.Now());
  flaky_->GoAway();
  flaky_->Hold(false);
  std::vector<StoreReply> replies;
  store_.Drain(&replies);
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_TRUE(replies[0].maybe_done);
  const StoreReply again = Create(kNew, "one", 77);
  ASSERT_EQ(again.error, std::nullopt);
  ASSERT_EQ(Run(store::Put{kNew, "two", again.record.version}).error, std::nullopt);
  // The backend has it, so it cannot be ended here.
  EXPECT_EQ(Run(store::Remove{kNew}).error, ErrorCode::kUnavailable);
  EXPECT_EQ(Run(store::Take{kNew}).error, ErrorCode::kUnavailable);
  EXPECT_EQ(Run(store::Regenerate{kNew, kOld}).error, ErrorCode::kUnavailable);
  const StoreReply all = Run(store::RemoveOwned{"p"});
  EXPECT_EQ(all.error, ErrorCode::kUnavailable);
  EXPECT_FALSE(all.maybe_done);
  Recover();
  EXPECT_EQ(store_.counters().lost, 0u);
  EXPECT_EQ(store_.counters().moved, 1u);
  EXPECT_EQ(DataElsewhere(kNew), "two");
  EXPECT_EQ(Run(store::Remove{kNew}).removed, 1u);
  EXPECT_EQ(DataElsewhere(kNew), "NOT_FOUND");
}

// The move finds what the caller's own Create had made, and brings it up to date too late.
TEST_F(DegradingStoreTest, WhatSomebodyWroteSinceIsNotOverwritten) {
  ASSERT_EQ(Elsewhere(store::Create{kNew, "one", kHour, 77}).error, std::nullopt);
  flaky_->GoAway();
  ASSERT_EQ(Create(kNew, "two", 77).error, std::nullopt);
  flaky_->ComeBack();
  flaky_->Hold(true);
  TickOnce();
  TickOnce();
  ASSERT_EQ(flaky_->held(), 1u);
  ASSERT_EQ(Elsewhere(store::Put{kNew, "theirs", std::nullopt}).error, std::nullopt);
  flaky_->Hold(false);
  flaky_->Deliver();
  Recover();
  EXPECT_EQ(DataElsewhere(kNew), "theirs");
  EXPECT_EQ(store_.counters().lost, 1u);
}

TEST_F(DegradingStoreTest, KeepsWhatIsLeftOfALife) {
  flaky_->GoAway();
  ASSERT_EQ(Run(store::Create{kNew, "data", {.max_life = Minutes(10)}}).error, std::nullopt);
  clock_.Advance(Minutes(9));
  Recover();
  EXPECT_EQ(DataElsewhere(kNew), "data");
  clock_.Advance(Minutes(1));
  EXPECT_EQ(DataElsewhere(kNew), "NOT_FOUND");
}

TEST_F(DegradingStoreTest, ForgetsWhatExpires) {
  flaky_->GoAway();
  ASSERT_EQ(Run(store::Create{kNew, "data", {.max_life = Seconds(1)}}).error, std::nullopt);
  clock_.Advance(Seconds(1));
  TickOnce();
  EXPECT_EQ(store_.local_records(), 0u);
  EXPECT_EQ(store_.counters().expired, 1u);
  Recover();
  EXPECT_EQ(DataElsewhere(kNew), "NOT_FOUND");
}

TEST_F(DegradingStoreTest, AFullBackendIsTriedAgain) {
  MemorySessionStore small({.max_records = 1}, entropy_);
  auto owned = std::make_unique<FlakyBackend>(small);
  FlakyBackend& flaky = *owned;
  DegradingStore store(std::move(owned), {}, entropy_);
  const auto run = [&](StoreCommand command) {
    store.Submit({1}, std::move(command), clock_.Now());
    std::vector<StoreReply> replies;
    store.Drain(&replies);
    return replies.at(0).error;
  };
  ASSERT_EQ(run(store::Create{kOld, "data", kHour}), std::nullopt);
  flaky.GoAway();
  ASSERT_EQ(run(store::Create{kNew, "data", kHour}), std::nullopt);
  flaky.ComeBack();
  const auto tick = [&] {
    clock_.Advance(Millis{50});
    store.Tick(clock_.Now());
    std::vector<StoreReply> replies;
    store.Drain(&replies);
  };
  for (int i = 0; i < 5; ++i) tick();
  EXPECT_EQ(store.local_records(), 1u);
  ASSERT_EQ(run(store::Remove{kOld}), std::nullopt);
  for (int i = 0; i < 5; ++i) tick();
  EXPECT_EQ(store.counters().moved, 1u);
  EXPECT_EQ(store.counters().lost, 0u);
}

TEST_F(DegradingStoreTest, ABackendThatRefusesUsIsNoOutage) {
  flaky_->GoAway();
  ASSERT_EQ(Create(kNew).error, std::nullopt);
  flaky_->SetState(StoreState::kMisconfigured);
  EXPECT_EQ(Create(kOld).error, ErrorCode::kMisconfigured);
  EXPECT_EQ(*Run(store::Get{kNew}).record.data, "data");
  EXPECT_EQ(store_.Status().state, StoreState::kMisconfigured);
}

TEST_F(DegradingStoreTest, StaysAwayWhileItOnlyConnects) {
  flaky_->GoAway();
  ASSERT_EQ(Create(kNew).error, std::nullopt);
  flaky_->SetState(StoreState::kConnecting);
  EXPECT_EQ(Create(kOld).error, std::nullopt);
  EXPECT_EQ(store_.local_records(), 2u);
  EXPECT_EQ(store_.Status().state, StoreState::kDegraded);
}

TEST_F(DegradingStoreTest, SaysEachChangeOnce) {
  flaky_->GoAway();
  for (int i = 0; i < 5; ++i) TickOnce();
  ASSERT_EQ(Create(kNew).error, std::nullopt);
  ASSERT_EQ(Create(kOld).error, std::nullopt);
  Recover();
  TickOnce();
  ASSERT_EQ(lines_.size(), 3u);
  EXPECT_THAT(lines_[0], HasSubstr("unavailable (the cable is out)"));
  EXPECT_THAT(lines_[1], HasSubstr("2 local records to be moved"));
  EXPECT_THAT(lines_[2], HasSubstr("all local records are with the backend"));
}

}  // namespace
}  // namespace mcp_session

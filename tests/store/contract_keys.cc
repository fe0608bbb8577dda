// Regenerate: a record gets another key, and with it perhaps another owner.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/store/contract.h"
#include "tests/store/matchers.h"

namespace mcp_session {
namespace {

using testing::AllOf;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using Strings = std::vector<std::string>;

constexpr RecordKey kOld{"", "session", "before login"};
constexpr RecordKey kNew{"alice", "session", "after login"};
constexpr std::uint64_t kWrite = 0xf00dfacecafe0001;

TEST_P(StoreExtrasContract, ARegeneratedRecordIsUnderItsNewKeyOnly) {
  const StoreReply created = Create(kOld, "basket of three");
  const StoreReply moved = Regenerate(kOld, kNew);
  EXPECT_THAT(moved, Holds("basket of three"));
  EXPECT_GT(moved.record.version, created.record.version);
  EXPECT_THAT(moved.record.id, IsEmpty());
  ExpectAbsent(kOld);
  const StoreReply got = Get(kNew);
  EXPECT_THAT(got, Holds("basket of three"));
  EXPECT_EQ(got.record.version, moved.record.version);
  EXPECT_THAT(Put(kNew, "late", created.record.version), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(Put(kNew, "basket of four", moved.record.version), Holds("basket of four"));
}

TEST_P(StoreExtrasContract, ANewKeyChangesNoEnd) {
  const RecordKey idle{"alice", "session", "idle"};
  const RecordKey idle_moved{"alice", "session", "idle moved"};
  InTime([&] {
    ASSERT_THAT(Create(kOld, "data", Both(OfIdle(1.2))), IsDone());
    const Span began = LastRun();
    ASSERT_THAT(Create(idle, "data", Idle()), IsDone());
    const Span idle_began = LastRun();
    Wait(OfIdle(0.4));
    const StoreReply moved = Regenerate(kOld, kNew);
    EXPECT_THAT(moved.record.expires_in, IsLeftOf(began, idle_ttl()));
    ASSERT_TRUE(moved.record.max_life_left.has_value());
    EXPECT_THAT(*moved.record.max_life_left, IsLeftOf(began, OfIdle(1.2)));
    const StoreReply other = Regenerate(idle, idle_moved);
    EXPECT_THAT(other.record.expires_in, IsLeftOf(idle_began, idle_ttl()));
    EXPECT_EQ(other.record.max_life_left, std::nullopt);
    // An access moves the end as before, and no further than max_life.
    Touch(kNew);
    const StoreReply got = Get(kNew);
    EXPECT_THAT(got.record.expires_in, IsLeftOf(began, OfIdle(1.2)));
    WaitUntil(idle_began.last + idle_ttl());
    MustBeBefore(began.first + OfIdle(1.2));
    EXPECT_THAT(Get(idle_moved), FailsWith(ErrorCode::kNotFound));
    EXPECT_THAT(Get(kNew), IsDone());
    WaitUntil(began.last + OfIdle(1.2));
    EXPECT_THAT(Get(kNew), FailsWith(ErrorCode::kNotFound));
    ExpectAbsent(kOld);
  });
}

TEST_P(StoreExtrasContract, RegenerateNeedsALiveRecordAndAFreeKey) {
  EXPECT_THAT(Regenerate(kOld, kNew), AllOf(FailsWith(ErrorCode::kNotFound), HasNoRecord()));
  EXPECT_THAT(Get(kNew), FailsWith(ErrorCode::kNotFound));
  Create(kNew, "alice's");
  EXPECT_THAT(Regenerate(kOld, kNew), FailsWith(ErrorCode::kNotFound));
  Create(kOld, "nobody's");
  EXPECT_THAT(Regenerate(kOld, kNew), AllOf(FailsWith(ErrorCode::kExists), HasNoRecord()));
  EXPECT_THAT(Regenerate(kOld, kOld), FailsWith(ErrorCode::kExists));
  EXPECT_THAT(Get(kOld), Holds("nobody's"));
  EXPECT_THAT(Get(kNew), Holds("alice's"));
  Remove(kNew);
  EXPECT_THAT(Regenerate(kOld, kNew), Holds("nobody's"));
  EXPECT_THAT(Regenerate(kOld, kOld), FailsWith(ErrorCode::kNotFound));
}

TEST_P(StoreExtrasContract, OfTwoRegeneratesOneGetsTheRecord) {
  Create(kOld, "one");
  Submit({101}, store::Regenerate{kOld, kNew});
  Submit({102}, store::Regenerate{kOld, {"bob", "session", "bob's"}});
  EXPECT_THAT(Replies(2), testing::ElementsAre(Holds("one"), FailsWith(ErrorCode::kNotFound)));
  EXPECT_THAT(Get(kNew), Holds("one"));
  EXPECT_THAT(Get({"bob", "session", "bob's"}), FailsWith(ErrorCode::kNotFound));
}

TEST_P(StoreExtrasContract, ANewKeyMustBeOneThatCanBe) {
  const std::string part(257, 'x');
  Create(kOld, "data");
  for (const RecordKey& key :
       {RecordKey{part, "k", "i"}, RecordKey{"o", part, "i"}, RecordKey{"o", "k", part},
        RecordKey{"o", "", "i"}, RecordKey{"o", "k", ""}}) {
    EXPECT_THAT(Regenerate(kOld, key), FailsWith(ErrorCode::kInvalidArgument));
    EXPECT_THAT(Regenerate(key, kNew), FailsWith(ErrorCode::kNotFound));
  }
  EXPECT_THAT(Get(kOld), Holds("data"));
  EXPECT_THAT(Get(kNew), FailsWith(ErrorCode::kNotFound));
}

TEST_P(StoreExtrasContract, ARegenerateThatComesAgainIsDoneOnce) {
  const RecordKey other{"bob", "session", "another"};
  Create(other, "bob's");
  Create(kOld, "data");
  const StoreReply moved = Regenerate(kOld, kNew, kWrite);
  ASSERT_THAT(moved, Holds("data"));
  for (const RecordKey& from : {kOld, other}) {
    const StoreReply again = Regenerate(from, kNew, kWrite);
    EXPECT_THAT(again, Holds("data"));
    EXPECT_EQ(again.record.version, moved.record.version);
  }
  EXPECT_THAT(Get(other), Holds("bob's"));
  EXPECT_EQ(Get(kNew).record.version, moved.record.version);
  EXPECT_THAT(Regenerate(kOld, kNew, kWrite + 1), FailsWith(ErrorCode::kNotFound));
  Create(kOld, "another");
  EXPECT_THAT(Regenerate(kOld, kNew, kWrite + 1), FailsWith(ErrorCode::kExists));
  Put(kNew, "more", std::nullopt);
  EXPECT_THAT(Regenerate(kOld, kNew, kWrite), FailsWith(ErrorCode::kExists));
  EXPECT_THAT(Get(kOld), Holds("another"));
  EXPECT_THAT(Get(kNew), Holds("more"));
}

TEST_P(StoreExtrasContract, RegenerateKnowsNoWriteOfBefore) {
  const StoreReply created = Create(kOld, "first");
  const StoreReply put =
      Run(store::Put{kOld, "second", created.record.version, /*write_id=*/kWrite});
  ASSERT_THAT(put, IsDone());
  ASSERT_THAT(Regenerate(kOld, kNew), Holds("second"));
  EXPECT_THAT(Run(store::Put{kNew, "second", created.record.version, kWrite}),
              FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(Run(store::Put{kOld, "second", created.record.version, kWrite}),
              FailsWith(ErrorCode::kNotFound));
}

TEST_P(StoreExtrasContract, TheOldKeyCanBeCreatedAgain) {
  const StoreReply created = Create(kOld, "first");
  const StoreReply moved = Regenerate(kOld, kNew);
  const StoreReply renewed = Create(kOld, "second");
  EXPECT_THAT(renewed, Holds("second"));
  EXPECT_GT(renewed.record.version, created.record.version) << "a version was used again";
  EXPECT_THAT(Get(kNew), Holds("first"));
  EXPECT_THAT(Remove(kNew), Removed(1));
  const StoreReply again = Regenerate(kOld, kNew);
  EXPECT_THAT(again, Holds("second"));
  EXPECT_GT(again.record.version, moved.record.version) << "a version was used again";
}

TEST_P(StoreExtrasContract, ARecordGoesFromOneOwnersListToTheOthers) {
  const RecordKey alices{"alice", "session", "1"};
  const RecordKey bobs{"bob", "session", "2"};
  Create(alices, "data");
  Create({"alice", "session", "kept"});
  ASSERT_THAT(Regenerate(alices, bobs), IsDone());
  EXPECT_THAT(ListIds("alice", "session"), UnorderedElementsAre("kept"));
  EXPECT_THAT(ListIds("bob", "session"), UnorderedElementsAre("2"));
  ExpectAbsent(alices);
  EXPECT_THAT(RemoveOwned("alice"), Removed(1));
  EXPECT_THAT(Get(bobs), Holds("data"));
  EXPECT_THAT(Regenerate(bobs, {"bob", "basket", "3"}), IsDone());
  EXPECT_THAT(ListIds("bob", "session"), IsEmpty());
  EXPECT_THAT(ListIds("bob", "basket"), UnorderedElementsAre("3"));
  EXPECT_THAT(Regenerate({"bob", "basket", "3"}, kOld), IsDone());
  EXPECT_THAT(RemoveOwned("bob"), Removed(0));
  EXPECT_THAT(Get(kOld), Holds("data"));
}

TEST_P(StoreExtrasContract, ARecordCountsInTheShareOfItsNewOwner) {
  NewStore({.max_records_per_owner = 2});
  Create({"alice", "session", "1"});
  Create({"alice", "session", "2"});
  Create({"bob", "session", "3"});
  Create(kOld);
  EXPECT_THAT(Regenerate({"alice", "session", "1"}, {"alice", "session", "new"}), IsDone())
      << "no more records than before";
  EXPECT_THAT(Regenerate(kOld, kNew), FailsWith(ErrorCode::kCapacity));
  EXPECT_THAT(Get(kOld), IsDone()) << "it ended although it has no new key";
  EXPECT_THAT(Regenerate({"bob", "session", "3"}, {"alice", "session", "3"}),
              FailsWith(ErrorCode::kCapacity));
  EXPECT_THAT(Get({"bob", "session", "3"}), IsDone());
  EXPECT_THAT(Regenerate({"alice", "session", "2"}, {"bob", "session", "2"}), IsDone());
  EXPECT_THAT(Regenerate(kOld, kNew), IsDone());
  EXPECT_THAT(Create({"alice", "session", "4"}), FailsWith(ErrorCode::kCapacity));
  EXPECT_THAT(Create({"bob", "session", "4"}), FailsWith(ErrorCode::kCapacity));
}

TEST_P(StoreExtrasContract, ANewKeyTakesNoMoreRoom) {
  if (!GetParam().caps_records) GTEST_SKIP() << "this backend has no limit of its own";
  NewStore({.max_records = 2});
  Create(kOld, "data");
  Create({"bob", "session", "1"});
  EXPECT_THAT(Create({"bob", "session", "2"}), FailsWith(ErrorCode::kCapacity));
  EXPECT_THAT(Regenerate(kOld, kNew), Holds("data"));
  EXPECT_THAT(Create({"bob", "session", "2"}), FailsWith(ErrorCode::kCapacity));
}

TEST_P(StoreExtrasContract, NobodyRegeneratesAnotherOwnersRecord) {
  const RecordKey alices{"alice", "session", "id-1"};
  Create(alices, "alice's");
  for (const RecordKey& other :
       {RecordKey{"bob", "session", "id-1"}, RecordKey{"", "session", "id-1"},
        RecordKey{"alice", "basket", "id-1"}}) {
    EXPECT_THAT(Regenerate(other, {"bob", "session", "stolen"}), FailsWith(ErrorCode::kNotFound));
  }
  EXPECT_THAT(Get(alices), Holds("alice's"));
  EXPECT_THAT(Get({"bob", "session", "stolen"}), FailsWith(ErrorCode::kNotFound));
}

TEST_P(StoreExtrasContract, WhoLostTheLockIsFencedUnderTheNewKeyToo) {
  Create(kOld);
  const std::uint64_t annas = Lock(kOld, 7).fence;
  Unlock(kOld, 7);
  const std::uint64_t bens = Lock(kOld, 8).fence;
  ASSERT_THAT(Regenerate(kOld, kNew), IsDone());
  EXPECT_THAT(PutUnder(kNew, "too late", annas), FailsWith(ErrorCode::kFenced));
  EXPECT_THAT(PutUnder(kNew, "ben's", bens), Holds("ben's"));
  const StoreReply granted = Lock(kNew, 9);
  ASSERT_THAT(granted, IsGranted()) << "the lock stays with the old key";
  EXPECT_THAT(PutUnder(kNew, "cleo's", granted.fence), Holds("cleo's"));
  EXPECT_THAT(PutUnder(kNew, "too late", bens), FailsWith(ErrorCode::kFenced));
}

TEST_P(StoreExtrasContract, ARecordThatArrivesWhileALockIsHeldIsFencedToo) {
  Create(kOld, "data");
  const std::uint64_t annas = Lock(kNew, 7).fence;
  Unlock(kNew, 7);
  const std::uint64_t bens = Lock(kNew, 8).fence;
  ASSERT_THAT(Regenerate(kOld, kNew), Holds("data"));
  EXPECT_THAT(PutUnder(kNew, "too late", annas), FailsWith(ErrorCode::kFenced));
  EXPECT_THAT(Remove(kNew, std::nullopt, annas), FailsWith(ErrorCode::kFenced));
  EXPECT_THAT(PutUnder(kNew, "ben's", bens), Holds("ben's"));
}

}  // namespace
}  // namespace mcp_session

// Sentence 12: one holder at a time, tokens that only grow, and no write by who lost the lock.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/store/contract.h"
#include "tests/store/matchers.h"

namespace mcp_session {
namespace {

using testing::AllOf;

constexpr RecordKey kRecord{"alice", "session", "id-1"};

// Holders, as random as they need to be here.
constexpr std::uint64_t kAnna = 0x1d0c5a9e3f7b2846;
constexpr std::uint64_t kBen = 0xffffffffffffffff;
constexpr std::uint64_t kCleo = 1;

TEST_P(StoreExtrasContract, OneHolderHasALock) {
  const StoreReply granted = Lock(kRecord, kAnna);
  EXPECT_THAT(granted, AllOf(IsGranted(), HasNoRecord()));
  EXPECT_THAT(Lock(kRecord, kBen), AllOf(FailsWith(ErrorCode::kLocked), HasNoRecord()));
  EXPECT_THAT(Lock(kRecord, kCleo), FailsWith(ErrorCode::kLocked));
  EXPECT_THAT(Unlock(kRecord, kAnna), IsDone());
  EXPECT_THAT(Lock(kRecord, kBen), IsGranted());
  EXPECT_THAT(Lock(kRecord, kAnna), FailsWith(ErrorCode::kLocked));
}

TEST_P(StoreExtrasContract, LockedSaysHowLongItMayLast) {
  ASSERT_THAT(Lock(kRecord, kAnna, Seconds(30)), IsGranted());
  const Span began = LastRun();
  Wait(OfIdle(0.1));
  const StoreReply locked = Lock(kRecord, kBen);
  ASSERT_THAT(locked, FailsWith(ErrorCode::kLocked));
  EXPECT_THAT(locked.record.expires_in, IsLeftOf(began, Seconds(30)));
}

TEST_P(StoreExtrasContract, OfTwoWhoLockOneGetsIt) {
  Submit({101}, store::Lock{kRecord, kAnna, kMaxLease});
  Submit({102}, store::Lock{kRecord, kBen, kMaxLease});
  EXPECT_THAT(Replies(2), testing::ElementsAre(IsGranted(), FailsWith(ErrorCode::kLocked)));
}

TEST_P(StoreExtrasContract, TheTokensOfAKeyGrow) {
  std::uint64_t highest = 0;
  for (int i = 0; i < 10; ++i) {
    if (i == 3) Create(kRecord);
    if (i == 5) Remove(kRecord);
    if (i == 6) Create(kRecord);
    if (i == 8) RemoveOwned(kRecord.owner);
    const std::uint64_t holder = i % 3 == 0 ? kAnna : kBen;
    const StoreReply granted = Lock(kRecord, holder);
    ASSERT_THAT(granted, IsGranted()) << i;
    ASSERT_GT(granted.fence, highest) << i;
    highest = granted.fence;
    ASSERT_THAT(Unlock(kRecord, holder), IsDone()) << i;
  }
}

TEST_P(StoreExtrasContract, ALockEndsWithItsLease) {
  const RecordKey extended{"alice", "session", "extended"};
  InTime([&] {
    const Instant first = Now();
    const StoreReply anna = Lock(kRecord, kAnna, OfIdle(0.4));
    ASSERT_THAT(anna, IsGranted());
    const StoreReply longer = Lock(extended, kAnna, OfIdle(0.3));
    ASSERT_THAT(longer, IsGranted());
    MustBeBefore(LastRun().first + OfIdle(0.3));
    EXPECT_THAT(Extend(extended, kAnna, OfIdle(0.4)), IsGranted(longer.fence));
    const Instant last = Now();

    ASSERT_NO_FATAL_FAILURE(WaitUntilJustBefore(first + OfIdle(0.4)));
    EXPECT_THAT(Lock(kRecord, kBen), FailsWith(ErrorCode::kLocked));
    EXPECT_THAT(Lock(extended, kBen), FailsWith(ErrorCode::kLocked));

    WaitUntil(last + OfIdle(0.4));
    EXPECT_THAT(Extend(kRecord, kAnna, kMaxLease), FailsWith(ErrorCode::kLockLost));
    EXPECT_THAT(Unlock(kRecord, kAnna), FailsWith(ErrorCode::kLockLost));
    const StoreReply ben = Lock(kRecord, kBen);
    EXPECT_THAT(ben, IsGranted());
    EXPECT_GT(ben.fence, anna.fence);
    EXPECT_THAT(Extend(extended, kAnna, kMaxLease), FailsWith(ErrorCode::kLockLost));
    const StoreReply again = Lock(extended, kAnna);
    EXPECT_THAT(again, IsGranted());
    EXPECT_GT(again.fence, longer.fence) << "a new lock needs a new token";
  });
}

TEST_P(StoreExtrasContract, LockingAgainAnswersTheSameTokenAndChangesNothing) {
  InTime([this] {
    const StoreReply granted = Lock(kRecord, kAnna, OfIdle(0.4));
    ASSERT_THAT(granted, IsGranted());
    const Span began = LastRun();
    MustBeBefore(began.first + OfIdle(0.4));
    EXPECT_THAT(Lock(kRecord, kAnna, kMaxLease), IsGranted(granted.fence));
    EXPECT_THAT(Lock(kRecord, kAnna, Millis{1}), IsGranted(granted.fence));
    const StoreReply locked = Lock(kRecord, kBen);
    EXPECT_THAT(locked, FailsWith(ErrorCode::kLocked));
    EXPECT_THAT(locked.record.expires_in, IsLeftOf(began, OfIdle(0.4)));
    WaitUntil(began.last + OfIdle(0.4));
    EXPECT_THAT(Lock(kRecord, kBen), IsGranted());
  });
}

TEST_P(StoreExtrasContract, ExtendNeverShortens) {
  const StoreReply granted = Lock(kRecord, kAnna, Seconds(30));
  const Span began = LastRun();
  const StoreReply shorter = Extend(kRecord, kAnna, Millis{1});
  EXPECT_THAT(shorter, AllOf(IsGranted(granted.fence), HasNoRecord()));
  EXPECT_THAT(shorter.record.expires_in, IsLeftOf(began, Seconds(30)));
  const StoreReply longer = Extend(kRecord, kAnna, Seconds(40));
  EXPECT_THAT(longer, IsGranted(granted.fence));
  EXPECT_THAT(longer.record.expires_in, IsAbout(Seconds(40), tolerance()));
}

TEST_P(StoreExtrasContract, NobodyHoldsALockForLongerThanMaxHold) {
  InTime([this] {
    ASSERT_THAT(Lock(kRecord, kAnna, OfIdle(0.5)), IsGranted());
    const Span began = LastRun();
    for (int i = 0; i < 2; ++i) {
      Wait(OfIdle(0.2));
      MustBeBefore(began.first + OfIdle(0.5));
      const StoreReply extended = Extend(kRecord, kAnna, kMaxLease);
      EXPECT_THAT(extended, IsGranted());
      EXPECT_THAT(extended.record.expires_in, IsLeftOf(began, kMaxHold));
    }
  });
}

TEST_P(StoreExtrasContract, OnlyTheHolderExtendsAndUnlocks) {
  EXPECT_THAT(Extend(kRecord, kAnna, kMaxLease), FailsWith(ErrorCode::kLockLost));
  EXPECT_THAT(Unlock(kRecord, kAnna), FailsWith(ErrorCode::kLockLost));
  const StoreReply granted = Lock(kRecord, kAnna, OfIdle(2));
  for (const std::uint64_t holder : {kBen, kCleo, std::uint64_t{0}, granted.fence}) {
    EXPECT_THAT(Unlock(kRecord, holder), FailsWith(ErrorCode::kLockLost)) << holder;
    EXPECT_THAT(Extend(kRecord, holder, kMaxLease), FailsWith(ErrorCode::kLockLost)) << holder;
  }
  const StoreReply locked = Lock(kRecord, kBen);
  EXPECT_THAT(locked, FailsWith(ErrorCode::kLocked)) << "somebody else gave the lock back";
  EXPECT_LE(locked.record.expires_in.count, OfIdle(2).count + tolerance().count)
      << "somebody else extended it";
  EXPECT_THAT(Unlock(kRecord, kAnna), IsDone());
  EXPECT_THAT(Unlock(kRecord, kAnna), FailsWith(ErrorCode::kLockLost));
  EXPECT_THAT(Extend(kRecord, kAnna, kMaxLease), FailsWith(ErrorCode::kLockLost));
}

TEST_P(StoreExtrasContract, WhoLostALockCannotTakeItFromTheNextHolder) {
  ASSERT_THAT(Lock(kRecord, kAnna, Millis{1}), IsGranted());
  WaitUntil(Now() + Millis{1});
  const StoreReply ben = Lock(kRecord, kBen);
  ASSERT_THAT(ben, IsGranted());
  EXPECT_THAT(Unlock(kRecord, kAnna), FailsWith(ErrorCode::kLockLost));
  EXPECT_THAT(Extend(kRecord, kAnna, kMaxLease), FailsWith(ErrorCode::kLockLost));
  EXPECT_THAT(Lock(kRecord, kAnna), FailsWith(ErrorCode::kLocked));
  EXPECT_THAT(Extend(kRecord, kBen, kMaxLease), IsGranted(ben.fence));
}

TEST_P(StoreExtrasContract, ALockNeedsAHolderAndALeaseInRange) {
  for (const Millis lease : {Millis{0}, Millis{-1}, Millis{kMaxLease.count + 1}}) {
    EXPECT_THAT(Lock(kRecord, kAnna, lease), FailsWith(ErrorCode::kInvalidArgument)) << lease.count;
  }
  EXPECT_THAT(Lock(kRecord, 0), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Lock(kRecord, kAnna, Millis{1}), IsGranted());
  const RecordKey other{"alice", "session", "id-2"};
  EXPECT_THAT(Lock(other, kAnna, kMaxLease), IsGranted());
  for (const Millis lease : {Millis{0}, Millis{-1}, Millis{kMaxLease.count + 1}}) {
    EXPECT_THAT(Extend(other, kAnna, lease), FailsWith(ErrorCode::kInvalidArgument)) << lease.count;
  }
  EXPECT_THAT(Extend(other, kAnna, Millis{1}), IsGranted());
}

TEST_P(StoreExtrasContract, ALockNeedsAKeyThatCanBe) {
  const std::string part(257, 'x');
  for (const RecordKey& key :
       {RecordKey{part, "k", "i"}, RecordKey{"o", part, "i"}, RecordKey{"o", "k", part},
        RecordKey{"o", "", "i"}, RecordKey{"o", "k", ""}}) {
    EXPECT_THAT(Lock(key, kAnna), FailsWith(ErrorCode::kInvalidArgument));
    EXPECT_THAT(Extend(key, kAnna, kMaxLease), FailsWith(ErrorCode::kLockLost));
    EXPECT_THAT(Unlock(key, kAnna), FailsWith(ErrorCode::kLockLost));
  }
}

TEST_P(StoreExtrasContract, ALockNeedsNoRecordAndMakesNone) {
  EXPECT_THAT(Lock(kRecord, kAnna), IsGranted());
  ExpectAbsent(kRecord);
  EXPECT_THAT(RemoveOwned(kRecord.owner), Removed(0));
  EXPECT_THAT(Lock(kRecord, kBen), FailsWith(ErrorCode::kLocked));
  EXPECT_THAT(Create(kRecord, "made"), Holds("made"));
  EXPECT_THAT(Lock(kRecord, kBen), FailsWith(ErrorCode::kLocked));
  EXPECT_THAT(Remove(kRecord), Removed(1));
  EXPECT_THAT(Lock(kRecord, kBen), FailsWith(ErrorCode::kLocked));
  EXPECT_THAT(Unlock(kRecord, kAnna), IsDone());
  ExpectAbsent(kRecord);
}

TEST_P(StoreExtrasContract, LocksTakeNothingOfAShare) {
  NewStore({.max_records_per_owner = 1});
  for (const std::string_view id : {"1", "2", "3"}) {
    EXPECT_THAT(Lock({"alice", "session", id}, kAnna), IsGranted());
  }
  EXPECT_THAT(Create({"alice", "session", "1"}), IsDone());
  EXPECT_THAT(Create({"alice", "session", "2"}), FailsWith(ErrorCode::kCapacity));
}

TEST_P(StoreExtrasContract, TheLocksOfOtherKeysAreOtherLocks) {
  ASSERT_THAT(Lock(kRecord, kAnna), IsGranted());
  for (const RecordKey& other :
       {RecordKey{"bob", "session", "id-1"}, RecordKey{"", "session", "id-1"},
        RecordKey{"alice", "basket", "id-1"}, RecordKey{"alice", "session", "id-2"},
        RecordKey{"alices", "ession", "id-1"}}) {
    EXPECT_THAT(Unlock(other, kAnna), FailsWith(ErrorCode::kLockLost));
    EXPECT_THAT(Lock(other, kBen), IsGranted());
    EXPECT_THAT(Unlock(other, kBen), IsDone());
  }
  EXPECT_THAT(Lock(kRecord, kBen), FailsWith(ErrorCode::kLocked));
}

TEST_P(StoreExtrasContract, AWriteUnderALockLostIsFenced) {
  const StoreReply created = Create(kRecord, "first");
  const std::uint64_t annas = Lock(kRecord, kAnna).fence;
  EXPECT_THAT(PutUnder(kRecord, "anna's", annas), Holds("anna's"));
  ASSERT_THAT(Unlock(kRecord, kAnna), IsDone());
  const StoreReply put = PutUnder(kRecord, "late", annas);
  EXPECT_THAT(put, Holds("late")) << "nobody was granted the lock since";
  const std::uint64_t bens = Lock(kRecord, kBen).fence;
  ASSERT_GT(bens, annas);

  // From the moment the lock is granted, before its holder wrote anything.
  EXPECT_THAT(PutUnder(kRecord, "too late", annas), FailsWith(ErrorCode::kFenced));
  EXPECT_THAT(Run(store::Put{kRecord, "too late", put.record.version, 0, annas}),
              FailsWith(ErrorCode::kFenced));
  EXPECT_THAT(Run(store::Put{kRecord, "too late", created.record.version, 0, annas}),
              FailsWith(ErrorCode::kFenced))
      << "this counts for more than the version";
  EXPECT_THAT(Remove(kRecord, std::nullopt, annas),
              AllOf(FailsWith(ErrorCode::kFenced), testing::Field(&StoreReply::removed, 0)));
  EXPECT_THAT(Remove(kRecord, put.record.version, annas), FailsWith(ErrorCode::kFenced));
  const StoreReply got = Get(kRecord);
  EXPECT_THAT(got, Holds("late"));
  EXPECT_EQ(got.record.version, put.record.version);

  EXPECT_THAT(PutUnder(kRecord, "ben's", bens), Holds("ben's"));
  EXPECT_THAT(PutUnder(kRecord, "too late", annas), FailsWith(ErrorCode::kFenced));
  ASSERT_THAT(Unlock(kRecord, kBen), IsDone());
  EXPECT_THAT(PutUnder(kRecord, "too late", annas), FailsWith(ErrorCode::kFenced))
      << "ben was granted the lock, whether or not he still has it";
  EXPECT_THAT(Remove(kRecord, std::nullopt, bens), Removed(1));
}

TEST_P(StoreExtrasContract, FencingLastsThroughAccessesAndExtensions) {
  Create(kRecord);
  const std::uint64_t annas = Lock(kRecord, kAnna).fence;
  Unlock(kRecord, kAnna);
  const std::uint64_t bens = Lock(kRecord, kBen).fence;
  Extend(kRecord, kBen, kMaxLease);
  Lock(kRecord, kBen);
  Touch(kRecord);
  Get(kRecord);
  Put(kRecord, "somebody's", std::nullopt);
  Append(kRecord, "event");
  EXPECT_THAT(PutUnder(kRecord, "too late", annas), FailsWith(ErrorCode::kFenced));
  EXPECT_THAT(PutUnder(kRecord, "ben's", bens), Holds("ben's"));
}

TEST_P(StoreExtrasContract, WhoWritesUnderNoLockIsNotFenced) {
  Create(kRecord, "first");
  ASSERT_THAT(Lock(kRecord, kAnna), IsGranted());
  const StoreReply put = Put(kRecord, "second", std::nullopt);
  EXPECT_THAT(put, Holds("second"));
  EXPECT_THAT(Put(kRecord, "third", put.record.version), Holds("third"));
  EXPECT_THAT(Remove(kRecord), Removed(1));
}

TEST_P(StoreExtrasContract, TheVersionCountsUnderALockToo) {
  const StoreReply created = Create(kRecord, "first");
  const std::uint64_t token = Lock(kRecord, kAnna).fence;
  const StoreReply put = Put(kRecord, "second", std::nullopt);
  EXPECT_THAT(Run(store::Put{kRecord, "lost", created.record.version, 0, token}),
              FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(Remove(kRecord, created.record.version, token), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(Run(store::Put{kRecord, "won", put.record.version, 0, token}), Holds("won"));
}

TEST_P(StoreExtrasContract, ARecordMadeWhileALockIsHeldIsFencedToo) {
  const RecordKey removed{"alice", "session", "removed"};
  const RecordKey expired{"alice", "session", "expired"};
  Create(removed);
  Create(expired, "data", Fixed(Millis{1}));
  std::vector<RecordKey> keys = {kRecord, removed, expired};
  std::vector<std::uint64_t> old, current;
  for (const RecordKey& key : keys) {
    old.push_back(Lock(key, kAnna).fence);
    ASSERT_THAT(Unlock(key, kAnna), IsDone());
    current.push_back(Lock(key, kBen).fence);
    ASSERT_GT(current.back(), old.back());
  }
  Remove(removed);
  WaitUntil(Now() + Millis{1});
  for (std::size_t i = 0; i < keys.size(); ++i) {
    SCOPED_TRACE(keys[i].id);
    const StoreReply created = Create(keys[i], "made");
    ASSERT_THAT(created, Holds("made"));
    EXPECT_THAT(PutUnder(keys[i], "too late", old[i]), FailsWith(ErrorCode::kFenced));
    EXPECT_THAT(Remove(keys[i], std::nullopt, old[i]), FailsWith(ErrorCode::kFenced));
    EXPECT_THAT(Get(keys[i]), Holds("made"));
    EXPECT_THAT(PutUnder(keys[i], "ben's", current[i]), Holds("ben's"));
    EXPECT_THAT(Remove(keys[i], std::nullopt, current[i]), Removed(1));
  }
}

}  // namespace
}  // namespace mcp_session

// Sentences 3 and 11, and Take: a write that comes again is done once, one that was overtaken is
// not done at all, and what is taken is taken by one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/store/contract.h"
#include "tests/store/matchers.h"

namespace mcp_session {
namespace {

using testing::AllOf;
using testing::Field;

constexpr RecordKey kRecord{"alice", "session", "id-1"};

// Write ids, as random as they need to be here.
constexpr std::uint64_t kFirst = 0x8c21f7d405be936a;
constexpr std::uint64_t kSecond = 0xffffffffffffffff;
constexpr std::uint64_t kThird = 1;

store::Create CreateOnce(std::string data, const Lifetime& lifetime, std::uint64_t write_id) {
  return {kRecord, std::move(data), lifetime, write_id};
}

store::Put PutOnce(std::string data, std::optional<std::uint64_t> expected, std::uint64_t write_id,
                   std::uint64_t fence = 0) {
  return {kRecord, std::move(data), expected, write_id, fence};
}

TEST_P(StoreContract, ACreateThatComesAgainIsDoneOnce) {
  const StoreReply created = Run(CreateOnce("first", Idle(), kFirst));
  ASSERT_THAT(created, Holds("first"));
  const Span began = LastRun();
  const StoreReply again = Run(CreateOnce("first", Idle(), kFirst));
  EXPECT_THAT(again, Holds("first"));
  EXPECT_EQ(again.record.version, created.record.version);
  EXPECT_THAT(again.record.expires_in, IsLeftOf(began, idle_ttl()));
  EXPECT_THAT(Run(CreateOnce("other", Idle(), kSecond)), FailsWith(ErrorCode::kExists));
  EXPECT_THAT(Run(CreateOnce("other", Idle(), 0)), FailsWith(ErrorCode::kExists));
  const StoreReply got = Get(kRecord);
  EXPECT_THAT(got, Holds("first"));
  EXPECT_EQ(got.record.version, created.record.version);
}

TEST_P(StoreContract, APutThatComesAgainIsDoneOnce) {
  const StoreReply created = Create(kRecord, "first");
  const StoreReply put = Run(PutOnce("second", created.record.version, kFirst));
  ASSERT_THAT(put, Holds("second"));
  for (const std::optional<std::uint64_t> expected :
       {std::optional(created.record.version), std::optional<std::uint64_t>()}) {
    const StoreReply again = Run(PutOnce("second", expected, kFirst));
    EXPECT_THAT(again, Holds("second"));
    EXPECT_EQ(again.record.version, put.record.version);
  }
  EXPECT_THAT(Run(PutOnce("lost", created.record.version, kSecond)),
              AllOf(FailsWith(ErrorCode::kConflict),
                    Field(&StoreReply::record, Field(&Record::version, put.record.version))));
  const StoreReply got = Get(kRecord);
  EXPECT_THAT(got, Holds("second"));
  EXPECT_EQ(got.record.version, put.record.version);
}

TEST_P(StoreContract, OnlyTheLastWriteIsKnownAgain) {
  const StoreReply created = Run(CreateOnce("first", Idle(), kFirst));
  const StoreReply put = Run(PutOnce("second", created.record.version, kSecond));
  EXPECT_THAT(Run(CreateOnce("first", Idle(), kFirst)), FailsWith(ErrorCode::kExists));
  const StoreReply third = Run(PutOnce("third", put.record.version, kThird));
  ASSERT_THAT(third, Holds("third"));
  EXPECT_THAT(Run(PutOnce("second", created.record.version, kSecond)),
              FailsWith(ErrorCode::kConflict));
  Put(kRecord, "fourth", std::nullopt);  // without a write id
  EXPECT_THAT(Run(PutOnce("third", put.record.version, kThird)), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(Get(kRecord), Holds("fourth"));
}

TEST_P(StoreContract, OtherCommandsForgetNoWrite) {
  const StoreReply created = Create(kRecord, "first");
  const StoreReply put = Run(PutOnce("second", created.record.version, kFirst));
  Get(kRecord);
  Touch(kRecord);
  Append(kRecord, "event");
  Lock(kRecord, 7);
  Create(kRecord, "again");
  Put(kRecord, "conflict", 0);
  Remove(kRecord, 0);
  const StoreReply again = Run(PutOnce("second", created.record.version, kFirst));
  EXPECT_THAT(again, Holds("second"));
  EXPECT_EQ(again.record.version, put.record.version);
}

TEST_P(StoreContract, NoWriteIdMatchesNothing) {
  const StoreReply created = Create(kRecord, "first");
  EXPECT_THAT(Create(kRecord, "first"), FailsWith(ErrorCode::kExists));
  const StoreReply put = Put(kRecord, "second", created.record.version);
  EXPECT_THAT(Put(kRecord, "second", created.record.version), FailsWith(ErrorCode::kConflict));
  const StoreReply third = Put(kRecord, "second", std::nullopt);
  EXPECT_GT(third.record.version, put.record.version);
}

TEST_P(StoreContract, AWriteOfARecordThatEndedIsNotKnownAgain) {
  const StoreReply created = Run(CreateOnce("first", Idle(), kFirst));
  const StoreReply put = Run(PutOnce("second", created.record.version, kSecond));
  ASSERT_THAT(put, IsDone());
  Remove(kRecord);
  EXPECT_THAT(Run(PutOnce("second", created.record.version, kSecond)),
              FailsWith(ErrorCode::kNotFound));
  Create(kRecord, "new");
  EXPECT_THAT(Run(PutOnce("second", created.record.version, kSecond)),
              FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(Run(CreateOnce("first", Idle(), kFirst)), FailsWith(ErrorCode::kExists));
  EXPECT_THAT(Get(kRecord), Holds("new"));
}

// It was done before the lock was lost; that is the answer to the question whether it was.
TEST_P(StoreExtrasContract, AWriteThatComesAgainIsNotFenced) {
  const StoreReply created = Create(kRecord, "first");
  const std::uint64_t token = Lock(kRecord, 7).fence;
  const StoreReply put = Run(PutOnce("second", created.record.version, kFirst, token));
  ASSERT_THAT(put, Holds("second"));
  Unlock(kRecord, 7);
  ASSERT_THAT(Lock(kRecord, 8), IsGranted());
  const StoreReply again = Run(PutOnce("second", created.record.version, kFirst, token));
  EXPECT_THAT(again, Holds("second"));
  EXPECT_EQ(again.record.version, put.record.version);
  EXPECT_THAT(Run(PutOnce("third", put.record.version, kSecond, token)),
              FailsWith(ErrorCode::kFenced));
}

TEST_P(StoreContract, ATooLargeWriteIsTooLargeWhateverItsId) {
  NewStore({.max_record_bytes = 100});
  Run(CreateOnce("small", Idle(), kFirst));
  EXPECT_THAT(Run(CreateOnce(std::string(101, 'x'), Idle(), kFirst)),
              FailsWith(ErrorCode::kTooLarge));
  EXPECT_THAT(Run(PutOnce(std::string(101, 'x'), std::nullopt, kFirst)),
              FailsWith(ErrorCode::kTooLarge));
  EXPECT_THAT(Get(kRecord), Holds("small"));
}

TEST_P(StoreContract, RemoveMayNameAVersion) {
  const StoreReply created = Create(kRecord, "first");
  const StoreReply put = Put(kRecord, "second", created.record.version);
  for (const std::uint64_t version :
       {created.record.version, put.record.version + 1, std::uint64_t{0}}) {
    const StoreReply conflict = Remove(kRecord, version);
    EXPECT_THAT(conflict, AllOf(FailsWith(ErrorCode::kConflict), Field(&StoreReply::removed, 0u)));
    ASSERT_NE(conflict.record.data, nullptr);
    EXPECT_EQ(*conflict.record.data, "second");
    EXPECT_EQ(conflict.record.version, put.record.version);
  }
  EXPECT_THAT(Get(kRecord), Holds("second"));
  EXPECT_THAT(Remove(kRecord, put.record.version), Removed(1));
  EXPECT_THAT(Remove(kRecord, put.record.version), Removed(0));
  ExpectAbsent(kRecord);
}

TEST_P(StoreContract, ARemoveFromBeforeMissesTheNewRecord) {
  const StoreReply created = Create(kRecord, "old");
  Remove(kRecord);
  Create(kRecord, "new");
  EXPECT_THAT(Remove(kRecord, created.record.version), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(Get(kRecord), Holds("new"));
}

TEST_P(StoreExtrasContract, WhatIsTakenIsTakenOnce) {
  const StoreReply created = Create(kRecord, "prize", Both(OfIdle(3)));
  const Span began = LastRun();
  const StoreReply taken = Take(kRecord);
  EXPECT_THAT(taken, Holds("prize"));
  EXPECT_EQ(taken.record.version, created.record.version);
  ASSERT_TRUE(taken.record.max_life_left.has_value());
  EXPECT_THAT(*taken.record.max_life_left, IsLeftOf(began, OfIdle(3)));
  EXPECT_THAT(Take(kRecord), AllOf(FailsWith(ErrorCode::kNotFound), HasNoRecord()));
  ExpectAbsent(kRecord);
  const StoreReply again = Create(kRecord, "new");
  EXPECT_THAT(again, Holds("new"));
  EXPECT_GT(again.record.version, created.record.version) << "a version was used again";
}

TEST_P(StoreExtrasContract, OfTwoTakesOneGetsIt) {
  for (int i = 0; i < 20; ++i) {
    Create(kRecord, "prize");
    Submit({101}, store::Take{kRecord});
    Submit({102}, store::Take{kRecord});
    Submit({103}, store::Get{kRecord});
    EXPECT_THAT(Replies(3), testing::ElementsAre(Holds("prize"), FailsWith(ErrorCode::kNotFound),
                                                 FailsWith(ErrorCode::kNotFound)));
  }
}

TEST_P(StoreExtrasContract, NobodyTakesAnotherOwnersRecord) {
  Create(kRecord, "alice's");
  for (const RecordKey& other :
       {RecordKey{"bob", "session", "id-1"}, RecordKey{"", "session", "id-1"},
        RecordKey{"alice", "basket", "id-1"}, RecordKey{"alice", "session", "id-11"}}) {
    EXPECT_THAT(Take(other), AllOf(FailsWith(ErrorCode::kNotFound), HasNoRecord()));
  }
  EXPECT_THAT(Take(kRecord), Holds("alice's"));
}

}  // namespace
}  // namespace mcp_session

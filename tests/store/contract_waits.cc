// ReadEvents that waits: it is answered when there is something to tell, or when its time is over.
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
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using Strings = std::vector<std::string>;

constexpr RecordKey kRecord{"alice", "session", "id-1"};

store::ReadEvents Read(const RecordKey& key, std::uint64_t after, Millis wait) {
  return {.key = key, .after = after, .wait = wait};
}

auto Answers(std::uint64_t ticket, testing::Matcher<const StoreReply&> matcher) {
  return AllOf(Field(&StoreReply::ticket, StoreTicket{ticket}), matcher);
}

TEST_P(StoreExtrasContract, AReadThatHasSomethingToTellDoesNotWait) {
  const RecordKey absent{"alice", "session", "id-2"};
  Create(kRecord);
  EXPECT_THAT(ReadEvents(kRecord, std::uint64_t{1} << 60, 10, kMaxEventWait),
              FailsWith(ErrorCode::kGap));
  EXPECT_THAT(ReadEvents(absent, 0, 10, kMaxEventWait), FailsWith(ErrorCode::kNotFound));
  const std::uint64_t first = Append(kRecord, "1", 2).sequence;
  Append(kRecord, "2", 2);
  EXPECT_THAT(ReadEvents(kRecord, 0, 10, kMaxEventWait), HasEvents(Strings{"1", "2"}));
  EXPECT_THAT(ReadEvents(kRecord, first, 10, kMaxEventWait), HasEvents(Strings{"2"}));
  Append(kRecord, "3", 2);
  EXPECT_THAT(ReadEvents(kRecord, 0, 10, kMaxEventWait), FailsWith(ErrorCode::kGap));
}

TEST_P(StoreExtrasContract, AWaitEndsWithNoEventsWhenItsTimeIsOver) {
  const RecordKey other{"alice", "session", "id-2"};
  InTime([&] {
    Create(kRecord, "data", Fixed(OfIdle(4)));
    Create(other, "data", Fixed(OfIdle(4)));
    const std::uint64_t last = Append(other, "seen").sequence;
    const Instant first_start = Now();
    MustBeBefore(first_start + OfIdle(0.3));
    Submit({101}, Read(kRecord, 0, OfIdle(0.3)));
    Submit({102}, Read(other, last, OfIdle(0.3)));
    const Instant last_start = Now();
    EXPECT_THAT(RepliesSoFar(), IsEmpty());
    Wait(OfIdle(0.1));
    MustBeBefore(first_start + OfIdle(0.3));
    EXPECT_THAT(RepliesSoFar(), IsEmpty());
    ASSERT_NO_FATAL_FAILURE(WaitUntilJustBefore(first_start + OfIdle(0.3)));
    EXPECT_THAT(RepliesSoFar(), IsEmpty());
    WaitUntil(last_start + OfIdle(0.3));
    EXPECT_THAT(Replies(2, RepliesSoFar()),
                UnorderedElementsAre(Answers(101, HasEvents(Strings{})),
                                     Answers(102, HasEvents(Strings{}))));
  });
}

TEST_P(StoreExtrasContract, AnAppendEndsEveryWaitForIt) {
  const RecordKey other{"alice", "session", "id-2"};
  for (const RecordKey& key : {kRecord, other}) Create(key, "data", {.max_life = kMaxLifetime});
  const std::uint64_t last = Append(kRecord, "before").sequence;
  Submit({101}, Read(kRecord, last, kMaxEventWait));
  Submit({102}, Read(kRecord, last, kMaxEventWait));
  Submit({103}, Read(other, 0, kMaxEventWait));
  Submit({104}, Read(kRecord, last, kMaxEventWait));
  EXPECT_THAT(RepliesSoFar(), IsEmpty());

  Submit({105}, store::Append{kRecord, "after"});
  EXPECT_THAT(Replies(4), UnorderedElementsAre(Answers(101, HasEvents(Strings{"after"})),
                                               Answers(102, HasEvents(Strings{"after"})),
                                               Answers(104, HasEvents(Strings{"after"})),
                                               Answers(105, IsDone())));
  Submit({106}, store::Append{other, "of the other"});
  EXPECT_THAT(Replies(2), UnorderedElementsAre(Answers(103, HasEvents(Strings{"of the other"})),
                                               Answers(106, IsDone())));
  EXPECT_THAT(RepliesSoFar(), IsEmpty()) << "answered twice";
}

TEST_P(StoreExtrasContract, AReadMayGoOnWaitingForTheNextEvent) {
  Create(kRecord, "data", {.max_life = kMaxLifetime});
  std::uint64_t after = 0;
  for (std::uint64_t i = 1; i <= 10; ++i) {
    const std::string data = std::to_string(i);
    Submit({100 + i}, Read(kRecord, after, kMaxEventWait));
    if (i % 2 == 0) {
      EXPECT_THAT(RepliesSoFar(), IsEmpty());
    }
    Submit({200 + i}, store::Append{kRecord, data});
    const std::vector<StoreReply> replies = Replies(2);
    ASSERT_THAT(replies, UnorderedElementsAre(Answers(100 + i, HasEvents(Strings{data})),
                                              Answers(200 + i, IsDone())));
    for (const StoreReply& reply : replies) {
      if (!reply.events.empty()) after = reply.events.back().sequence;
    }
  }
}

TEST_P(StoreExtrasContract, NothingWaitsForAReadThatWaits) {
  const StoreReply created = Create(kRecord, "data", {.max_life = kMaxLifetime});
  Submit({101}, Read(kRecord, 0, kMaxEventWait));
  Submit({102}, store::Get{kRecord});
  Submit({103}, store::Put{kRecord, "more", created.record.version});
  Submit({104}, Read(kRecord, 0, Millis{0}));
  EXPECT_THAT(Replies(3), ElementsAre(Answers(102, Holds("data")), Answers(103, Holds("more")),
                                      Answers(104, HasEvents(Strings{}))));
  EXPECT_THAT(Get(kRecord), Holds("more"));
}

TEST_P(StoreExtrasContract, AWaitForARecordThatEndsFindsNothing) {
  const RecordKey removed{"alice", "session", "removed"};
  const RecordKey owned{"bob", "session", "removed with its owner"};
  const RecordKey expired{"alice", "session", "expired"};
  for (const RecordKey& key : {removed, owned}) Create(key, "data", Fixed(OfIdle(4)));
  Create(expired, "data", Fixed(OfIdle(0.1)));
  Submit({101}, Read(removed, 0, OfIdle(0.3)));
  Submit({102}, Read(owned, 0, OfIdle(0.3)));
  Submit({103}, Read(expired, 0, OfIdle(0.3)));
  Submit({104}, store::Remove{removed});
  Submit({105}, store::RemoveOwned{owned.owner});
  // The waits may end at once, with the record, or when their time is over.
  const Instant start = Now();
  std::vector<StoreReply> replies = Replies(2);
  WaitUntil(start + OfIdle(0.3));
  for (StoreReply& reply : RepliesSoFar()) replies.push_back(std::move(reply));
  EXPECT_THAT(Replies(5, replies),
              UnorderedElementsAre(Answers(101, FailsWith(ErrorCode::kNotFound)),
                                   Answers(102, FailsWith(ErrorCode::kNotFound)),
                                   Answers(103, FailsWith(ErrorCode::kNotFound)),
                                   Answers(104, Removed(1)), Answers(105, Removed(1))));
}

TEST_P(StoreExtrasContract, AnotherOwnersEventsEndNoWait) {
  const RecordKey bobs{"bob", "session", "id-1"};
  for (const RecordKey& key : {kRecord, bobs}) Create(key, "data", {.max_life = kMaxLifetime});
  Submit({101}, Read(bobs, 0, kMaxEventWait));
  EXPECT_THAT(Append(kRecord, "alice's"), IsDone());
  EXPECT_THAT(RepliesSoFar(), IsEmpty());
}

TEST_P(StoreExtrasContract, AWaitIsNoAccess) {
  InTime([this] {
    Create(kRecord, "data", Idle());
    const Span began = LastRun();
    Wait(OfIdle(0.5));
    MustBeBefore(began.first + idle_ttl());
    Submit({101}, Read(kRecord, 0, kMaxEventWait));
    Submit({102}, store::Append{kRecord, "event"});
    EXPECT_THAT(Replies(2), UnorderedElementsAre(Answers(101, HasEvents(Strings{"event"})),
                                                 Answers(102, IsDone())));
    EXPECT_THAT(Get({"alice", "session", "id-2"}), FailsWith(ErrorCode::kNotFound));
    WaitUntil(began.last + idle_ttl());
    EXPECT_THAT(Get(kRecord), FailsWith(ErrorCode::kNotFound));
  });
}

}  // namespace
}  // namespace mcp_session

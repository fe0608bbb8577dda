// Sentences 5 and 6: when a record ends, what moves its end, and that nothing brings it back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/store/contract.h"
#include "tests/store/matchers.h"

namespace mcp_session {
namespace {

constexpr RecordKey kRecord{"alice", "session", "id-1"};

// One record for each command to look at at the same time, so that none sees what another did.
constexpr std::array<std::string_view, 11> kCommands = {
    "get",  "put",  "touch",  "remove",      "remove owned", "list",
    "take", "move", "append", "read events", "create"};

RecordKey KeyFor(std::string_view command) { return {command, "session", "id-1"}; }

}  // namespace

void StoreContract::ExpectEndAt(const Lifetime& lifetime, Millis end) {
  const auto create = [&] {
    for (const std::string_view command : kCommands) {
      ASSERT_THAT(Create(KeyFor(command), "data", lifetime), IsDone());
    }
  };
  NewStore({});
  InTime([&] {
    const Instant first = Now();
    ASSERT_NO_FATAL_FAILURE(create());
    ASSERT_NO_FATAL_FAILURE(WaitUntilJustBefore(first + end));
    ExpectEachCommandSeesIts(true);
  });
  for (const int offset : {0, 1}) {
    SCOPED_TRACE(testing::Message() << offset << " ms from the end");
    NewStore({});
    ASSERT_NO_FATAL_FAILURE(create());
    WaitUntil(Now() + end + Millis{offset});
    ExpectEachCommandSeesIts(false);
    for (const std::string_view command : kCommands) {
      if (command != "create") ExpectAbsent(KeyFor(command));
    }
  }
}

void StoreContract::ExpectEachCommandSeesIts(bool alive) {
  const auto found = [alive](testing::Matcher<const StoreReply&> live) {
    return alive ? live : FailsWith(ErrorCode::kNotFound);
  };
  EXPECT_THAT(Get(KeyFor("get")), found(Holds("data")));
  EXPECT_THAT(Put(KeyFor("put"), "more", std::nullopt), found(Holds("more")));
  EXPECT_THAT(Touch(KeyFor("touch")), found(IsDone()));
  EXPECT_THAT(Remove(KeyFor("remove")), Removed(alive ? 1 : 0));
  EXPECT_THAT(RemoveOwned("remove owned"), Removed(alive ? 1 : 0));
  EXPECT_EQ(ListIds("list", "session").size(), alive ? 1u : 0u);
  EXPECT_EQ(Create(KeyFor("create")).error,
            alive ? std::optional(ErrorCode::kExists) : std::nullopt);
  if (!has_extras()) return;
  EXPECT_THAT(Take(KeyFor("take")), found(Holds("data")));
  EXPECT_THAT(Regenerate(KeyFor("move"), {"moved", "session", "id-1"}), found(Holds("data")));
  EXPECT_THAT(Append(KeyFor("append"), "event"), found(IsDone()));
  EXPECT_THAT(ReadEvents(KeyFor("read events")), found(IsDone()));
}

namespace {

TEST_P(StoreContract, WithoutAccessARecordEndsAfterIdleTtl) { ExpectEndAt(Idle(), idle_ttl()); }

TEST_P(StoreContract, ARecordEndsAfterMaxLife) { ExpectEndAt(Fixed(idle_ttl()), idle_ttl()); }

TEST_P(StoreContract, TheSoonerEndCounts) {
  ExpectEndAt(Both(OfIdle(0.5)), OfIdle(0.5));
  ExpectEndAt(Both(OfIdle(3)), idle_ttl());
}

TEST_P(StoreContract, TheRepliesSayWhenTheEndIs) {
  ASSERT_THAT(Create(kRecord, "data", Fixed(OfIdle(2))), IsDone());
  const Span created = LastRun();
  Wait(OfIdle(0.5));
  const std::vector<StoreCommand> commands = {store::Get{kRecord},
                                              store::Put{kRecord, "x", std::nullopt}};
  for (const StoreCommand& command : commands) {
    const StoreReply reply = Run(command);
    EXPECT_THAT(reply.record.expires_in, IsLeftOf(created, OfIdle(2)));
    ASSERT_TRUE(reply.record.max_life_left.has_value());
    EXPECT_THAT(*reply.record.max_life_left, IsLeftOf(created, OfIdle(2)));
  }
}

TEST_P(StoreContract, GetMovesTheEndAfterATenthOfIdleTtl) {
  InTime([this] {
    ASSERT_THAT(Create(kRecord, "data", Idle()), IsDone());
    Wait(Millis{OfIdle(0.1).count + tolerance().count});
    EXPECT_THAT(Get(kRecord).record.expires_in, IsAbout(idle_ttl(), tolerance()));
    ASSERT_NO_FATAL_FAILURE(WaitUntilJustBefore(LastRun().first + idle_ttl()));
    EXPECT_THAT(Get(kRecord), IsDone());
  });
}

TEST_P(StoreContract, GetNeedNotMoveTheEndBeforeThat) {
  const Instant start = Now();
  ASSERT_THAT(Create(kRecord, "data", Idle()), IsDone());
  Wait(OfIdle(0.05));
  const StoreReply got = Get(kRecord);
  const Instant end = Now() + got.record.expires_in;
  EXPECT_GE(end, start + Millis{idle_ttl().count - tolerance().count});
  EXPECT_LE(end, Now() + Millis{idle_ttl().count + tolerance().count});
  WaitUntil(end);
  EXPECT_THAT(Get(kRecord), FailsWith(ErrorCode::kNotFound)) << "the reply named another end";
}

TEST_P(StoreContract, PutAndTouchMoveTheEndAtOnce) {
  const RecordKey touched{"alice", "session", "touched"};
  InTime([&] {
    ASSERT_THAT(Create(kRecord, "data", Idle()), IsDone());
    ASSERT_THAT(Create(touched, "data", Idle()), IsDone());
    Wait(OfIdle(0.05));
    const Instant accessed = Now();
    const StoreReply put = Put(kRecord, "more", std::nullopt);
    EXPECT_THAT(put.record.expires_in, IsAbout(idle_ttl(), tolerance()));
    ASSERT_THAT(Touch(touched), IsDone());
    ASSERT_NO_FATAL_FAILURE(WaitUntilJustBefore(accessed + idle_ttl()));
    EXPECT_THAT(Get(kRecord), IsDone());
    EXPECT_THAT(Get(touched), IsDone());
  });
}

TEST_P(StoreContract, OtherCommandsAreNoAccesses) {
  InTime([this] {
    const StoreReply created = Create(kRecord, "data", Idle());
    const Span began = LastRun();
    Wait(OfIdle(0.5));
    MustBeBefore(began.first + idle_ttl());
    EXPECT_THAT(List(kRecord.owner, kRecord.kind), IsDone());
    EXPECT_THAT(Create(kRecord), FailsWith(ErrorCode::kExists));
    const StoreReply conflict = Put(kRecord, "x", created.record.version + 1);
    EXPECT_THAT(conflict, FailsWith(ErrorCode::kConflict));
    EXPECT_THAT(conflict.record.expires_in, IsLeftOf(began, idle_ttl()));
    EXPECT_THAT(Put(kRecord, std::string(5000, 'x'), std::nullopt),
                FailsWith(ErrorCode::kTooLarge));
    EXPECT_THAT(Touch({"alice", "session", "id-2"}), FailsWith(ErrorCode::kNotFound));
    EXPECT_THAT(Remove(kRecord, created.record.version + 1), FailsWith(ErrorCode::kConflict));
    if (has_extras()) {
      EXPECT_THAT(Append(kRecord, "event"), IsDone());
      EXPECT_THAT(ReadEvents(kRecord), HasEvents(std::vector<std::string>{"event"}));
      EXPECT_THAT(Lock(kRecord, 1), IsGranted());
      EXPECT_THAT(Extend(kRecord, 1, kMaxLease), IsGranted());
      EXPECT_THAT(Unlock(kRecord, 1), IsDone());
    }
    WaitUntil(began.last + idle_ttl());
    EXPECT_THAT(Get(kRecord), FailsWith(ErrorCode::kNotFound));
  });
}

TEST_P(StoreContract, NoAccessMovesTheEndPastMaxLife) {
  using Access = std::function<StoreReply(const RecordKey&)>;
  const std::vector<std::pair<RecordKey, Access>> accesses = {
      {{"alice", "session", "got"}, [this](const RecordKey& key) { return Get(key); }},
      {{"alice", "session", "put"},
       [this](const RecordKey& key) { return Put(key, "x", std::nullopt); }},
      {{"alice", "session", "touched"}, [this](const RecordKey& key) { return Touch(key); }}};
  InTime([&] {
    Span began;
    began.first = Now();
    for (const auto& [key, access] : accesses) Create(key, "data", Both(OfIdle(3)));
    began.last = Now();
    for (int i = 0; i < 9; ++i) {
      Wait(OfIdle(0.3));
      for (const auto& [key, access] : accesses) {
        const StoreReply reply = access(key);
        ASSERT_THAT(reply, IsDone()) << key.id << " " << i;
        if (!reply.record.max_life_left) continue;
        EXPECT_LE(reply.record.expires_in, *reply.record.max_life_left) << key.id << " " << i;
        EXPECT_THAT(*reply.record.max_life_left, IsLeftOf(began, OfIdle(3)));
      }
    }
    ASSERT_NO_FATAL_FAILURE(WaitUntilJustBefore(began.first + OfIdle(3)));
    for (const auto& [key, access] : accesses) EXPECT_THAT(access(key), IsDone()) << key.id;
    WaitUntil(began.last + OfIdle(3));
    for (const auto& [key, access] : accesses) {
      EXPECT_THAT(access(key), FailsWith(ErrorCode::kNotFound)) << key.id;
      ExpectAbsent(key);
    }
  });
}

TEST_P(StoreContract, AccessesKeepARecordAliveForLong) {
  InTime([this] {
    ASSERT_THAT(Create(kRecord, "0", Idle()), IsDone());
    for (int i = 1; i <= 5; ++i) {
      ASSERT_NO_FATAL_FAILURE(WaitUntilJustBefore(LastRun().first + idle_ttl()));
      ASSERT_THAT(i % 3 == 0   ? Get(kRecord)
                  : i % 3 == 1 ? Touch(kRecord)
                               : Put(kRecord, "x", std::nullopt),
                  IsDone())
          << i;
    }
  });
}

TEST_P(StoreContract, WithoutIdleTtlAccessesMoveNothing) {
  InTime([this] {
    ASSERT_THAT(Create(kRecord, "data", Fixed(idle_ttl())), IsDone());
    const Span created = LastRun();
    Wait(OfIdle(0.5));
    MustBeBefore(created.first + idle_ttl());
    EXPECT_THAT(Touch(kRecord), IsDone());
    const StoreReply put = Put(kRecord, "more", std::nullopt);
    EXPECT_THAT(put.record.expires_in, IsLeftOf(created, idle_ttl()));
    EXPECT_THAT(Get(kRecord), IsDone());
    WaitUntil(created.last + idle_ttl());
    EXPECT_THAT(Get(kRecord), FailsWith(ErrorCode::kNotFound));
  });
}

TEST_P(StoreContract, AnExpiredRecordCanBeCreatedAgain) {
  std::uint64_t highest = 0;
  for (int i = 0; i < 3; ++i) {
    const StoreReply created = Create(kRecord, std::to_string(i), Idle());
    ASSERT_THAT(created, Holds(std::to_string(i)));
    ASSERT_GT(created.record.version, highest) << "a version was used again after expiry";
    highest = Put(kRecord, "more", std::nullopt).record.version;
    WaitUntil(Now() + idle_ttl());
  }
  const StoreReply last = Create(kRecord, "last", Fixed(OfIdle(4)));
  EXPECT_THAT(last.record.expires_in, IsAbout(OfIdle(4), tolerance())) << "the old lifetime stayed";
  EXPECT_THAT(Put(kRecord, "late", highest), FailsWith(ErrorCode::kConflict));
}

TEST_P(StoreContract, DeathIsForEver) {
  ASSERT_THAT(Create(kRecord, "data", Idle()), IsDone());
  WaitUntil(Now() + idle_ttl());
  for (int i = 0; i < 3; ++i) {
    ExpectAbsent(kRecord);
    store().Tick(Now());
    Wait(OfIdle(0.3));
  }
}

TEST_P(StoreContract, HousekeepingChangesNothingAnybodySees) {
  InTime([this] {
    ASSERT_THAT(Create(kRecord, "data", Both(OfIdle(3))), IsDone());
    const Instant end = LastRun().first + OfIdle(3);
    ASSERT_THAT(Create({"bob", "session", "id-1"}, "data", Idle()), IsDone());
    for (int i = 0; i < 3; ++i) {
      Wait(OfIdle(0.5));
      MustBeBefore(std::min(LastRun().first + idle_ttl(), end));
      store().Tick(Now());
      EXPECT_THAT(ListIds("alice", "session"), testing::ElementsAre("id-1"));
      EXPECT_THAT(Get(kRecord), Holds("data"));
    }
    EXPECT_THAT(Get({"bob", "session", "id-1"}), FailsWith(ErrorCode::kNotFound));
  });
}

TEST_P(StoreContract, ALifetimeMustBeInRange) {
  const std::optional<Millis> fine = Minutes(1);
  const std::vector<Lifetime> wrong = {
      {},
      {.idle_ttl = Millis{0}},
      {.idle_ttl = Millis{-1}},
      {.idle_ttl = Millis{kMaxLifetime.count + 1}},
      {.max_life = Millis{0}},
      {.max_life = Millis{-1}},
      {.max_life = Millis{kMaxLifetime.count + 1}},
      {.idle_ttl = fine, .max_life = Millis{0}},
      {.idle_ttl = Millis{0}, .max_life = fine},
      {.idle_ttl = fine, .max_life = Millis{kMaxLifetime.count + 1}},
  };
  for (std::size_t i = 0; i < wrong.size(); ++i) {
    EXPECT_THAT(Create(kRecord, "x", wrong[i]), FailsWith(ErrorCode::kInvalidArgument)) << i;
    EXPECT_THAT(Get(kRecord), FailsWith(ErrorCode::kNotFound)) << i;
  }
  const std::vector<Lifetime> right = {{.idle_ttl = kMaxLifetime},
                                       {.max_life = kMaxLifetime},
                                       {.idle_ttl = kMaxLifetime, .max_life = kMaxLifetime},
                                       {.idle_ttl = Millis{1}}};
  for (std::size_t i = 0; i < right.size(); ++i) {
    EXPECT_THAT(Create({"alice", "session", std::to_string(i)}, "x", right[i]), IsDone()) << i;
  }
}

}  // namespace
}  // namespace mcp_session

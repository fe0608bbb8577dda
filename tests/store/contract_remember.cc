// Lifetime::remember: whoever held a record whose time is over is told so, and nobody else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

using testing::AllOf;
using testing::IsEmpty;

constexpr RecordKey kRecord{"alice", "session", "id-1"};

Lifetime Remembered(Millis max_life, Millis remember) {
  return {.max_life = max_life, .remember = remember};
}

TEST_P(StoreContract, EveryCommandSaysThatTheTimeWasOver) {
  using Ask = std::function<StoreReply(const RecordKey&)>;
  std::vector<std::pair<std::string_view, Ask>> commands = {
      {"get", [this](const RecordKey& key) { return Get(key); }},
      {"put", [this](const RecordKey& key) { return Put(key, "late", std::nullopt); }},
      {"put a version", [this](const RecordKey& key) { return Put(key, "late", 1); }},
      {"put once",
       [this](const RecordKey& key) {
         return Run(store::Put{key, "late", std::nullopt, 77});
       }},
      {"put under a lock", [this](const RecordKey& key) { return PutUnder(key, "late", 1); }},
      {"touch", [this](const RecordKey& key) { return Touch(key); }}};
  const std::vector<std::pair<std::string_view, Ask>> extras = {
      {"take", [this](const RecordKey& key) { return Take(key); }},
      {"regenerate",
       [this](const RecordKey& key) {
         return Regenerate(key, {"alice", "session", "new"});
       }},
      {"append", [this](const RecordKey& key) { return Append(key, "late"); }},
      {"read events", [this](const RecordKey& key) { return ReadEvents(key); }},
      {"wait for events",
       [this](const RecordKey& key) { return ReadEvents(key, 0, 10, kMaxEventWait); }}};
  if (has_extras()) commands.insert(commands.end(), extras.begin(), extras.end());
  const auto is_over = AllOf(FailsWith(ErrorCode::kExpired), HasNoRecord(), HasNoEvents());
  InTime([&] {
    const Instant first = Now();
    for (const auto& [name, ask] : commands) {
      for (const std::string_view owner : {"alice", ""}) {
        ASSERT_THAT(Create({owner, "session", name}, "x", Remembered(OfIdle(0.3), idle_ttl())),
                    IsDone());
      }
    }
    const Instant last = Now();
    WaitUntil(last + OfIdle(0.3));
    MustBeBefore(first + OfIdle(1.3));
    for (int i = 0; i < 2; ++i) {
      SCOPED_TRACE(i);
      for (const auto& [name, ask] : commands) {
        SCOPED_TRACE(name);
        EXPECT_THAT(ask({"alice", "session", name}), is_over);
        EXPECT_THAT(ask({"", "session", name}), is_over);
        EXPECT_THAT(ask({"bob", "session", name}), FailsWith(ErrorCode::kNotFound));
        EXPECT_THAT(ask({"alice", "basket", name}), FailsWith(ErrorCode::kNotFound));
      }
      if (i == 0) {
        ASSERT_NO_FATAL_FAILURE(WaitUntilJustBefore(first + OfIdle(1.3)));
        if (tolerance() != Millis{}) break;  // asking all takes more time than is left
      }
    }
    EXPECT_THAT(Get({"alice", "session", "get"}), FailsWith(ErrorCode::kExpired));
    WaitUntil(last + OfIdle(1.3));
    for (const auto& [name, ask] : commands) {
      ExpectAbsent({"alice", "session", name});
      ExpectAbsent({"", "session", name});
    }
  });
}

TEST_P(StoreContract, WhatIsOverIsNotThereForTheOthers) {
  NewStore({.max_records_per_owner = 2});
  const RecordKey second{"alice", "session", "id-2"};
  for (const RecordKey& key : {kRecord, second}) {
    ASSERT_THAT(Create(key, "x", Remembered(OfIdle(0.2), kMaxLifetime)), IsDone());
  }
  WaitUntil(Now() + OfIdle(0.2));
  EXPECT_THAT(ListIds("alice", "session"), IsEmpty());
  EXPECT_THAT(RemoveOwned("alice"), Removed(0));
  EXPECT_THAT(Remove(second), Removed(0));
  EXPECT_THAT(Remove(second, 1), Removed(0));
  EXPECT_THAT(Create({"alice", "session", "id-3"}), IsDone());
  EXPECT_THAT(Create({"alice", "session", "id-4"}), IsDone()) << "it takes of the share";
  EXPECT_THAT(Create({"alice", "session", "id-5"}), FailsWith(ErrorCode::kCapacity));
  EXPECT_THAT(ListIds("alice", "session"), testing::UnorderedElementsAre("id-3", "id-4"));
}

TEST_P(StoreContract, ANewRecordTakesThePlaceOfTheOneThatIsOver) {
  const RecordKey moved{"alice", "session", "moved"};
  std::vector<std::uint64_t> highest;
  InTime([&] {
    highest.clear();
    for (const RecordKey& key : {kRecord, moved}) {
      ASSERT_THAT(Create(key, "old", Remembered(OfIdle(0.2), kMaxLifetime)), IsDone());
      MustBeBefore(LastRun().first + OfIdle(0.2));
      highest.push_back(Put(key, "older", std::nullopt).record.version);
    }
  });
  WaitUntil(Now() + OfIdle(0.2));
  EXPECT_THAT(Get(kRecord), FailsWith(ErrorCode::kExpired));
  const StoreReply created = Create(kRecord, "new");
  EXPECT_THAT(created, Holds("new"));
  EXPECT_GT(created.record.version, highest[0]) << "a version was used again";
  if (!has_extras()) return;
  EXPECT_THAT(ReadEvents(kRecord), HasEvents(std::vector<std::string>{}));
  const StoreReply other = Regenerate(kRecord, moved);
  EXPECT_THAT(other, Holds("new"));
  EXPECT_GT(other.record.version, highest[1]) << "a version was used again";
  EXPECT_THAT(Get(kRecord), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(ListIds("alice", "session"), testing::ElementsAre("moved"));
  EXPECT_THAT(Remove(moved), Removed(1));
  EXPECT_THAT(Get(moved), FailsWith(ErrorCode::kNotFound));
}

TEST_P(StoreContract, WhatEndedBeforeItsTimeIsNotRemembered) {
  const RecordKey removed{"alice", "session", "removed"};
  const RecordKey owned{"bob", "session", "removed with its owner"};
  const RecordKey taken{"alice", "session", "taken"};
  const RecordKey moved{"alice", "session", "moved"};
  const RecordKey renewed{"alice", "session", "renewed"};
  const Lifetime lifetime = Remembered(OfIdle(0.5), kMaxLifetime);
  std::vector<RecordKey> ended = {removed, owned};
  if (has_extras()) ended.insert(ended.end(), {taken, moved});
  InTime([&] {
    MustBeBefore(Now() + OfIdle(0.5));
    for (const RecordKey& key : ended) ASSERT_THAT(Create(key, "x", lifetime), IsDone());
    ASSERT_THAT(Create(renewed, "x", lifetime), IsDone());
    EXPECT_THAT(Remove(removed), Removed(1));
    EXPECT_THAT(RemoveOwned("bob"), Removed(1));
    if (has_extras()) {
      EXPECT_THAT(Take(taken), IsDone());
      EXPECT_THAT(Regenerate(moved, kRecord), IsDone());
    }
    EXPECT_THAT(Remove(renewed), Removed(1));
    EXPECT_THAT(Create(renewed, "x", Fixed(OfIdle(0.5))), IsDone());
    for (int i = 0; i < 2; ++i) {
      for (const RecordKey& key : ended) ExpectAbsent(key);
      WaitUntil(Now() + OfIdle(0.5));
    }
    ExpectAbsent(renewed);
    if (!has_extras()) return;
    EXPECT_THAT(Get(kRecord), FailsWith(ErrorCode::kExpired)) << "it has another key, and its end";
  });
}

TEST_P(StoreContract, AnIdleRecordIsRememberedFromItsLastAccessOn) {
  const Lifetime lifetime{.idle_ttl = OfIdle(0.5), .remember = OfIdle(0.5)};
  InTime([&] {
    ASSERT_THAT(Create(kRecord, "x", lifetime), IsDone());
    const Instant end = LastRun().first + OfIdle(0.5);
    Wait(OfIdle(0.3));
    MustBeBefore(end);
    ASSERT_THAT(Touch(kRecord), IsDone());
    const Span touched = LastRun();
    WaitUntil(touched.last + OfIdle(0.5));
    MustBeBefore(touched.first + OfIdle(1));
    EXPECT_THAT(Touch(kRecord), FailsWith(ErrorCode::kExpired));
    store().Tick(Now());
    ASSERT_NO_FATAL_FAILURE(WaitUntilJustBefore(touched.first + OfIdle(1)));
    EXPECT_THAT(Get(kRecord), FailsWith(ErrorCode::kExpired)) << "housekeeping forgot it";
    WaitUntil(touched.last + OfIdle(1));
    EXPECT_THAT(Get(kRecord), FailsWith(ErrorCode::kNotFound));
  });
}

TEST_P(StoreContract, WhatIsTooLargeIsSoForARecordThatIsOverToo) {
  ASSERT_THAT(Create(kRecord, "x", Remembered(Millis{1}, kMaxLifetime)), IsDone());
  WaitUntil(Now() + Millis{1});
  EXPECT_THAT(Put(kRecord, std::string(5000, 'x'), std::nullopt), FailsWith(ErrorCode::kTooLarge));
  if (!has_extras()) return;
  EXPECT_THAT(Append(kRecord, std::string(5000, 'x')), FailsWith(ErrorCode::kTooLarge));
}

TEST_P(StoreContract, HowLongARecordIsRememberedMustBeInRange) {
  for (const Millis remember : {Millis{-1}, Millis{kMaxLifetime.count + 1}}) {
    EXPECT_THAT(Create(kRecord, "x", Remembered(Minutes(1), remember)),
                FailsWith(ErrorCode::kInvalidArgument))
        << remember.count;
    EXPECT_THAT(Get(kRecord), FailsWith(ErrorCode::kNotFound));
  }
  EXPECT_THAT(Create(kRecord, "x", {.remember = Minutes(1)}),
              FailsWith(ErrorCode::kInvalidArgument))
      << "this alone is no lifetime";
  for (const Millis remember : {Millis{0}, Millis{1}, kMaxLifetime}) {
    const std::string id = std::to_string(remember.count);
    EXPECT_THAT(Create({"alice", "session", id}, "x", Remembered(kMaxLifetime, remember)),
                IsDone());
  }
}

}  // namespace
}  // namespace mcp_session

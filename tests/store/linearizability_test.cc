// The checker accepts what can happen and nothing else.
#include "tests/store/linearizability.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/printers.h"

namespace mcp_session {
namespace {

using Kind = Operation::Kind;
using History = std::vector<Operation>;

constexpr std::uint64_t kUnknown = Operation::kNever;

struct Time {
  std::uint64_t invoked, returned;
};

Operation Make(Kind kind, Time time) {
  Operation operation;
  operation.kind = kind;
  operation.client = static_cast<int>(time.invoked);
  operation.invoked = time.invoked;
  operation.returned = time.returned;
  return operation;
}

Operation Failing(ErrorCode error, Operation operation) {
  operation.error = error;
  return operation;
}

Operation Create(Time time, std::string data, std::uint64_t version) {
  Operation operation = Make(Kind::kCreate, time);
  operation.data = operation.seen = std::move(data);
  operation.version = version;
  return operation;
}

Operation Get(Time time, std::string seen, std::uint64_t version) {
  Operation operation = Make(Kind::kGet, time);
  operation.seen = std::move(seen);
  operation.version = version;
  return operation;
}

Operation GetsNothing(Time time) { return Failing(ErrorCode::kNotFound, Make(Kind::kGet, time)); }

Operation Put(Time time, std::string data, std::optional<std::uint64_t> expected,
              std::uint64_t version, std::uint64_t fence = 0) {
  Operation operation = Make(Kind::kPut, time);
  operation.data = operation.seen = std::move(data);
  operation.expected = expected;
  operation.version = version;
  operation.fence = fence;
  return operation;
}

Operation PutConflicts(Time time, std::uint64_t expected, std::string seen, std::uint64_t version) {
  Operation operation = Put(time, "lost", expected, version);
  operation.seen = std::move(seen);
  return Failing(ErrorCode::kConflict, operation);
}

Operation PutIsFenced(Time time, std::uint64_t fence) {
  return Failing(ErrorCode::kFenced, Put(time, "late", std::nullopt, 0, fence));
}

Operation Remove(Time time, std::uint64_t removed,
                 std::optional<std::uint64_t> expected = std::nullopt) {
  Operation operation = Make(Kind::kRemove, time);
  operation.removed = removed;
  operation.expected = expected;
  return operation;
}

Operation Take(Time time, std::string seen, std::uint64_t version) {
  Operation operation = Get(time, std::move(seen), version);
  operation.kind = Kind::kTake;
  return operation;
}

Operation Lock(Time time, std::uint64_t holder, std::uint64_t token) {
  Operation operation = Make(Kind::kLock, time);
  operation.holder = holder;
  operation.token = token;
  return operation;
}

Operation LockIsHeld(Time time, std::uint64_t holder) {
  return Failing(ErrorCode::kLocked, Lock(time, holder, 0));
}

Operation Touch(Time time) { return Make(Kind::kTouch, time); }

Operation Extend(Time time, std::uint64_t holder, std::uint64_t token) {
  Operation operation = Lock(time, holder, token);
  operation.kind = Kind::kExtend;
  return operation;
}

Operation ExtendIsLost(Time time, std::uint64_t holder) {
  return Failing(ErrorCode::kLockLost, Extend(time, holder, 0));
}

// From the first place to the other.
Operation Regenerate(Time time, std::string seen, std::uint64_t version) {
  Operation operation = Get(time, std::move(seen), version);
  operation.kind = Kind::kRegenerate;
  return operation;
}

Operation RegenerateFails(Time time, ErrorCode error) {
  return Failing(error, Regenerate(time, "", 0));
}

// In the other place.
Operation There(Operation operation) {
  operation.place = 1;
  return operation;
}

Operation Unlock(Time time, std::uint64_t holder) {
  Operation operation = Make(Kind::kUnlock, time);
  operation.holder = holder;
  return operation;
}

struct Case {
  std::string name;
  History history;
};

void PrintTo(const Case& each, std::ostream* os) { *os << each.name; }

std::string NameOf(const testing::TestParamInfo<Case>& info) { return info.param.name; }

class GoodHistory : public testing::TestWithParam<Case> {};
class BadHistory : public testing::TestWithParam<Case> {};

TEST_P(GoodHistory, IsExplained) { EXPECT_EQ(FindViolation(GetParam().history), std::nullopt); }

TEST_P(BadHistory, IsFound) {
  const auto violation = FindViolation(GetParam().history);
  ASSERT_TRUE(violation.has_value());
  EXPECT_THAT(*violation, testing::HasSubstr("no order explains the history"));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, GoodHistory,
    testing::Values(
        Case{"Empty", {}},
        Case{"Sequence",
             {GetsNothing({1, 2}), Create({3, 4}, "a", 10), Get({5, 6}, "a", 10),
              Put({7, 8}, "b", 10, 11), PutConflicts({9, 10}, 10, "b", 11), Take({11, 12}, "b", 11),
              GetsNothing({13, 14}), Remove({15, 16}, 0), Create({17, 18}, "c", 12),
              Remove({19, 20}, 1, 12)}},
        Case{"AReadDuringAWriteSeesOldOrNew",
             {Create({1, 2}, "a", 1), Put({3, 10}, "b", std::nullopt, 2), Get({4, 5}, "a", 1),
              Get({4, 6}, "b", 2), Get({7, 8}, "b", 2)}},
        Case{"OfTwoOverlappingPutsOneWins",
             {Create({1, 2}, "a", 1), Put({3, 9}, "b", 1, 2), PutConflicts({4, 8}, 1, "b", 2)}},
        Case{"AnUnknownPutWasDone",
             {Create({1, 2}, "a", 1), Put({3, kUnknown}, "b", 1, 0), Get({8, 9}, "b", 5),
              Put({10, 11}, "c", 5, 6)}},
        Case{"AnUnknownPutWasNotDone",
             {Create({1, 2}, "a", 1), Put({3, kUnknown}, "b", 1, 0), Get({8, 9}, "a", 1),
              Put({10, 11}, "c", 1, 6), Get({12, 13}, "c", 6)}},
        Case{"AnUnknownPutWasDoneLate",
             {Create({1, 2}, "a", 1), Put({3, kUnknown}, "b", std::nullopt, 0), Get({8, 9}, "a", 1),
              Get({10, 11}, "b", 5)}},
        Case{"AnUnknownRemoveAndTake",
             {Create({1, 2}, "a", 1), Remove({3, kUnknown}, 0), GetsNothing({5, 6}),
              Create({7, 8}, "b", 2), Take({9, kUnknown}, "", 0), GetsNothing({11, 12})}},
        Case{"ALockGoesFromOneToTheOther",
             {Create({1, 2}, "a", 1), Lock({3, 4}, 100, 7), LockIsHeld({5, 6}, 200),
              Lock({7, 8}, 100, 7), Put({9, 10}, "b", 1, 2, 7), Unlock({11, 12}, 100),
              Lock({13, 14}, 200, 9), PutIsFenced({15, 16}, 7),
              Put({17, 18}, "c", std::nullopt, 3, 9)}},
        Case{"AnUnknownLockIsHeld",
             {Create({1, 2}, "a", 1), Lock({3, kUnknown}, 100, 0), LockIsHeld({5, 6}, 200),
              Lock({7, 8}, 100, 4), PutIsFenced({9, 10}, 3)}},
        Case{"TheLockOutlivesTheRecord",
             {Lock({1, 2}, 100, 5), Unlock({3, 4}, 100), Lock({5, 6}, 200, 6),
              Create({7, 8}, "a", 1), PutIsFenced({9, 10}, 5), Remove({11, 12}, 1),
              LockIsHeld({13, 14}, 100)}},
        Case{"TouchesOfWhatIsThereAndIsNot",
             {Failing(ErrorCode::kNotFound, Touch({1, 2})), Create({3, 4}, "a", 1), Touch({5, 6}),
              Touch({7, kUnknown})}},
        Case{"OnlyTheHolderExtends",
             {ExtendIsLost({1, 2}, 100), Lock({3, 4}, 100, 7), Extend({5, 6}, 100, 7),
              ExtendIsLost({7, 8}, 200), Unlock({9, 10}, 100), ExtendIsLost({11, 12}, 100)}},
        Case{"ARecordGoesThereAndBack",
             {RegenerateFails({1, 2}, ErrorCode::kNotFound), Create({3, 4}, "a", 1),
              Regenerate({5, 6}, "a", 2), GetsNothing({7, 8}), There(Get({9, 10}, "a", 2)),
              There(Regenerate({11, 12}, "a", 3)), Get({13, 14}, "a", 3),
              There(GetsNothing({15, 16})), There(Create({17, 18}, "b", 4)),
              RegenerateFails({19, 20}, ErrorCode::kExists)}},
        Case{"AReadDuringARegenerateSeesItHereOrThere",
             {Create({1, 2}, "a", 1), Regenerate({3, 10}, "a", 2), Get({4, 5}, "a", 1),
              There(Get({6, 7}, "a", 2)), GetsNothing({8, 9})}},
        Case{"AnUnknownRegenerate",
             {Create({1, 2}, "a", 1), Regenerate({3, kUnknown}, "", 0), Get({4, 5}, "a", 1),
              There(Get({6, 7}, "a", 5)), GetsNothing({8, 9})}},
        Case{"WhoLostTheLockIsFencedUnderTheNewKeyToo",
             {Create({1, 2}, "a", 1), Lock({3, 4}, 100, 7), Unlock({5, 6}, 100),
              Lock({7, 8}, 200, 8), Regenerate({9, 10}, "a", 2), There(PutIsFenced({11, 12}, 7)),
              There(Put({13, 14}, "b", 2, 3, 8)), LockIsHeld({15, 16}, 300)}},
        Case{"TokensOfTwoKeysSayNothingToEachOther",
             {There(Lock({1, 2}, 100, 3)), Create({3, 4}, "a", 1), Lock({5, 6}, 200, 7),
              Regenerate({7, 8}, "a", 2), There(PutIsFenced({9, 10}, 3)),
              There(Put({11, 12}, "b", 2, 3, 3))}}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Cases, BadHistory,
    testing::Values(
        Case{"LostUpdate",
             {Create({1, 2}, "a", 1), Put({3, 9}, "b", 1, 2), Put({4, 8}, "c", 1, 3)}},
        Case{"StaleRead", {Create({1, 2}, "a", 1), Put({3, 4}, "b", 1, 2), Get({5, 6}, "a", 1)}},
        Case{"ReadsGoBack",
             {Create({1, 2}, "a", 1), Put({3, 20}, "b", std::nullopt, 2), Get({4, 5}, "b", 2),
              Get({6, 7}, "a", 1)}},
        Case{"AReadOfWhatNobodyWrote", {Create({1, 2}, "a", 1), Get({3, 4}, "z", 1)}},
        Case{"TheDataOfOneVersionUnderAnother",
             {Create({1, 2}, "a", 1), Put({3, 4}, "b", 1, 2), Get({5, 6}, "b", 1)}},
        Case{"Resurrection",
             {Create({1, 2}, "a", 1), Remove({3, 4}, 1), Put({5, 6}, "late", std::nullopt, 2)}},
        Case{"ReadAfterRemove", {Create({1, 2}, "a", 1), Remove({3, 4}, 1), Get({5, 6}, "a", 1)}},
        Case{"OverwritingCreate", {Create({1, 2}, "a", 1), Create({3, 4}, "b", 2)}},
        Case{"CreateFindsWhatIsNotThere",
             {Failing(ErrorCode::kExists, Create({1, 2}, "a", 0)), GetsNothing({3, 4})}},
        Case{"TakenTwice", {Create({1, 2}, "a", 1), Take({3, 9}, "a", 1), Take({4, 8}, "a", 1)}},
        Case{"RemovedTwice", {Create({1, 2}, "a", 1), Remove({3, 9}, 1), Remove({4, 8}, 1)}},
        Case{"AVersionUsedAgain",
             {Create({1, 2}, "a", 5), Remove({3, 4}, 1), Create({5, 6}, "b", 5)}},
        Case{"AVersionThatShrinks",
             {Create({1, 2}, "a", 5), Put({3, 4}, "b", 5, 4), Get({5, 6}, "b", 4)}},
        Case{"AConflictWithTheVersionThatIsThere",
             {Create({1, 2}, "a", 1), PutConflicts({3, 4}, 1, "a", 1)}},
        Case{"AnUnknownPutIsSeenAndThenNot",
             {Create({1, 2}, "a", 1), Put({3, kUnknown}, "b", std::nullopt, 0), Get({5, 6}, "b", 4),
              Get({7, 8}, "a", 1)}},
        Case{"AnUnknownPutBeforeItsTime",
             {Create({1, 2}, "a", 1), Get({3, 4}, "b", 4), Put({5, kUnknown}, "b", 1, 0)}},
        Case{"TwoHolders", {Lock({1, 9}, 100, 1), Lock({2, 8}, 200, 2)}},
        Case{"ATokenUsedAgain", {Lock({1, 2}, 100, 3), Unlock({3, 4}, 100), Lock({5, 6}, 200, 3)}},
        Case{"AnotherTokenForTheSameLock", {Lock({1, 2}, 100, 3), Lock({3, 4}, 100, 4)}},
        Case{"SomebodyElsesUnlock",
             {Lock({1, 2}, 100, 3), Unlock({3, 4}, 200), LockIsHeld({5, 6}, 300)}},
        Case{"ALockThatIsFree", {LockIsHeld({1, 2}, 100)}},
        Case{"AWriteUnderALockThatWasLost",
             {Create({1, 2}, "a", 1), Lock({3, 4}, 100, 3), Unlock({5, 6}, 100),
              Lock({7, 8}, 200, 4), Put({9, 10}, "late", std::nullopt, 2, 3)}},
        Case{"AFencedWriteOfTheHolder",
             {Create({1, 2}, "a", 1), Lock({3, 4}, 100, 3), PutIsFenced({5, 6}, 3)}},
        Case{"ATouchOfWhatIsNotThere", {Touch({1, 2})}},
        Case{"ATouchThatBringsBack",
             {Create({1, 2}, "a", 1), Remove({3, 4}, 1), Touch({5, 6}), Get({7, 8}, "a", 1)}},
        Case{"AnExtendOfALockThatWasLost",
             {Lock({1, 2}, 100, 3), Unlock({3, 4}, 100), Extend({5, 6}, 100, 3)}},
        Case{"AnExtendWithAnotherToken", {Lock({1, 2}, 100, 3), Extend({3, 4}, 100, 4)}},
        Case{"TheHoldersExtendIsLost", {Lock({1, 2}, 100, 3), ExtendIsLost({3, 4}, 100)}},
        Case{"ARecordInTwoPlaces",
             {Create({1, 2}, "a", 1), Regenerate({3, 4}, "a", 2), Get({5, 6}, "a", 1)}},
        Case{"ARecordInNoPlace",
             {Create({1, 2}, "a", 1), Regenerate({3, 8}, "a", 2), GetsNothing({4, 5}),
              There(GetsNothing({6, 7}))}},
        Case{"ARegenerateThatOverwrites",
             {Create({1, 2}, "a", 1), There(Create({3, 4}, "b", 2)), Regenerate({5, 6}, "a", 3)}},
        Case{"ARegenerateOfOtherData",
             {Create({1, 2}, "a", 1), Put({3, 4}, "b", 1, 2), Regenerate({5, 6}, "a", 3)}},
        Case{"ARegenerateWithAnOldVersion", {Create({1, 2}, "a", 5), Regenerate({3, 4}, "a", 5)}},
        Case{"OfTwoRegeneratesBothGetTheRecord",
             {Create({1, 2}, "a", 1), Regenerate({3, 9}, "a", 2), Regenerate({4, 8}, "a", 3)}},
        Case{"AWriteToTheOldKey",
             {Create({1, 2}, "a", 1), Regenerate({3, 4}, "a", 2),
              Put({5, 6}, "late", std::nullopt, 3)}},
        Case{"AFenceThatStaysBehind",
             {Create({1, 2}, "a", 1), Lock({3, 4}, 100, 7), Unlock({5, 6}, 100),
              Lock({7, 8}, 200, 8), Regenerate({9, 10}, "a", 2),
              There(Put({11, 12}, "late", std::nullopt, 3, 7))}},
        Case{"AnErrorThatCannotBe",
             {Create({1, 2}, "a", 1), Failing(ErrorCode::kTimeout, Get({3, 4}, "", 0))}}),
    NameOf);

// All of it is tried, but nothing twice: 2 to the power of 24 orders would take too long.
TEST(Linearizability, ManyOverlappingCommandsTakeNotForLong) {
  History history = {Create({1, 2}, "a", 1)};
  for (std::uint64_t i = 0; i < 12; ++i) {
    history.push_back(Put({3, kUnknown}, "unknown " + std::to_string(i), std::nullopt, 0));
    history.push_back(Get({4, 500}, "a", 1));
  }
  for (std::uint64_t i = 0; i < 100; ++i) {
    history.push_back(Get({1000 + 2 * i, 1001 + 2 * i}, "a", 1));
  }
  EXPECT_EQ(FindViolation(history), std::nullopt);
  history.push_back(Get({5000, 5001}, "never written", 1));
  EXPECT_NE(FindViolation(history), std::nullopt);
}

}  // namespace
}  // namespace mcp_session

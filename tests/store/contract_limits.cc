// Sentence 9, and what a key may be: at the limit, one below, one above.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/store/contract.h"
#include "tests/store/matchers.h"

namespace mcp_session {
namespace {

using testing::IsEmpty;

constexpr RecordKey kRecord{"alice", "session", "id-1"};

TEST_P(StoreContract, ARecordHasASizeLimit) {
  NewStore({.max_record_bytes = 100});
  for (const std::size_t size : {99u, 100u}) {
    const std::string data(size, 'x');
    EXPECT_THAT(Create(kRecord, data), Holds(data)) << size;
    EXPECT_THAT(Put(kRecord, data, std::nullopt), Holds(data)) << size;
    Remove(kRecord);
  }
  EXPECT_THAT(Create(kRecord, std::string(101, 'x')), FailsWith(ErrorCode::kTooLarge));
  EXPECT_THAT(Get(kRecord), FailsWith(ErrorCode::kNotFound));
}

TEST_P(StoreContract, APutThatIsTooLargeChangesNothing) {
  NewStore({.max_record_bytes = 100});
  const StoreReply created = Create(kRecord, "small");
  EXPECT_THAT(Put(kRecord, std::string(101, 'x'), created.record.version),
              FailsWith(ErrorCode::kTooLarge));
  const StoreReply got = Get(kRecord);
  EXPECT_THAT(got, Holds("small"));
  EXPECT_EQ(got.record.version, created.record.version);
}

TEST_P(StoreContract, TooLargeIsSaidBeforeAnythingElse) {
  NewStore({.max_record_bytes = 100});
  const std::string large(101, 'x');
  EXPECT_THAT(Put(kRecord, large, std::nullopt), FailsWith(ErrorCode::kTooLarge));
  EXPECT_THAT(Put({"alice", "session", ""}, large, std::nullopt), FailsWith(ErrorCode::kTooLarge));
  EXPECT_THAT(Create({"alice", "session", ""}, large), FailsWith(ErrorCode::kTooLarge));
  EXPECT_THAT(Create(kRecord, large, Lifetime{}), FailsWith(ErrorCode::kTooLarge));
  Create(kRecord, "small");
  EXPECT_THAT(Create(kRecord, large), FailsWith(ErrorCode::kTooLarge));
  EXPECT_THAT(Put(kRecord, large, 0), FailsWith(ErrorCode::kTooLarge));
}

TEST_P(StoreContract, AStoreHasRoomForSoManyRecords) {
  if (!GetParam().caps_records) GTEST_SKIP() << "this backend has no limit of its own";
  NewStore({.max_records = 5});
  const std::vector<std::string> ids = {"1", "2", "3", "4", "5"};
  for (const std::string& id : ids) EXPECT_THAT(Create({"", "session", id}, id), IsDone());
  EXPECT_THAT(Create({"", "session", "6"}), FailsWith(ErrorCode::kCapacity));
  EXPECT_THAT(Create({"alice", "session", "6"}), FailsWith(ErrorCode::kCapacity));
  EXPECT_THAT(Create({"", "session", "5"}), FailsWith(ErrorCode::kExists));
  EXPECT_THAT(Get({"", "session", "6"}), FailsWith(ErrorCode::kNotFound));
  for (const std::string& id : ids) EXPECT_THAT(Get({"", "session", id}), Holds(id));
  EXPECT_THAT(Put({"", "session", "1"}, "more", std::nullopt), IsDone());
  EXPECT_THAT(Remove({"", "session", "3"}), Removed(1));
  EXPECT_THAT(Create({"", "session", "6"}), IsDone());
  EXPECT_THAT(Create({"", "session", "7"}), FailsWith(ErrorCode::kCapacity));
}

TEST_P(StoreContract, DeadRecordsTakeNoRoom) {
  if (!GetParam().caps_records) GTEST_SKIP() << "this backend has no limit of its own";
  NewStore({.max_records = 5});
  Create({"", "session", "live"}, "live", Fixed(OfIdle(4)));
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 4; ++i) {
      EXPECT_THAT(Create({"", "session", std::to_string(10 * round + i)}, "data", Idle()),
                  IsDone());
    }
    EXPECT_THAT(Create({"", "session", "more"}), FailsWith(ErrorCode::kCapacity));
    WaitUntil(Now() + idle_ttl());
  }
  EXPECT_THAT(Get({"", "session", "live"}), Holds("live"));
}

TEST_P(StoreContract, AnOwnerHasAShare) {
  NewStore({.max_records_per_owner = 3});
  EXPECT_THAT(Create({"alice", "session", "1"}), IsDone());
  EXPECT_THAT(Create({"alice", "basket", "2"}), IsDone());
  EXPECT_THAT(Create({"alice", "session", "3"}), IsDone());
  EXPECT_THAT(Create({"alice", "session", "4"}), FailsWith(ErrorCode::kCapacity));
  EXPECT_THAT(Create({"alice", "basket", "4"}), FailsWith(ErrorCode::kCapacity));
  EXPECT_THAT(Create({"alice", "session", "3"}), FailsWith(ErrorCode::kExists));
  EXPECT_EQ(ListIds("alice", "session").size(), 2u);
  EXPECT_THAT(Put({"alice", "session", "1"}, "more", std::nullopt), IsDone());
  EXPECT_THAT(Create({"bob", "session", "4"}), IsDone());
  EXPECT_THAT(Remove({"alice", "basket", "2"}), Removed(1));
  EXPECT_THAT(Create({"alice", "session", "4"}), IsDone());
  EXPECT_THAT(Create({"alice", "session", "5"}), FailsWith(ErrorCode::kCapacity));
  EXPECT_THAT(RemoveOwned("alice"), Removed(3));
  EXPECT_THAT(Create({"alice", "session", "5"}), IsDone());
}

TEST_P(StoreContract, DeadRecordsTakeNothingOfAShare) {
  InTime([this] {
    NewStore({.max_records_per_owner = 3});
    Create({"alice", "session", "live"}, "live", Fixed(OfIdle(3)));
    const Instant end = LastRun().first + OfIdle(3);
    for (int round = 0; round < 2; ++round) {
      for (int i = 0; i < 2; ++i) {
        EXPECT_THAT(Create({"alice", "session", std::to_string(10 * round + i)}, "data", Idle()),
                    IsDone());
        if (i == 0) MustBeBefore(LastRun().first + idle_ttl());
      }
      EXPECT_THAT(Create({"alice", "session", "more"}), FailsWith(ErrorCode::kCapacity));
      WaitUntil(Now() + idle_ttl());
    }
    MustBeBefore(end);
    EXPECT_THAT(Get({"alice", "session", "live"}), Holds("live"));
    EXPECT_THAT(ListIds("alice", "session"), testing::ElementsAre("live"));
  });
}

TEST_P(StoreContract, BearerRecordsAreNobodysShare) {
  NewStore({.max_records_per_owner = 3});
  for (int i = 0; i < 10; ++i) {
    EXPECT_THAT(Create({"", "session", std::to_string(i)}), IsDone()) << i;
  }
}

TEST_P(StoreContract, EachPartOfAKeyHasASizeLimit) {
  for (const std::size_t size : {1u, 255u, 256u}) {
    const std::string part(size, 'x');
    for (const RecordKey& key : {RecordKey{part, "k", "i"}, RecordKey{"o", part, "i"},
                                 RecordKey{"o", "k", part}, RecordKey{part, part, part}}) {
      const std::string data = std::to_string(size);
      EXPECT_THAT(Create(key, data), Holds(data));
      EXPECT_THAT(Get(key), Holds(data));
      EXPECT_THAT(ListIds(key.owner, key.kind), testing::Contains(std::string(key.id)));
      EXPECT_THAT(Remove(key), Removed(1));
    }
  }
}

TEST_P(StoreContract, AKeyOutOfRangeNamesNoRecord) {
  const std::string part(257, 'x');
  for (const RecordKey& key :
       {RecordKey{part, "k", "i"}, RecordKey{"o", part, "i"}, RecordKey{"o", "k", part},
        RecordKey{"o", "", "i"}, RecordKey{"o", "k", ""}, RecordKey{"", "", "i"},
        RecordKey{"", "k", ""}}) {
    EXPECT_THAT(Create(key), FailsWith(ErrorCode::kInvalidArgument));
    ExpectAbsent(key);
  }
  EXPECT_THAT(RemoveOwned(part), Removed(0));
  EXPECT_THAT(ListIds(part, "k"), IsEmpty());
  EXPECT_THAT(ListIds("o", ""), IsEmpty());
}

}  // namespace
}  // namespace mcp_session

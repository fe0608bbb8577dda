// Sentences 2, 3, 4, 7 and 10: what each command does to a record that is alive, or is not there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/store/contract.h"
#include "tests/store/matchers.h"

namespace mcp_session {
namespace {

using testing::AllOf;
using testing::IsEmpty;

constexpr RecordKey kRecord{"alice", "session", "id-1"};
constexpr RecordKey kBearer{"", "session", "id-1"};

TEST_P(StoreContract, CreateAnswersTheRecord) {
  const StoreReply created = Create(kRecord, "made", Both(OfIdle(3)));
  EXPECT_THAT(created, Holds("made"));
  EXPECT_THAT(created.record.expires_in, IsAbout(idle_ttl(), tolerance()));
  ASSERT_TRUE(created.record.max_life_left.has_value());
  EXPECT_THAT(*created.record.max_life_left, IsAbout(OfIdle(3), tolerance()));
  EXPECT_THAT(created.record.id, IsEmpty());
}

TEST_P(StoreContract, GetAnswersTheRecord) {
  const StoreReply created = Create(kRecord, "made", Idle());
  const Span began = LastRun();
  const StoreReply got = Get(kRecord);
  EXPECT_THAT(got, Holds("made"));
  EXPECT_EQ(got.record.version, created.record.version);
  EXPECT_THAT(got.record.expires_in, IsLeftOf(began, idle_ttl()));
  EXPECT_EQ(got.record.max_life_left, std::nullopt);
  EXPECT_THAT(got.record.id, IsEmpty());
}

TEST_P(StoreContract, CreateNeverOverwrites) {
  const StoreReply created = Create(kRecord, "first");
  EXPECT_THAT(Create(kRecord, "second"), AllOf(FailsWith(ErrorCode::kExists), HasNoRecord()));
  const StoreReply got = Get(kRecord);
  EXPECT_THAT(got, Holds("first"));
  EXPECT_EQ(got.record.version, created.record.version);
}

TEST_P(StoreContract, WhatWasNeverCreatedIsNotThere) {
  ExpectAbsent(kRecord);
  ExpectAbsent(kBearer);
  EXPECT_THAT(RemoveOwned("alice"), Removed(0));
}

TEST_P(StoreContract, WhatWasRemovedIsNotThere) {
  for (const RecordKey& key : {kRecord, kBearer}) {
    Create(key);
    EXPECT_THAT(Remove(key), Removed(1));
    ExpectAbsent(key);
  }
  EXPECT_THAT(RemoveOwned("alice"), Removed(0));
}

TEST_P(StoreContract, WhatWasRemovedWithItsOwnerIsNotThere) {
  Create(kRecord);
  EXPECT_THAT(RemoveOwned("alice"), Removed(1));
  ExpectAbsent(kRecord);
  EXPECT_THAT(RemoveOwned("alice"), Removed(0));
}

TEST_P(StoreContract, WhatWasRemovedCanBeCreatedAgain) {
  Create(kRecord, "first");
  Remove(kRecord);
  EXPECT_THAT(Create(kRecord, "second"), Holds("second"));
  EXPECT_THAT(Get(kRecord), Holds("second"));
}

TEST_P(StoreContract, AnotherOwnersRecordDoesNotExist) {
  const StoreReply created = Create(kRecord, "alice's");
  for (const std::string_view owner : {"bob", "", "alic", "alice ", "ALICE"}) {
    SCOPED_TRACE(owner);
    const RecordKey foreign{owner, kRecord.kind, kRecord.id};
    EXPECT_THAT(Put(foreign, "stolen", created.record.version),
                AllOf(FailsWith(ErrorCode::kNotFound), HasNoRecord()));
    ExpectAbsent(foreign);
    if (!owner.empty()) {
      EXPECT_THAT(RemoveOwned(owner), Removed(0));
    }
  }
  EXPECT_THAT(Get(kRecord), Holds("alice's"));
}

TEST_P(StoreContract, AnotherOwnerMayHaveTheSameId) {
  Create(kRecord, "alice's");
  const RecordKey bobs{"bob", kRecord.kind, kRecord.id};
  EXPECT_THAT(Create(bobs, "bob's"), Holds("bob's"));
  EXPECT_THAT(Create(kBearer, "nobody's"), Holds("nobody's"));
  EXPECT_THAT(Remove(bobs), Removed(1));
  EXPECT_THAT(Get(kRecord), Holds("alice's"));
  EXPECT_THAT(Get(kBearer), Holds("nobody's"));
}

TEST_P(StoreContract, AnotherKindsRecordDoesNotExist) {
  const StoreReply created = Create(kRecord, "a session");
  const RecordKey basket{kRecord.owner, "basket", kRecord.id};
  EXPECT_THAT(Put(basket, "taken", created.record.version), FailsWith(ErrorCode::kNotFound));
  ExpectAbsent(basket);
  EXPECT_THAT(Create(basket, "a basket"), Holds("a basket"));
  EXPECT_THAT(Get(kRecord), Holds("a session"));
}

TEST_P(StoreContract, AnotherIdsRecordDoesNotExist) {
  using std::string_view_literals::operator""sv;
  Create(kRecord, "id-1's");
  for (const std::string_view id : {"id-"sv, "id-11"sv, "ID-1"sv, "id-1\0"sv, "\0id-1"sv, "*"sv}) {
    SCOPED_TRACE(testing::PrintToString(std::string(id)));
    ExpectAbsent({kRecord.owner, kRecord.kind, id});
  }
  EXPECT_THAT(Get(kRecord), Holds("id-1's"));
}

TEST_P(StoreContract, TheSameBytesSplitElsewhereAreAnotherKey) {
  const std::vector<RecordKey> keys = {{"ab", "cd", "ef"}, {"abc", "d", "ef"}, {"a", "bcd", "ef"},
                                       {"ab", "c", "def"}, {"ab", "cde", "f"}, {"", "abcd", "ef"}};
  for (const RecordKey& key : keys) {
    EXPECT_THAT(Create(key, std::string(key.owner) + "/" + std::string(key.kind)), IsDone());
  }
  for (const RecordKey& key : keys) {
    EXPECT_THAT(Get(key), Holds(std::string(key.owner) + "/" + std::string(key.kind)));
  }
  EXPECT_THAT(RemoveOwned("ab"), Removed(3));
  EXPECT_THAT(Get(keys[1]), IsDone());
}

TEST_P(StoreContract, PutReplacesTheData) {
  const StoreReply created = Create(kRecord, "first");
  const StoreReply put = Put(kRecord, "second", created.record.version);
  EXPECT_THAT(put, Holds("second"));
  EXPECT_GT(put.record.version, created.record.version);
  const StoreReply got = Get(kRecord);
  EXPECT_THAT(got, Holds("second"));
  EXPECT_EQ(got.record.version, put.record.version);
}

TEST_P(StoreContract, PutWithAnOldVersionIsAConflict) {
  const StoreReply created = Create(kRecord, "first");
  const StoreReply won = Put(kRecord, "second", created.record.version);
  const StoreReply lost = Put(kRecord, "third", created.record.version);
  EXPECT_THAT(lost, FailsWith(ErrorCode::kConflict));
  ASSERT_NE(lost.record.data, nullptr);
  EXPECT_EQ(*lost.record.data, "second");
  EXPECT_EQ(lost.record.version, won.record.version);
  const StoreReply got = Get(kRecord);
  EXPECT_THAT(got, Holds("second"));
  EXPECT_EQ(got.record.version, won.record.version);
}

TEST_P(StoreContract, PutWithAVersionThatNeverWasIsAConflict) {
  const StoreReply created = Create(kRecord, "first");
  for (const std::uint64_t version :
       {std::uint64_t{0}, created.record.version + 1, created.record.version - 1}) {
    EXPECT_THAT(Put(kRecord, "second", version), FailsWith(ErrorCode::kConflict)) << version;
  }
  EXPECT_THAT(Get(kRecord), Holds("first"));
}

TEST_P(StoreContract, PutWithoutAVersionAlwaysWins) {
  const StoreReply created = Create(kRecord, "first");
  EXPECT_THAT(Put(kRecord, "second", created.record.version), IsDone());
  EXPECT_THAT(Put(kRecord, "third", std::nullopt), Holds("third"));
  EXPECT_THAT(Get(kRecord), Holds("third"));
}

TEST_P(StoreContract, OfTwoPutsWithOneVersionOneWins) {
  const StoreReply created = Create(kRecord, "first");
  Submit({101}, store::Put{kRecord, "a", created.record.version});
  Submit({102}, store::Put{kRecord, "b", created.record.version});
  const std::vector<StoreReply> replies = Replies(2);
  EXPECT_THAT(replies, testing::ElementsAre(Holds("a"), FailsWith(ErrorCode::kConflict)));
}

TEST_P(StoreContract, VersionsGrowWithEachPut) {
  std::uint64_t last = Create(kRecord, "0").record.version;
  for (int i = 1; i <= 50; ++i) {
    const StoreReply put =
        Put(kRecord, std::to_string(i), i % 2 ? std::optional(last) : std::nullopt);
    ASSERT_THAT(put, IsDone());
    ASSERT_GT(put.record.version, last);
    last = put.record.version;
  }
}

TEST_P(StoreContract, OnlyPutChangesTheVersion) {
  const std::uint64_t version = Create(kRecord).record.version;
  Get(kRecord);
  Touch(kRecord);
  Create(kRecord, "again");
  Put(kRecord, "conflict", version + 1);
  List(kRecord.owner, kRecord.kind);
  EXPECT_EQ(Get(kRecord).record.version, version);
}

TEST_P(StoreContract, AVersionIsNeverUsedAgainAfterRemove) {
  std::uint64_t highest = 0;
  for (int i = 0; i < 10; ++i) {
    const StoreReply created = Create(kRecord);
    ASSERT_GT(created.record.version, highest);
    const StoreReply put = Put(kRecord, "more", std::nullopt);
    ASSERT_GT(put.record.version, created.record.version);
    highest = put.record.version;
    ASSERT_THAT(i % 2 ? Remove(kRecord) : RemoveOwned(kRecord.owner), Removed(1));
  }
}

TEST_P(StoreContract, APutFromBeforeARemovalMissesTheNewRecord) {
  const StoreReply created = Create(kRecord, "old");
  const StoreReply put = Put(kRecord, "older", std::nullopt);
  Remove(kRecord);
  Create(kRecord, "new");
  EXPECT_THAT(Put(kRecord, "late", created.record.version), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(Put(kRecord, "late", put.record.version), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(Get(kRecord), Holds("new"));
}

TEST_P(StoreContract, TouchAnswersNothingAndChangesNoData) {
  Create(kRecord, "first");
  EXPECT_THAT(Touch(kRecord), AllOf(IsDone(), HasNoRecord()));
  EXPECT_THAT(Get(kRecord), Holds("first"));
}

TEST_P(StoreContract, RemoveTwiceIsHarmless) {
  Create(kRecord);
  EXPECT_THAT(Remove(kRecord), Removed(1));
  EXPECT_THAT(Remove(kRecord), Removed(0));
}

TEST_P(StoreContract, RemoveOwnedEndsEveryKindOfOneOwner) {
  for (const std::string_view kind : {"session", "basket", "job"}) {
    for (const std::string_view id : {"1", "2"}) {
      for (const std::string_view owner : {"alice", "bob", ""}) Create({owner, kind, id});
    }
  }
  EXPECT_THAT(RemoveOwned("alice"), Removed(6));
  EXPECT_THAT(RemoveOwned("alice"), Removed(0));
  for (const std::string_view kind : {"session", "basket", "job"}) {
    for (const std::string_view id : {"1", "2"}) {
      EXPECT_THAT(Get({"alice", kind, id}), FailsWith(ErrorCode::kNotFound));
      EXPECT_THAT(Get({"bob", kind, id}), IsDone());
      EXPECT_THAT(Get({"", kind, id}), IsDone());
    }
  }
}

TEST_P(StoreContract, RemoveOwnedOfNobodyIsAMistake) {
  Create(kBearer);
  EXPECT_THAT(RemoveOwned(""), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Get(kBearer), IsDone());
}

TEST_P(StoreContract, DataComesBackAsItWasPut) {
  std::string every_byte;
  for (int i = 0; i < 256; ++i) every_byte.push_back(static_cast<char>(i));
  const std::vector<std::string> samples = {
      "",         std::string(1, '\0'), std::string(3000, '\0'), std::string("a\0b\0", 4),
      every_byte, "\r\n$-1\r\n",        "\xff\xfe not UTF-8",    std::string("null\0nil", 8)};
  for (const std::string& data : samples) {
    SCOPED_TRACE(testing::PrintToString(data));
    EXPECT_THAT(Create(kRecord, data), Holds(data));
    EXPECT_THAT(Get(kRecord), Holds(data));
    EXPECT_THAT(Put(kRecord, data + "!", std::nullopt), Holds(data + "!"));
    EXPECT_THAT(Get(kRecord), Holds(data + "!"));
    EXPECT_THAT(Put(kRecord, data, std::nullopt), Holds(data));
    EXPECT_THAT(Get(kRecord), Holds(data));
    Remove(kRecord);
  }
}

TEST_P(StoreContract, KeysAreBytesToo) {
  using std::string_view_literals::operator""sv;
  const std::vector<std::string_view> parts = {"a"sv,        "\0"sv,   "a\0b"sv,      "a\0c"sv,
                                               "{x}:y*?["sv, "\r\n"sv, "../../etc"sv, "\xff\x80"sv};
  for (const std::string_view owner : parts) {
    for (const std::string_view id : parts) {
      const std::string data = std::string(owner) + "|" + std::string(id);
      EXPECT_THAT(Create({owner, "k\0\xff"sv, id}, data), Holds(data));
    }
  }
  for (const std::string_view owner : parts) {
    for (const std::string_view id : parts) {
      const std::string data = std::string(owner) + "|" + std::string(id);
      EXPECT_THAT(Get({owner, "k\0\xff"sv, id}), Holds(data));
    }
    EXPECT_THAT(ListIds(owner, "k\0\xff"sv),
                testing::UnorderedElementsAreArray(parts.begin(), parts.end()));
  }
}

TEST_P(StoreContract, AReplyIsNotChangedByWhatComesLater) {
  Create(kRecord, "first");
  const StoreReply got = Get(kRecord);
  Put(kRecord, "second", std::nullopt);
  EXPECT_THAT(got, Holds("first"));
  Remove(kRecord);
  EXPECT_THAT(got, Holds("first"));
  NewStore({});
  EXPECT_THAT(got, Holds("first"));
}

}  // namespace
}  // namespace mcp_session

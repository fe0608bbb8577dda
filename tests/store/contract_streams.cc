// Sentence 13: the stream of a record, read from any place in it, and what ends it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/store/contract.h"
#include "tests/store/matchers.h"

namespace mcp_session {
namespace {

using testing::AllOf;
using Strings = std::vector<std::string>;

constexpr RecordKey kRecord{"alice", "session", "id-1"};

// The numbers from `first` to `last`, written out.
Strings Numbers(int first, int last) {
  Strings numbers;
  for (int i = first; i <= last; ++i) numbers.push_back(std::to_string(i));
  return numbers;
}

TEST_P(StoreExtrasContract, EventsAreReadInTheOrderTheyWereAppended) {
  Create(kRecord);
  std::vector<std::uint64_t> sequences;
  for (const std::string& number : Numbers(1, 20)) {
    const StoreReply appended = Append(kRecord, number);
    ASSERT_THAT(appended, AllOf(IsDone(), HasNoRecord()));
    sequences.push_back(appended.sequence);
    ASSERT_EQ(appended.sequence, sequences.front() + sequences.size() - 1);
  }
  ASSERT_GT(sequences.front(), 0u);
  const StoreReply all = ReadEvents(kRecord);
  ASSERT_THAT(all, AllOf(HasEvents(Numbers(1, 20)), HasNoRecord()));
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    EXPECT_EQ(all.events[i].sequence, sequences[i]);
    EXPECT_THAT(ReadEvents(kRecord, sequences[i]), HasEvents(Numbers(static_cast<int>(i) + 2, 20)));
  }
  EXPECT_THAT(ReadEvents(kRecord), HasEvents(Numbers(1, 20))) << "reading took them away";
}

TEST_P(StoreExtrasContract, ARecordWithoutEventsHasAnEmptyStream) {
  Create(kRecord);
  EXPECT_THAT(ReadEvents(kRecord), HasEvents(Strings{}));
}

TEST_P(StoreExtrasContract, EventsAppendedAtOnceAreAllThere) {
  Create(kRecord);
  for (int i = 1; i <= 50; ++i) {
    Submit({100u + static_cast<unsigned>(i)}, store::Append{kRecord, std::to_string(i)});
  }
  const std::vector<StoreReply> replies = Replies(50);
  ASSERT_EQ(replies.size(), 50u);
  for (std::size_t i = 1; i < replies.size(); ++i) {
    EXPECT_EQ(replies[i].sequence, replies[i - 1].sequence + 1);
  }
  EXPECT_THAT(ReadEvents(kRecord), HasEvents(Numbers(1, 50)));
}

TEST_P(StoreExtrasContract, ThePagesOfAStreamMakeUpAllOfIt) {
  Create(kRecord);
  for (const std::string& number : Numbers(1, 12)) Append(kRecord, number);
  for (std::size_t limit = 1; limit <= 13; ++limit) {
    Strings read;
    std::uint64_t after = 0;
    for (int page = 0; page < 20; ++page) {
      const StoreReply reply = ReadEvents(kRecord, after, limit);
      ASSERT_THAT(reply, IsDone());
      ASSERT_LE(reply.events.size(), limit);
      if (reply.events.empty()) break;
      for (const StreamEvent& event : reply.events) read.push_back(*event.data);
      after = reply.events.back().sequence;
    }
    EXPECT_EQ(read, Numbers(1, 12)) << limit;
  }
}

TEST_P(StoreExtrasContract, OnlyTheLastEventsAreKept) {
  Create(kRecord);
  std::vector<std::uint64_t> sequences;
  for (const std::string& number : Numbers(1, 10)) {
    sequences.push_back(Append(kRecord, number, 4).sequence);
  }
  // 7 to 10 are left; who knows 6 has missed none.
  EXPECT_THAT(ReadEvents(kRecord, sequences[5]), HasEvents(Numbers(7, 10)));
  EXPECT_THAT(ReadEvents(kRecord, sequences[7]), HasEvents(Numbers(9, 10)));
  for (const std::uint64_t after : {std::uint64_t{0}, sequences[0], sequences[3], sequences[4]}) {
    const StoreReply gap = ReadEvents(kRecord, after);
    EXPECT_THAT(gap, AllOf(FailsWith(ErrorCode::kGap), HasNoEvents())) << after;
    EXPECT_EQ(gap.sequence, sequences[5]) << after;
    EXPECT_THAT(ReadEvents(kRecord, gap.sequence), HasEvents(Numbers(7, 10)));
  }
  EXPECT_THAT(Append(kRecord, "11", 1), IsDone());
  EXPECT_THAT(ReadEvents(kRecord, sequences[9]), HasEvents(Strings{"11"}));
  EXPECT_THAT(ReadEvents(kRecord, sequences[8]), FailsWith(ErrorCode::kGap));
  EXPECT_THAT(Append(kRecord, "12", 1000), IsDone());
  EXPECT_THAT(ReadEvents(kRecord, sequences[9]), HasEvents(Numbers(11, 12)));
}

TEST_P(StoreExtrasContract, AsManyEventsAreKeptAsWereAskedFor) {
  Create(kRecord);
  for (int i = 1; i <= 1003; ++i) {
    Submit({static_cast<unsigned>(i)}, store::Append{kRecord, std::to_string(i), kMaxEventLimit});
    if (i % 100 == 0) {
      ASSERT_EQ(Replies(100).size(), 100u);
    }
  }
  ASSERT_EQ(Replies(3).size(), 3u);
  const StoreReply gap = ReadEvents(kRecord);
  ASSERT_THAT(gap, FailsWith(ErrorCode::kGap));
  const StoreReply rest = ReadEvents(kRecord, gap.sequence, kMaxEventLimit);
  EXPECT_THAT(rest, HasEvents(Numbers(4, 1003)));
  EXPECT_EQ(rest.events.front().sequence, gap.sequence + 1);
}

TEST_P(StoreExtrasContract, ASequenceThatWasNotReachedIsAGap) {
  Create(kRecord);
  const StoreReply none = ReadEvents(kRecord, std::uint64_t{1} << 60);
  EXPECT_THAT(none, AllOf(FailsWith(ErrorCode::kGap), HasNoEvents()));
  EXPECT_THAT(ReadEvents(kRecord, none.sequence), HasEvents(Strings{}));
  Append(kRecord, "1");
  const std::uint64_t last = Append(kRecord, "2").sequence;
  EXPECT_THAT(ReadEvents(kRecord, none.sequence), HasEvents(Numbers(1, 2)));
  for (const std::uint64_t after :
       {last + 1, last + 1000, std::uint64_t{1} << 60, ~std::uint64_t{0}}) {
    const StoreReply gap = ReadEvents(kRecord, after);
    EXPECT_THAT(gap, AllOf(FailsWith(ErrorCode::kGap), HasNoEvents())) << after;
    EXPECT_THAT(ReadEvents(kRecord, gap.sequence), HasEvents(Numbers(1, 2))) << after;
  }
}

// What ends the stream of a record: whoever then reads on where they were must not be told that
// nothing happened.
TEST_P(StoreExtrasContract, AStreamEndsWithItsRecord) {
  const RecordKey removed{"alice", "session", "removed"};
  const RecordKey owned{"bob", "session", "removed with its owner"};
  const RecordKey taken{"alice", "session", "taken"};
  const RecordKey moved{"alice", "session", "moved"};
  const RecordKey expired{"alice", "session", "expired"};
  std::vector<RecordKey> keys = {removed, owned, taken, moved, expired};
  std::vector<std::uint64_t> last;
  InTime([&] {
    last.clear();
    for (const RecordKey& key : keys) {
      const Millis life = key.id == expired.id ? OfIdle(0.4) : OfIdle(4);
      ASSERT_THAT(Create(key, "data", Fixed(life)), IsDone());
      MustBeBefore(LastRun().first + life);
      for (const std::string& number : Numbers(1, 5)) Append(key, number);
      last.push_back(Append(key, "6").sequence);
    }
  });
  EXPECT_THAT(Remove(removed), Removed(1));
  EXPECT_THAT(RemoveOwned(owned.owner), Removed(1));
  EXPECT_THAT(Take(taken), IsDone());
  EXPECT_THAT(Regenerate(moved, {"alice", "session", "moved there"}), IsDone());
  WaitUntil(Now() + OfIdle(0.4));
  for (std::size_t i = 0; i < keys.size(); ++i) {
    SCOPED_TRACE(keys[i].id);
    EXPECT_THAT(ReadEvents(keys[i]), AllOf(FailsWith(ErrorCode::kNotFound), HasNoEvents()));
    EXPECT_THAT(ReadEvents(keys[i], last[i]), FailsWith(ErrorCode::kNotFound));
    EXPECT_THAT(Append(keys[i], "late"), FailsWith(ErrorCode::kNotFound));
    ASSERT_THAT(Create(keys[i]), IsDone());
    EXPECT_THAT(ReadEvents(keys[i]), HasEvents(Strings{})) << "the old stream came back";
    EXPECT_THAT(ReadEvents(keys[i], last[i] - 2), FailsWith(ErrorCode::kGap));
    const StoreReply appended = Append(keys[i], "new");
    EXPECT_GT(appended.sequence, last[i]) << "a sequence was used again";
    EXPECT_THAT(ReadEvents(keys[i]), HasEvents(Strings{"new"}));
    EXPECT_THAT(ReadEvents(keys[i], last[i] - 2), FailsWith(ErrorCode::kGap));
  }
}

TEST_P(StoreExtrasContract, WritesLeaveTheStreamAlone) {
  const RecordKey moved{"bob", "session", "id-2"};
  const StoreReply created = Create(kRecord);
  Append(kRecord, "1");
  const std::uint64_t second = Append(kRecord, "2").sequence;
  const StoreReply put = Put(kRecord, "more", created.record.version);
  EXPECT_THAT(put, Holds("more"));
  Touch(kRecord);
  Create(kRecord);
  EXPECT_THAT(ReadEvents(kRecord), HasEvents(Numbers(1, 2)));
  EXPECT_EQ(Get(kRecord).record.version, put.record.version) << "events are no writes";
  EXPECT_EQ(Append(kRecord, "3").sequence, second + 1);
  ASSERT_THAT(Regenerate(kRecord, moved), IsDone());
  EXPECT_THAT(ReadEvents(moved), HasEvents(Numbers(1, 3)));
  EXPECT_THAT(ReadEvents(moved, second), HasEvents(Strings{"3"}));
  EXPECT_EQ(Append(moved, "4").sequence, second + 2);
  EXPECT_THAT(ReadEvents(kRecord), FailsWith(ErrorCode::kNotFound));
}

TEST_P(StoreExtrasContract, AStreamThatBeginsUnderANewKeyUsesNoSequenceAgain) {
  const RecordKey older{"alice", "session", "older"};
  ASSERT_THAT(Create(older), IsDone());
  ASSERT_THAT(Create(kRecord), IsDone());
  const std::uint64_t last = Append(kRecord, "of the one before").sequence;
  ASSERT_THAT(Remove(kRecord), Removed(1));
  ASSERT_THAT(Regenerate(older, kRecord), IsDone());
  EXPECT_THAT(ReadEvents(kRecord, last - 1), FailsWith(ErrorCode::kGap));
  EXPECT_GT(Append(kRecord, "first").sequence, last);
  EXPECT_THAT(ReadEvents(kRecord), HasEvents(Strings{"first"}));
  EXPECT_THAT(ReadEvents(kRecord, last), FailsWith(ErrorCode::kGap));
}

TEST_P(StoreExtrasContract, AnotherOwnersStreamDoesNotExist) {
  Create(kRecord);
  Append(kRecord, "alice's");
  for (const RecordKey& other :
       {RecordKey{"bob", "session", "id-1"}, RecordKey{"", "session", "id-1"},
        RecordKey{"alice", "basket", "id-1"}, RecordKey{"alice", "session", "id-"}}) {
    const auto is_not_found = AllOf(FailsWith(ErrorCode::kNotFound), HasNoEvents());
    EXPECT_THAT(ReadEvents(other), is_not_found);
    EXPECT_THAT(Append(other, "forged"), is_not_found);
    ASSERT_THAT(Create(other), IsDone());
    EXPECT_THAT(ReadEvents(other), HasEvents(Strings{}));
    EXPECT_THAT(Append(other, "their own"), IsDone());
    EXPECT_THAT(ReadEvents(other), HasEvents(Strings{"their own"}));
  }
  EXPECT_THAT(ReadEvents(kRecord), HasEvents(Strings{"alice's"}));
}

TEST_P(StoreExtrasContract, EventsAreBytesToo) {
  using std::string_literals::operator""s;
  std::string every_byte;
  for (int i = 0; i < 256; ++i) every_byte.push_back(static_cast<char>(i));
  const Strings samples = {""s,        "\0"s,          "a\0b\0"s,     every_byte,
                           "\r\n$-1"s, "\xff\xfe..."s, "a b\tc\n\n"s, std::string(3000, '\0')};
  Create(kRecord);
  for (const std::string& sample : samples) EXPECT_THAT(Append(kRecord, sample), IsDone());
  EXPECT_THAT(ReadEvents(kRecord), HasEvents(samples));
}

TEST_P(StoreExtrasContract, AnEventHasASizeLimit) {
  NewStore({.max_record_bytes = 100});
  EXPECT_THAT(Append(kRecord, std::string(101, 'x')), FailsWith(ErrorCode::kTooLarge))
      << "this is said before anything else is looked at";
  Create(kRecord);
  for (const std::size_t size : {99u, 100u}) {
    EXPECT_THAT(Append(kRecord, std::string(size, 'x')), IsDone()) << size;
  }
  EXPECT_THAT(Append(kRecord, std::string(101, 'x')), FailsWith(ErrorCode::kTooLarge));
  EXPECT_THAT(ReadEvents(kRecord), HasEvents(Strings{std::string(99, 'x'), std::string(100, 'x')}));
}

TEST_P(StoreExtrasContract, TheNumbersOfAStreamMustBeInRange) {
  Create(kRecord);
  for (const std::size_t number : {std::size_t{0}, kMaxEventLimit + 1}) {
    EXPECT_THAT(Append(kRecord, "event", number), FailsWith(ErrorCode::kInvalidArgument)) << number;
    EXPECT_THAT(ReadEvents(kRecord, 0, number), FailsWith(ErrorCode::kInvalidArgument)) << number;
  }
  for (const Millis wait : {Millis{-1}, Millis{kMaxEventWait.count + 1}}) {
    EXPECT_THAT(ReadEvents(kRecord, 0, 1, wait), FailsWith(ErrorCode::kInvalidArgument))
        << wait.count;
  }
  EXPECT_THAT(ReadEvents(kRecord), HasEvents(Strings{}));
  for (const std::size_t number : {std::size_t{1}, kMaxEventLimit}) {
    EXPECT_THAT(Append(kRecord, "event", number), IsDone()) << number;
    EXPECT_THAT(ReadEvents(kRecord, 0, number, kMaxEventWait), testing::Not(HasNoEvents()));
  }
}

}  // namespace
}  // namespace mcp_session

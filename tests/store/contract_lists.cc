// List: what is there throughout is listed exactly once, whatever else comes and goes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/store/contract.h"
#include "tests/store/matchers.h"

namespace mcp_session {
namespace {

using testing::ElementsAreArray;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using testing::UnorderedElementsAreArray;

constexpr RecordKey Basket(std::string_view id) { return {"alice", "basket", id}; }

std::vector<std::string> Numbered(int count) {
  std::vector<std::string> ids;
  for (int i = 0; i < count; ++i) ids.push_back("id-" + std::to_string(i));
  return ids;
}

TEST_P(StoreContract, ListAnswersRecordsWithTheirIds) {
  const StoreReply one = Create(Basket("1"), "one", Both(OfIdle(3)));
  const Span began = LastRun();
  Create(Basket("2"), "two");
  StoreReply reply = List("alice", "basket");
  EXPECT_THAT(reply.cursor, IsEmpty());
  ASSERT_EQ(reply.listed.size(), 2u);
  std::sort(reply.listed.begin(), reply.listed.end(),
            [](const Record& a, const Record& b) { return a.id < b.id; });
  const Record& record = reply.listed[0];
  EXPECT_EQ(record.id, "1");
  ASSERT_NE(record.data, nullptr);
  EXPECT_EQ(*record.data, "one");
  EXPECT_EQ(record.version, one.record.version);
  EXPECT_THAT(record.expires_in, IsLeftOf(began, idle_ttl()));
  ASSERT_TRUE(record.max_life_left.has_value());
  EXPECT_THAT(*record.max_life_left, IsLeftOf(began, OfIdle(3)));
  EXPECT_EQ(*reply.listed[1].data, "two");
  EXPECT_EQ(reply.listed[1].max_life_left, std::nullopt);
}

TEST_P(StoreContract, ListAnswersOneOwnersRecordsOfOneKind) {
  for (const std::string_view owner : {"alice", "bob", ""}) {
    for (const std::string_view kind : {"basket", "session"}) {
      const std::string id = std::string(owner) + "-" + std::string(kind);
      ASSERT_THAT(Create({owner, kind, id}), IsDone());
    }
  }
  EXPECT_THAT(ListIds("alice", "basket"), UnorderedElementsAre("alice-basket"));
  EXPECT_THAT(ListIds("bob", "session"), UnorderedElementsAre("bob-session"));
  EXPECT_THAT(ListIds("alice", "job"), IsEmpty());
  EXPECT_THAT(ListIds("carol", "basket"), IsEmpty());
  EXPECT_THAT(ListIds("alic", "basket"), IsEmpty());
}

TEST_P(StoreContract, BearerRecordsAreNobodysToList) {
  Create({"", "basket", "1"});
  EXPECT_THAT(List("", "basket"), FailsWith(ErrorCode::kInvalidArgument));
}

TEST_P(StoreContract, ListOmitsWhatWasRemovedOrExpired) {
  Create(Basket("removed"));
  Create(Basket("expired"), "x", Fixed(OfIdle(0.5)));
  Create(Basket("kept"));
  Remove(Basket("removed"));
  WaitUntil(Now() + OfIdle(0.5));
  EXPECT_THAT(ListIds("alice", "basket"), UnorderedElementsAre("kept"));
}

TEST_P(StoreContract, TheLimitOfAListIsOneToAThousand) {
  Create(Basket("1"));
  EXPECT_THAT(List("alice", "basket", 0), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(List("alice", "basket", 1001), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_EQ(List("alice", "basket", 1).listed.size(), 1u);
  EXPECT_EQ(List("alice", "basket", 1000).listed.size(), 1u);
}

TEST_P(StoreContract, PagesOfAnySizeMakeUpTheList) {
  const std::vector<std::string> ids = Numbered(12);
  for (const std::string& id : ids) ASSERT_THAT(Create(Basket(id)), IsDone());
  const std::vector<std::string> whole = ListIds("alice", "basket");
  EXPECT_THAT(whole, UnorderedElementsAreArray(ids));
  for (std::size_t limit = 1; limit <= ids.size() + 1; ++limit) {
    EXPECT_THAT(ListIds("alice", "basket", limit), ElementsAreArray(whole)) << limit;
  }
}

TEST_P(StoreContract, TheOrderOfAListStaysTheSame) {
  const std::vector<std::string> ids = Numbered(10);
  for (const std::string& id : ids) ASSERT_THAT(Create(Basket(id)), IsDone());
  std::vector<std::string> order = ListIds("alice", "basket");
  for (int i = 0; i < 10; i += 3) {
    Remove(Basket(ids[i]));
    order.erase(std::find(order.begin(), order.end(), ids[i]));
    Create(Basket("new-" + std::to_string(i)));
    Put(Basket(ids[1]), "more", std::nullopt);
    std::vector<std::string> now = ListIds("alice", "basket");
    now.erase(std::remove_if(now.begin(), now.end(),
                             [](const std::string& id) { return id.starts_with("new"); }),
              now.end());
    EXPECT_THAT(now, ElementsAreArray(order));
  }
}

// Between any two pages one record goes, one comes and one is put: old and new, listed already or
// not, also the very one at which the next page starts.
TEST_P(StoreContract, PagingMissesNothingWhileRecordsComeAndGo) {
  for (int variant = 0; variant < 12; ++variant) {
    SCOPED_TRACE(variant);
    RemoveOwned("alice");
    const std::vector<std::string> ids = Numbered(12);
    for (const std::string& id : ids) ASSERT_THAT(Create(Basket(id)), IsDone());
    std::set<std::string> throughout(ids.begin(), ids.end());
    std::vector<std::string> listed;
    std::string cursor;
    int page = 0;
    do {
      const StoreReply reply = List("alice", "basket", 3, cursor);
      ASSERT_THAT(reply, IsDone());
      for (const Record& record : reply.listed) listed.push_back(record.id);
      cursor = reply.cursor;
      const std::string gone =
          variant % 2 == 0 && !listed.empty() ? listed.back() : ids[(variant + 5 * page) % 12];
      Remove(Basket(gone));
      throughout.erase(gone);
      if (variant % 3 == 0) Create(Basket(gone));
      Create(Basket("new-" + std::to_string(page)));
      Put(Basket(ids[(variant + page) % 12]), "more", std::nullopt);
      ASSERT_LT(++page, 30);
    } while (!cursor.empty());
    for (const std::string& id : throughout) {
      EXPECT_EQ(std::count(listed.begin(), listed.end(), id), 1) << id;
    }
  }
}

TEST_P(StoreContract, ACursorOutlivesWhatItPointedAt) {
  for (const std::string& id : Numbered(6)) Create(Basket(id));
  const StoreReply page = List("alice", "basket", 3);
  ASSERT_FALSE(page.cursor.empty());
  RemoveOwned("alice");
  const StoreReply rest = List("alice", "basket", 3, page.cursor);
  EXPECT_THAT(rest, IsDone());
  EXPECT_THAT(rest.listed, IsEmpty());
  EXPECT_THAT(rest.cursor, IsEmpty());
}

TEST_P(StoreContract, ABadCursorIsAMistake) {
  using std::string_view_literals::operator""sv;
  Create(Basket("1"));
  for (const std::string_view cursor : {"no cursor"sv, "\0"sv, "\xff\xff\xff\xff"sv, " "sv}) {
    const StoreReply reply = List("alice", "basket", 10, cursor);
    EXPECT_THAT(reply, FailsWith(ErrorCode::kInvalidArgument)) << cursor;
    EXPECT_THAT(reply.listed, IsEmpty());
  }
  const std::string huge(10'000, '1');
  EXPECT_THAT(List("alice", "basket", 10, huge), FailsWith(ErrorCode::kInvalidArgument));
}

TEST_P(StoreContract, AnotherOwnersCursorShowsNothingOfTheirs) {
  for (const std::string& id : Numbered(6)) {
    Create({"alice", "basket", "a-" + id});
    Create({"bob", "basket", "b-" + id});
  }
  const StoreReply page = List("alice", "basket", 3);
  for (const Record& record : List("bob", "basket", 1000, page.cursor).listed) {
    EXPECT_EQ(record.id.substr(0, 2), "b-");
  }
}

}  // namespace
}  // namespace mcp_session

// Sentence 1: one reply per command, with its ticket, from Drain, in order on each key.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/store/contract.h"
#include "tests/store/matchers.h"

namespace mcp_session {
namespace {

using testing::ElementsAre;
using testing::Field;

constexpr RecordKey kRecord{"alice", "session", "id-1"};

std::vector<std::uint64_t> TicketsOf(const std::vector<StoreReply>& replies) {
  std::vector<std::uint64_t> tickets;
  for (const StoreReply& reply : replies) tickets.push_back(reply.ticket.number);
  return tickets;
}

TEST_P(StoreContract, EveryCommandIsAnsweredOnce) {
  const RecordKey absent{"alice", "session", "nothing"};
  const RecordKey unstorable{"alice", "session", ""};
  std::vector<std::uint64_t> submitted;
  const auto submit = [&](StoreCommand command) {
    submitted.push_back(submitted.size() + 1);
    Submit({submitted.back()}, std::move(command));
  };
  for (const RecordKey& key : {kRecord, absent, unstorable}) {
    if (key.id != absent.id) submit(store::Create{key, "x", Idle()});
    submit(store::Get{key});
    submit(store::Put{key, "y", std::nullopt});
    submit(store::Put{key, "z", 12345});
    submit(store::Put{key, std::string(5000, 'z'), std::nullopt});
    submit(store::Touch{key});
    submit(store::Append{key, "event"});
    submit(store::Append{key, "event", 0});
    submit(store::ReadEvents{key});
    submit(store::ReadEvents{key, 0, 0});
    submit(store::ReadEvents{key, 1234567});
    submit(store::Lock{key, 1, kMaxLease});
    submit(store::Lock{key, 2, kMaxLease});
    submit(store::Extend{key, 1, kMaxLease});
    submit(store::Unlock{key, 2});
    submit(store::Unlock{key, 1});
    submit(store::Regenerate{key, {"bob", "session", "new"}});
    submit(store::Regenerate{{"bob", "session", "new"}, key});
    submit(store::Take{key});
    submit(store::Remove{key});
  }
  submit(store::List{"alice", "session", {}, 10});
  submit(store::List{"alice", "session", {}, 0});
  submit(store::RemoveOwned{"alice"});
  submit(store::RemoveOwned{""});
  EXPECT_THAT(TicketsOf(Replies(submitted.size())), testing::UnorderedElementsAreArray(submitted));
  EXPECT_THAT(RepliesSoFar(), testing::IsEmpty());
}

TEST_P(StoreContract, TicketsAreOnlyRepeated) {
  const std::uint64_t highest = std::numeric_limits<std::uint64_t>::max();
  for (const std::uint64_t ticket :
       {std::uint64_t{7}, std::uint64_t{7}, std::uint64_t{0}, highest}) {
    Submit({ticket}, store::Get{kRecord});
  }
  EXPECT_THAT(TicketsOf(Replies(4)), testing::UnorderedElementsAre(7, 7, 0, highest));
}

TEST_P(StoreContract, DrainAppends) {
  std::vector<StoreReply> replies(1);
  replies[0].ticket = {99};
  replies[0].cursor = "kept";
  Submit({1}, store::Get{kRecord});
  replies = Replies(2, std::move(replies));
  ASSERT_THAT(TicketsOf(replies), ElementsAre(99, 1));
  EXPECT_EQ(replies[0].cursor, "kept");
  EXPECT_THAT(RepliesSoFar(), testing::IsEmpty());
}

TEST_P(StoreContract, NothingIsAnsweredTwice) {
  Submit({1}, store::Create{kRecord, "x", Idle()});
  EXPECT_THAT(TicketsOf(Replies(1)), ElementsAre(1));
  std::vector<StoreReply> more;
  store().Drain(&more);
  EXPECT_THAT(TicketsOf(more), ElementsAre());
}

TEST_P(StoreContract, TheCommandsOnOneKeyAreDoneInOrder) {
  Submit({1}, store::Get{kRecord});
  Submit({2}, store::Create{kRecord, "a", Idle()});
  Submit({3}, store::Create{kRecord, "b", Idle()});
  Submit({4}, store::Get{kRecord});
  Submit({5}, store::Put{kRecord, "c", std::nullopt});
  Submit({6}, store::Get{kRecord});
  Submit({7}, store::Remove{kRecord});
  Submit({8}, store::Touch{kRecord});
  Submit({9}, store::Create{kRecord, "d", Idle()});
  Submit({10}, store::Get{kRecord});
  const std::vector<StoreReply> replies = Replies(10);
  ASSERT_THAT(TicketsOf(replies), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
  EXPECT_THAT(replies,
              ElementsAre(FailsWith(ErrorCode::kNotFound), Holds("a"),
                          FailsWith(ErrorCode::kExists), Holds("a"), Holds("c"), Holds("c"),
                          Removed(1), FailsWith(ErrorCode::kNotFound), Holds("d"), Holds("d")));
}

TEST_P(StoreContract, EachKeyKeepsItsOrderAmongOthers) {
  std::vector<std::string> ids;
  for (int i = 0; i < 20; ++i) ids.push_back("id-" + std::to_string(i));
  std::uint64_t ticket = 0;
  for (int round = 0; round < 10; ++round) {
    for (const std::string& id : ids) {
      const RecordKey key{"alice", "session", id};
      if (round == 0) Submit({ticket++}, store::Create{key, "0", Idle()});
      if (round > 0) Submit({ticket++}, store::Put{key, std::to_string(round), std::nullopt});
    }
  }
  std::map<std::uint64_t, std::vector<std::uint64_t>> rounds_of_id;
  std::map<std::uint64_t, std::uint64_t> last_version;
  for (const StoreReply& reply : Replies(ticket)) {
    const std::uint64_t id = reply.ticket.number % ids.size();
    const std::uint64_t round = reply.ticket.number / ids.size();
    EXPECT_THAT(reply, Holds(std::to_string(round)));
    EXPECT_GT(reply.record.version, last_version[id]);
    last_version[id] = reply.record.version;
    rounds_of_id[id].push_back(round);
  }
  EXPECT_EQ(rounds_of_id.size(), ids.size());
  for (const auto& [id, rounds] : rounds_of_id) {
    EXPECT_THAT(rounds, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9)) << id;
  }
}

TEST_P(StoreContract, KeysAreReadDuringSubmitOnly) {
  std::string owner, kind, id;
  const auto run = [&](auto make_command) {
    owner = "alice", kind = "session", id = "id-1";
    Submit({1}, make_command(RecordKey{owner, kind, id}));
    for (std::string* part : {&owner, &kind, &id}) part->assign(part->size(), '?');
    std::vector<StoreReply> replies = Replies(1);
    return replies.empty() ? StoreReply{} : replies.front();
  };
  EXPECT_THAT(run([&](RecordKey key) { return store::Create{key, "x", Idle()}; }), Holds("x"));
  EXPECT_THAT(run([](RecordKey key) { return store::Get{key}; }), Holds("x"));
  EXPECT_THAT(run([](RecordKey key) { return store::Put{key, "y", std::nullopt}; }), Holds("y"));
  EXPECT_THAT(run([](RecordKey key) { return store::Touch{key}; }), IsDone());
  EXPECT_THAT(run([](RecordKey key) {
                return store::List{key.owner, key.kind, {}, 9};
              }).listed,
              ElementsAre(Field(&Record::id, "id-1")));
  EXPECT_THAT(run([](RecordKey key) { return store::Remove{key}; }), Removed(1));
  EXPECT_THAT(Create(kRecord), IsDone());
  EXPECT_THAT(run([](RecordKey key) { return store::RemoveOwned{key.owner}; }), Removed(1));
  if (!has_extras()) return;
  EXPECT_THAT(Create(kRecord), IsDone());
  EXPECT_THAT(run([](RecordKey key) { return store::Append{key, "event"}; }), IsDone());
  EXPECT_THAT(run([](RecordKey key) { return store::ReadEvents{key}; }),
              HasEvents(std::vector<std::string>{"event"}));
  EXPECT_THAT(run([](RecordKey key) { return store::Lock{key, 1, kMaxLease}; }), IsGranted());
  EXPECT_THAT(run([](RecordKey key) { return store::Extend{key, 1, kMaxLease}; }), IsGranted());
  EXPECT_THAT(run([](RecordKey key) { return store::Unlock{key, 1}; }), IsDone());
  const RecordKey moved{"bob", "session", "id-2"};
  EXPECT_THAT(run([&](RecordKey key) { return store::Regenerate{key, moved}; }), Holds("data"));
  EXPECT_THAT(run([&](RecordKey key) { return store::Regenerate{moved, key}; }), Holds("data"));
  EXPECT_THAT(run([](RecordKey key) { return store::Take{key}; }), Holds("data"));
}

// Also of a read that waits, for as long as it does.
TEST_P(StoreExtrasContract, TheKeyOfAWaitIsReadDuringSubmitOnly) {
  Create(kRecord);
  std::string owner = "alice", kind = "session", id = "id-1";
  Submit({1}, store::ReadEvents{.key = {owner, kind, id}, .wait = kMaxEventWait});
  for (std::string* part : {&owner, &kind, &id}) part->assign(part->size(), '?');
  Submit({2}, store::Append{kRecord, "event"});
  EXPECT_THAT(TicketsOf(Replies(2)), testing::UnorderedElementsAre(1, 2));
}

// Replies that are not there after Submit are announced, once, and not from inside a call.
TEST_P(StoreContract, RepliesThatComeLaterAreAnnounced) {
  bool inside = false;
  int announced = 0;
  store().OnReady([&] {
    EXPECT_FALSE(inside) << "called from inside a call to the store";
    ++announced;
  });
  for (std::uint64_t i = 0; i < 20; ++i) {
    const std::string id = std::to_string(i);
    const RecordKey key{"alice", "session", id};
    std::vector<StoreReply> replies;
    inside = true;
    Submit({1}, store::Create{key, "x", Idle()});
    Submit({2}, store::Get{key});
    store().Drain(&replies);
    inside = false;
    for (int turns = 0; replies.size() < 2; ++turns) {
      ASSERT_LT(turns, 1000) << "no reply comes";
      const int before = announced;
      Pump();
      ASSERT_LE(announced, before + 1) << "announced twice until Drain";
      const std::size_t had = replies.size();
      inside = true;
      store().Drain(&replies);
      inside = false;
      ASSERT_EQ(replies.size() > had, announced > before) << "a reply came unannounced, or none";
    }
    EXPECT_THAT(replies, ElementsAre(Holds("x"), Holds("x")));
  }
}

TEST_P(StoreContract, AStoreThatAnswersIsConnected) {
  ASSERT_THAT(Create(kRecord), IsDone());
  const StoreStatus status = store().Status();
  EXPECT_EQ(status.state, StoreState::kConnected) << StateName(status.state);
  EXPECT_THAT(status.backend, testing::Not(testing::IsEmpty()));
  EXPECT_THAT(status.reason, testing::IsEmpty());
}

}  // namespace
}  // namespace mcp_session

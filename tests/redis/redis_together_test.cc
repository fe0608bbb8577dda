// What goes to Redis together: puts that wait at the same time, and what is read ahead.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mcp_session/redis/store.h"
#include "tests/redis/redis_client.h"
#include "tests/redis/redis_server.h"
#include "tests/redis/stored_record.h"
#include "tests/store/matchers.h"

namespace mcp_session {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::SizeIs;

// How often the server began a script.
int ScriptsOf(RedisServer& server) {
  const std::string info = server.Command({"INFO", "commandstats"});
  const std::string name = "cmdstat_evalsha:calls=";
  const std::size_t at = info.find(name);
  return at == std::string::npos ? 0 : std::atoi(info.c_str() + at + name.size());
}

class RedisTogether : public testing::Test {
 protected:
  RedisTogether() : client_(Options()) {
    for (int i = 0; i < 40; ++i) ids_.push_back("id-" + std::to_string(i));
  }

  RedisOptions Options() const {
    RedisOptions options;
    options.endpoints = {{.port = server_.port()}};
    options.connect_timeout = options.command_timeout = Seconds(10);
    return options;
  }
  RecordKey Key(int i) const { return {"alice", "session", ids_[static_cast<std::size_t>(i)]}; }
  void CreateAll(int count) {
    for (int i = 0; i < count; ++i) ASSERT_THAT(client_.Create(Key(i), "old"), IsDone());
  }
  void SubmitPut(int i, std::string data, std::optional<std::uint64_t> expected = std::nullopt) {
    client_.Submit(store::Put{Key(i), std::move(data), expected});
  }

  // In the order the commands were submitted.
  std::vector<StoreReply> Replies() {
    std::vector<StoreReply> replies = client_.Replies();
    std::sort(replies.begin(), replies.end(), [](const StoreReply& a, const StoreReply& b) {
      return a.ticket.number < b.ticket.number;
    });
    return replies;
  }

  RedisServer server_;
  RedisClient client_;
  std::vector<std::string> ids_;
};

TEST_F(RedisTogether, PutsAreOneScriptAndEachHasItsOwnOutcome) {
  CreateAll(8);
  server_.Command({"DEL", StoredKeyOf(Key(1))});
  server_.Command({"SET", StoredKeyOf(Key(2)), "somebody else's"});
  server_.Command({"DEL", StoredKeyOf(Key(3))});
  server_.Command({"LPUSH", StoredKeyOf(Key(3)), "a list"});
  ASSERT_THAT(
      client_.Run(store::Create{Key(30), "short", {.max_life = Millis{1}, .remember = Hours(1)}}),
      IsDone());
  client_.RunFor(Millis{5});
  const StoreReply lock = client_.Run(store::Lock{Key(5), 7, Seconds(60)});
  ASSERT_THAT(lock, IsDone());
  const int before = ScriptsOf(server_);
  SubmitPut(0, "new 0");
  SubmitPut(1, "new 1");
  SubmitPut(2, "new 2");
  SubmitPut(3, "new 3");
  SubmitPut(4, "new 4", 1);
  client_.Submit(store::Put{Key(5), "new 5", std::nullopt, 0, lock.fence - 1});
  SubmitPut(30, "new 30");
  SubmitPut(6, "new 6");
  SubmitPut(6, "newer 6");
  SubmitPut(7, std::string(100, 'x') + std::string(1, '\0'));
  const std::vector<StoreReply> replies = Replies();
  EXPECT_THAT(replies, ElementsAre(Holds("new 0"), FailsWith(ErrorCode::kNotFound),
                                   FailsWith(ErrorCode::kCorrupt), FailsWith(ErrorCode::kCorrupt),
                                   FailsWith(ErrorCode::kConflict), FailsWith(ErrorCode::kFenced),
                                   FailsWith(ErrorCode::kExpired), Holds("new 6"), Holds("newer 6"),
                                   Holds(std::string(100, 'x') + std::string(1, '\0'))));
  ASSERT_THAT(replies, SizeIs(10));
  EXPECT_EQ(*replies[4].record.data, "old");
  EXPECT_EQ(replies[8].record.version, replies[7].record.version + 1);
  EXPECT_EQ(ScriptsOf(server_) - before, 1);
  EXPECT_THAT(client_.Get(Key(0)), Holds("new 0"));
  EXPECT_THAT(client_.Get(Key(4)), Holds("old"));
  EXPECT_THAT(client_.Get(Key(6)), Holds("newer 6"));
}

TEST_F(RedisTogether, NoPutOvertakesWhatIsAboutItsRecord) {
  CreateAll(3);
  const int before = ScriptsOf(server_);
  SubmitPut(0, "1");
  client_.Submit(store::Get{Key(1)});
  SubmitPut(1, "2");
  client_.Submit(store::Get{Key(1)});
  SubmitPut(2, "3");
  client_.Submit(store::Get{Key(0), Key(2)});
  SubmitPut(2, "4");
  client_.Submit(store::List{"alice", "session", {}, 10});
  SubmitPut(0, "5");
  const std::vector<StoreReply> replies = Replies();
  ASSERT_THAT(replies, SizeIs(9));
  EXPECT_THAT(replies[1], Holds("old"));
  EXPECT_THAT(replies[3], Holds("2"));
  EXPECT_THAT(replies[5], Holds("1"));
  ASSERT_NE(replies[5].ahead, nullptr);
  EXPECT_THAT(*replies[5].ahead, Holds("3"));
  ASSERT_THAT(replies[7].listed, SizeIs(3));
  for (const Record& record : replies[7].listed) EXPECT_NE(*record.data, "5");
  EXPECT_THAT(client_.Get(Key(0)), Holds("5"));
  // 1; 2 and 3; 4; the list; 5. The second is not with the first: a Get of its record is between.
  EXPECT_EQ(ScriptsOf(server_) - before, 5);
}

TEST_F(RedisTogether, NotMoreThan32AndNothingLarge) {
  CreateAll(40);
  int before = ScriptsOf(server_);
  for (int i = 0; i < 40; ++i) SubmitPut(i, "new");
  EXPECT_THAT(Replies(), AllOf(SizeIs(40), Each(Holds("new"))));
  EXPECT_EQ(ScriptsOf(server_) - before, 2);
  before = ScriptsOf(server_);
  const std::string large(5000, 'x');
  SubmitPut(0, "small");
  SubmitPut(1, large);
  SubmitPut(2, "small");
  EXPECT_THAT(Replies(), ElementsAre(Holds("small"), Holds(large), Holds("small")));
  EXPECT_EQ(ScriptsOf(server_) - before, 2);
}

TEST_F(RedisTogether, AFullServerRefusesAllOrNone) {
  CreateAll(3);
  server_.Command({"CONFIG", "SET", "maxmemory", "1"});
  SubmitPut(0, "new");
  SubmitPut(1, "new");
  SubmitPut(2, "new");
  EXPECT_THAT(Replies(), AllOf(SizeIs(3), Each(FailsWith(ErrorCode::kCapacity))));
  server_.Command({"CONFIG", "SET", "maxmemory", "0"});
  for (int i = 0; i < 3; ++i) EXPECT_THAT(client_.Get(Key(i)), Holds("old"));
}

TEST_F(RedisTogether, EachCountsAgainstTheLimitInFlight) {
  RedisOptions options = Options();
  options.max_in_flight = 10;
  RedisClient limited(std::move(options));
  ASSERT_TRUE(limited.RunUntil(StoreState::kConnected));
  server_.Pause();
  const std::uint64_t writes = limited.counters().writes;
  for (int i = 0; i < 8; ++i) limited.Submit(store::Put{Key(i), "new", std::nullopt});
  ASSERT_TRUE(limited.RunUntil([&] { return limited.counters().writes > writes; }));
  for (int i = 8; i < 13; ++i) limited.Submit(store::Put{Key(i), "new", std::nullopt});
  server_.Resume();
  const std::vector<StoreReply> replies = limited.Replies();
  EXPECT_EQ(std::count_if(replies.begin(), replies.end(),
                          [](const StoreReply& reply) {
                            return reply.error == ErrorCode::kUnavailable && !reply.maybe_done;
                          }),
            3);
  // What was answered counts no more.
  for (int i = 0; i < 10; ++i) limited.Submit(store::Put{Key(i), "new", std::nullopt});
  EXPECT_THAT(limited.Replies(), AllOf(SizeIs(10), Each(FailsWith(ErrorCode::kNotFound))));
}

TEST_F(RedisTogether, AConnectionThatBreaksLosesAllOfThem) {
  CreateAll(3);
  RedisOptions options = Options();
  options.command_timeout = Millis{300};
  RedisClient hasty(std::move(options));
  ASSERT_THAT(hasty.Get(Key(0)), Holds("old"));
  server_.Pause();
  for (int i = 0; i < 3; ++i) hasty.Submit(store::Put{Key(i), "new", std::nullopt});
  const std::vector<StoreReply> replies = hasty.Replies();
  ASSERT_THAT(replies, SizeIs(3));
  for (const StoreReply& reply : replies) {
    EXPECT_EQ(reply.error, ErrorCode::kUnavailable);
    EXPECT_TRUE(reply.maybe_done);
  }
  server_.Resume();
  EXPECT_THAT(client_.Get(Key(0)), IsDone());
}

TEST_F(RedisTogether, AfterALostConnectionTheyGoTogetherAgain) {
  CreateAll(3);
  server_.Pause();
  for (int i = 0; i < 3; ++i) SubmitPut(i, "new");
  const std::uint64_t writes = client_.counters().writes;
  ASSERT_TRUE(client_.RunUntil([&] { return client_.counters().writes > writes; }));
  server_.Kill();
  server_.StartAgain();  // empty
  EXPECT_THAT(Replies(), AllOf(SizeIs(3), Each(FailsWith(ErrorCode::kNotFound))));
  EXPECT_EQ(client_.counters().lost, 1u);
  EXPECT_EQ(client_.counters().repeated, 1u);
}

TEST_F(RedisTogether, AScriptThatIsNotThereIsLoadedForAll) {
  CreateAll(3);
  server_.Command({"SCRIPT", "FLUSH"});
  for (int i = 0; i < 3; ++i) SubmitPut(i, "new");
  EXPECT_THAT(Replies(), AllOf(SizeIs(3), Each(Holds("new"))));
  EXPECT_EQ(client_.counters().reloads, 1u);
}

TEST_F(RedisTogether, AGetBringsWhatItIsToReadAhead) {
  CreateAll(2);
  const StoreReply both = client_.Run(store::Get{Key(0), Key(1)});
  EXPECT_THAT(both, Holds("old"));
  ASSERT_NE(both.ahead, nullptr);
  EXPECT_THAT(*both.ahead, Holds("old"));
  const StoreReply alone = client_.Get(Key(1));
  EXPECT_EQ(both.ahead->record.version, alone.record.version);
  EXPECT_GE(both.ahead->record.expires_in, alone.record.expires_in);
  const StoreReply without = client_.Run(store::Get{Key(0), Key(2)});
  EXPECT_THAT(without, Holds("old"));
  ASSERT_NE(without.ahead, nullptr);
  EXPECT_THAT(*without.ahead, FailsWith(ErrorCode::kNotFound));
  const StoreReply neither = client_.Run(store::Get{Key(2), Key(0)});
  EXPECT_THAT(neither, FailsWith(ErrorCode::kNotFound));
  EXPECT_EQ(neither.ahead, nullptr);
  EXPECT_EQ(client_.Get(Key(0)).ahead, nullptr);
}

// A key of another type is an error of Redis, which is not the session's.
TEST_F(RedisTogether, WhatIsWrongWithItIsLeftToItsOwnGet) {
  CreateAll(1);
  server_.Command({"LPUSH", StoredKeyOf(Key(1)), "a list"});
  const StoreReply reply = client_.Run(store::Get{Key(0), Key(1)});
  EXPECT_THAT(reply, Holds("old"));
  EXPECT_EQ(reply.ahead, nullptr);
  EXPECT_THAT(client_.Get(Key(1)), FailsWith(ErrorCode::kCorrupt));
}

TEST_F(RedisTogether, AnAccessThatIsDueIsLeftToItsOwnGet) {
  CreateAll(2);
  SetTimeLeft(server_, Key(1), Seconds(100));
  EXPECT_EQ(client_.Run(store::Get{Key(0), Key(1)}).ahead, nullptr);
  EXPECT_LE(std::atoi(server_.Command({"PTTL", StoredKeyOf(Key(1))}).c_str()), 100'000);
}

}  // namespace
}  // namespace mcp_session

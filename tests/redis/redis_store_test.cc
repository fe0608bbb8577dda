// What the contract does not say: how the store speaks to Redis, and what it makes of what it finds
// there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "mcp_session/redis/keys.h"
#include "mcp_session/redis/record_codec.h"
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
using testing::HasSubstr;
using testing::SizeIs;

constexpr RecordKey kRecord{"alice", "session", "id-1"};

RedisOptions OptionsFor(const RedisServer& server) {
  RedisOptions options;
  options.endpoints = {{.port = server.port()}};
  options.connect_timeout = Seconds(10);
  options.command_timeout = Seconds(10);
  return options;
}

int ReadsOf(RedisServer& server) {
  const std::string info = server.Command({"INFO", "stats"});
  const std::string name = "total_reads_processed:";
  return std::atoi(info.c_str() + info.find(name) + name.size());
}

class RedisStore : public testing::Test {
 protected:
  RedisServer server_;
};

TEST_F(RedisStore, WhatIsSubmittedInOneTurnGoesOutInOneWrite) {
  RedisClient client(OptionsFor(server_));
  ASSERT_THAT(client.Create(kRecord), IsDone());
  const int reads_before = ReadsOf(server_);
  const std::uint64_t writes_before = client.counters().writes;
  for (int i = 0; i < 60; ++i) {
    client.Submit(store::Get{kRecord});
    client.Submit(store::Touch{kRecord});
  }
  const std::vector<StoreReply> replies = client.Replies();
  EXPECT_THAT(replies, AllOf(SizeIs(120), Each(IsDone())));
  EXPECT_LE(client.counters().writes - writes_before, 2u);  // one may be a heartbeat
  // As the server counts them: ours, a heartbeat perhaps, and the one that asks. What is long it
  // reads in pieces of 16 KiB.
  EXPECT_LE(ReadsOf(server_) - reads_before, 5);
}

// The loop did not run for a while: the deadlines are over, and the answers are there.
TEST_F(RedisStore, AnAnswerThatIsHereIsNotLate) {
  RedisOptions options = OptionsFor(server_);
  options.command_timeout = Millis{500};
  RedisClient client(std::move(options));
  ASSERT_THAT(client.Create(kRecord), IsDone());
  const std::uint64_t exchanges_before = client.counters().exchanges;
  const Instant end = MonotonicNow() + Millis{600};
  for (int i = 0; i < 200; ++i) client.Submit(store::Get{kRecord});
  ASSERT_TRUE(client.RunUntil([&] { return client.counters().exchanges > exchanges_before; }));
  while (MonotonicNow() < end) server_.Command({"PING"});
  EXPECT_THAT(client.Replies(), AllOf(SizeIs(200), Each(IsDone())));
  EXPECT_EQ(client.counters().lost, 0u);
}

TEST_F(RedisStore, ScriptsThatWereFlushedAreLoadedAgain) {
  RedisClient client(OptionsFor(server_));
  ASSERT_TRUE(client.RunUntil(StoreState::kConnected));
  server_.Command({"SCRIPT", "FLUSH"});
  client.Submit(store::Create{kRecord, "1", {.idle_ttl = Hours(1)}});
  client.Submit(store::Get{kRecord});
  client.Submit(store::Put{kRecord, "2", std::nullopt});
  client.Submit(store::Get{kRecord});
  client.Submit(store::Remove{kRecord});
  client.Submit(store::Get{kRecord});
  EXPECT_THAT(client.Replies(), ElementsAre(Holds("1"), Holds("1"), Holds("2"), Holds("2"),
                                            Removed(1), FailsWith(ErrorCode::kNotFound)));
  EXPECT_EQ(client.counters().reloads, 1u);
  EXPECT_EQ(client.counters().connects, 1u);
}

TEST_F(RedisStore, ManyScriptsFlushedUnderLoadLoseNothing) {
  RedisClient client(OptionsFor(server_));
  ASSERT_THAT(client.Create(kRecord, "0"), IsDone());
  for (int i = 1; i <= 100; ++i) {
    client.Submit(store::Put{kRecord, std::to_string(i), std::nullopt});
    if (i % 10 == 0) server_.Command({"SCRIPT", "FLUSH"});
    if (i % 5 == 0) {
      EXPECT_THAT(client.Replies(), Each(IsDone()));
    }
  }
  EXPECT_THAT(client.Get(kRecord), Holds("100"));
}

TEST_F(RedisStore, MoreThanTheLimitInFlightIsUnavailable) {
  RedisOptions options = OptionsFor(server_);
  options.max_in_flight = 10;
  RedisClient client(std::move(options));
  ASSERT_TRUE(client.RunUntil(StoreState::kConnected));
  for (int i = 0; i < 12; ++i) client.Submit(store::Get{kRecord});
  int refused = 0;
  for (const StoreReply& reply : client.Replies()) {
    if (reply.error != ErrorCode::kUnavailable) continue;
    EXPECT_FALSE(reply.maybe_done);
    EXPECT_GT(reply.ticket.number, 10u);
    ++refused;
  }
  EXPECT_EQ(refused, 2);
  EXPECT_THAT(client.Get(kRecord), FailsWith(ErrorCode::kNotFound));
}

TEST_F(RedisStore, AGetTellsRedisOfAnAccessOnlyWhenItIsDue) {
  RedisClient client(OptionsFor(server_));
  ASSERT_THAT(client.Create(kRecord), IsDone());
  const std::uint64_t before = client.counters().exchanges;
  for (int i = 0; i < 10; ++i) ASSERT_THAT(client.Get(kRecord), IsDone());
  EXPECT_LE(client.counters().exchanges - before, 12u) << "one for each Get, and heartbeats";
  SetTimeLeft(server_, kRecord, Minutes(50));  // of an hour: due
  EXPECT_EQ(client.Get(kRecord).record.expires_in, Hours(1));
  EXPECT_THAT(client.Run(store::Unlock{kRecord, 7}), FailsWith(ErrorCode::kLockLost));  // after it
  EXPECT_GT(std::atoi(server_.Command({"PTTL", StoredKeyOf(kRecord)}).c_str()), 3'500'000);
  const std::uint64_t told = client.counters().exchanges;
  for (int i = 0; i < 10; ++i) EXPECT_GT(client.Get(kRecord).record.expires_in, Minutes(59));
  EXPECT_LE(client.counters().exchanges - told, 12u) << "the record does not say when it ends now";
}

TEST_F(RedisStore, OfManyGetsAtOnceOneTellsOfTheAccess) {  // H41
  RedisClient client(OptionsFor(server_));
  ASSERT_THAT(client.Create(kRecord), IsDone());
  for (int round = 0; round < 2; ++round) {
    SetTimeLeft(server_, kRecord, Minutes(50));  // of an hour: due
    const std::uint64_t before = client.counters().exchanges;
    for (int i = 0; i < 500; ++i) client.Submit(store::Get{kRecord});
    EXPECT_THAT(client.Replies(), AllOf(SizeIs(500), Each(IsDone())));
    EXPECT_THAT(client.Run(store::Touch{kRecord}), IsDone());  // so that the first one was done
    const std::uint64_t exchanges = client.counters().exchanges - before;
    EXPECT_GE(exchanges, 502u) << "500, an access that is told, and the one to wait for it";
    EXPECT_LE(exchanges, 504u) << "and heartbeats";
  }
}

TEST_F(RedisStore, WhatIsNotOursIsCorruptAndStaysAsItIs) {
  RedisClient client(OptionsFor(server_));
  const auto ask_all = [&] {
    std::vector<StoreReply> replies;
    replies.push_back(client.Create(kRecord));
    replies.push_back(client.Get(kRecord));
    replies.push_back(client.Put(kRecord, "x"));
    replies.push_back(client.Run(store::Touch{kRecord}));
    replies.push_back(client.Run(store::Remove{kRecord}));
    replies.push_back(client.Run(store::Take{kRecord}));
    replies.push_back(client.Run(store::Regenerate{kRecord, {"alice", "session", "2"}}));
    replies.push_back(client.Run(store::Lock{kRecord, 7, Seconds(1)}));
    replies.push_back(client.Run(store::Append{kRecord, "event"}));
    replies.push_back(client.Run(store::ReadEvents{kRecord}));
    return replies;
  };
  const std::string key = StoredKeyOf(kRecord);
  server_.Command({"RPUSH", key, "somebody's", "list"});
  EXPECT_THAT(ask_all(), Each(FailsWith(ErrorCode::kCorrupt)));
  EXPECT_EQ(server_.Command({"LRANGE", key, "0", "-1"}), "somebody's\nlist\n");
  server_.Command({"DEL", key});
  for (const std::string& value : {std::string("a string"), std::string(300, 'x')}) {
    server_.Command({"SET", key, value});
    EXPECT_THAT(ask_all(), Each(FailsWith(ErrorCode::kCorrupt)));
    server_.Command({"SET", key, value, "PX", "100000"});
    EXPECT_THAT(ask_all(), Each(FailsWith(ErrorCode::kCorrupt)));
    EXPECT_EQ(server_.Command({"GET", key}), value);
  }
  EXPECT_EQ(client.state(), StoreState::kConnected);
  EXPECT_GT(client.counters().corrupt, 0u);
}

TEST_F(RedisStore, WithoutTheTimeNothingIsReadAsAlive) {
  RedisClient client(OptionsFor(server_));
  ASSERT_THAT(client.Create(kRecord), IsDone());
  server_.Command({"ACL", "SETUSER", "default", "-time"});
  EXPECT_THAT(client.Get(kRecord), FailsWith(ErrorCode::kMisconfigured));
  EXPECT_THAT(client.Get({"alice", "session", "none"}), FailsWith(ErrorCode::kMisconfigured));
  EXPECT_THAT(client.Run(store::ReadEvents{kRecord}), FailsWith(ErrorCode::kMisconfigured));
  server_.Command({"ACL", "SETUSER", "default", "+time"});
  EXPECT_THAT(client.Get(kRecord), IsDone());
}

TEST_F(RedisStore, ADamagedRecordIsCorrupt) {
  RedisClient client(OptionsFor(server_));
  ASSERT_THAT(client.Create(kRecord, "0123456789"), IsDone());
  server_.Command({"SETRANGE", StoredKeyOf(kRecord), "155", "x"});
  EXPECT_THAT(client.Get(kRecord), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(client.Run(store::List{"alice", "session", {}, 10}), FailsWith(ErrorCode::kCorrupt));
}

TEST_F(RedisStore, ARecordEndsEvenIfItsKeyDoesNotGo) {
  RedisClient client(OptionsFor(server_));
  const std::string key = StoredKeyOf(kRecord);
  ASSERT_THAT(client.Create(kRecord, "1"), IsDone());
  SetTimeLeft(server_, kRecord, Minutes(50));
  server_.Command({"PERSIST", key});
  EXPECT_THAT(client.Put(kRecord, "2"), Holds("2"));
  EXPECT_GT(std::atoi(server_.Command({"PTTL", key}).c_str()), 3'500'000);
  server_.Command({"PERSIST", key});
  server_.Command({"SETRANGE", key, "42", "0000000000000001"});
  EXPECT_THAT(client.Get(kRecord), FailsWith(ErrorCode::kExpired));
  EXPECT_THAT(client.Put(kRecord, "3"), FailsWith(ErrorCode::kExpired));
  EXPECT_THAT(client.Run(store::Touch{kRecord}), FailsWith(ErrorCode::kExpired));
  EXPECT_THAT(client.Run(store::ReadEvents{kRecord}), FailsWith(ErrorCode::kExpired));
  EXPECT_THAT(client.Create(kRecord, "4"), Holds("4"));
}

TEST_F(RedisStore, ARecordUnderAnothersKeyIsCorrupt) {
  RedisClient client(OptionsFor(server_));
  const RecordKey other{"bob", "session", "id-1"};
  ASSERT_THAT(client.Create(kRecord, "alice's"), IsDone());
  server_.Command({"COPY", StoredKeyOf(kRecord), StoredKeyOf(other)});
  EXPECT_THAT(client.Get(other), AllOf(FailsWith(ErrorCode::kCorrupt), HasNoRecord()));
  EXPECT_THAT(client.Put(other, "x"), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(client.Run(store::Touch{other}), FailsWith(ErrorCode::kCorrupt));
}

TEST_F(RedisStore, AVersionIsNotUsedAgainWhenTheClockStepsBack) {
  RedisClient client(OptionsFor(server_));
  ASSERT_THAT(client.Create(kRecord), IsDone());
  // As if the server's clock had been an hour ahead.
  server_.Command({"SETRANGE", StoredKeyOf(kRecord), "26", "9000000000000000"});
  const StoreReply put = client.Put(kRecord, "more", 9'000'000'000'000'000);
  EXPECT_THAT(put, Holds("more"));
  EXPECT_EQ(put.record.version, 9'000'000'000'000'001u);

  // Nor by a record that takes the place of one that is over.
  const Lifetime remembered{.idle_ttl = Hours(1), .remember = Minutes(1)};
  const RecordKey other{"alice", "session", "id-2"};
  ASSERT_THAT(client.Run(store::Create{other, "old", remembered}), IsDone());
  server_.Command({"SETRANGE", StoredKeyOf(other), "26", "9000000000000000"});
  SetTimeLeft(server_, other, Seconds(-10));
  ASSERT_THAT(client.Get(other), FailsWith(ErrorCode::kExpired));
  EXPECT_EQ(client.Create(other, "new").record.version, 9'000'000'000'000'001u);
}

// As by a failover to a replica that had not heard of it.
TEST_F(RedisStore, AVersionIsNotUsedAgainAfterAWriteThatWasLost) {
  RedisClient client(OptionsFor(server_));
  ASSERT_THAT(client.Create(kRecord), IsDone());
  server_.Command({"COPY", StoredKeyOf(kRecord), "before"});
  const StoreReply lost = client.Put(kRecord, "lost");
  ASSERT_THAT(lost, IsDone());
  server_.Command({"COPY", "before", StoredKeyOf(kRecord), "REPLACE"});
  const StoreReply other = client.Put(kRecord, "another");
  ASSERT_THAT(other, IsDone());
  EXPECT_GT(other.record.version, lost.record.version);
}

// The stream must not go before its record, nor what lists it; and not long after.
TEST_F(RedisStore, AnAccessMovesTheEndsOfTheStreamAndOfTheIndexToo) {
  RedisClient client(OptionsFor(server_));
  ASSERT_THAT(client.Create(kRecord), IsDone());
  client.Submit(store::Append{kRecord, "event", 10});
  ASSERT_THAT(client.Replies(), ElementsAre(IsDone()));
  const RedisKeys keys("mcp:session:", MakeStoredKey(kRecord));
  const auto goes_at = [this](const std::string& key) {
    return std::atoll(server_.Command({"PEXPIRETIME", key}).c_str());
  };
  const auto expect_all_go_together = [&] {
    for (const std::string& key : {keys.stream(), keys.index()}) {
      EXPECT_GT(goes_at(key), goes_at(keys.record())) << key;
      EXPECT_LE(goes_at(key), goes_at(keys.record()) + Minutes(1).count) << key;
    }
  };
  expect_all_go_together();
  const std::vector<StoreCommand> accesses = {store::Put{kRecord, "2", {}}, store::Touch{kRecord}};
  for (const StoreCommand& access : accesses) {
    SetTimeLeft(server_, kRecord, Seconds(100));
    for (const std::string& key : {keys.stream(), keys.index()}) {
      server_.Command({"PEXPIRE", key, "160000"});
    }
    ASSERT_THAT(client.Run(access), IsDone());
    EXPECT_GT(std::atoi(server_.Command({"PTTL", keys.record()}).c_str()), 3'500'000);
    expect_all_go_together();
  }
}

// A key with PTTL 0 is there for the rest of that millisecond, so Redis is told one less.
TEST_F(RedisStore, ARecordEndsToTheMillisecond) {
  RedisClient client(OptionsFor(server_));
  const std::string key = StoredKeyOf(kRecord);
  const Lifetime lifetime{.idle_ttl = Hours(2), .max_life = Hours(1), .remember = Minutes(5)};
  ASSERT_THAT(client.Run(store::Create{kRecord, "data", lifetime}), IsDone());
  const std::int64_t last_end = std::atoll(server_.Command({"GETRANGE", key, "58", "73"}).c_str());
  const std::string expires = std::to_string(last_end + Minutes(5).count - 1);
  EXPECT_EQ(server_.Command({"PEXPIRETIME", key}), expires);
  SetTimeLeft(server_, kRecord, Minutes(5));
  ASSERT_THAT(client.Run(store::Touch{kRecord}), IsDone());
  EXPECT_EQ(server_.Command({"PEXPIRETIME", key}), expires);

  // What scripts see: what is left of the whole life, unless a millisecond passes in between.
  const RecordKey other{"alice", "session", "id-2"};
  ASSERT_THAT(client.Run(store::Create{other, "data", {.max_life = Hours(1)}}), IsDone());
  int exact_put = 0;
  int exact_conflict = 0;
  for (int i = 0; i < 20; ++i) {
    const StoreReply put = client.Put(other, "more");
    if (put.record.expires_in == put.record.max_life_left) ++exact_put;
    const StoreReply conflict = client.Run(store::Remove{other, 1});
    ASSERT_THAT(conflict, FailsWith(ErrorCode::kConflict));
    if (conflict.record.expires_in == conflict.record.max_life_left) ++exact_conflict;
  }
  EXPECT_GT(exact_put, 10);
  EXPECT_GT(exact_conflict, 10);
}

TEST_F(RedisStore, LargeRecordsAreWhole) {
  RedisOptions options = OptionsFor(server_);
  options.max_record_bytes = 1 << 20;
  RedisClient client(std::move(options));
  for (const std::size_t size : {4088u, 4089u, 4090u, 65'536u, 1u << 20}) {
    const std::string data(size, 'a');
    EXPECT_THAT(client.Create(kRecord, data), Holds(data)) << size;
    EXPECT_THAT(client.Get(kRecord), Holds(data)) << size;
    const std::string more(size, 'b');
    EXPECT_THAT(client.Put(kRecord, more), Holds(more)) << size;
    EXPECT_THAT(client.Get(kRecord), Holds(more)) << size;
    EXPECT_THAT(client.Run(store::Remove{kRecord}), Removed(1));
  }
}

TEST_F(RedisStore, NamesNothingInTheKeysAndOnlyListedIdsInTheIndex) {
  RedisClient client(OptionsFor(server_));
  ASSERT_THAT(client.Create({"", "session", "bearer-secret"}), IsDone());
  ASSERT_THAT(client.Create({"alice@example.org", "session", "listed-id"}), IsDone());
  const std::string keys = server_.Command({"KEYS", "*"});
  EXPECT_THAT(keys, testing::Not(HasSubstr("bearer-secret")));
  EXPECT_THAT(keys, testing::Not(HasSubstr("alice")));
  EXPECT_THAT(keys, testing::Not(HasSubstr("listed-id")));
}

TEST_F(RedisStore, AFullServerHasNoCapacityAndStillReadsAndRemoves) {
  RedisClient client(OptionsFor(server_));
  const RecordKey other{"alice", "session", "id-2"};
  ASSERT_THAT(client.Create(kRecord), IsDone());
  ASSERT_THAT(client.Create(other), IsDone());
  ASSERT_THAT(client.Run(store::Lock{kRecord, 7, Seconds(60)}), IsDone());
  server_.Command({"CONFIG", "SET", "maxmemory", "1"});
  EXPECT_THAT(client.Create({"", "session", "3"}), FailsWith(ErrorCode::kCapacity));
  EXPECT_THAT(client.Put(kRecord, "more"), FailsWith(ErrorCode::kCapacity));
  EXPECT_THAT(client.Run(store::Append{kRecord, "event"}), FailsWith(ErrorCode::kCapacity));
  EXPECT_THAT(client.Get(kRecord), Holds("data"));
  EXPECT_THAT(client.Run(store::Touch{kRecord}), IsDone());
  EXPECT_EQ(client.Run(store::List{"alice", "session", {}, 10}).listed.size(), 2u);
  EXPECT_THAT(client.Run(store::Unlock{kRecord, 7}), IsDone());
  EXPECT_THAT(client.Run(store::Take{other}), Holds("data"));
  EXPECT_THAT(client.Run(store::Remove{kRecord}), Removed(1));
  EXPECT_EQ(client.state(), StoreState::kConnected);
  server_.Command({"CONFIG", "SET", "maxmemory", "0"});
  EXPECT_THAT(client.Create(kRecord), IsDone());
}

TEST_F(RedisStore, AServerThatMayEvictIsWarnedAboutOnce) {
  server_.Command({"CONFIG", "SET", "maxmemory-policy", "allkeys-lru"});
  RedisClient client(OptionsFor(server_));
  ASSERT_TRUE(client.RunUntil(StoreState::kConnected));
  EXPECT_THAT(client.reason(), HasSubstr("allkeys-lru"));
  ASSERT_THAT(client.Create(kRecord), IsDone());
  EXPECT_THAT(client.log(), ElementsAre(HasSubstr("allkeys-lru")));
}

// Of what is looked at once a second as well, ten in a row would take ten seconds.
TEST_F(RedisStore, WhoWaitsForEventsIsWokenByOthers) {
  RedisClient client(OptionsFor(server_));
  RedisClient other(OptionsFor(server_));
  ASSERT_THAT(client.Create(kRecord), IsDone());
  const Instant start = MonotonicNow();
  std::uint64_t after = 0;
  for (int i = 0; i < 10; ++i) {
    client.Submit(store::ReadEvents{kRecord, after, 10, Seconds(60)});
    client.RunFor(Millis{20});
    after = other.Run(store::Append{kRecord, "event"}).sequence;
    EXPECT_THAT(client.Replies(), ElementsAre(testing::Field(&StoreReply::events, SizeIs(1))));
  }
  EXPECT_LT(MonotonicNow() - start, Seconds(5));
}

TEST(RedisStoreOptions, ThatCannotBeAreRefused) {
  const std::vector<std::pair<std::string, RedisOptions>> wrong = {
      {"no endpoint", {.endpoints = {}}},
      {"empty prefix", {.prefix = ""}},
      {"braces in the prefix", {.prefix = "a{b}"}},
      {"long prefix", {.prefix = std::string(65, 'x')}},
      {"no such database", {.database = -1}},
      {"databases of a cluster", {.layout = RedisLayout::kCluster, .database = 1}},
      {"no master name", {.layout = RedisLayout::kSentinel}},
      {"user without password", {.user = "sessions"}},
      {"certificate without key", {.tls = {.enabled = true, .certificate_file = "x"}}},
      {"TLS on a Unix socket", {.endpoints = {{.path = "/x"}}, .tls = {.enabled = true}}},
      {"no time", {.command_timeout = Millis{0}}},
      {"no room", {.max_records_per_owner = 0}},
  };
  boost::asio::io_context loop;
  SystemEntropy entropy;
  for (const auto& [name, options] : wrong) {
    const auto made = RedisSessionStore::Make(loop, options, entropy);
    ASSERT_FALSE(made.has_value()) << name;
    EXPECT_EQ(made.error().code, ErrorCode::kInvalidArgument) << name;
  }
  EXPECT_TRUE(CheckRedisOptions({}).has_value());
}

}  // namespace
}  // namespace mcp_session

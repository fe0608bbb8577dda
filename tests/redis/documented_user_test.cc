// The commands that docs/redis.md wants permitted: they are enough, none is too much, and each is
// one that Redis 6.2 and Valkey have.
#include "tests/redis/documented_user.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <utility>

#include "tests/redis/redis_client.h"
#include "tests/redis/redis_server.h"
#include "tests/store/matchers.h"

namespace mcp_session {
namespace {

using testing::SizeIs;

constexpr RecordKey kRecord{"alice", "session", "id-1"};
constexpr RecordKey kMoved{"bob", "session", "id-2"};

RedisOptions OptionsFor(const RedisServer& server) {
  RedisOptions options;
  options.endpoints = {{.port = server.port()}};
  options.user = "sessions";
  options.password = "secret";
  options.database = 1;
  options.connect_timeout = Seconds(10);
  options.command_timeout = Seconds(10);
  options.max_records_per_owner = 100;
  return options;
}

// Each operation, with each way it can take.
void DoEverything(RedisClient& client) {
  EXPECT_THAT(client.Create(kRecord), IsDone());
  EXPECT_THAT(client.Get(kRecord), Holds("data"));
  EXPECT_THAT(client.Put(kRecord, "small"), IsDone());
  EXPECT_THAT(client.Put(kRecord, std::string(10'000, 'x')), IsDone());
  EXPECT_THAT(client.Run(store::Touch{kRecord}), IsDone());
  EXPECT_THAT(client.Run(store::Lock{kRecord, 7, Seconds(10)}), IsGranted());
  EXPECT_THAT(client.Run(store::Extend{kRecord, 7, Seconds(20)}), IsGranted());
  client.Submit(store::ReadEvents{kRecord, 0, 10, Seconds(20)});
  client.RunFor(Millis{50});
  client.Submit(store::Append{kRecord, "event"});
  EXPECT_THAT(client.Replies(), SizeIs(2));
  EXPECT_THAT(client.Run(store::Append{kRecord, "event", 1}), IsDone());
  EXPECT_THAT(client.Run(store::ReadEvents{kRecord}), FailsWith(ErrorCode::kGap));
  EXPECT_THAT(client.Run(store::Regenerate{kRecord, kMoved}), IsDone());
  EXPECT_THAT(client.Run(store::Unlock{kRecord, 7}), IsDone());
  for (int i = 0; i < 30; ++i) {
    EXPECT_THAT(client.Create({"bob", "session", "more-" + std::to_string(i)}), IsDone());
  }
  const StoreReply page = client.Run(store::List{"bob", "session", {}, 7});
  EXPECT_THAT(page.listed, SizeIs(7));
  EXPECT_THAT(client.Run(store::List{"bob", "session", page.cursor, 100}).listed, SizeIs(24));
  EXPECT_THAT(client.Run(store::Take{kMoved}), IsDone());
  EXPECT_THAT(client.Run(store::Remove{{"bob", "session", "more-0"}}), Removed(1));
  EXPECT_THAT(client.Run(store::RemoveOwned{"bob"}), Removed(29));
}

// Breaks the connection while something is in flight.
void ConnectAgain(RedisServer& server, RedisClient& client) {
  const std::uint64_t lost = client.counters().lost;
  server.Pause();
  client.Submit(store::Get{kRecord});
  client.RunFor(Millis{20});
  server.Resume();
  client.Replies();
  server.Command({"CLIENT", "KILL", "USER", "sessions"});
  ASSERT_TRUE(client.RunUntil([&] { return client.counters().lost > lost; }));
  ASSERT_TRUE(client.RunUntil(StoreState::kConnected));
  // What is said first on the new connection is answered by now.
  EXPECT_THAT(client.Get(kRecord), FailsWith(ErrorCode::kNotFound));
}

TEST(DocumentedUser, MayDoAllThatAStoreDoesAndNothingElse) {
  RedisServer server({.password = "of default"});
  ASSERT_EQ(server.Command(DocumentedUser()), "OK");
  RedisClient client(OptionsFor(server));
  ASSERT_TRUE(client.RunUntil(StoreState::kConnected)) << client.reason();
  server.Command({"CONFIG", "RESETSTAT"});
  ConnectAgain(server, client);
  DoEverything(client);
  EXPECT_EQ(server.Command({"ACL", "LOG"}), "") << "something was refused";
  const std::string stats = server.Command({"INFO", "commandstats"});
  for (const std::string& command : DocumentedCommands()) {
    EXPECT_NE(stats.find("cmdstat_" + command + ":"), std::string::npos)
        << command << " is never said";
  }
}

// "6.2.0", up to the first two numbers. What is not one is newer than all.
std::pair<int, int> ReadVersion(const std::string& text) {
  std::pair<int, int> version(99, 0);
  std::sscanf(text.c_str(), "%d.%d", &version.first, &version.second);
  return version;
}

// Valkey has all that Redis 7.2 had.
TEST(DocumentedUser, SaysWhatRedis62AndValkeyUnderstand) {
  RedisServer server;
  EXPECT_THAT(DocumentedCommands(), SizeIs(testing::Gt(30u)));
  for (const std::string& command : DocumentedCommands()) {
    // In a script: as a whole it is too deep for hiredis.
    const std::string since = server.Command(
        {"EVAL", "return redis.call('COMMAND', 'DOCS', ARGV[1])[2][4]", "0", command});
    EXPECT_LE(ReadVersion(since), std::pair(6, 2)) << command << " is there since " << since;
  }
}

}  // namespace
}  // namespace mcp_session

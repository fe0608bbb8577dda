// What the store says to Redis, as MONITOR sees it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

#include "tests/faults/callers.h"
#include "tests/faults/fault_client.h"
#include "tests/faults/redis_talk.h"
#include "tests/redis/redis_server.h"
#include "tests/store/matchers.h"

namespace mcp_session {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::Each;
using testing::ElementsAre;
using testing::IsSupersetOf;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

constexpr RecordKey kRecord{"hush-owner", "session", "hush-id"};

class Monitor : public testing::Test {
 protected:
  struct Command {
    std::string name;  // in capitals
    bool from_script = false;
  };

  Monitor() : client_(OptionsFor(server_.port())), ear_(server_.port()) {
    EXPECT_TRUE(client_.RunUntil(StoreState::kConnected));
    EXPECT_EQ(ear_.Command({"MONITOR"}), "OK");
  }

  static RedisOptions OptionsFor(std::uint16_t port) {
    RedisOptions options = FaultOptions(port);
    options.connect_timeout = Seconds(10);
    options.command_timeout = Seconds(10);
    return options;
  }

  // All commands since the last call.
  std::vector<Command> Heard() {
    server_.Command({"ECHO", "that is all"});
    std::vector<Command> heard;
    for (;;) {
      const std::string line = ear_.NextLine();
      if (line == "(none)") {
        ADD_FAILURE() << "MONITOR ends";
        return heard;
      }
      if (line.find("\"that is all\"") != std::string::npos) return heard;
      // <time> [<database> <address>] "<command>" "<argument>" ...
      const std::size_t start = line.find("] \"") + 3;
      Command command;
      command.name = line.substr(start, line.find('"', start) - start);
      for (char& c : command.name) c = static_cast<char>(std::toupper(c));
      command.from_script = line.find(" lua] ") != std::string::npos;
      heard.push_back(std::move(command));
    }
  }

  static std::vector<std::string> Names(const std::vector<Command>& commands) {
    std::vector<std::string> names;
    for (const Command& command : commands) names.push_back(command.name);
    return names;
  }

  RedisServer server_;
  FaultClient client_;
  RedisTalk ear_;
};

TEST_F(Monitor, AGetIsTwoCommandsAndOneRoundTrip) {
  ASSERT_THAT(client_.Create(kRecord, "hush-data"), IsDone());
  Heard();
  const RedisCounters before = client_.counters();
  EXPECT_THAT(client_.Get(kRecord), Holds("hush-data"));
  EXPECT_EQ(client_.counters().exchanges, before.exchanges + 1);
  EXPECT_EQ(client_.counters().writes, before.writes + 1);
  EXPECT_THAT(Names(Heard()), ElementsAre("TIME", "GET"));
  // A record that is not there costs no more.
  EXPECT_THAT(client_.Get({"", "session", "hush-nothing"}), FailsWith(ErrorCode::kNotFound));
  EXPECT_EQ(client_.counters().writes, before.writes + 2);
}

// Not across a write: what it finds dead must be so to the next read too.
TEST_F(Monitor, ReadsInARowShareTheTime) {
  ASSERT_THAT(client_.Create(kRecord, "hush-data"), IsDone());
  Heard();
  client_.Submit(store::Get{kRecord});
  client_.Submit(store::Get{kRecord});
  client_.Submit(store::Put{kRecord, "hush-new", {}});
  client_.Submit(store::Get{kRecord});
  client_.Submit(store::ReadEvents{kRecord});
  EXPECT_THAT(client_.Replies(), AllOf(SizeIs(5), Each(IsDone())));
  std::vector<std::string> direct;
  for (const Command& command : Heard()) {
    if (!command.from_script) direct.push_back(command.name);
  }
  EXPECT_THAT(direct,
              ElementsAre("TIME", "GET", "GET", "EVALSHA", "TIME", "GET", "GETRANGE", "XRANGE"));
}

TEST_F(Monitor, WhatIsSubmittedInOneTurnIsOneWrite) {
  constexpr int kGets = 200;
  ASSERT_THAT(client_.Create(kRecord, "hush-data"), IsDone());
  const RedisCounters before = client_.counters();
  for (int i = 0; i < kGets; ++i) client_.Submit(store::Get{kRecord});
  EXPECT_THAT(client_.Replies(), AllOf(SizeIs(kGets), Each(Holds("hush-data"))));
  EXPECT_EQ(client_.counters().exchanges, before.exchanges + kGets);
  EXPECT_EQ(client_.counters().writes, before.writes + 1);
}

TEST_F(Monitor, EveryWriteIsOneScript) {
  Heard();
  const RedisCounters before = client_.counters();
  ASSERT_THAT(client_.Create(kRecord, "hush-data"), IsDone());
  ASSERT_THAT(client_.Put(kRecord, "hush-new"), IsDone());
  ASSERT_THAT(client_.Run(store::Touch{kRecord}), IsDone());
  ASSERT_THAT(client_.Run(store::Regenerate{kRecord, {"hush-other", "session", "hush-2"}}),
              IsDone());
  ASSERT_THAT(client_.Run(store::Remove{{"hush-other", "session", "hush-2"}}), Removed(1));
  EXPECT_EQ(client_.counters().exchanges, before.exchanges + 5);
  std::vector<std::string> direct;
  for (const Command& command : Heard()) {
    if (!command.from_script) direct.push_back(command.name);
  }
  EXPECT_THAT(direct, AllOf(SizeIs(5), Each("EVALSHA")));
}

TEST_F(Monitor, NothingThatLooksAtAllKeysIsEverSaid) {
  Callers callers(client_, {.command_timeout = Seconds(10), .max_data = 5000});
  callers.Work(1000);
  callers.CheckAll();
  EXPECT_EQ(callers.unavailable(), 0u);
  for (int i = 0; i < 40; ++i) {
    const std::string id = "hush-" + std::to_string(i);
    ASSERT_THAT(client_.Create({"hush-owner", "basket", id}), IsDone());
  }
  const StoreReply page = client_.Run(store::List{"hush-owner", "basket", {}, 7});
  EXPECT_THAT(page.listed, SizeIs(7));
  EXPECT_THAT(client_.Run(store::List{"hush-owner", "basket", page.cursor, 100}).listed,
              SizeIs(33));
  const RecordKey basket{"hush-owner", "basket", "hush-0"};
  EXPECT_THAT(client_.Run(store::Lock{basket, 7, Seconds(10)}), IsGranted());
  EXPECT_THAT(client_.Run(store::Extend{basket, 7, Seconds(20)}), IsGranted());
  EXPECT_THAT(client_.Run(store::Append{basket, "hush-event"}), IsDone());
  EXPECT_THAT(client_.Run(store::ReadEvents{basket}).events, SizeIs(1));
  client_.Submit(store::ReadEvents{basket, 1, 10, Millis{50}});  // a gap, or a wait
  client_.Replies();
  EXPECT_THAT(client_.Run(store::Regenerate{basket, {"hush-new", "session", "hush-0"}}), IsDone());
  EXPECT_THAT(client_.Run(store::Unlock{basket, 7}), IsDone());
  EXPECT_THAT(client_.Run(store::RemoveOwned{"hush-owner"}), Removed(39));
  FaultClient other(OptionsFor(server_.port()));  // what is said when one connects
  ASSERT_TRUE(other.RunUntil(StoreState::kConnected));

  const std::vector<std::string> names = Names(Heard());
  EXPECT_THAT(names, SizeIs(testing::Gt(2000u)));
  EXPECT_THAT(names, IsSupersetOf({"EVALSHA", "GET", "TIME", "UNLINK", "ZADD", "XADD"}));
  for (const std::string& name : names) {
    ASSERT_THAT(name, Not(AnyOf("KEYS", "SMEMBERS", "HGETALL", "SCAN", "SORT", "RANDOMKEY",
                                "FLUSHALL", "FLUSHDB", "MULTI", "EXEC", "EVAL", "WATCH", "CONFIG",
                                "DEBUG", "EXPIRE", "PERSIST")));
  }
}

}  // namespace
}  // namespace mcp_session

// A server that is out of memory, or may drop what it likes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "tests/faults/fault_client.h"
#include "tests/redis/redis_server.h"
#include "tests/store/matchers.h"

namespace mcp_session {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::SizeIs;

constexpr RecordKey kRecord{"hush-owner", "session", "hush-1"};
constexpr RecordKey kOther{"hush-owner", "session", "hush-2"};
constexpr RecordKey kThird{"hush-owner", "session", "hush-3"};

RedisOptions PatientOptions(std::uint16_t port) {
  RedisOptions options = FaultOptions(port);
  options.connect_timeout = Seconds(10);
  options.command_timeout = Seconds(10);
  return options;
}

TEST(RedisMemoryFaults, WithoutMemoryWhatNeedsNoneStillWorks) {
  RedisServer server;
  FaultClient client(PatientOptions(server.port()));
  const StoreReply created = client.Create(kRecord, "hush-data");
  ASSERT_THAT(client.Create(kOther, "hush-data"), IsDone());
  ASSERT_THAT(client.Create(kThird, "hush-data"), IsDone());
  ASSERT_THAT(client.Run(store::Append{kRecord, "hush-event"}), IsDone());
  ASSERT_THAT(client.Run(store::Lock{kRecord, 7, Seconds(60)}), IsDone());
  ASSERT_EQ(server.Command({"CONFIG", "SET", "maxmemory", "1"}), "OK");
  for (const bool reconnected : {false, true}) {
    SCOPED_TRACE(reconnected);
    EXPECT_THAT(client.Create({"", "session", "hush-new"}), FailsWith(ErrorCode::kCapacity));
    EXPECT_THAT(client.Create({"hush-owner", "session", "hush-new"}),
                FailsWith(ErrorCode::kCapacity));
    EXPECT_THAT(client.Put(kRecord, "hush-more"), FailsWith(ErrorCode::kCapacity));
    EXPECT_THAT(client.Put(kRecord, std::string(10'000, 'x')), FailsWith(ErrorCode::kCapacity));
    EXPECT_THAT(client.Run(store::Append{kRecord, "hush-event"}), FailsWith(ErrorCode::kCapacity));
    EXPECT_THAT(client.Run(store::Lock{kOther, 8, Seconds(60)}), FailsWith(ErrorCode::kCapacity));
    EXPECT_THAT(client.Put(kRecord, "x", created.record.version - 1),
                FailsWith(ErrorCode::kConflict))
        << "nothing is written";

    EXPECT_THAT(client.Get(kRecord), Holds("hush-data"));
    EXPECT_THAT(client.Run(store::Touch{kRecord}), IsDone());
    EXPECT_THAT(client.Run(store::Extend{kRecord, 7, Seconds(60)}), IsDone());
    EXPECT_THAT(client.Run(store::ReadEvents{kRecord}).events, SizeIs(1));
    EXPECT_THAT(client.Run(store::List{"hush-owner", "session", {}, 10}).listed,
                SizeIs(reconnected ? 2 : 3));
    EXPECT_THAT(client.Run(store::Remove{reconnected ? kOther : kThird}), Removed(1));
    EXPECT_EQ(client.state(), StoreState::kConnected);
    if (reconnected) break;
    // A new connection has to load the scripts.
    server.Command({"SCRIPT", "FLUSH"});
    server.Command({"CLIENT", "KILL", "TYPE", "normal"});
    ASSERT_TRUE(client.RunUntil([&] { return client.counters().lost > 0; }));
    ASSERT_TRUE(client.RunUntil(StoreState::kConnected));
  }
  // A record that moves needs no more memory than it has, so that a login works.
  const RecordKey moved{"hush-new-owner", "session", "hush-1"};
  EXPECT_THAT(client.Run(store::Regenerate{kRecord, moved}), Holds("hush-data"));
  EXPECT_THAT(client.Run(store::Unlock{kRecord, 7}), IsDone());
  EXPECT_THAT(client.Run(store::Take{moved}), Holds("hush-data"));
  EXPECT_THAT(client.Run(store::RemoveOwned{"hush-owner"}), Removed(0));
  ASSERT_EQ(server.Command({"CONFIG", "SET", "maxmemory", "0"}), "OK");
  EXPECT_THAT(client.Create(kRecord, "hush-again"), Holds("hush-again"));
}

// A script that needs memory is done as a whole or not at all, wherever the limit is.
TEST(RedisMemoryFaults, NothingIsHalfDone) {
  RedisServer server;
  FaultClient client(PatientOptions(server.port()));
  ASSERT_THAT(client.Create({"hush-owner", "session", "hush-0"}), IsDone());
  server.Command({"CONFIG", "SET", "maxmemory", "1"});
  EXPECT_THAT(client.Create({"hush-owner", "session", "hush-1"}), FailsWith(ErrorCode::kCapacity));
  EXPECT_THAT(client.Create({"hush-nobody", "session", "hush-1"}), FailsWith(ErrorCode::kCapacity));
  server.Command({"CONFIG", "SET", "maxmemory", "0"});
  EXPECT_THAT(client.Get({"hush-owner", "session", "hush-1"}), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(client.Run(store::List{"hush-owner", "session", {}, 10}).listed, SizeIs(1));
  EXPECT_EQ(server.Command({"DBSIZE"}), "2") << "a record and the index of its owner";
}

TEST(RedisMemoryFaults, AnEvictingServerIsWarnedOfOnce) {
  RedisServer server({.lines = {"maxmemory 100mb", "maxmemory-policy allkeys-lru"}});
  FaultClient client(PatientOptions(server.port()));
  ASSERT_TRUE(client.RunUntil(StoreState::kConnected));
  EXPECT_THAT(client.reason(), HasSubstr("allkeys-lru"));
  for (int i = 0; i < 20; ++i) {
    ASSERT_THAT(client.Create({"", "session", "hush-" + std::to_string(i)}), IsDone());
  }
  client.RunFor(Millis{2500});  // a heartbeat
  EXPECT_EQ(client.LogLinesWith("allkeys-lru"), 1u);
  EXPECT_THAT(client.reason(), HasSubstr("allkeys-lru"));
}

TEST(RedisMemoryFaults, WhatWasEvictedIsCounted) {
  RedisServer server({.lines = {"maxmemory 3mb", "maxmemory-policy allkeys-lru"}});
  FaultClient client(PatientOptions(server.port()));
  for (int i = 0; i < 400; ++i) {
    const std::string id = "hush-" + std::to_string(i);
    const StoreReply reply = client.Create({"", "session", id}, std::string(20'000, 'x'));
    ASSERT_THAT(reply.error, AnyOf(std::nullopt, ErrorCode::kCapacity));
  }
  ASSERT_NE(server.Command({"INFO", "stats"}).find("evicted_keys:"), std::string::npos);
  EXPECT_TRUE(client.RunUntil([&] { return client.counters().evicted_keys > 0; }));
}

TEST(RedisMemoryFaults, WhatABusyServerEvictsIsCountedAndItsPolicySeen) {
  RedisServer server({.lines = {"maxmemory 3mb", "maxmemory-policy noeviction"}});
  FaultClient client(PatientOptions(server.port()));
  ASSERT_TRUE(client.RunUntil(StoreState::kConnected));
  EXPECT_EQ(client.reason(), "");
  server.Command({"CONFIG", "SET", "maxmemory-policy", "allkeys-lru"});
  // Never quiet for long enough to be asked whether it is still there.
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  for (int i = 0; client.counters().evicted_keys == 0; ++i) {
    ASSERT_LT(std::chrono::steady_clock::now(), end);
    const std::string id = "hush-" + std::to_string(i);
    const StoreReply reply = client.Create({"", "session", id}, std::string(20'000, 'x'));
    ASSERT_THAT(reply.error, AnyOf(std::nullopt, ErrorCode::kCapacity));
  }
  EXPECT_EQ(client.state(), StoreState::kConnected);
  EXPECT_THAT(client.reason(), HasSubstr("allkeys-lru"));
}

}  // namespace
}  // namespace mcp_session

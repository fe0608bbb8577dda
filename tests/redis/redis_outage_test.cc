// A server that is away, silent, restarted, read-only, loading or full of clients, and what is told
// of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/faults/fault_proxy.h"
#include "tests/redis/redis_client.h"
#include "tests/redis/redis_server.h"
#include "tests/store/matchers.h"

namespace mcp_session {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::SizeIs;

constexpr RecordKey kRecord{"alice", "session", "id-1"};

// Commands have little time, but enough for a busy machine.
RedisOptions OptionsFor(std::uint16_t port) {
  RedisOptions options;
  options.endpoints = {{.port = port}};
  options.connect_timeout = Seconds(5);
  options.command_timeout = Seconds(1);
  return options;
}

auto Unavailable(bool maybe_done) {
  return AllOf(FailsWith(ErrorCode::kUnavailable), Field(&StoreReply::maybe_done, maybe_done));
}

TEST(RedisOutage, NobodyListens) {
  const RefusingPort port;
  RedisClient client(OptionsFor(port.port()));
  EXPECT_EQ(client.state(), StoreState::kConnecting);
  const Instant start = MonotonicNow();
  EXPECT_THAT(client.Get(kRecord), Unavailable(false));
  EXPECT_GE(MonotonicNow() - start, Seconds(1)) << "it waits for a connection";
  EXPECT_THAT(client.Create(kRecord), Unavailable(false));
  EXPECT_EQ(client.state(), StoreState::kUnavailable);
  EXPECT_THAT(client.reason(), HasSubstr("refused"));
  EXPECT_THAT(client.log(), SizeIs(1)) << "the same trouble is told once";
  EXPECT_LT(client.counters().failures, 60u) << "attempts are not spaced out";
}

TEST(RedisOutage, AKilledServerIsUnavailableUntilItIsBack) {
  RedisServer server;
  RedisClient client(OptionsFor(server.port()));
  ASSERT_THAT(client.Create(kRecord, "before"), IsDone());
  server.Kill();
  EXPECT_THAT(client.Get(kRecord), FailsWith(ErrorCode::kUnavailable)) << "not kNotFound";
  EXPECT_THAT(client.Put(kRecord, "x"), FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(client.Create({"", "session", "2"}), FailsWith(ErrorCode::kUnavailable));
  EXPECT_NE(client.state(), StoreState::kConnected);
  server.StartAgain();
  ASSERT_TRUE(client.RunUntil(StoreState::kConnected));
  EXPECT_THAT(client.Get(kRecord), FailsWith(ErrorCode::kNotFound));  // it had no disk
  EXPECT_THAT(client.Create(kRecord, "after"), Holds("after"));
  EXPECT_THAT(client.Put(kRecord, "more"), Holds("more"));
  EXPECT_THAT(client.Get(kRecord), Holds("more"));
}

TEST(RedisOutage, CommandsWaitForAConnectionThatComesInTime) {
  RedisServer server;
  RedisOptions options = OptionsFor(server.port());
  options.command_timeout = Seconds(20);
  RedisClient client(options);
  ASSERT_THAT(client.Create(kRecord), IsDone());
  server.Kill();
  ASSERT_TRUE(client.RunUntil(StoreState::kUnavailable));
  client.Submit(store::Create{kRecord, "after", {.idle_ttl = Hours(1)}});
  client.Submit(store::Remove{kRecord});
  client.Submit(store::Create{kRecord, "again", {.idle_ttl = Hours(1)}});
  client.RunFor(Millis{50});
  server.StartAgain();
  EXPECT_THAT(client.Replies(), ElementsAre(Holds("after"), Removed(1), Holds("again")));
}

TEST(RedisOutage, ASilentServerCostsTheConnection) {
  RedisServer server;
  RedisClient client(OptionsFor(server.port()));
  ASSERT_THAT(client.Create(kRecord, "right"), IsDone());
  ASSERT_THAT(client.Create({"bob", "session", "2"}, "bob's"), IsDone());
  server.Pause();
  client.Submit(store::Get{kRecord});
  client.Submit(store::Remove{{"bob", "session", "3"}});
  EXPECT_THAT(client.Replies(), Each(Unavailable(true)));
  EXPECT_EQ(client.counters().lost, 1u);
  EXPECT_GE(client.counters().timeouts, 1u);
  server.Resume();
  // The answers of before are still on their way, on a connection that nobody reads any more.
  ASSERT_TRUE(client.RunUntil(StoreState::kConnected));
  EXPECT_THAT(client.Get({"bob", "session", "2"}), Holds("bob's"));
  EXPECT_THAT(client.Get(kRecord), Holds("right"));
  EXPECT_EQ(client.counters().desyncs, 0u);
  EXPECT_EQ(client.counters().connects, 2u);
}

TEST(RedisOutage, AWaitingCommandWasCertainlyNotDone) {
  RedisServer server;
  RedisClient client(OptionsFor(server.port()));
  ASSERT_THAT(client.Create(kRecord), IsDone());
  server.Pause();
  EXPECT_THAT(client.Put(kRecord, "sent"), Unavailable(true));
  // Now the connection is closed, and new ones get no further than the kernel.
  EXPECT_THAT(client.Put(kRecord, "never sent"), Unavailable(false));
  server.Resume();
  ASSERT_TRUE(client.RunUntil(StoreState::kConnected));
  EXPECT_THAT(client.Get(kRecord), Holds("sent"));
}

// The answers of the server get lost with the connection, after it did what it was asked.
class RedisLostAnswers : public testing::Test {
 protected:
  RedisLostAnswers()
      : proxy_(server_.port()), client_([this] {
          RedisOptions options = OptionsFor(proxy_.port());
          options.command_timeout = Seconds(20);
          return options;
        }()) {}

  // Submits, lets the server do it, and loses its answers.
  std::vector<StoreReply> LoseAnswersTo(std::vector<StoreCommand> commands) {
    EXPECT_TRUE(client_.RunUntil(StoreState::kConnected));
    proxy_.Set({Fault::Kind::kStall, Fault::Way::kDown});
    const std::uint64_t lost = client_.counters().lost;
    for (StoreCommand& command : commands) client_.Submit(std::move(command));
    EXPECT_TRUE(client_.RunUntil([&] { return proxy_.held() > 0; }));
    // What else the server says to this write comes with it, or right after.
    client_.RunFor(Millis{20});
    Cut();
    std::vector<StoreReply> replies = client_.Replies();
    EXPECT_EQ(client_.counters().lost, lost + 1);
    std::sort(replies.begin(), replies.end(), [](const StoreReply& a, const StoreReply& b) {
      return a.ticket.number < b.ticket.number;
    });
    return replies;
  }

  void Cut() {
    proxy_.EndAll(false);
    proxy_.Heal();
  }

  RedisServer server_;
  FaultProxy proxy_;
  RedisClient client_;
};

TEST_F(RedisLostAnswers, AreNotNoticedWhereDoingItTwiceIsDoingItOnce) {
  const StoreReply created = client_.Create(kRecord, "0");
  std::uint64_t version = created.record.version;
  for (int i = 1; i <= 10; ++i) {
    const std::string id = std::to_string(i);
    const RecordKey other{"bob", "session", id};
    const RecordKey moved{"carol", "basket", id};
    const std::vector<StoreReply> replies =
        LoseAnswersTo({store::Create{other, "new " + id, {.idle_ttl = Hours(1)}},
                       store::Put{kRecord, id, version}, store::Get{kRecord}, store::Touch{kRecord},
                       store::Regenerate{other, moved}, store::Lock{moved, 77, Seconds(60)},
                       store::Extend{moved, 77, Seconds(60)},
                       store::List{"carol", "basket", {}, 100}, store::ReadEvents{moved}});
    ASSERT_THAT(replies, SizeIs(9));
    EXPECT_THAT(replies, Each(IsDone()));
    EXPECT_THAT(replies[1], Holds(id));
    EXPECT_THAT(replies[2], Holds(id));
    EXPECT_THAT(replies[4], Holds("new " + id));
    EXPECT_EQ(replies[5].fence, replies[6].fence);
    EXPECT_THAT(client_.Run(store::List{"carol", "basket", {}, 100}).listed, SizeIs(i));
    version = replies[1].record.version;
    EXPECT_EQ(client_.Get(kRecord).record.version, version) << "written twice";
  }
}

TEST_F(RedisLostAnswers, MayHaveBeenOfWhatCannotBeRepeated) {
  const RecordKey taken{"alice", "session", "id-2"};
  ASSERT_THAT(client_.Create(kRecord), IsDone());
  ASSERT_THAT(client_.Create(taken), IsDone());
  ASSERT_THAT(client_.Run(store::Lock{kRecord, 7, Seconds(60)}), IsDone());
  const std::vector<StoreReply> replies =
      LoseAnswersTo({store::Append{kRecord, "event"}, store::Unlock{kRecord, 7},
                     store::Remove{kRecord}, store::Take{taken}, store::RemoveOwned{"bob"}});
  EXPECT_THAT(replies, AllOf(SizeIs(5), Each(Unavailable(true))));
  EXPECT_THAT(client_.Get(kRecord), FailsWith(ErrorCode::kNotFound)) << "it was done";
}

// The first try was done, and somebody wrote before the second: nobody can tell any more.
TEST_F(RedisLostAnswers, OfAWriteThatWasOverwrittenSinceMayHaveBeenDone) {
  const RecordKey fresh{"alice", "session", "id-2"};
  const StoreReply created = client_.Create(kRecord, "0");
  ASSERT_TRUE(client_.RunUntil(StoreState::kConnected));
  RedisClient other(OptionsFor(server_.port()));
  proxy_.Set({Fault::Kind::kStall, Fault::Way::kDown});
  client_.Submit(store::Put{kRecord, "mine", created.record.version});
  client_.Submit(store::Create{fresh, "mine", {.idle_ttl = Hours(1)}});
  ASSERT_TRUE(client_.RunUntil([&] { return proxy_.held() > 0; }));
  while (other.Get(fresh).error == ErrorCode::kNotFound) continue;
  EXPECT_THAT(other.Put(kRecord, "theirs"), IsDone());
  EXPECT_THAT(other.Put(fresh, "theirs"), IsDone());
  Cut();
  EXPECT_THAT(client_.Replies(), AllOf(SizeIs(2), Each(Unavailable(true))));
  EXPECT_THAT(client_.Get(kRecord), Holds("theirs"));
}

TEST(RedisOutage, AReplicaIsReadOnlyAndNotReady) {
  RedisServer server;
  RedisServer master;
  RedisClient client(OptionsFor(server.port()));
  ASSERT_THAT(client.Create(kRecord), IsDone());
  server.Command({"REPLICAOF", "127.0.0.1", std::to_string(master.port())});
  EXPECT_THAT(client.Put(kRecord, "x"), FailsWith(ErrorCode::kUnavailable));
  ASSERT_TRUE(client.RunUntil(StoreState::kUnavailable));
  EXPECT_THAT(client.reason(), HasSubstr("read-only"));
  server.Command({"REPLICAOF", "NO", "ONE"});
  ASSERT_TRUE(client.RunUntil(StoreState::kConnected));
  EXPECT_THAT(client.Create({"", "session", "2"}), IsDone());
}

TEST(RedisOutage, ALoadingServerIsNotReady) {
  RedisServer server({.lines = {"enable-debug-command yes", "key-load-delay 20000",
                                "loading-process-events-interval-bytes 1024"}});
  RedisClient before(OptionsFor(server.port()));
  for (int i = 0; i < 50; ++i) {
    ASSERT_THAT(before.Create({"", "session", std::to_string(i)}), IsDone());
  }
  const RecordKey last{"", "session", "49"};
  ASSERT_EQ(server.Command({"SAVE"}), "OK");
  server.Kill();
  server.StartAgain();  // answers, that it is loading: for a second
  RedisClient client(OptionsFor(server.port()));
  ASSERT_TRUE(client.RunUntil([&] { return client.state() != StoreState::kConnecting; }));
  EXPECT_EQ(client.state(), StoreState::kUnavailable);
  EXPECT_THAT(client.reason(), HasSubstr("loading"));
  ASSERT_TRUE(client.RunUntil(StoreState::kConnected));
  EXPECT_THAT(client.Get(last), Holds("data"));
}

TEST(RedisOutage, AServerFullOfClientsIsUnavailable) {
  RedisServer server;
  server.Command({"CONFIG", "SET", "maxclients", "1"});
  RedisClient first(OptionsFor(server.port()));
  ASSERT_TRUE(first.RunUntil(StoreState::kConnected));
  RedisClient second(OptionsFor(server.port()));
  ASSERT_TRUE(second.RunUntil(StoreState::kUnavailable));
  EXPECT_THAT(second.reason(), HasSubstr("maximum of clients"));
}

TEST(RedisOutage, AnIdleConnectionThatIsDeadIsNoticed) {
  RedisServer server;
  RedisClient client(OptionsFor(server.port()));
  ASSERT_TRUE(client.RunUntil(StoreState::kConnected));
  server.Pause();
  ASSERT_TRUE(client.RunUntil([&] { return client.counters().lost == 1; })) << "no heartbeat";
  server.Resume();
  EXPECT_TRUE(client.RunUntil(StoreState::kConnected));
}

// A wait for events goes on over a restart.
TEST(RedisOutage, AWaitOutlivesItsSubscription) {
  RedisServer server;
  RedisClient client(OptionsFor(server.port()));
  RedisClient other(OptionsFor(server.port()));
  ASSERT_THAT(client.Create(kRecord), IsDone());
  client.Submit(store::ReadEvents{kRecord, 0, 10, Seconds(60)});
  ASSERT_TRUE(client.RunUntil([&] { return server.Command({"PUBSUB", "CHANNELS", "*"}) != ""; }));
  server.Command({"CLIENT", "KILL", "TYPE", "pubsub"});
  ASSERT_THAT(other.Run(store::Append{kRecord, "event"}), IsDone());
  EXPECT_THAT(client.Replies(), ElementsAre(Field(&StoreReply::events, SizeIs(1))));
  // Nobody waits any more: the second connection goes.
  EXPECT_TRUE(client.RunUntil([&] {
    return server.Command({"CLIENT", "LIST", "TYPE", "pubsub"}).find("addr=") == std::string::npos;
  }));
}

}  // namespace
}  // namespace mcp_session

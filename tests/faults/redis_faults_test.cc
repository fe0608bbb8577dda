// What happens to real servers, while eight callers are at work: nothing that was said to be done
// is lost, no live record is said not to be there, and all goes on when it is over.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "mcp_session/system/clock.h"
#include "tests/faults/callers.h"
#include "tests/faults/fault_client.h"
#include "tests/faults/redis_talk.h"
#include "tests/redis/redis_server.h"
#include "tests/store/matchers.h"

namespace mcp_session {
namespace {

using testing::HasSubstr;

constexpr RecordKey kRecord{"hush-owner", "session", "hush-id"};

class RedisFaults : public testing::Test {
 protected:
  void Start(RedisServerOptions server = {}, Millis command_timeout = Seconds(1)) {
    server_ = std::make_unique<RedisServer>(std::move(server));
    RedisOptions options = FaultOptions(server_->port());
    options.command_timeout = command_timeout;
    client_ = std::make_unique<FaultClient>(options);
    ASSERT_TRUE(client_->RunUntil(StoreState::kConnected));
    callers_ = std::make_unique<Callers>(
        *client_, Callers::Options{.command_timeout = command_timeout, .max_data = 500});
    callers_->Work(400);
    EXPECT_EQ(callers_->unavailable(), 0u);
  }

  // Runs `what` every so often, for a while, while the callers work.
  void WorkWhile(Millis interval, int times, const std::function<void()>& what) {
    for (int i = 0; i < times; ++i) {
      callers_->WorkFor(interval);
      what();
    }
  }

  void ExpectRecovery() {
    ASSERT_TRUE(client_->RunUntil(StoreState::kConnected));
    callers_->CheckAll();
    const std::size_t before = callers_->done();
    callers_->Work(200);
    EXPECT_GT(callers_->done(), before + 100);
    callers_->CheckAll();
    EXPECT_EQ(client_->counters().desyncs, 0u);
    EXPECT_EQ(client_->counters().corrupt, 0u);
    EXPECT_EQ(client_->reason(), "");
    RecordProperty("done", static_cast<int>(callers_->done()));
    RecordProperty("unavailable", static_cast<int>(callers_->unavailable()));
    RecordProperty("maybe_done", static_cast<int>(callers_->maybe_done()));
  }

  std::unique_ptr<RedisServer> server_;
  std::unique_ptr<FaultClient> client_;
  std::unique_ptr<Callers> callers_;
};

TEST_F(RedisFaults, KilledAndStartedAgainNothingIsLost) {
  Start({.lines = {"appendonly yes", "appendfsync always"}});
  for (int i = 0; i < 4; ++i) {
    // In the middle of what was submitted.
    bool killed = false;
    const Instant at = MonotonicNow() + Millis{200};
    callers_->WorkUntil([&] {
      if (!killed && MonotonicNow() >= at) {
        server_->Kill();
        killed = true;
      }
      return killed && MonotonicNow() >= at + Millis{100};
    });
    server_->StartAgain();
    ASSERT_TRUE(client_->RunUntil(StoreState::kConnected));
    callers_->CheckAll();
  }
  EXPECT_GT(callers_->unavailable(), 0u);
  ExpectRecovery();
  EXPECT_GT(callers_->live(), 20u);
}

TEST_F(RedisFaults, StoppedAndContinued) {
  Start({}, Millis{300});
  for (int i = 0; i < 4; ++i) {
    server_->Pause();
    callers_->WorkFor(Millis{500});
    server_->Resume();
    callers_->WorkFor(Millis{300});
  }
  EXPECT_GT(callers_->maybe_done(), 0u);
  ExpectRecovery();
}

TEST_F(RedisFaults, ClientsAreKilledAllTheTime) {
  Start();
  const std::size_t before = callers_->done();
  WorkWhile(Millis{100}, 30, [this] { server_->Command({"CLIENT", "KILL", "TYPE", "normal"}); });
  EXPECT_GE(client_->counters().lost, 10u);
  EXPECT_GT(callers_->done(), before + 1000) << "it gets nothing done in between";
  // What can be repeated is; Removes and Takes cannot.
  EXPECT_EQ(callers_->unavailable(), callers_->maybe_done());
  EXPECT_GT(client_->counters().repeated, 0u);
  ExpectRecovery();
}

TEST_F(RedisFaults, LoadingItsData) {
  Start({.lines = {"enable-debug-command yes", "key-load-delay 20000",
                   "loading-process-events-interval-bytes 1024"}},
        Millis{300});
  std::thread reload([this] { server_->Command({"DEBUG", "RELOAD"}); });
  callers_->WorkFor(Millis{800});
  reload.join();
  EXPECT_GT(callers_->unavailable(), 0u);
  ExpectRecovery();
}

TEST_F(RedisFaults, MadeReadOnlyAndWritableAgain) {
  Start();
  const RefusingPort nobody;
  for (int i = 0; i < 3; ++i) {
    const std::size_t before = callers_->unavailable();
    server_->Command({"REPLICAOF", "127.0.0.1", std::to_string(nobody.port())});
    callers_->WorkFor(Millis{400});
    EXPECT_GT(callers_->unavailable(), before);
    EXPECT_THAT(client_->reason(), HasSubstr("read-only"));
    server_->Command({"REPLICAOF", "NO", "ONE"});
    ExpectRecovery();
  }
}

TEST_F(RedisFaults, AReplicaWithoutItsMasterServesNothingOld) {
  Start({.lines = {"replica-serve-stale-data no"}});
  const RefusingPort nobody;
  server_->Command({"REPLICAOF", "127.0.0.1", std::to_string(nobody.port())});
  callers_->WorkFor(Millis{400});
  EXPECT_GT(callers_->unavailable(), 0u);
  EXPECT_NE(client_->state(), StoreState::kMisconfigured);
  server_->Command({"REPLICAOF", "NO", "ONE"});
  ExpectRecovery();
}

TEST_F(RedisFaults, TooFewReplicasToWrite) {
  Start();
  ASSERT_THAT(client_->Create(kRecord, "hush-0"), IsDone());
  server_->Command({"CONFIG", "SET", "min-replicas-to-write", "1"});
  const StoreReply refused = client_->Put(kRecord, "hush-1");
  EXPECT_THAT(refused, FailsWith(ErrorCode::kUnavailable));
  EXPECT_FALSE(refused.maybe_done);
  callers_->WorkFor(Millis{500});
  EXPECT_EQ(callers_->maybe_done(), 0u);
  StoreReply got = client_->Get(kRecord);
  for (int i = 0; i < 10 && got.error == ErrorCode::kUnavailable; ++i) got = client_->Get(kRecord);
  EXPECT_THAT(got, Holds("hush-0")) << "it can still be read";
  server_->Command({"CONFIG", "SET", "min-replicas-to-write", "0"});
  ExpectRecovery();
}

TEST_F(RedisFaults, ScriptsAreFlushedAllTheTime) {
  Start();
  WorkWhile(Millis{30}, 50, [this] { server_->Command({"SCRIPT", "FLUSH"}); });
  EXPECT_GE(client_->counters().reloads, 10u);
  EXPECT_EQ(client_->counters().lost, 0u);
  EXPECT_EQ(callers_->unavailable(), 0u);
  ExpectRecovery();
}

TEST_F(RedisFaults, ClientsArePaused) {
  Start({}, Millis{300});
  for (int i = 0; i < 3; ++i) {
    server_->Command({"CLIENT", "PAUSE", "700", "ALL"});
    callers_->WorkFor(Millis{900});
  }
  EXPECT_GT(callers_->unavailable(), 0u);
  ExpectRecovery();
}

TEST_F(RedisFaults, OnlyWritesArePaused) {
  Start({}, Millis{300});
  server_->Command({"CLIENT", "PAUSE", "700", "WRITE"});
  callers_->WorkFor(Millis{900});
  ExpectRecovery();
}

TEST_F(RedisFaults, BusyWithALongScript) {
  Start({.lines = {"busy-reply-threshold 50"}}, Millis{300});
  RedisTalk busy(server_->port());
  std::thread script([&busy] {
    busy.Command({"EVAL",
                  "local function ms() local t = redis.call('TIME') "
                  "return t[1] * 1000 + t[2] / 1000 end "
                  "local start = ms() while ms() - start < 1200 do end",
                  "0"});
  });
  callers_->WorkFor(Seconds(1));
  script.join();
  EXPECT_GT(callers_->unavailable(), 0u);
  ExpectRecovery();
}

TEST_F(RedisFaults, FullOfClients) {
  Start();
  RedisTalk admin(server_->port());
  ASSERT_EQ(admin.Command({"CONFIG", "SET", "maxclients", "1"}), "OK");
  admin.Command({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
  callers_->WorkFor(Millis{1500});
  EXPECT_EQ(client_->state(), StoreState::kUnavailable);
  EXPECT_THAT(client_->reason(), HasSubstr("maximum of clients"));
  EXPECT_GT(callers_->unavailable(), 0u);
  ASSERT_EQ(admin.Command({"CONFIG", "SET", "maxclients", "100"}), "OK");
  ExpectRecovery();
}

TEST_F(RedisFaults, EmptiedRecordsAreNotThereAndCanBeMadeAgain) {
  Start();
  const StoreReply before = client_->Create(kRecord, "hush-before");
  ASSERT_EQ(server_->Command({"FLUSHALL"}), "OK");
  EXPECT_THAT(client_->Get(kRecord), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(client_->Put(kRecord, "hush"), FailsWith(ErrorCode::kNotFound));
  const StoreReply after = client_->Create(kRecord, "hush-after");
  EXPECT_THAT(after, Holds("hush-after"));
  EXPECT_GT(after.record.version, before.record.version);
}

TEST_F(RedisFaults, AsleepForLongerThanTheDeadline) {
  Start({.lines = {"enable-debug-command yes"}}, Millis{300});
  RedisTalk sleeper(server_->port());
  for (int i = 0; i < 2; ++i) {
    std::thread sleep([&sleeper] { sleeper.Command({"DEBUG", "SLEEP", "0.8"}); });
    callers_->WorkFor(Millis{900});
    sleep.join();
  }
  EXPECT_GT(callers_->unavailable(), 0u);
  ExpectRecovery();
}

TEST_F(RedisFaults, StartedAgainWithoutItsDataItIsReset) {
  Start();
  FaultClient client(FaultOptions(server_->port()));
  ASSERT_TRUE(client.RunUntil(StoreState::kConnected));
  ASSERT_THAT(client.Create(kRecord, "hush-data"), IsDone());
  EXPECT_EQ(client.reason(), "");
  server_->Kill();
  server_->StartAgain();
  ASSERT_TRUE(client.RunUntil([&] { return client.counters().resets == 1; }));
  ASSERT_TRUE(client.RunUntil(StoreState::kConnected));
  EXPECT_THAT(client.reason(), HasSubstr("store_reset: the server has 0 keys"));
  EXPECT_EQ(client.LogLinesWith("store_reset"), 1u);
  EXPECT_THAT(client.Get(kRecord), FailsWith(ErrorCode::kNotFound));
}

TEST_F(RedisFaults, FlushedItIsReset) {
  Start();
  for (int i = 0; i < 100; ++i) {
    ASSERT_THAT(client_->Create({"", "session", "hush-" + std::to_string(i)}), IsDone());
  }
  FaultClient client(FaultOptions(server_->port()));
  ASSERT_TRUE(client.RunUntil(StoreState::kConnected));
  ASSERT_EQ(server_->Command({"FLUSHALL"}), "OK");
  ASSERT_TRUE(client.RunUntil([&] { return client.counters().resets == 1; }));
  EXPECT_EQ(client.state(), StoreState::kConnected);
  EXPECT_THAT(client.reason(), HasSubstr("store_reset"));
  EXPECT_EQ(client.LogLinesWith("store_reset"), 1u);
}

}  // namespace
}  // namespace mcp_session

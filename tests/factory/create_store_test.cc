// Which store CreateSessionStore comes to, and when there is none: every rule of its header,
// against real servers.
#include "mcp_session/factory/create_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mcp_session/factory/redis_available.h"
#include "mcp_session/fallback/degrading_store.h"
#include "mcp_session/sqlite/file_store.h"
#include "mcp_session/system/clock.h"
#include "mcp_session/system/entropy.h"
#include "tests/redis/redis_server.h"
#include "tests/support/printers.h"

namespace mcp_session {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

std::string Url(std::uint16_t port, const std::string& login = {}) {
  return "redis://" + login + "127.0.0.1:" + std::to_string(port);
}

class CreateStoreTest : public testing::Test {
 protected:
  // What happens to be at the well-known port of this machine is not for tests.
  CreateStoreTest() {
    options_.well_known_url = Url(refusing_.port());
    options_.command_timeout = Seconds(10);  // the machine may be busy
    options_.log = [this](std::string_view line) { lines_.emplace_back(line); };
  }

  Result<CreatedStore> Create() { return CreateSessionStore(options_, loop_, entropy_); }

  // Runs a Get of nothing to its reply.
  std::optional<ErrorCode> Get(SessionStore& store) {
    return Do(store, store::Get{{"", "k", "id"}});
  }

  std::optional<ErrorCode> Do(SessionStore& store, StoreCommand command) {
    store.Submit({1}, std::move(command), MonotonicNow());
    std::vector<StoreReply> replies;
    for (int turns = 0; turns < 1000 && replies.empty(); ++turns) {
      store.Drain(&replies);
      if (!replies.empty()) break;
      loop_.restart();
      const auto work = boost::asio::make_work_guard(loop_);
      loop_.run_one_for(std::chrono::milliseconds(20));
    }
    return replies.empty() ? ErrorCode::kTimeout : replies[0].error;
  }

  RefusingPort refusing_;
  StoreOptions options_;
  boost::asio::io_context loop_{1};
  SystemEntropy entropy_;
  std::vector<std::string> lines_;
};

// --- auto ---

TEST_F(CreateStoreTest, AutoIsMemoryWhereNothingElseIs) {
  const auto created = Create();
  ASSERT_TRUE(created) << created.error().message;
  EXPECT_EQ(created->backend, "memory");
  EXPECT_THAT(created->why, AllOf(HasSubstr("kept in memory"), HasSubstr("REDIS_URL is not set"),
                                  HasSubstr("refused")));
  EXPECT_FALSE(created->fell_back);
  EXPECT_NE(created->memory, nullptr);
  EXPECT_THAT(lines_, IsEmpty());
  EXPECT_EQ(created->lifetime.idle_ttl, Hours(1));
  EXPECT_EQ(created->lock_lease, Seconds(30));
}

TEST_F(CreateStoreTest, AutoTakesTheRedisAtTheWellKnownPlace) {
  const RedisServer server;
  options_.well_known_url = Url(server.port());
  const auto created = Create();
  ASSERT_TRUE(created) << created.error().message;
  EXPECT_EQ(created->backend, "redis");
  EXPECT_NE(created->redis, nullptr);
  EXPECT_EQ(created->why, "state is kept in Redis at " + options_.well_known_url +
                              ": one answers there, and nothing else was asked for");
  EXPECT_EQ(Get(*created->store), ErrorCode::kNotFound);
}

TEST_F(CreateStoreTest, AutoTakesWhatTheEnvironmentSays) {
  const RedisServer server;
  const std::map<std::string, std::string> environment = {{"REDIS_URL", Url(server.port())}};
  ReadEnvironment(
      [&](const char* name) {
        const auto found = environment.find(name);
        return found == environment.end() ? nullptr : found->second.c_str();
      },
      &options_);
  const auto created = Create();
  ASSERT_TRUE(created) << created.error().message;
  EXPECT_EQ(created->backend, "redis");
  EXPECT_THAT(created->why, HasSubstr("REDIS_URL says so"));
}

TEST_F(CreateStoreTest, PreferMemoryLooksNoFurther) {
  const RedisServer server;
  options_.redis_url = Url(server.port());
  options_.prefer_memory = true;
  const auto created = Create();
  ASSERT_TRUE(created) << created.error().message;
  EXPECT_EQ(created->backend, "memory");
}

// Somebody's Redis with a password is there: memory would be a guess.
TEST_F(CreateStoreTest, AutoDoesNotFallBackFromAServerThatRefuses) {
  const RedisServer server({.password = "secret-word"});
  options_.well_known_url = Url(server.port());
  const auto created = Create();
  ASSERT_FALSE(created) << created->why;
  EXPECT_EQ(created.error().code, ErrorCode::kMisconfigured);
  EXPECT_THAT(created.error().message, HasSubstr("wants a password"));
}

TEST_F(CreateStoreTest, AutoCanBeToldToFail) {
  options_.on_unavailable = OnUnavailable::kFail;
  const auto created = Create();
  ASSERT_FALSE(created) << created->why;
  EXPECT_EQ(created.error().code, ErrorCode::kUnavailable);
}

// --- a store that was named ---

TEST_F(CreateStoreTest, ANamedStoreMustBeThereIfThatIsAskedFor) {
  options_.redis_url = Url(refusing_.port());
  options_.on_unavailable = OnUnavailable::kFail;
  for (const char* url : {"auto", options_.redis_url.c_str()}) {
    options_.url = url;
    const auto created = Create();
    ASSERT_FALSE(created) << created->why;
    EXPECT_EQ(created.error().code, ErrorCode::kUnavailable);
    EXPECT_THAT(created.error().message, HasSubstr("cannot be reached (the connection is refused"));
  }
}

TEST_F(CreateStoreTest, ANamedStoreIsReplacedWithAWarning) {
  const std::string url = Url(refusing_.port(), "user:secret-word@");
  for (const bool from_environment : {false, true}) {
    options_.url = from_environment ? "auto" : url;
    options_.redis_url = from_environment ? url : "";
    lines_.clear();
    const auto created = Create();
    ASSERT_TRUE(created) << created.error().message;
    EXPECT_EQ(created->backend, "memory");
    EXPECT_TRUE(created->fell_back);
    EXPECT_THAT(lines_,
                ElementsAre(AllOf(StartsWith("warning: state is kept in memory"),
                                  HasSubstr("cannot be reached"), Not(HasSubstr("secret-word")))));
  }
}

TEST_F(CreateStoreTest, AServerThatDoesNotAnswerIsNotThere) {
  RedisServer server;
  server.Pause();
  options_.url = Url(server.port());
  options_.detection_timeout = Millis{300};
  options_.on_unavailable = OnUnavailable::kFail;
  const Instant start = MonotonicNow();
  const auto created = Create();
  EXPECT_LT(MonotonicNow() - start, Seconds(5));
  server.Resume();
  ASSERT_FALSE(created) << created->why;
  EXPECT_EQ(created.error().code, ErrorCode::kUnavailable);
}

TEST_F(CreateStoreTest, AHostThatIsNoneIsNotThere) {
  options_.url = "redis://no-such-host.invalid";
  options_.on_unavailable = OnUnavailable::kFail;
  const auto created = Create();
  ASSERT_FALSE(created) << created->why;
  EXPECT_EQ(created.error().code, ErrorCode::kUnavailable);
}

// Fallback is for outages; whatever a human has to look at is told, and ends it.
TEST_F(CreateStoreTest, NothingElseFallsBack) {
  const RedisServer locked({.password = "right"});
  const RedisServer tls({.tls = true});
  const RedisServer plain;
  const struct {
    std::string url;
    ErrorCode code;
  } rows[] = {
      {Url(locked.port(), ":wrong@"), ErrorCode::kMisconfigured},
      {Url(locked.port()), ErrorCode::kMisconfigured},
      {"rediss://localhost:" + std::to_string(tls.tls_port()), ErrorCode::kMisconfigured},
      {Url(plain.port()) + "/9999", ErrorCode::kMisconfigured},
      {"gopher://localhost", ErrorCode::kInvalidArgument},
      {"redis://h:x", ErrorCode::kInvalidArgument},
      {Url(plain.port()) + "?prefix=a%20b", ErrorCode::kInvalidArgument},
  };
  for (const auto& row : rows) {
    for (const bool from_environment : {false, true}) {
      options_ = StoreOptions{};
      (from_environment ? options_.redis_url : options_.url) = row.url;
      for (const bool degrade : {false, true}) {
        options_.degrade_local = degrade;
        const auto created = Create();
        ASSERT_FALSE(created) << row.url << created->why;
        EXPECT_EQ(created.error().code, row.code) << row.url << ": " << created.error().message;
        EXPECT_THAT(created.error().message, Not(HasSubstr("wrong")));
      }
    }
  }
}

TEST_F(CreateStoreTest, TlsWithItsAuthority) {
  const RedisServer server({.password = "right", .tls = true});
  options_.url = "rediss://:right@localhost:" + std::to_string(server.tls_port());
  options_.ca_file = server.ca_file();
  const auto created = Create();
  ASSERT_TRUE(created) << created.error().message;
  EXPECT_EQ(Get(*created->store), ErrorCode::kNotFound);
  options_.ca_file.clear();
  options_.url += "?ca=" + server.ca_file();
  EXPECT_TRUE(Create());
}

TEST_F(CreateStoreTest, SentinelsWithALoginOfTheirOwn) {
  RedisServer master({.password = "of-redis"});
  RedisServer sentinel(
      {.lines = {"sentinel monitor sessions 127.0.0.1 " + std::to_string(master.port()) + " 1",
                 "sentinel auth-pass sessions of-redis"},
       .password = "of-sentinel",
       .sentinel = true});
  ASSERT_EQ(sentinel.Command({"ACL", "SETUSER", "asker", "on", ">of-asker", "~*", "+@all"}), "OK");
  const std::string url =
      "redis+sentinel://:of-redis@127.0.0.1:" + std::to_string(sentinel.port()) + "/sessions";
  options_.verbose = true;
  for (const char* login :
       {"?sentinel_password=of-sentinel", "?sentinel_user=asker&sentinel_password=of-asker"}) {
    options_.url = url + login;
    const auto created = Create();
    ASSERT_TRUE(created) << created.error().message;
    EXPECT_EQ(created->backend, "redis");
    EXPECT_EQ(Get(*created->store), ErrorCode::kNotFound);
    EXPECT_THAT(created->why, Not(HasSubstr("of-")));
  }
  options_.url = url;
  options_.sentinel_password = "of-sentinel";
  EXPECT_TRUE(Create());
  options_.sentinel_password.clear();
  for (const char* login : {"", "?sentinel_password=of-nobody"}) {
    options_.url = url + login;
    const auto refused = Create();
    ASSERT_FALSE(refused) << refused->why;
    EXPECT_EQ(refused.error().code, ErrorCode::kMisconfigured);
    EXPECT_THAT(refused.error().message,
                AllOf(HasSubstr("sentinel: the server"), Not(HasSubstr("of-"))));
  }
  for (const std::string& line : lines_) EXPECT_THAT(line, Not(HasSubstr("of-")));
}

TEST_F(CreateStoreTest, UnixSocketsAndPrefixes) {
  RedisServer server;
  options_.url = "unix://" + server.socket_path() + "?prefix=shop:";
  const auto created = Create();
  ASSERT_TRUE(created) << created.error().message;
  created->store->Submit({2}, store::Create{{"", "k", "x"}, "data", {.idle_ttl = Hours(1)}},
                         MonotonicNow());
  EXPECT_EQ(Get(*created->store), std::nullopt);  // of the Create
  EXPECT_THAT(server.Command({"KEYS", "*"}), StartsWith("shop:"));
}

// It is there, and will be ready by itself.
TEST_F(CreateStoreTest, AServerThatIsNotReadyIsWaitedFor) {
  const RedisServer master;
  const RedisServer replica({.lines = {"replicaof 127.0.0.1 " + std::to_string(master.port())}});
  options_.url = Url(replica.port());
  const auto created = Create();
  ASSERT_TRUE(created) << created.error().message;
  EXPECT_EQ(created->backend, "redis");
  EXPECT_THAT(created->why, HasSubstr("not available yet"));
}

TEST_F(CreateStoreTest, AClusterWithoutSlotsIsWaitedFor) {
  const RedisServer node({.lines = {"cluster-enabled yes"}});
  options_.url = "redis+cluster://127.0.0.1:" + std::to_string(node.port());
  const auto created = Create();
  ASSERT_TRUE(created) << created.error().message;
  EXPECT_EQ(created->backend, "redis");
  EXPECT_THAT(created->why, HasSubstr("not available yet: the cluster has no slots"));
}

TEST_F(CreateStoreTest, AStoreThatFailsLaterStays) {
  RedisServer server;
  options_.url = Url(server.port());
  options_.command_timeout = Seconds(2);  // an outage is noticed after it
  const auto created = Create();
  ASSERT_TRUE(created) << created.error().message;
  EXPECT_EQ(Get(*created->store), ErrorCode::kNotFound);
  server.Kill();
  EXPECT_EQ(Get(*created->store), ErrorCode::kUnavailable);
  EXPECT_EQ(created->store->Status().backend, "redis");
  server.StartAgain();
  std::optional<ErrorCode> error = ErrorCode::kUnavailable;
  for (int i = 0; i < 100 && error == ErrorCode::kUnavailable; ++i) error = Get(*created->store);
  EXPECT_EQ(error, ErrorCode::kNotFound);
}

// --- degrade_local ---

TEST_F(CreateStoreTest, AStoreThatGoesOnLocallyNeedsNoBackendAtTheStart) {
  options_.url = Url(refusing_.port());
  options_.degrade_local = true;
  const auto created = Create();
  ASSERT_TRUE(created) << created.error().message;
  EXPECT_EQ(created->backend, "redis");
  ASSERT_NE(created->degrading, nullptr);
  for (int i = 0; i < 1000 && created->store->Status().state != StoreState::kDegraded; ++i) {
    loop_.restart();
    loop_.run_one_for(std::chrono::milliseconds(20));
  }
  created->store->Submit({2}, store::Create{{"", "k", "id"}, "data", {.idle_ttl = Hours(1)}},
                         MonotonicNow());
  EXPECT_EQ(Get(*created->store), std::nullopt);
  EXPECT_EQ(created->degrading->local_records(), 1u);
}

TEST_F(CreateStoreTest, WhatWasMadeMeanwhileIsInRedisAfterwards) {
  RedisServer server;
  options_.url = Url(server.port());
  options_.command_timeout = Seconds(2);  // an outage is noticed after it
  options_.degrade_local = true;
  const auto created = Create();
  ASSERT_TRUE(created) << created.error().message;
  EXPECT_EQ(Get(*created->store), ErrorCode::kNotFound);
  server.Kill();
  std::optional<ErrorCode> error = ErrorCode::kUnavailable;
  for (int i = 0; i < 100 && error; ++i) {
    created->store->Submit({2}, store::Create{{"", "k", "id"}, "data", {.idle_ttl = Hours(1)}},
                           MonotonicNow());
    error = Get(*created->store);
    EXPECT_EQ(error.value_or(ErrorCode::kUnavailable), ErrorCode::kUnavailable);
  }
  EXPECT_EQ(created->degrading->local_records(), 1u);
  server.StartAgain();
  std::vector<StoreReply> none;
  for (int i = 0; i < 1000 && created->degrading->local_records() > 0; ++i) {
    const auto work = boost::asio::make_work_guard(loop_);
    loop_.restart();
    loop_.run_one_for(std::chrono::milliseconds(20));
    created->store->Tick(MonotonicNow());
    created->store->Drain(&none);
  }
  EXPECT_EQ(created->degrading->counters().moved, 1u);
  EXPECT_THAT(server.Command({"KEYS", "*"}), HasSubstr("mcp:session:"));
}

// --- files, options ---

TEST_F(CreateStoreTest, Files) {
  const std::string path = std::string(std::getenv("TEST_TMPDIR")) + "/sessions.db";
  options_.url = "file:" + path;
  const auto created = Create();
  ASSERT_TRUE(created) << created.error().message;
  EXPECT_EQ(created->backend, "sqlite");
  EXPECT_NE(created->file, nullptr);
  EXPECT_EQ(Get(*created->store), ErrorCode::kNotFound);
}

TEST_F(CreateStoreTest, AFileIsAsDurableAsWasAskedFor) {
  const std::string url = std::string("file:") + std::getenv("TEST_TMPDIR") + "/durable.db";
  const struct {
    std::string query;
    FileSynchronous option;
    FileSynchronous synchronous;
  } rows[] = {
      {"", FileSynchronous::kFull, FileSynchronous::kFull},
      {"", FileSynchronous::kNormal, FileSynchronous::kNormal},
      {"", FileSynchronous::kOff, FileSynchronous::kOff},
      {"?synchronous=full", FileSynchronous::kOff, FileSynchronous::kFull},
      {"?synchronous=normal", FileSynchronous::kFull, FileSynchronous::kNormal},
      {"?synchronous=off", FileSynchronous::kFull, FileSynchronous::kOff},
  };
  EXPECT_EQ(options_.synchronous, FileSynchronous::kFull);
  for (const auto& row : rows) {
    options_.url = url + row.query;
    options_.synchronous = row.option;
    const auto created = Create();
    ASSERT_TRUE(created) << created.error().message;
    EXPECT_EQ(created->file->synchronous(), row.synchronous) << row.query;
  }
}

TEST_F(CreateStoreTest, AFileHoldsSoManyRecords) {
  options_.url = std::string("file:") + std::getenv("TEST_TMPDIR") + "/few.db";
  options_.max_file_records = 1;
  const auto created = Create();
  ASSERT_TRUE(created) << created.error().message;
  EXPECT_EQ(Do(*created->store, store::Create{{"", "k", "1"}, "", {.idle_ttl = Hours(1)}}),
            std::nullopt);
  EXPECT_EQ(Do(*created->store, store::Create{{"", "k", "2"}, "", {.idle_ttl = Hours(1)}}),
            ErrorCode::kCapacity);
}

TEST_F(CreateStoreTest, TimeoutsOfRedis) {
  RedisServer server;
  options_.url = Url(server.port());
  options_.command_timeout = Millis{40};
  const auto created = Create();
  ASSERT_TRUE(created) << created.error().message;
  EXPECT_EQ(Get(*created->store), ErrorCode::kNotFound);
  server.Pause();
  const Instant start = MonotonicNow();
  EXPECT_EQ(Get(*created->store), ErrorCode::kUnavailable);
  EXPECT_LT(MonotonicNow() - start, Millis{240});
  server.Resume();
  options_.command_timeout = Millis{0};
  EXPECT_EQ(Create().error().code, ErrorCode::kInvalidArgument);
}

TEST_F(CreateStoreTest, AFileIsNeverReplaced) {
  const std::string folder = std::getenv("TEST_TMPDIR");
  const std::string text = folder + "/text.db";
  std::ofstream(text) << std::string(4096, 'x');
  for (const std::string& path : {std::string("/no/such/folder/x.db"), folder, text}) {
    options_.url = "file:" + path;
    const auto created = Create();
    ASSERT_FALSE(created) << created->why;
    EXPECT_EQ(created.error().code, ErrorCode::kMisconfigured) << created.error().message;
  }
  EXPECT_THAT(lines_, IsEmpty());
}

TEST_F(CreateStoreTest, RefusesOptionsOutOfRange) {
  options_.lock_timeout = Seconds(61);
  EXPECT_EQ(Create().error().code, ErrorCode::kInvalidArgument);
  options_.lock_timeout = Seconds(1);
  options_.default_ttl = Millis{0};
  EXPECT_EQ(Create().error().code, ErrorCode::kInvalidArgument);
}

TEST_F(CreateStoreTest, VerboseTellsWhatWasLookedAt) {
  options_.verbose = true;
  ASSERT_TRUE(Create());
  EXPECT_THAT(lines_,
              ElementsAre(AllOf(StartsWith(options_.well_known_url + ": "), HasSubstr("refused"))));
  lines_.clear();
  options_.url = options_.well_known_url;
  ASSERT_TRUE(Create());
  EXPECT_THAT(lines_, ElementsAre(AllOf(StartsWith(options_.url + ": "), HasSubstr("refused")),
                                  StartsWith("warning: state is kept in memory")));
}

// --- IsRedisAvailable ---

TEST(IsRedisAvailable, OnlyWhereItWorks) {
  const RedisServer open;
  const RedisServer locked({.password = "right"});
  const RefusingPort refusing;
  EXPECT_TRUE(IsRedisAvailable(Url(open.port())));
  EXPECT_TRUE(IsRedisAvailable(Url(locked.port(), ":right@")));
  EXPECT_FALSE(IsRedisAvailable(Url(locked.port())));
  EXPECT_FALSE(IsRedisAvailable(Url(refusing.port())));
  EXPECT_FALSE(IsRedisAvailable("memory"));
  EXPECT_FALSE(IsRedisAvailable("nonsense"));
}

}  // namespace
}  // namespace mcp_session

// `mcp-session serve` and where it keeps its state: real servers, up, down, refusing, restarted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "tests/native/test_client.h"
#include "tests/native/test_process.h"
#include "tests/redis/redis_server.h"

namespace mcp_session {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Url(std::uint16_t port, const std::string& login = {}) {
  return "redis://" + login + "127.0.0.1:" + std::to_string(port);
}

TestResponse Get(TestClient& client, const std::string& path) {
  return client.Exchange("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

// What the program has said when it ended.
std::string Stop(TestProgram& program) {
  program.Signal(SIGTERM);
  EXPECT_EQ(program.Wait(), 0);
  return program.AllErrors();
}

TEST(CliStore, TakesTheRedisOfTheEnvironment) {
  const RedisServer redis;
  setenv("REDIS_URL", Url(redis.port()).c_str(), 1);
  TestProgram program({"--store", "auto"});
  unsetenv("REDIS_URL");
  TestClient client(program.port());
  const std::string session = Initialize(client);
  EXPECT_THAT(client.Exchange(SessionCall(session, "count")).body, HasSubstr(R"({"count":1})"));
  EXPECT_THAT(Get(client, "/healthz").body,
              AllOf(HasSubstr(R"("backend":"redis")"), HasSubstr(R"("state":"connected")")));
  EXPECT_EQ(Get(client, "/readyz").status, 200);
  EXPECT_THAT(Get(client, "/metrics").body,
              AllOf(HasSubstr(R"(session_store_state{state="connected"} 1)"),
                    HasSubstr("session_store_fallback{backend=\"redis\"} 0\n")));
  EXPECT_THAT(Stop(program), HasSubstr("mcp-session: state is kept in Redis at " +
                                       Url(redis.port()) + ": REDIS_URL says so\n"));
}

TEST(CliStore, SaysThatRedisMayDropSessions) {
  const RedisServer redis({.lines = {"maxmemory 100mb", "maxmemory-policy allkeys-lru"}});
  TestProgram program({"--store", Url(redis.port())});
  TestClient client(program.port());
  ASSERT_NE(Initialize(client), "");
  EXPECT_THAT(Get(client, "/metrics").body,
              HasSubstr("session_store_maxmemory_policy_ok{backend=\"redis\"} 0\n"));
  EXPECT_THAT(Get(client, "/healthz").body, HasSubstr("allkeys-lru"));
}

TEST(CliStore, FallsBackAndSaysIt) {
  const RefusingPort nobody;
  TestProgram program({"--store", Url(nobody.port())});
  TestClient client(program.port());
  EXPECT_NE(Initialize(client), "");
  EXPECT_THAT(Get(client, "/healthz").body,
              AllOf(HasSubstr(R"("backend":"memory")"), HasSubstr(R"("fallback":true)")));
  EXPECT_THAT(Get(client, "/metrics").body,
              AllOf(HasSubstr("session_store_sessions{"),
                    HasSubstr("session_store_fallback{backend=\"memory\"} 1\n")));
  EXPECT_EQ(Stop(program),
            "mcp-session: warning: state is kept in memory and gone when this "
            "ends: " +
                Url(nobody.port()) + " cannot be reached (the connection is refused)\n");
}

TEST(CliStore, RunsOnMemoryWhereNoRedisIsAndSaysIt) {
  const RefusingPort nobody;
  unsetenv("REDIS_URL");
  TestProgram program({"--store", "auto", "--well-known", Url(nobody.port())});
  TestClient client(program.port());
  const std::string session = Initialize(client);
  EXPECT_THAT(client.Exchange(SessionCall(session, "count")).body, HasSubstr(R"({"count":1})"));
  EXPECT_THAT(Get(client, "/healthz").body,
              AllOf(HasSubstr(R"("backend":"memory")"), HasSubstr(R"("fallback":false)")));
  EXPECT_EQ(Stop(program),
            "mcp-session: state is kept in memory and gone when this ends: REDIS_URL is not set, "
            "and " +
                Url(nobody.port()) + " cannot be reached (the connection is refused)\n");
}

TEST(CliStore, TakesTheRedisThatIsThere) {
  const RedisServer redis;
  unsetenv("REDIS_URL");
  TestProgram program({"--store", "auto", "--well-known", Url(redis.port())});
  EXPECT_THAT(Stop(program), HasSubstr("state is kept in Redis at " + Url(redis.port())));
}

TEST(CliStore, EndsWithoutTheStoreThatWasNamedIfToldSo) {
  const RefusingPort nobody;
  const Finished finished =
      RunToEnd({"serve", "--store", Url(nobody.port()), "--on-unavailable", "fail"});
  EXPECT_EQ(finished.code, 1);
  EXPECT_EQ(finished.errors, "mcp-session: --store: " + Url(nobody.port()) +
                                 " cannot be reached (the connection is refused)\n");
}

TEST(CliStore, AWrongPasswordEndsItWhateverThePolicy) {
  const RedisServer redis({.password = "right-password"});
  for (const char* policy : {"fallback", "fail"}) {
    const Finished finished = RunToEnd(
        {"serve", "--store", Url(redis.port(), ":wrong-password@"), "--on-unavailable", policy});
    EXPECT_EQ(finished.code, 1);
    EXPECT_EQ(finished.errors, "mcp-session: --store: misconfigured: " + Url(redis.port()) +
                                   ": the server refuses user or password\n");
  }
}

TEST(CliStore, KeepsSessionsInAFile) {
  const std::string store = std::string("file:") + std::getenv("TEST_TMPDIR") + "/cli.db";
  std::string session;
  {
    TestProgram program({"--store", store});
    TestClient client(program.port());
    session = Initialize(client);
    EXPECT_THAT(client.Exchange(SessionCall(session, "count")).body, HasSubstr(R"({"count":1})"));
    EXPECT_THAT(Get(client, "/metrics").body,
                AllOf(Not(HasSubstr("session_store_file_transactions_total{backend=\"sqlite\"} 0")),
                      HasSubstr("session_store_file_transactions_total{backend=\"sqlite\"} "),
                      HasSubstr("session_store_file_commands_total{backend=\"sqlite\"} "),
                      Not(HasSubstr("session_store_wal_size_bytes{backend=\"sqlite\"} 0"))));
    EXPECT_THAT(Stop(program), HasSubstr("state is kept in " + store));
  }
  TestProgram program({"--store", store});
  TestClient client(program.port());
  EXPECT_THAT(client.Exchange(SessionCall(session, "count")).body, HasSubstr(R"({"count":2})"));
}

TEST(CliStore, HoldsAsManyRecordsAsItIsTold) {
  const std::string file = std::string("file:") + std::getenv("TEST_TMPDIR") + "/few.db";
  for (const std::string& store : {std::string("memory"), file}) {
    TestProgram program({"--store", store, "--max-records", "1"});
    TestClient client(program.port());
    EXPECT_NE(Initialize(client), "");
    EXPECT_EQ(Initialize(client), "") << store;
  }
}

TEST(CliStore, OverStdioToo) {
  const RedisServer redis;
  TestProcess process({"serve", "--stdio", "--store", Url(redis.port())});
  ASSERT_TRUE(process.Write(
      R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25",)"
      R"("capabilities":{},"clientInfo":{"name":"test","version":"1"}}})"
      "\n"));
  EXPECT_THAT(process.ReadLine(), HasSubstr("protocolVersion"));
  ASSERT_TRUE(process.Write(R"({"jsonrpc":"2.0","id":2,"method":"tools/call","params":)"
                            R"({"name":"count","arguments":{"by":7}}})"
                            "\n"));
  EXPECT_THAT(process.ReadLine(), HasSubstr(R"({"count":7})"));
}

TEST(CliStore, GoesOnLocallyIfToldSo) {
  RedisServer redis;
  TestProgram program({"--store", Url(redis.port()), "--degrade", "local"});
  TestClient client(program.port());
  const std::string old_session = Initialize(client);
  ASSERT_NE(old_session, "");
  redis.Kill();
  const auto await = [&](const std::string& path, const std::string& text) {
    for (int i = 0; i < 1000; ++i) {
      if (Get(client, path).body.find(text) != std::string::npos) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  };
  EXPECT_TRUE(await("/readyz", R"("state":"degraded")"));
  EXPECT_EQ(Get(client, "/readyz").status, 200);
  const std::string session = Initialize(client);
  EXPECT_THAT(client.Exchange(SessionCall(session, "count")).body, HasSubstr(R"({"count":1})"));
  EXPECT_EQ(client.Exchange(SessionCall(old_session, "count")).status, 503);
  redis.StartAgain();
  EXPECT_TRUE(await("/readyz", R"("state":"connected")"));
  EXPECT_THAT(Get(client, "/metrics").body, HasSubstr("session_store_promoted_total{"));
  EXPECT_THAT(client.Exchange(SessionCall(session, "count")).body, HasSubstr(R"({"count":2})"));
}

// A restart of Redis under load: 503 while it is down, never 404, and every session is there again.
TEST(CliStore, LosesNoSessionWhenRedisRestarts) {
  RedisServer redis({.lines = {"appendonly yes", "appendfsync always"}});
  TestProgram program({"--store", Url(redis.port())});
  constexpr int kClients = 8;
  std::vector<std::string> sessions(kClients);
  for (std::string& session : sessions) {
    TestClient client(program.port());
    session = Initialize(client);
    ASSERT_NE(session, "");
  }
  std::atomic<bool> stop = false;
  std::atomic<int> outages = 0;
  std::atomic<int> answers = 0;
  std::vector<std::string> strange[kClients];
  std::vector<std::thread> threads;
  for (int i = 0; i < kClients; ++i) {
    threads.emplace_back([&, i] {
      TestClient client(program.port());
      while (!stop) {
        const TestResponse response = client.Exchange(SessionCall(sessions[i], "count"));
        if (response.status == 200) {
          ++answers;
        } else if (response.status == 503 && response.headers.count("retry-after") == 1) {
          ++outages;
        } else {
          strange[i].push_back(std::to_string(response.status) + " " + response.body);
        }
      }
    });
  }
  const auto await = [](const auto& condition) {
    for (int i = 0; i < 1000 && !condition(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return condition();
  };
  EXPECT_TRUE(await([&] { return answers > 50; }));
  redis.Stop();
  const int before = outages;
  EXPECT_TRUE(await([&] { return outages >= before + kClients; }));
  TestClient health(program.port());
  EXPECT_EQ(Get(health, "/healthz").status, 200);
  EXPECT_EQ(Get(health, "/readyz").status, 503);
  redis.StartAgain();
  const int answered = answers;
  EXPECT_TRUE(await([&] { return answers > answered + 50; }));
  EXPECT_EQ(Get(health, "/readyz").status, 200);
  stop = true;
  for (std::thread& thread : threads) thread.join();
  for (const auto& complaints : strange) EXPECT_THAT(complaints, testing::IsEmpty());
  for (const std::string& session : sessions) {
    TestClient client(program.port());
    EXPECT_EQ(client.Exchange(SessionCall(session, "count")).status, 200);
  }
}

}  // namespace
}  // namespace mcp_session

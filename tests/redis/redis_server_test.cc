#include "tests/redis/redis_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>

namespace mcp_session {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(RedisServer, AnswersAndComesBackOnTheSamePort) {
  RedisServer server;
  EXPECT_EQ(server.Command({"SET", "a", "b"}), "OK");
  EXPECT_EQ(server.Command({"MGET", "a", "c"}), "b\n(nil)\n");
  EXPECT_EQ(server.Command({"CONFIG", "GET", "port"}),
            "port\n" + std::to_string(server.port()) + "\n");
  server.Kill();
  EXPECT_THAT(server.Command({"PING"}), StartsWith("-IO"));
  server.StartAgain();
  EXPECT_EQ(server.Command({"GET", "a"}), "(nil)");
  server.Stop();
  server.StartAgain();
  server.Pause();
  server.Resume();
  EXPECT_EQ(server.Command({"PING"}), "PONG");
}

TEST(RedisServer, AwaitsItsReplica) {
  RedisServer server({.lines = {"repl-diskless-sync-delay 0"}});
  RedisServer replica({.lines = {"replicaof 127.0.0.1 " + std::to_string(server.port())}});
  server.AwaitReplica();
  replica.Pause();
  EXPECT_EQ(server.Command({"SET", "a", "b"}), "OK");
  const auto waiting = std::async(std::launch::async, [&] { server.AwaitReplica(); });
  EXPECT_EQ(waiting.wait_for(std::chrono::milliseconds(200)), std::future_status::timeout);
  replica.Resume();
  waiting.wait();
  server.Kill();
  EXPECT_EQ(replica.Command({"GET", "a"}), "b");
}

TEST(RedisServer, EndsWithItsObject) {
  pid_t id = 0;
  {
    RedisServer server;
    id = server.id();
    EXPECT_EQ(kill(id, 0), 0);
  }
  EXPECT_NE(kill(id, 0), 0);
}

TEST(RedisServer, OutlivesTheThreadThatMadeIt) {
  std::unique_ptr<RedisServer> server;
  std::thread([&] { server = std::make_unique<RedisServer>(); }).join();
  EXPECT_EQ(server->Command({"PING"}), "PONG");
}

TEST(RedisServer, TakesLinesPasswordAndCertificates) {
  RedisServer server({.lines = {"maxmemory 5mb"}, .password = "secret", .tls = true});
  EXPECT_THAT(server.Command({"CONFIG", "GET", "maxmemory"}), HasSubstr("5242880"));
  EXPECT_THAT(server.Command({"CONFIG", "GET", "tls-port"}),
              HasSubstr(std::to_string(server.tls_port())));
}

}  // namespace
}  // namespace mcp_session

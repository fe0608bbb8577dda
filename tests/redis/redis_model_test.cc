// Random sequences against the model of the contract, and clients at work at once.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "tests/redis/redis_backend.h"
#include "tests/redis/redis_cluster.h"
#include "tests/redis/redis_server.h"
#include "tests/store/concurrent.h"
#include "tests/store/model_suite.h"

namespace mcp_session {

namespace {

RedisServer& Server() {
  static RedisServer* const server = new RedisServer;
  return *server;
}

RedisCluster& Cluster() {
  static RedisCluster* const cluster = new RedisCluster;
  return *cluster;
}

RedisOptions ServerOptions() {
  RedisOptions options;
  options.endpoints = {{.port = Server().port()}};
  return options;
}

RedisOptions ClusterOptions() {
  RedisOptions options;
  options.layout = RedisLayout::kCluster;
  options.endpoints = {{.port = Cluster().node(0).port()}};
  return options;
}

ModelBackend ServerModel() {
  RedisSetup setup;
  setup.name = "Server";
  setup.start = [] { return std::shared_ptr<RedisServer>(&Server(), [](RedisServer*) {}); };
  setup.connect = [](RedisServer&, RedisOptions* options) { *options = ServerOptions(); };
  return {.backend = RedisBackend(std::move(setup)), .sequences = 200, .lists_by_age = true};
}

ModelBackend ClusterModel() {
  RedisSetup setup;
  setup.name = "Cluster";
  setup.start = [] {
    return std::shared_ptr<RedisServer>(&Cluster().node(0), [](RedisServer*) {});
  };
  setup.connect = [](RedisServer&, RedisOptions* options) { *options = ClusterOptions(); };
  setup.empty = [](RedisServer&) { Cluster().FlushAll(); };
  setup.all = [](RedisServer&) { return Cluster().nodes(); };
  return {.backend = RedisBackend(std::move(setup)), .sequences = 100, .lists_by_age = true};
}

INSTANTIATE_TEST_SUITE_P(Redis, StoreModel, testing::Values(ServerModel(), ClusterModel()),
                         ModelBackendName);

TEST(RedisClients, SeeOneHistory) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const RedisOptions options = ServerOptions();
    const std::optional<std::string> unexplained =
        RunConcurrentHistories([&](int) { return MakeRedisClient(options); },
                               {.seed = seed, .prefix = "history " + std::to_string(seed)});
    EXPECT_EQ(unexplained, std::nullopt) << unexplained.value_or("");
  }
}

TEST(RedisClients, LoseNoUpdate) {
  const RedisOptions options = ServerOptions();
  const std::optional<std::string> wrong =
      RunConcurrentCounters([&](int) { return MakeRedisClient(options); }, 8, 200);
  EXPECT_EQ(wrong, std::nullopt) << wrong.value_or("");
}

TEST(RedisClients, LoseNoUpdateInACluster) {
  const RedisOptions options = ClusterOptions();
  const std::optional<std::string> wrong =
      RunConcurrentCounters([&](int) { return MakeRedisClient(options); }, 4, 100);
  EXPECT_EQ(wrong, std::nullopt) << wrong.value_or("");
}

}  // namespace
}  // namespace mcp_session

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
#include "tests/store/stopped_holder.h"

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
  return {.backend = RedisBackend(std::move(setup)), .sequences = 10'000, .together = 100};
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
  return {.backend = RedisBackend(std::move(setup)), .sequences = 10'000, .together = 100};
}

INSTANTIATE_TEST_SUITE_P(Redis, StoreModel, testing::Values(ServerModel(), ClusterModel()),
                         ModelBackendName);

MakeStoreClient Clients(const RedisOptions& options) {
  return [options](int) { return MakeRedisClient(options); };
}

TEST(RedisClients, SeeOneHistory) {
  const auto violation = RunManyHistories(Clients(ServerOptions()), 30);
  EXPECT_EQ(violation, std::nullopt) << *violation;
}

TEST(RedisClients, SeeOneHistoryInACluster) {
  const auto violation = RunManyHistories(Clients(ClusterOptions()), 20, {.with_bearers = false});
  EXPECT_EQ(violation, std::nullopt) << *violation;
}

TEST(RedisClients, AreFencedWhenTheyStoodStillForTooLong) {
  const RedisOptions options = ServerOptions();
  EXPECT_EQ(RunStoppedHolder([options] { return MakeRedisClient(options); }, 20, 10), std::nullopt);
}

TEST(RedisClients, LoseNoUpdate) {
  EXPECT_EQ(RunConcurrentCounters(Clients(ServerOptions()), 8, 500), std::nullopt);
}

TEST(RedisClients, LoseNoUpdateInACluster) {
  EXPECT_EQ(RunConcurrentCounters(Clients(ClusterOptions()), 8, 500), std::nullopt);
}

}  // namespace
}  // namespace mcp_session

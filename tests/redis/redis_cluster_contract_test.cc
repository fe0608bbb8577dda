// The contract over a cluster of three, and over what sentinels say is the master.
#include <gtest/gtest.h>

#include <memory>

#include "tests/redis/redis_backend.h"
#include "tests/redis/redis_cluster.h"
#include "tests/redis/redis_server.h"
#include "tests/store/contract.h"

namespace mcp_session {
namespace {

// The setup hands on a server; the group of it is kept here.
RedisCluster& Cluster() {
  static RedisCluster* const cluster = new RedisCluster;
  return *cluster;
}

StoreBackend ClusterBackend() {
  RedisSetup setup;
  setup.name = "Cluster";
  setup.start = [] {
    return std::shared_ptr<RedisServer>(&Cluster().node(0), [](RedisServer*) {});
  };
  setup.connect = [](RedisServer& server, RedisOptions* options) {
    options->layout = RedisLayout::kCluster;
    options->endpoints = {{.port = server.port()}};
  };
  setup.empty = [](RedisServer&) { Cluster().FlushAll(); };
  setup.all = [](RedisServer&) { return Cluster().nodes(); };
  return RedisBackend(std::move(setup));
}

RedisSentinels& Sentinels() {
  static RedisSentinels* const sentinels = new RedisSentinels;
  return *sentinels;
}

StoreBackend SentinelBackend() {
  RedisSetup setup;
  setup.name = "Sentinel";
  setup.start = [] {
    return std::shared_ptr<RedisServer>(&Sentinels().master(), [](RedisServer*) {});
  };
  setup.connect = [](RedisServer&, RedisOptions* options) {
    options->layout = RedisLayout::kSentinel;
    options->master_name = "sessions";
    options->endpoints.clear();
    for (std::size_t i = 0; i < Sentinels().size(); ++i) {
      options->endpoints.push_back({.port = Sentinels().sentinel(i).port()});
    }
  };
  return RedisBackend(std::move(setup));
}

INSTANTIATE_TEST_SUITE_P(Redis, StoreContract, testing::Values(ClusterBackend(), SentinelBackend()),
                         StoreBackendName);

}  // namespace
}  // namespace mcp_session

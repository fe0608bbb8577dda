// The contract over a cluster of three.
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

INSTANTIATE_TEST_SUITE_P(Redis, StoreContract, testing::Values(ClusterBackend()), StoreBackendName);
INSTANTIATE_TEST_SUITE_P(Redis, StoreExtrasContract, testing::Values(ClusterBackend()),
                         StoreBackendName);

}  // namespace
}  // namespace mcp_session

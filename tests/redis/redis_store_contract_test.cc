// The contract over one server.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/redis/redis_backend.h"
#include "tests/redis/redis_server.h"
#include "tests/store/contract.h"

namespace mcp_session {
namespace {

StoreBackend Tcp() {
  return RedisBackend(
      {.name = "Tcp",
       .start = [] { return std::make_shared<RedisServer>(); },
       .connect = [](RedisServer& server,
                     RedisOptions* options) { options->endpoints = {{.port = server.port()}}; }});
}

// One server for both.
const auto kBackends = testing::Values(Tcp());
INSTANTIATE_TEST_SUITE_P(Redis, StoreContract, kBackends, StoreBackendName);
INSTANTIATE_TEST_SUITE_P(Redis, StoreExtrasContract, kBackends, StoreBackendName);

}  // namespace
}  // namespace mcp_session

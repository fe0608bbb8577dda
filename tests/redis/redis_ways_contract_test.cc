// The contract over the other ways to a server.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "tests/redis/documented_user.h"
#include "tests/redis/redis_backend.h"
#include "tests/redis/redis_cluster.h"
#include "tests/redis/redis_server.h"
#include "tests/store/contract.h"

namespace mcp_session {
namespace {

StoreBackend UnixSocket() {
  return RedisBackend({.name = "UnixSocket",
                       .start = [] { return std::make_shared<RedisServer>(); },
                       .connect =
                           [](RedisServer& server, RedisOptions* options) {
                             options->endpoints = {{.path = server.socket_path()}};
                             options->database = 3;
                           }});
}

StoreBackend Tls() {
  return RedisBackend({.name = "Tls",
                       .start =
                           [] {
                             return std::make_shared<RedisServer>(
                                 RedisServerOptions{.tls = true, .client_certificates = true});
                           },
                       .connect =
                           [](RedisServer& server, RedisOptions* options) {
                             const TestCertificates& certificates = server.certificates();
                             options->endpoints = {
                                 {.host = "localhost", .port = server.tls_port()}};
                             options->tls = {.enabled = true,
                                             .ca_file = certificates.ca_file(),
                                             .certificate_file = certificates.client_certificate(),
                                             .key_file = certificates.client_key()};
                           }});
}

// A user that may say what docs/redis.md lists, which Redis 6.2 and Valkey have, and nothing else.
StoreBackend LeastPrivileges() {
  return RedisBackend({.name = "LeastPrivileges",
                       .start =
                           [] {
                             auto server = std::make_shared<RedisServer>(
                                 RedisServerOptions{.password = "of default"});
                             EXPECT_EQ(server->Command(DocumentedUser()), "OK");
                             return server;
                           },
                       .connect =
                           [](RedisServer& server, RedisOptions* options) {
                             options->endpoints = {{.port = server.port()}};
                             options->user = "sessions";
                             options->password = "secret";
                           }});
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

// The same servers for both.
const auto kBackends = testing::Values(UnixSocket(), Tls(), LeastPrivileges(), SentinelBackend());
INSTANTIATE_TEST_SUITE_P(Redis, StoreContract, kBackends, StoreBackendName);
INSTANTIATE_TEST_SUITE_P(Redis, StoreExtrasContract, kBackends, StoreBackendName);

}  // namespace
}  // namespace mcp_session

// The contract over every way to one server.
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

// What docs/redis.md tells people to give the user.
const std::vector<std::string> kLeastPrivileges = {
    "ACL",        "SETUSER",        "sessions",       "reset",        "on",
    ">secret",    "~mcp:session:*", "&mcp:session:*", "+ping",        "+info",
    "+role",      "+time",          "+select",        "+script|load", "+evalsha",
    "+get",       "+set",           "+getrange",      "+setrange",    "+del",
    "+unlink",    "+exists",        "+type",          "+rename",      "+pttl",
    "+pexpireat", "+zadd",          "+zrem",          "+zcard",       "+zrange",
    "+zrevrange", "+zrangebyscore", "+xadd",          "+xrange",      "+xrevrange",
    "+publish",   "+subscribe",     "+unsubscribe"};

StoreBackend LeastPrivileges() {
  return RedisBackend({.name = "LeastPrivileges",
                       .start =
                           [] {
                             auto server = std::make_shared<RedisServer>(
                                 RedisServerOptions{.password = "of default"});
                             EXPECT_EQ(server->Command(kLeastPrivileges), "OK");
                             return server;
                           },
                       .connect =
                           [](RedisServer& server, RedisOptions* options) {
                             options->endpoints = {{.port = server.port()}};
                             options->user = "sessions";
                             options->password = "secret";
                           }});
}

INSTANTIATE_TEST_SUITE_P(Redis, StoreContract,
                         testing::Values(Tcp(), UnixSocket(), Tls(), LeastPrivileges()),
                         StoreBackendName);

}  // namespace
}  // namespace mcp_session

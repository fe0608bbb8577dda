// A RedisSessionStore for the contract, over a server that all tests of a program share: each store
// finds it empty, and leaves no key without an expiry.
#ifndef TESTS_REDIS_REDIS_BACKEND_H_
#define TESTS_REDIS_REDIS_BACKEND_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "mcp_session/redis/options.h"
#include "tests/redis/redis_server.h"
#include "tests/store/backend.h"

namespace mcp_session {

struct RedisSetup {
  std::string name;
  // The servers, made when the first test wants them; kept until the program ends.
  std::function<std::shared_ptr<RedisServer>()> start;
  // How the store gets there.
  std::function<void(RedisServer&, RedisOptions*)> connect;
  // Empties it.
  std::function<void(RedisServer&)> empty = [](RedisServer& server) {
    server.Command({"FLUSHALL"});
  };
  // Every server that may have keys.
  std::function<std::vector<RedisServer*>(RedisServer&)> all = [](RedisServer& server) {
    return std::vector<RedisServer*>{&server};
  };
};

StoreBackend RedisBackend(RedisSetup setup);

// A store among others: it finds what is there. With more time for its commands.
std::unique_ptr<StoreUnderTest> MakeRedisClient(RedisOptions options);

// The keys that would never go by themselves; each followed by a line break.
std::string KeysWithoutExpiry(RedisServer& server);

}  // namespace mcp_session

#endif  // TESTS_REDIS_REDIS_BACKEND_H_

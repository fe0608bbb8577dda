// Whether there is a Redis that a RedisSessionStore could work with.
#ifndef MCP_SESSION_FACTORY_REDIS_PROBE_H_
#define MCP_SESSION_FACTORY_REDIS_PROBE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "mcp_session/base/time.h"
#include "mcp_session/redis/options.h"

namespace mcp_session {

struct RedisProbe {
  enum class Finding : std::uint8_t {
    kReady,
    kNotReady,     // it answers, and cannot work for us now: loading, a replica, full of clients
    kUnreachable,  // nobody answers, or not in time
    kRefused,      // it refuses us, or is not what it was said to be: a human has to look
  };
  Finding finding = Finding::kUnreachable;
  std::string reason;  // in words, unless kReady; no secret
};

// Connects as the store would, says hello, and hangs up. Blocks for at most `timeout`.
RedisProbe ProbeRedis(const RedisOptions& options, Millis timeout);

// Whether the Redis that a URL names answers and lets us work. False for a URL that names none.
// Blocks for at most `timeout`.
bool IsRedisAvailable(std::string_view url, Millis timeout = Seconds(1));

}  // namespace mcp_session

#endif  // MCP_SESSION_FACTORY_REDIS_PROBE_H_

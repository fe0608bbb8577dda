// Whether there is a Redis that a RedisSessionStore could work with.
#ifndef MCP_SESSION_REDIS_PROBE_H_
#define MCP_SESSION_REDIS_PROBE_H_

#include "mcp_session/base/result.h"
#include "mcp_session/base/time.h"
#include "mcp_session/redis/errors.h"
#include "mcp_session/redis/options.h"

namespace mcp_session {

// Connects as a store would, up to being ready for commands, and disconnects. Blocks, for at most
// `timeout` and whatever the system's resolver takes longer. What is wrong, if something is, has
// its RedisCause, and the code of that: kUnavailable or kMisconfigured. kInvalidArgument
// (kSettings): an option is out of range.
tl::expected<void, RedisFailure> ProbeRedis(RedisOptions options, Millis timeout);

}  // namespace mcp_session

#endif  // MCP_SESSION_REDIS_PROBE_H_

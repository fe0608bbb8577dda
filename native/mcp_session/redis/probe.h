// Whether there is a Redis that a RedisSessionStore could work with.
#ifndef MCP_SESSION_REDIS_PROBE_H_
#define MCP_SESSION_REDIS_PROBE_H_

#include "mcp_session/base/result.h"
#include "mcp_session/base/time.h"
#include "mcp_session/redis/options.h"

namespace mcp_session {

// Connects as a store would, up to being ready for commands, and disconnects. Blocks, for at most
// `timeout` and whatever the system's resolver takes longer. The message says in words what is
// wrong, without a secret.
//   kUnavailable      it cannot be reached: refused, no answer in time, unknown host, loading its
//                     data, read-only
//   kMisconfigured    it refuses us or is none: credentials, TLS, permissions, protocol, version
//   kInvalidArgument  an option is out of range
Result<void> ProbeRedis(RedisOptions options, Millis timeout);

}  // namespace mcp_session

#endif  // MCP_SESSION_REDIS_PROBE_H_

// IsRedisAvailable: whether a Redis is there, for people who decide by themselves.
#ifndef MCP_SESSION_FACTORY_REDIS_AVAILABLE_H_
#define MCP_SESSION_FACTORY_REDIS_AVAILABLE_H_

#include <string_view>

#include "mcp_session/base/time.h"

namespace mcp_session {

// Whether the Redis that a URL names answers and lets us work. False for a URL that names none.
// Blocks, for at most `timeout`.
bool IsRedisAvailable(std::string_view url, Millis timeout = Seconds(1));

}  // namespace mcp_session

#endif  // MCP_SESSION_FACTORY_REDIS_AVAILABLE_H_

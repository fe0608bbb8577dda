// Where the master is, as sentinels know it.
#ifndef MCP_SESSION_REDIS_SENTINEL_H_
#define MCP_SESSION_REDIS_SENTINEL_H_

#include <boost/asio/io_context.hpp>

#include "mcp_session/redis/link.h"
#include "mcp_session/redis/options.h"

namespace mcp_session {

// Asks one sentinel after the other, beginning with the one that answered last, each for its share
// of RedisOptions::connect_timeout. kMisconfigured if those that answer know no such master.
// `loop` must outlive the locator and what it is doing.
RedisLocator MakeSentinelLocator(boost::asio::io_context& loop, const RedisOptions& options);

}  // namespace mcp_session

#endif  // MCP_SESSION_REDIS_SENTINEL_H_

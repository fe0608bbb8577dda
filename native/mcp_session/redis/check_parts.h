// Parts of RedisAdmin::Check that the admin's own connections have nothing to do with.
#ifndef MCP_SESSION_REDIS_CHECK_PARTS_H_
#define MCP_SESSION_REDIS_CHECK_PARTS_H_

#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/redis/options.h"
#include "mcp_session/stored/store_admin.h"

namespace mcp_session {

// What a server that is full will do, by what it answers to INFO memory. `where` goes before the
// text.
CheckLine CheckEviction(std::string_view info, const std::string& where);

// How many of the sentinels answer, and whether they could agree on another master. Asks each over
// a connection of its own, and blocks.
void CheckSentinels(const RedisOptions& options, std::vector<CheckLine>* lines);

// Whether every slot of the cluster has its primary, as the first node that answers sees it.
// Blocks.
void CheckSlots(const RedisOptions& options, std::vector<CheckLine>* lines);

}  // namespace mcp_session

#endif  // MCP_SESSION_REDIS_CHECK_PARTS_H_

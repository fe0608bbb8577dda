// What `mcp-session serve` offers beside its tools: a shelf of things to put into baskets, as a
// resource and a template, a prompt that plans shopping, and completion.
#ifndef MCP_SESSION_CLI_DEMO_SHELF_H_
#define MCP_SESSION_CLI_DEMO_SHELF_H_

#include "mcp_session/base/result.h"
#include "mcp_session/server/mcp_server.h"

namespace mcp_session {

Result<void> AddDemoShelf(McpServer& server);

}  // namespace mcp_session

#endif  // MCP_SESSION_CLI_DEMO_SHELF_H_

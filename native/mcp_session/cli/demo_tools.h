// The tools of `mcp-session serve`: a basket kept under a state handle, a counter kept in the
// session, and a slow one that reports progress, can be cancelled, and runs as a task for clients
// that know tasks. Small enough to be read as an example of what a tool looks like.
#ifndef MCP_SESSION_CLI_DEMO_TOOLS_H_
#define MCP_SESSION_CLI_DEMO_TOOLS_H_

#include "mcp_session/base/result.h"
#include "mcp_session/server/mcp_server.h"

namespace boost::asio {
class io_context;
}

namespace mcp_session {

// Timers of the slow tool are on `loop`, the one the server's host runs on. ServeTasks goes first.
Result<void> AddDemoTools(McpServer& server, boost::asio::io_context& loop);

}  // namespace mcp_session

#endif  // MCP_SESSION_CLI_DEMO_TOOLS_H_

// What a handler throws ends here. The core is built without exceptions; the code of an
// application need not be.
#ifndef MCP_SESSION_HOST_HANDLER_GUARD_H_
#define MCP_SESSION_HOST_HANDLER_GUARD_H_

#include "mcp_session/server/mcp_server.h"

namespace mcp_session {

// Runs a handler. If it throws, the call is answered with a tool error that says nothing of the
// inside, and stderr gets a line with what was thrown (system/log.h, Redact). HttpServer and
// StdioServer install this in their McpServer.
void RunGuarded(const ToolHandler& handler, ToolCall call);

}  // namespace mcp_session

#endif  // MCP_SESSION_HOST_HANDLER_GUARD_H_

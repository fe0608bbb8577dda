// What a handler throws ends here. The core is built without exceptions; the code of an
// application need not be.
#ifndef MCP_SESSION_HOST_HANDLER_GUARD_H_
#define MCP_SESSION_HOST_HANDLER_GUARD_H_

#include "mcp_session/server/mcp_server.h"

namespace mcp_session {

// Runs a handler. If it throws, stderr gets a line with what was thrown (system/log.h, Redact), and
// the server answers with an error that says nothing of the inside. HttpServer and StdioServer
// install this in their McpServer.
bool RunGuarded(HandlerRun handler);

}  // namespace mcp_session

#endif  // MCP_SESSION_HOST_HANDLER_GUARD_H_

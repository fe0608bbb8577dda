// mcp-session tools and mcp-session call: asking a server.
#ifndef MCP_SESSION_CLI_ASK_H_
#define MCP_SESSION_CLI_ASK_H_

#include "mcp_session/cli/options.h"

namespace mcp_session {

// What to exit with: 1 as well for a tool that answers with an error of its own.
int Ask(const AskOptions& options);

}  // namespace mcp_session

#endif  // MCP_SESSION_CLI_ASK_H_

// mcp-session check.
#ifndef MCP_SESSION_CLI_CHECK_H_
#define MCP_SESSION_CLI_CHECK_H_

#include "mcp_session/cli/options.h"

namespace mcp_session {

// Prints what a store's Check has to say, a line for each: ok, warn or bad, and of what. The exit
// code: 0 if nothing is bad, 1 if something is, 2 for options that make no sense.
int Check(const CheckOptions& options);

}  // namespace mcp_session

#endif  // MCP_SESSION_CLI_CHECK_H_

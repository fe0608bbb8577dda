// mcp-session serve.
#ifndef MCP_SESSION_CLI_SERVE_H_
#define MCP_SESSION_CLI_SERVE_H_

#include "mcp_session/cli/options.h"

namespace mcp_session {

// Runs until SIGTERM or SIGINT (the second of which is not patient), or in stdio mode the end of
// the input. The exit code: 0 after that, 1 if it could not start, 2 for options that make no
// sense. Whatever goes wrong is one line on stderr.
int Serve(const ServeOptions& options);

}  // namespace mcp_session

#endif  // MCP_SESSION_CLI_SERVE_H_

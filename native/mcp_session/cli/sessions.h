// mcp-session sessions list, show, end.
#ifndef MCP_SESSION_CLI_SESSIONS_H_
#define MCP_SESSION_CLI_SESSIONS_H_

#include "mcp_session/cli/options.h"

namespace mcp_session {

// Looks into a store that servers may be using. Records go by their tags, which are digests
// (docs/formats.md): neither ids nor owners nor data are printed. The exit code: 0; 1 if the store
// cannot be read or there is no such record; 2 for options that make no sense.
int Sessions(const SessionsOptions& options);

}  // namespace mcp_session

#endif  // MCP_SESSION_CLI_SESSIONS_H_

// The demonstration page, as `mcp-session serve` serves it: a client in the browser.
#ifndef MCP_SESSION_CLI_DEMO_PAGES_H_
#define MCP_SESSION_CLI_DEMO_PAGES_H_

#include <vector>

#include "mcp_session/http/server.h"

namespace mcp_session {

std::vector<HttpPage> DemoPages();

}  // namespace mcp_session

#endif  // MCP_SESSION_CLI_DEMO_PAGES_H_

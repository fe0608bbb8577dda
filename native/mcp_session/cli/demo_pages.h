// The demonstration page, as `mcp-session serve` serves it: a client in the browser.
#ifndef MCP_SESSION_CLI_DEMO_PAGES_H_
#define MCP_SESSION_CLI_DEMO_PAGES_H_

#include <string_view>
#include <vector>

#include "mcp_session/http/server.h"

namespace mcp_session {

std::vector<HttpPage> DemoPages();

// Their Content-Security-Policy: scripts are ours, and may call any server, for which one is up to
// the user; what servers send as images and sounds is shown from memory.
inline constexpr std::string_view kDemoContentSecurityPolicy =
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' http: https:; "
    "img-src 'self' data:; media-src data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'";

}  // namespace mcp_session

#endif  // MCP_SESSION_CLI_DEMO_PAGES_H_

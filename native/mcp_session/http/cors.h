// What a browser has to hear before a page of another origin may call, and read the answer (the
// Fetch standard, "CORS protocol"). Nothing of it protects the server: HostPolicy does.
#ifndef MCP_SESSION_HTTP_CORS_H_
#define MCP_SESSION_HTTP_CORS_H_

#include <string>
#include <string_view>

#include "mcp_session/session/effect.h"

namespace mcp_session {

// Header lines of an answer for pages of `origin`; none if it is empty.
void AppendCorsLines(std::string_view origin, std::string* out);

// The headers of the answer to a preflight, without those above. `requested` is its
// Access-Control-Request-Headers.
ResponseHeaders PreflightHeaders(std::string_view requested);

}  // namespace mcp_session

#endif  // MCP_SESSION_HTTP_CORS_H_

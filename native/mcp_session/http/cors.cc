#include "mcp_session/http/cors.h"

#include <algorithm>
#include <utility>

#include "mcp_session/protocol/http.h"

namespace mcp_session {
namespace {

// What clients of every revision send.
constexpr std::string_view kRequestHeaders =
    "Authorization, Content-Type, Accept, Last-Event-ID, Mcp-Session-Id, MCP-Protocol-Version, "
    "Mcp-Method, Mcp-Name";
constexpr std::string_view kParamPrefix = "Mcp-Param-";
constexpr std::size_t kMaxParams = 64;

}  // namespace

void AppendCorsLines(std::string_view origin, std::string* out) {
  if (origin.empty()) return;
  out->append("access-control-allow-origin: ").append(origin);
  *out +=
      "\r\naccess-control-expose-headers: Mcp-Session-Id, WWW-Authenticate, Retry-After\r\n"
      "vary: Origin\r\n";
}

ResponseHeaders PreflightHeaders(std::string_view requested) {
  std::string allowed(kRequestHeaders);
  // Those of a tool's arguments have names that only the tool knows (spec S-39).
  for (std::size_t params = 0; !requested.empty() && params < kMaxParams;) {
    std::string_view name = requested.substr(0, requested.find(','));
    requested.remove_prefix(std::min(name.size() + 1, requested.size()));
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    if (!EqualIgnoringCase(name.substr(0, kParamPrefix.size()), kParamPrefix)) continue;
    if (!IsHeaderName(name)) continue;
    allowed.append(", ").append(name);
    ++params;
  }
  return {{"access-control-allow-methods", "GET, POST, DELETE"},
          {"access-control-allow-headers", std::move(allowed)},
          {"access-control-max-age", "7200"}};
}

}  // namespace mcp_session

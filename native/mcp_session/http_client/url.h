// URLs of HTTP servers that this library asks.
#ifndef MCP_SESSION_HTTP_CLIENT_URL_H_
#define MCP_SESSION_HTTP_CLIENT_URL_H_

#include <optional>
#include <string>
#include <string_view>

namespace mcp_session {

struct HttpUrl {
  bool tls = false;
  std::string host;       // without brackets
  std::string authority;  // as it goes into Host
  std::string port;
  std::string target;  // path and query
};

// http:// or https://, visible ASCII, at most 2048 bytes, no user information; a fragment is cut
// off. nullopt: it is none.
std::optional<HttpUrl> ParseHttpUrl(std::string_view text);

// scheme://host:port, with the port always there and the host in lower case.
std::string OriginOf(const HttpUrl& url);

// `reference`, an absolute URL or one relative to `base`, as an absolute one. nullopt: it is none,
// or of another origin than `base`, or `base` is none.
std::optional<std::string> ResolveInOrigin(std::string_view base, std::string_view reference);

// Whether the host is this machine: localhost, or a loopback address.
bool IsLoopback(const HttpUrl& url);

}  // namespace mcp_session

#endif  // MCP_SESSION_HTTP_CLIENT_URL_H_

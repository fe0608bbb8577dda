// What an HttpServer with an Authenticator says to callers without a good token: why, and where to
// get one (RFC 6750 section 3, RFC 9728; spec ).
#ifndef MCP_SESSION_HTTP_ACCESS_H_
#define MCP_SESSION_HTTP_ACCESS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/http/server.h"

namespace mcp_session {

class Access {
 public:
  // `listening` is the URL of the endpoint as this machine sees it, for options without a resource.
  Access(const HttpServerOptions& options, const std::string& listening);

  enum class Reason : std::uint8_t { kNoToken, kInvalidToken, kInsufficientScope };
  // A value for WWW-Authenticate.
  std::string Challenge(Reason reason) const;

  // Whether these are all that a caller needs.
  bool Suffice(const std::vector<std::string>& scopes) const;

  // The document about this server, as JSON, if it is at this path; else null.
  const std::string* Metadata(std::string_view path) const;

 private:
  const std::vector<std::string> required_scopes_;
  std::vector<std::string> metadata_paths_;  // none: there is no authorization server to tell of
  std::string metadata_url_;
  std::string metadata_;
};

// What is wrong with them; empty if nothing is.
std::string_view Complaint(const HttpAuthOptions& options);

}  // namespace mcp_session

#endif  // MCP_SESSION_HTTP_ACCESS_H_

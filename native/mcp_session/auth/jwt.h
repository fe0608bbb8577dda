// A JSON Web Token in its compact form (RFC 7515, 7519): taken apart, and its claims compared with
// what this server expects. Nothing here says that it is genuine.
#ifndef MCP_SESSION_AUTH_JWT_H_
#define MCP_SESSION_AUTH_JWT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/auth/signature.h"
#include "mcp_session/base/result.h"

namespace mcp_session {

struct Jwt {
  SignatureAlgorithm algorithm = SignatureAlgorithm::kRs256;
  std::string key_id;       // kid; may be empty
  std::string signed_text;  // header and claims as they came
  std::string signature;    // bytes

  std::string issuer;
  std::string subject;
  std::vector<std::string> audiences;
  std::vector<std::string> scopes;  // of scope (text) and scp (text or a list)
  // Seconds since 1970.
  std::optional<std::int64_t> expires_at;
  std::optional<std::int64_t> not_before;
};

// kPeer if it is malformed, is not signed in a way that SignatureAlgorithm knows, or has extensions
// that must be understood ("crit"). The message says nothing of its content.
Result<Jwt> ParseJwt(std::string_view token);

struct JwtRules {
  std::string issuer;                  // exactly
  std::vector<std::string> audiences;  // one of them is in the token's
  std::vector<SignatureAlgorithm> algorithms;
  std::int64_t leeway_seconds = 60;  // by which the issuer's clock may differ
};
// Whether the claims are as the rules want them: issuer, audience, a subject, a time to expire that
// is still to come. `now` is in seconds since 1970.
bool Admits(const JwtRules& rules, const Jwt& jwt, std::int64_t now);

}  // namespace mcp_session

#endif  // MCP_SESSION_AUTH_JWT_H_

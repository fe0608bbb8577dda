// Authenticator: who is it that sent a bearer token? HttpServer asks for every request (spec A-01).
#ifndef MCP_SESSION_AUTH_AUTHENTICATOR_H_
#define MCP_SESSION_AUTH_AUTHENTICATOR_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/base/time.h"

namespace mcp_session {

struct Authentication {
  enum class Verdict : std::uint8_t {
    kInvalid,      // malformed, unknown, expired, for somebody else: 401. It is not said which
    kUnavailable,  // whether the token is good cannot be told now: 503, never 401
    kValid,
  };
  Verdict verdict = Verdict::kInvalid;

  // Of a valid token. The principal is never empty, differs between any two who are not the same,
  // and has at most kMaxPrincipalBytes (session/server_engine.h), or the caller is refused.
  std::string principal;
  std::vector<std::string> scopes;
  std::int64_t expires_at = 0;  // seconds since 1970; 0: it does not expire

  Millis retry_after = Seconds(1);  // of kUnavailable
};

class Authenticator {
 public:
  virtual ~Authenticator() = default;

  // Calls `done` exactly once: before it returns, or later on the loop's thread, unless this is
  // destroyed first. `token` is what stood after "Bearer", a secret, and good for this call only;
  // it has 1 to kMaxTokenBytes characters of RFC 6750's b64token.
  using Done = std::function<void(Authentication)>;
  virtual void Authenticate(std::string_view token, Done done) = 0;
};

inline constexpr std::size_t kMaxTokenBytes = 8u << 10;

}  // namespace mcp_session

#endif  // MCP_SESSION_AUTH_AUTHENTICATOR_H_

// StaticTokenAuthenticator: tokens that the operator wrote down, each with whose it is.
#ifndef MCP_SESSION_AUTH_STATIC_TOKEN_AUTHENTICATOR_H_
#define MCP_SESSION_AUTH_STATIC_TOKEN_AUTHENTICATOR_H_

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/auth/authenticator.h"
#include "mcp_session/base/result.h"

namespace mcp_session {

struct StaticToken {
  std::string principal;
  std::string token;  // at least kMinStaticTokenBytes
  std::vector<std::string> scopes;
};

inline constexpr std::size_t kMinStaticTokenBytes = 16;
inline constexpr std::size_t kMaxStaticTokens = 1000;

// One token a line: PRINCIPAL TOKEN [SCOPE...], between spaces; empty lines and what begins with
// '#' are skipped. kInvalidArgument names the line that is wrong, and nothing of what stands there.
Result<std::vector<StaticToken>> ParseStaticTokens(std::string_view text);
// The same of a file of at most 1 MiB; kMisconfigured if it cannot be read.
Result<std::vector<StaticToken>> ReadStaticTokens(const std::string& path);

// Keeps SHA-256 of the tokens only, and compares with all of them in constant time. Any thread.
class StaticTokenAuthenticator final : public Authenticator {
 public:
  explicit StaticTokenAuthenticator(const std::vector<StaticToken>& tokens);

  void Authenticate(std::string_view token, Done done) override;

 private:
  struct Entry {
    std::array<unsigned char, 32> digest;
    std::string principal;
    std::vector<std::string> scopes;
  };
  std::vector<Entry> entries_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_AUTH_STATIC_TOKEN_AUTHENTICATOR_H_

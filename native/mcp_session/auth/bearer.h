// The Authorization header of a request with a bearer token (RFC 6750).
#ifndef MCP_SESSION_AUTH_BEARER_H_
#define MCP_SESSION_AUTH_BEARER_H_

#include <cstdint>
#include <string_view>

namespace mcp_session {

// Whether `text` can be a bearer token: b64token, of at most kMaxTokenBytes.
bool IsBearerToken(std::string_view text);

enum class BearerForm : std::uint8_t {
  kNone,       // no header, or of another scheme
  kMalformed,  // of this scheme, and no token in it
  kToken,
};
struct Bearer {
  BearerForm form = BearerForm::kNone;
  std::string_view token;  // a view of the header
};
// `header` is the value of Authorization, empty if there is none.
Bearer ParseBearer(std::string_view header);

}  // namespace mcp_session

#endif  // MCP_SESSION_AUTH_BEARER_H_

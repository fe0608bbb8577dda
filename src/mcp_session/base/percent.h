// Percent-encoding, as URIs have it (RFC 3986, 2.1).
#ifndef MCP_SESSION_BASE_PERCENT_H_
#define MCP_SESSION_BASE_PERCENT_H_

#include <optional>
#include <string>
#include <string_view>

namespace mcp_session {

// The bytes that `text` stands for, any of them; nullopt: a '%' without two hexadecimal digits
// behind it. '+' is '+'.
std::optional<std::string> PercentDecode(std::string_view text);

}  // namespace mcp_session

#endif  // MCP_SESSION_BASE_PERCENT_H_

// UTF-8, as reading and writing JSON both check it.
#ifndef MCP_SESSION_JSON_UTF8_H_
#define MCP_SESSION_JSON_UTF8_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mcp_session {

// The length of the UTF-8 sequence that starts at `at`, or 0 if there is none (RFC 3629: no
// overlong forms, no surrogates, nothing above U+10FFFF).
std::size_t Utf8Length(std::string_view text, std::size_t at);

// Appends a code point, which must be a valid one.
void AppendUtf8(std::uint32_t code_point, std::string* out);

}  // namespace mcp_session

#endif  // MCP_SESSION_JSON_UTF8_H_

// Whole numbers as digits and nothing else.
#ifndef MCP_SESSION_BASE_DECIMAL_H_
#define MCP_SESSION_BASE_DECIMAL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mcp_session {

// nullopt: no digits, something else than digits, or more than 63 bits. (std::from_chars is ten
// times the code in WebAssembly.)
std::optional<std::int64_t> ParseDecimal(std::string_view text);

// Appends the digits of `value`. (std::to_chars brings tables along.)
void AppendDecimal(std::uint64_t value, std::string* out);

}  // namespace mcp_session

#endif  // MCP_SESSION_BASE_DECIMAL_H_

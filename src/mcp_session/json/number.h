// Doubles and decimal digits. The C library's strtod reads what the locale says and, in
// WebAssembly, brings 16 kB of 128-bit arithmetic along; std::from_chars and std::to_chars for
// doubles are not in its library, and nlohmann's tables are 2 kB of what a page downloads.
#ifndef MCP_SESSION_JSON_NUMBER_H_
#define MCP_SESSION_JSON_NUMBER_H_

#include <optional>
#include <string>
#include <string_view>

namespace mcp_session {

// `text` is a number in JSON's grammar. Rounds half to even, for any number of digits. nullopt: it
// is larger than any double.
std::optional<double> ParseDouble(std::string_view text);

// Appends the fewest digits whose rounding reads back as the same double, as 0.1, 95.5, 1e+21 or
// 2.5e-07. `value` is finite.
void AppendDouble(double value, std::string* out);

}  // namespace mcp_session

#endif  // MCP_SESSION_JSON_NUMBER_H_

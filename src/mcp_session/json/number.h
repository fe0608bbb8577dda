// From decimal digits to the nearest double. The C library's strtod reads what the locale says
// and, in WebAssembly, brings 16 kB of 128-bit arithmetic along; std::from_chars is not in its
// library.
#ifndef MCP_SESSION_JSON_NUMBER_H_
#define MCP_SESSION_JSON_NUMBER_H_

#include <optional>
#include <string_view>

namespace mcp_session {

// `text` is a number in JSON's grammar. Rounds half to even, for any number of digits. nullopt: it
// is larger than any double.
std::optional<double> ParseDouble(std::string_view text);

}  // namespace mcp_session

#endif  // MCP_SESSION_JSON_NUMBER_H_

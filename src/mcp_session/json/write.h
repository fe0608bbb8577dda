// Value to text, appended to a string that the caller is already building.
#ifndef MCP_SESSION_JSON_WRITE_H_
#define MCP_SESSION_JSON_WRITE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "mcp_session/json/json.h"

namespace mcp_session {

// Appends `value` as one line of JSON. False, with `out` as it was, if the value has no JSON
// form: text that is not UTF-8, NaN or an infinity. (Never null or U+FFFD in its place: what is
// written reads back as what it was.) Nesting is bounded by what ParseJson admits or the program
// itself built.
[[nodiscard]] bool AppendJson(const Json& value, std::string* out);

// Appends `text` as a JSON string; false, with `out` as it was, if it is not UTF-8.
[[nodiscard]] bool AppendJsonString(std::string_view text, std::string* out);

void AppendInteger(std::int64_t value, std::string* out);

}  // namespace mcp_session

#endif  // MCP_SESSION_JSON_WRITE_H_

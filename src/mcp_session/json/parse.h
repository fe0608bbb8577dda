// Text to value, with every check a hostile text needs.
#ifndef MCP_SESSION_JSON_PARSE_H_
#define MCP_SESSION_JSON_PARSE_H_

#include <string_view>

#include "mcp_session/base/limits.h"
#include "mcp_session/base/result.h"
#include "mcp_session/json/json.h"

namespace mcp_session {

// Reads one JSON text (RFC 8259, UTF-8, no byte order mark). Time and memory are linear in the
// size of the text, whatever is in it.
//   kTooLarge    more than limits.max_message_bytes
//   kParseError  not JSON, not UTF-8, a member named twice in one object, deeper than
//                limits.max_json_depth, more than limits.max_json_values values, a number that
//                no double holds
// Integers that fit 64 bits are kept exactly.
Result<Json> ParseJson(std::string_view text, const Limits& limits = {});

}  // namespace mcp_session

#endif  // MCP_SESSION_JSON_PARSE_H_

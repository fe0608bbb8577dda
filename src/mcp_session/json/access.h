// Reading members of a value whose shape nobody vouches for. Nothing here fails: what is absent
// or of another type is simply not found.
#ifndef MCP_SESSION_JSON_ACCESS_H_
#define MCP_SESSION_JSON_ACCESS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "mcp_session/json/json.h"

namespace mcp_session {

// The member `name` of `object`; null when `object` is no object or has no such member. The
// pointer lives as long as the object is not changed.
const Json* Find(const Json& object, std::string_view name);
Json* Find(Json& object, std::string_view name);

// The same, only if the member has that type.
const std::string* FindString(const Json& object, std::string_view name);
// A copy of the text; empty if there is none.
std::string StringOrEmpty(const Json& object, std::string_view name);
const Json* FindObject(const Json& object, std::string_view name);
const Json* FindArray(const Json& object, std::string_view name);
std::optional<bool> FindBool(const Json& object, std::string_view name);
// A whole number within 64 bits; 2.0 counts, 2.5 does not.
std::optional<std::int64_t> FindInteger(const Json& object, std::string_view name);
std::optional<double> FindNumber(const Json& object, std::string_view name);

// `value` itself, if it has that type.
const std::string* AsString(const Json& value);
std::optional<std::int64_t> AsInteger(const Json& value);

// Moves the member out of `object` (which keeps a null in its place); null if there is none.
Json Take(Json& object, std::string_view name);

}  // namespace mcp_session

#endif  // MCP_SESSION_JSON_ACCESS_H_

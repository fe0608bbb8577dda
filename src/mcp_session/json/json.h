// The JSON value of this library: nlohmann's, with members in the order they came (a form made
// from a schema shows its fields as its author wrote them).
//
// Text becomes a value only through json/parse.h, members are read only through json/access.h,
// a value becomes text only through json/write.h. nlohmann's own at(), get<T>() and value() end
// the program on unexpected input where exceptions are off, so they are not used on input.
#ifndef MCP_SESSION_JSON_JSON_H_
#define MCP_SESSION_JSON_JSON_H_

#include <nlohmann/json.hpp>

namespace mcp_session {

using Json = nlohmann::ordered_json;

// {} and []. Json::object() and Json::array() would do, but bring nlohmann's initializer lists
// along, which are not small.
inline Json EmptyObject() { return Json(Json::value_t::object); }
inline Json EmptyArray() { return Json(Json::value_t::array); }

}  // namespace mcp_session

#endif  // MCP_SESSION_JSON_JSON_H_

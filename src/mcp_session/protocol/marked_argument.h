// Arguments that a tool's input schema marks with x-mcp-header (spec S-37, S-38).
#ifndef MCP_SESSION_PROTOCOL_MARKED_ARGUMENT_H_
#define MCP_SESSION_PROTOCOL_MARKED_ARGUMENT_H_

#include <string>
#include <vector>

#include "mcp_session/base/result.h"
#include "mcp_session/json/json.h"

namespace mcp_session {

struct MarkedArgument {
  std::vector<std::string> path;  // from property to property
  std::string header;             // without Mcp-Param-
};

// What `input_schema` marks, properties of properties too. kInvalidArgument: a mark for which
// clients drop the tool (S-38).
Result<std::vector<MarkedArgument>> FindMarkedArguments(const Json& input_schema);

// The argument, or null if it is absent or null.
const Json* FindMarked(const Json& arguments, const MarkedArgument& marked);

}  // namespace mcp_session

#endif  // MCP_SESSION_PROTOCOL_MARKED_ARGUMENT_H_

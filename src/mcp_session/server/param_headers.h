// Arguments that an input schema marks with x-mcp-header, and the headers that repeat them (spec
// S-37 to S-39). Private to this folder.
#ifndef MCP_SESSION_SERVER_PARAM_HEADERS_H_
#define MCP_SESSION_SERVER_PARAM_HEADERS_H_

#include <string>
#include <vector>

#include "mcp_session/base/result.h"
#include "mcp_session/json/json.h"
#include "mcp_session/protocol/http.h"

namespace mcp_session {

struct MarkedArgument {
  std::vector<std::string> path;  // from property to property
  std::string header;             // without Mcp-Param-
};

// What `input_schema` marks, properties of properties too. kInvalidArgument: a mark for which
// clients would drop the tool (S-38).
Result<std::vector<MarkedArgument>> FindMarkedArguments(const Json& input_schema);

// kHeaderMismatch unless each of the headers says what `arguments` says.
Result<void> CheckParamHeaders(const std::vector<MarkedArgument>& marked, const Json& arguments,
                               const HttpRequest& http);

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_PARAM_HEADERS_H_

// The headers that repeat arguments which an input schema marks with x-mcp-header (spec S-37 to
// S-39). Private to this folder.
#ifndef MCP_SESSION_SERVER_PARAM_HEADERS_H_
#define MCP_SESSION_SERVER_PARAM_HEADERS_H_

#include <vector>

#include "mcp_session/base/result.h"
#include "mcp_session/json/json.h"
#include "mcp_session/protocol/http.h"
#include "mcp_session/protocol/marked_argument.h"

namespace mcp_session {

// kHeaderMismatch unless each of the headers says what `arguments` says.
Result<void> CheckParamHeaders(const std::vector<MarkedArgument>& marked, const Json& arguments,
                               const HttpRequest& http);

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_PARAM_HEADERS_H_

// What clients can do, and what tools need of them. Private to this folder.
#ifndef MCP_SESSION_SERVER_CLIENT_CAPABILITIES_H_
#define MCP_SESSION_SERVER_CLIENT_CAPABILITIES_H_

#include "mcp_session/json/json.h"
#include "mcp_session/server/mcp_server.h"

namespace mcp_session {

// The ClientCapabilities object of the request, or of the session it belongs to.
Json ClientCapabilities(const Call& call);

// Whether `declared` has every member of `required`, those within members too. An elicitation
// without a mode is one by form (spec M-03).
bool HasCapabilities(const Json& declared, const Json& required);

// Ends `call`, whose client did not declare `required`, which has a JSON form.
void RefuseForCapabilities(McpServer::State& server, const Call& call, const Json& required);

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_CLIENT_CAPABILITIES_H_

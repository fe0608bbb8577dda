// What can be asked of a server, once for both faces of a client: each function is one of
// McpClient's (mcp_session/client/mcp_client.h), to be called on the loop's thread.
#ifndef MCP_SESSION_CLIENT_HOST_CLIENT_OPERATION_H_
#define MCP_SESSION_CLIENT_HOST_CLIENT_OPERATION_H_

#include <functional>
#include <optional>
#include <string>

#include "mcp_session/client/mcp_client.h"

namespace mcp_session {

using ClientOperation = std::function<CallId(McpClient& client, const CallOptions& options,
                                             Instant now, ClientEffects* effects)>;

// How a call is made. As CallOptions, but that progress has somewhere to go.
struct CallSettings {
  std::optional<Millis> timeout;
  bool repeatable = false;
  // {progress, total?, message?}, on the loop's thread; null: none is asked for.
  std::function<void(const Json& progress)> on_progress;
};

namespace client_operation {

ClientOperation ListTools();
ClientOperation ListResources();
ClientOperation ListResourceTemplates();
ClientOperation ListPrompts();
ClientOperation CallTool(std::string name, Json arguments);
ClientOperation ReadResource(std::string uri);
ClientOperation GetPrompt(std::string name, Json arguments);
ClientOperation Complete(Json ref, std::string argument, std::string typed, Json chosen);
ClientOperation Subscribe(Subscription wanted);
ClientOperation Call(std::string method, Json params);
ClientOperation Ping();

}  // namespace client_operation
}  // namespace mcp_session

#endif  // MCP_SESSION_CLIENT_HOST_CLIENT_OPERATION_H_

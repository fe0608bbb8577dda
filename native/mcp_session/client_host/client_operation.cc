#include "mcp_session/client_host/client_operation.h"

#include <utility>

namespace mcp_session::client_operation {
namespace {

using ListFunction = CallId (McpClient::*)(const CallOptions&, Instant, ClientEffects*);

ClientOperation List(ListFunction list) {
  return [list](McpClient& client, const CallOptions& options, Instant now,
                ClientEffects* effects) { return (client.*list)(options, now, effects); };
}

}  // namespace

ClientOperation ListTools() { return List(&McpClient::ListTools); }
ClientOperation ListResources() { return List(&McpClient::ListResources); }
ClientOperation ListResourceTemplates() { return List(&McpClient::ListResourceTemplates); }
ClientOperation ListPrompts() { return List(&McpClient::ListPrompts); }

ClientOperation CallTool(std::string name, Json arguments) {
  return [name = std::move(name), arguments = std::move(arguments)](
             McpClient& client, const CallOptions& options, Instant now, ClientEffects* effects) {
    return client.CallTool(name, arguments, options, now, effects);
  };
}

ClientOperation ReadResource(std::string uri) {
  return [uri = std::move(uri)](McpClient& client, const CallOptions& options, Instant now,
                                ClientEffects* effects) {
    return client.ReadResource(uri, options, now, effects);
  };
}

ClientOperation GetPrompt(std::string name, Json arguments) {
  return [name = std::move(name), arguments = std::move(arguments)](
             McpClient& client, const CallOptions& options, Instant now, ClientEffects* effects) {
    return client.GetPrompt(name, arguments, options, now, effects);
  };
}

ClientOperation Complete(Json ref, std::string argument, std::string typed, Json chosen) {
  return [ref = std::move(ref), argument = std::move(argument), typed = std::move(typed),
          chosen = std::move(chosen)](McpClient& client, const CallOptions& options, Instant now,
                                      ClientEffects* effects) {
    return client.Complete(ref, argument, typed, chosen, options, now, effects);
  };
}

ClientOperation Subscribe(Subscription wanted) {
  return [wanted = std::move(wanted)](McpClient& client, const CallOptions& options, Instant now,
                                      ClientEffects* effects) {
    return client.Subscribe(wanted, options, now, effects);
  };
}

ClientOperation Call(std::string method, Json params) {
  return [method = std::move(method), params = std::move(params)](
             McpClient& client, const CallOptions& options, Instant now, ClientEffects* effects) {
    return client.Call(method, params, options, now, effects);
  };
}

ClientOperation Ping() {
  return [](McpClient& client, const CallOptions&, Instant now, ClientEffects* effects) {
    return client.Ping(now, effects);
  };
}

}  // namespace mcp_session::client_operation

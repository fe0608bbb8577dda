// What the copies of a ToolCall share. Private to this folder.
#ifndef MCP_SESSION_SERVER_TOOL_STATE_H_
#define MCP_SESSION_SERVER_TOOL_STATE_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mcp_session/server/mcp_server.h"
#include "mcp_session/server/tool.h"

namespace mcp_session {

struct RegisteredTool {
  Tool tool;
  ToolHandler handler;
};

struct ToolCall::State : std::enable_shared_from_this<ToolCall::State> {
  State(std::weak_ptr<McpServer::State> server_in, std::shared_ptr<const RegisteredTool> tool_in,
        Call call_in);
  ~State();  // answers a call that its handler dropped

  std::weak_ptr<McpServer::State> server;  // a handler may keep a call longer than that
  std::shared_ptr<const RegisteredTool> tool;
  Call call;
  Json arguments = EmptyObject();

  Json value = EmptyObject();  // the state
  // What is in the store, to see whether the state changed; null and no version: nothing is.
  std::shared_ptr<const std::string> stored;
  std::optional<std::uint64_t> version;
  std::string handle;
  std::vector<HandleInfo> handles;
  bool end_handle = false;

  int runs = 0;            // how often the handler was called, for conflicts
  bool running = false;    // the handler was called and has not answered
  bool replied = false;    // it has
  bool cancelled = false;  // the client gave up
  ToolResult result;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_TOOL_STATE_H_

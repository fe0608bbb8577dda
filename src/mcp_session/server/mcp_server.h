// McpServer: a Model Context Protocol server without its sockets. Register tools, hand it events,
// do its effects. The hosts (native/mcp_session/http, stdio; the JavaScript package) do the last
// two for you.
#ifndef MCP_SESSION_SERVER_MCP_SERVER_H_
#define MCP_SESSION_SERVER_MCP_SERVER_H_

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

#include "mcp_session/server/tool.h"
#include "mcp_session/session/server_engine.h"

namespace mcp_session {

class McpServer {
 public:
  // `store` and `entropy` must outlive the server, which takes the store's OnReady and is the only
  // one to submit to it and drain it.
  McpServer(ServerOptions options, SessionStore& store, Entropy& entropy);
  ~McpServer();
  McpServer(const McpServer&) = delete;
  McpServer& operator=(const McpServer&) = delete;

  // Registers a tool; tools are listed in this order. kInvalidArgument: a bad name, a name taken,
  // or a schema that is no object schema. The handler takes a ToolCall and answers by
  // call.Reply, or takes a ToolCall& and returns the ToolResult.
  template <typename Handler>
  Result<void> AddTool(Tool tool, Handler handler) {
    if constexpr (std::is_invocable_r_v<ToolResult, Handler&, ToolCall&>) {
      return Register(std::move(tool), [handler = std::move(handler)](ToolCall call) mutable {
        call.Reply(handler(call));
      });
    } else {
      return Register(std::move(tool), std::move(handler));
    }
  }

  // Something happened; appends what is to be done about it. `now` never goes back.
  void Handle(const Event& event, Instant now, Effects* effects);

  // When to send event::Woken next; kNever if nothing waits for time to pass.
  Instant NextDeadline() const;

  // Requests whose answers have not gone out yet: a host that ends may wait for them.
  std::size_t open_calls() const;

  // A handler answered, or reported progress, outside of Handle, or the store has replies: `wake`
  // is called, once until the next Handle, so that the host sends event::Woken. Without one the
  // effects wait for the next event.
  void OnWake(std::function<void()> wake);

  // Runs every handler through `guard`; the place to catch what handlers throw. False means that
  // the handler failed: unless it has answered, the server does so with an error. By default they
  // are called directly.
  using HandlerGuard = std::function<bool(HandlerRun handler)>;
  void GuardHandlers(HandlerGuard guard);

 private:
  friend class Feature;
  friend class HandlerCall;
  friend class Tools;
  class State;
  Result<void> Register(Tool tool, ToolHandler handler);
  std::shared_ptr<State> state_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_MCP_SERVER_H_

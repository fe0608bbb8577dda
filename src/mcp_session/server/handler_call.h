// What every handler is handed: the request it answers. ToolCall (tool.h) and the calls of the
// other features add their arguments and how to answer.
#ifndef MCP_SESSION_SERVER_HANDLER_CALL_H_
#define MCP_SESSION_SERVER_HANDLER_CALL_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "mcp_session/json/json.h"
#include "mcp_session/protocol/log_level.h"
#include "mcp_session/protocol/version.h"
#include "mcp_session/session/ids.h"

namespace mcp_session {

// Copies share the call. A handler that cannot answer at once keeps a copy and answers later, on
// the same thread; the last copy dropped without an answer ends the call with an internal error,
// so that no client waits for ever.
class HandlerCall {
 public:
  struct State;  // the inside, for the features

  // The client is told, if it asked to be. `progress` must grow from call to call (spec P-03);
  // what does not is dropped. `total` and `message` may be absent.
  void Progress(double progress, std::optional<double> total = std::nullopt,
                std::string_view message = {});

  // A log message for the client, if the server serves logging (McpServer::ServeLogging) and the
  // client wants messages of this level: sent before the answer, on the same stream. No secrets
  // (spec P-05). `logger` may be empty.
  void Log(LogLevel level, std::string_view logger, const Json& data);

  // Lets go of the client's connection, for a call that takes long: the client comes back for the
  // answer, and for what is sent before it, after ServerOptions::retry. Nothing happens if it
  // cannot (ServerOptions::resumable).
  void CloseStream();

  // True once the client gave up: work can stop, and the answer is ignored.
  bool cancelled() const;

  Era era() const;
  // What the client declared that it can do, with this request or in initialize: an object,
  // {"sampling":{}} for instance. Made anew each time.
  Json client_capabilities() const;
  // The caller's verified identity; empty without authentication.
  const std::string& principal() const;
  CallId id() const;

 protected:
  explicit HandlerCall(std::shared_ptr<State> state);

  // The handler has answered, for the first time; what, is in `state_`.
  void Answered();

  std::shared_ptr<State> state_;
};

// A handler with the call it is to be called with.
struct HandlerRun {
  void (*run)(const void* with);
  const void* with;

  void operator()() const { run(with); }
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_HANDLER_CALL_H_

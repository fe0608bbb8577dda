// BlockingClient: an MCP client for plain C++ code: call, wait, have the answer.
//
//   auto client = BlockingClient::Make(
//       [](auto& loop) { return MakeHttpLink(loop, {.url = "https://mcp.example/mcp"}); },
//       {.name = "shop", .version = "1"});
//   ClientResult<Json> sum = (*client)->CallTool("add", {{"a", 1}, {"b", 2}});
//
// The rules are those of AwaitableClient. Any number of threads may call it at once. It lives on a
// thread of its own, where its handlers and on_progress are called too, which must not call it
// back. Whoever destroys this waits for that thread; no call may be open then. No session is ended
// by that, but a server that is our child is stopped.
#ifndef MCP_SESSION_CLIENT_HOST_BLOCKING_CLIENT_H_
#define MCP_SESSION_CLIENT_HOST_BLOCKING_CLIENT_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "mcp_session/base/result.h"
#include "mcp_session/client_host/client_host.h"

namespace mcp_session {

class BlockingClient {
 public:
  // Makes the link that is to live on `loop`, or says why not.
  using MakeLink =
      std::function<Result<std::unique_ptr<ClientLink>>(boost::asio::io_context& loop)>;

  // Calls `make`, then starts the thread. Asks no server yet.
  static Result<std::unique_ptr<BlockingClient>> Make(const MakeLink& make, ClientOptions options,
                                                      ClientHandlers handlers = {});
  ~BlockingClient();
  BlockingClient(const BlockingClient&) = delete;
  BlockingClient& operator=(const BlockingClient&) = delete;

  ClientResult<client_effect::Opened> Open();

  ClientResult<Json> ListTools(const CallSettings& settings = {});
  ClientResult<Json> ListResources(const CallSettings& settings = {});
  ClientResult<Json> ListResourceTemplates(const CallSettings& settings = {});
  ClientResult<Json> ListPrompts(const CallSettings& settings = {});
  ClientResult<Json> CallTool(std::string name, Json arguments = {},
                              const CallSettings& settings = {});
  ClientResult<Json> ReadResource(std::string uri, const CallSettings& settings = {});
  ClientResult<Json> GetPrompt(std::string name, Json arguments = {},
                               const CallSettings& settings = {});
  ClientResult<Json> Complete(Json ref, std::string argument, std::string typed, Json chosen = {},
                              const CallSettings& settings = {});
  // What it hears goes to ClientHandlers::on_notification.
  ClientResult<Json> Subscribe(Subscription wanted, const CallSettings& settings = {});
  ClientResult<Json> Call(std::string method, Json params = {}, const CallSettings& settings = {});
  ClientResult<Json> Ping();

  // Ends the session and the link. Whatever is called after fails with kCancelled; open calls do.
  void Close();

  // What the last opening found; nullopt unless open. For EncodeSavedSession.
  std::optional<client_effect::Opened> session();

 private:
  class State;
  explicit BlockingClient(std::unique_ptr<State> state);
  ClientResult<Json> Run(ClientOperation operation, const CallSettings& settings);

  std::unique_ptr<State> state_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_CLIENT_HOST_BLOCKING_CLIENT_H_

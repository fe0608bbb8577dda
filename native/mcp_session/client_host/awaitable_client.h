// AwaitableClient: an MCP client for coroutines of Boost.Asio.
//
//   auto link = MakeHttpLink(loop, {.url = "https://mcp.example/mcp"});
//   AwaitableClient client(loop, std::move(*link), {.name = "shop", .version = "1"});
//   ClientResult<Json> sum = co_await client.CallTool("add", {{"a", 1}, {"b", 2}});
//
// The first call connects. What each call answers, and with which errors it fails, is said in
// mcp_session/client/mcp_client.h and session/client_event.h. Any number of coroutines may call it
// at once, all on the thread of its loop. A call that is cancelled as Asio cancels answers
// kCancelled, and the server is told. So does every open call when this is destroyed, which ends
// no session.
#ifndef MCP_SESSION_CLIENT_HOST_AWAITABLE_CLIENT_H_
#define MCP_SESSION_CLIENT_HOST_AWAITABLE_CLIENT_H_

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>

#include "mcp_session/client_host/client_host.h"

namespace mcp_session {

class AwaitableClient {
 public:
  template <typename T>
  using Awaitable = boost::asio::awaitable<T>;

  // As for ClientHost.
  AwaitableClient(boost::asio::io_context& loop, std::unique_ptr<ClientLink> link,
                  ClientOptions options, ClientHandlers handlers = {});

  Awaitable<ClientResult<client_effect::Opened>> Open();

  Awaitable<ClientResult<Json>> ListTools(CallSettings settings = {});
  Awaitable<ClientResult<Json>> ListResources(CallSettings settings = {});
  Awaitable<ClientResult<Json>> ListResourceTemplates(CallSettings settings = {});
  Awaitable<ClientResult<Json>> ListPrompts(CallSettings settings = {});
  Awaitable<ClientResult<Json>> CallTool(std::string name, Json arguments = {},
                                         CallSettings settings = {});
  Awaitable<ClientResult<Json>> ReadResource(std::string uri, CallSettings settings = {});
  Awaitable<ClientResult<Json>> GetPrompt(std::string name, Json arguments = {},
                                          CallSettings settings = {});
  Awaitable<ClientResult<Json>> Complete(Json ref, std::string argument, std::string typed,
                                         Json chosen = {}, CallSettings settings = {});
  // What it hears goes to ClientHandlers::on_notification.
  Awaitable<ClientResult<Json>> Subscribe(Subscription wanted, CallSettings settings = {});
  Awaitable<ClientResult<Json>> Call(std::string method, Json params = {},
                                     CallSettings settings = {});
  Awaitable<ClientResult<Json>> Ping();

  // Ends the session and the link. Whatever is called after fails with kCancelled.
  Awaitable<void> Close();

  // What the last opening found; nullopt unless open. For EncodeSavedSession.
  std::optional<client_effect::Opened> session() const { return host_->session(); }

 private:
  std::shared_ptr<ClientHost> host_;  // whoever waits refers to it weakly
};

}  // namespace mcp_session

#endif  // MCP_SESSION_CLIENT_HOST_AWAITABLE_CLIENT_H_

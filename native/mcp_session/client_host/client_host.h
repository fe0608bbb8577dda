// ClientHost: an McpClient on an event loop. What AwaitableClient and BlockingClient share: a call
// goes in with somebody who waits for its answer, the link carries the messages, the loop's timer
// keeps the deadlines, and the application's handlers answer what the server asks.
//
// It belongs to one loop; everything is called and answered on the loop's thread, answers in a
// later turn. On a channel it starts the server when it is first needed, and again after it has
// ended (spec T-05); one that ends at the question for its era is started once more, as an older
// one.
#ifndef MCP_SESSION_CLIENT_HOST_CLIENT_HOST_H_
#define MCP_SESSION_CLIENT_HOST_CLIENT_HOST_H_

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <variant>

#include "mcp_session/client_host/client_link.h"
#include "mcp_session/client_host/client_operation.h"
#include "mcp_session/client_host/client_result.h"

namespace boost::asio {
class io_context;
}

namespace mcp_session {

// Answers what a server asks (client_effect::Asked): a result, or why there is none. It may wait,
// and is cancelled as Asio cancels when nobody waits for the answer any more. One that throws has
// answered with an internal error.
using QuestionHandler =
    std::function<boost::asio::awaitable<std::variant<Json, RpcError>>(Json params)>;

// One that need not wait.
QuestionHandler AnswerAtOnce(
    std::function<std::variant<Json, RpcError>(const Json& params)> answer);

// What the application does for servers, and hears of them. On the loop's thread. With any of the
// first four a session has a stream by GET (ClientOptions::listens).
struct ClientHandlers {
  // A handler declares its capability, as {} unless ClientOptions::capabilities says more.
  QuestionHandler sampling;     // sampling/createMessage
  QuestionHandler elicitation;  // elicitation/create
  QuestionHandler roots;        // roots/list
  // Any notification of the server but progress; params are an object or null. Also
  // notifications/subscriptions/acknowledged, whenever a subscription was interrupted and goes on
  // (McpClient::Subscribe).
  std::function<void(std::string_view method, const Json& params)> on_notification;
  // The server no longer knows the session; see client_effect::SessionLost.
  std::function<void()> on_session_lost;
};

class ClientHost {
 public:
  using Answer = std::function<void(ClientResult<Json> result)>;
  using Opened = std::function<void(ClientResult<client_effect::Opened> opened)>;

  // `loop` must outlive this. `options` are those of the client; its transport is the link's.
  ClientHost(boost::asio::io_context& loop, std::unique_ptr<ClientLink> link, ClientOptions options,
             ClientHandlers handlers);
  // Ends no session: it can be gone on with. Whoever waits is answered kCancelled.
  ~ClientHost();
  ClientHost(const ClientHost&) = delete;
  ClientHost& operator=(const ClientHost&) = delete;

  void Open(Opened opened);
  // The number is for Cancel.
  std::uint64_t Run(ClientOperation operation, const CallSettings& settings, Answer answer);
  // Whoever waits for this is answered kCancelled, and the server is told.
  void Cancel(std::uint64_t number);
  // Ends the session and the link; `closed` once both are gone.
  void Close(std::function<void()> closed);

  // What the last opening found; nullopt unless open.
  std::optional<client_effect::Opened> session() const;

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_CLIENT_HOST_CLIENT_HOST_H_

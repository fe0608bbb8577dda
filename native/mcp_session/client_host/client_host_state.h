// What a ClientHost keeps and does, for the two files that implement it and nobody else:
//   client_host.cc     calls, what the application is told and asked, time
//   client_opening.cc  the server is found: links, eras, and what was wrong about them
#ifndef MCP_SESSION_CLIENT_HOST_CLIENT_HOST_STATE_H_
#define MCP_SESSION_CLIENT_HOST_CLIENT_HOST_STATE_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "mcp_session/client_host/client_host.h"
#include "mcp_session/system/clock.h"

namespace mcp_session {

// Theory of operation. Each function of the client is called in a Turn, which does the effects it
// brought: those of the link at once, those of the application in turns of their own, in order, so
// that no caller is called from inside its own call. On a channel calls wait in queued_ until the
// server has been started and the client is open; over HTTP the client itself lets them wait.
//
// A client begins with what the link remembers of its server (EraMemory). If that was wrong, or the
// server turns out to be one of HTTP+SSE, another client takes its place (Change), maybe over
// another link; calls that waited for the opening are asked of that one.
class ClientHost::State : public std::enable_shared_from_this<ClientHost::State> {
 public:
  State(boost::asio::io_context& loop, std::unique_ptr<ClientLink> link, ClientOptions options,
        ClientHandlers handlers);

  void Begin();
  void Open(Opened opened);
  std::uint64_t Run(ClientOperation operation, const CallSettings& settings, Answer answer);
  void Cancel(std::uint64_t number);
  void Close(std::function<void()> closed);
  // The host is gone, the loop may not be.
  void Abandon();
  std::optional<client_effect::Opened> session() const;

 private:
  using Outcome = std::variant<Json, RpcError>;

  struct Waiting {
    CallId call;  // 0: queued
    ClientOperation operation;
    CallSettings settings;
    Answer answer;
  };

  // --- client_host.cc ---
  template <typename Step>
  void Turn(Step step) {
    if (link_ == nullptr) return;
    ClientEffects effects;
    step(MonotonicNow(), &effects);
    for (ClientEffect& effect : effects) Do(effect);
    SetTimer();
    if (client_->wants_channel() && !closing_) StartOpening();
  }
  void Later(std::function<void()> what);
  void OnEvent(ClientEvent event);
  void Send(std::uint64_t number);
  void Finish(std::uint64_t number, ClientResult<Json> result);
  std::uint64_t NumberOf(CallId call) const;
  void Do(ClientEffect& effect);
  void Ask(client_effect::Asked asked);
  void SetTimer();

  // --- client_opening.cc ---
  void MakeClient();
  void StartOpening();
  void TryToOpen();
  void EndOpening(const ClientResult<client_effect::Opened>& opened);
  void FailOpening(Error error);
  void HaveOpened(const client_effect::Opened& opened);
  // A call is over; null: with a result.
  void HaveAnswered(const Error* error);
  // Makes another client, over `link` if it is not null, in a later turn.
  void Change(std::unique_ptr<ClientLink> link);
  void Changed();
  bool over_http() const { return link_->transport() == ClientTransport::kHttp; }

  boost::asio::io_context& loop_;
  std::unique_ptr<ClientLink> link_;   // null: the host is gone
  std::unique_ptr<ClientLink> newer_;  // the one that was given, if link_ is what it fell back to
  std::unique_ptr<ClientLink> next_;   // for Changed
  const ClientHandlers handlers_;
  const ClientOptions options_;
  std::optional<client_effect::Opened> resume_;  // for the first client
  std::optional<McpClient> client_;
  boost::asio::steady_timer timer_;
  Instant timer_at_ = kNever;
  std::uint64_t last_number_ = 0;
  std::map<std::uint64_t, Waiting> waiting_;
  std::map<std::uint64_t, std::uint64_t> numbers_;  // by CallId
  std::vector<std::uint64_t> queued_;
  std::map<std::uint64_t, std::shared_ptr<boost::asio::cancellation_signal>> questions_;
  std::vector<Opened> openers_;
  std::vector<std::function<void()>> closers_;
  std::optional<Error> refusal_;  // how an opening over newer_ failed
  bool started_ = false;          // a channel
  bool opening_ = false;
  bool closing_ = false;
  bool closed_ = false;
  std::optional<Era> guess_;  // what the link remembers, while it may be wrong
  bool asks_ = false;         // the server is asked before the client says that it is open
  bool remembers_ = true;     // it has not been wrong
  bool wrong_ = false;        // another client is made when nobody waits for this one
  bool settled_ = false;      // it has been open, so what it is asked is not asked of another
  bool changing_ = false;     // calls wait for another client
  int tries_ = 0;
};

// A request that nobody waits for any more.
ClientError GivenUp();

}  // namespace mcp_session

#endif  // MCP_SESSION_CLIENT_HOST_CLIENT_HOST_STATE_H_

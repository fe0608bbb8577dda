// What a client listens for, and how it keeps listening (spec section 9, F-07, F-10).
#ifndef MCP_SESSION_CLIENT_SUBSCRIPTION_H_
#define MCP_SESSION_CLIENT_SUBSCRIPTION_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/session/client_engine.h"

namespace mcp_session {

struct Subscription {
  bool tools = false;             // what tools there are
  bool prompts = false;           // what prompts there are
  bool resources = false;         // what resources and templates there are
  std::vector<std::string> uris;  // what these resources hold
};

// Private to McpClient.
//
// Theory of operation.
//   kNone       nothing is wanted
//   kWaiting    for the client to be open, or for retry_at_
//   kAsking     stateless: subscriptions/listen is not acknowledged yet (U-02). In a session:
//               resources/unsubscribe and subscribe are under way, one after the other.
//   kListening  acknowledged
// What ends it but the application leads back to kWaiting; before the first acknowledgment it fails
// the application's call instead, and nothing is wanted.
class Subscriber {
 public:
  static constexpr std::size_t kMaxUris = 1000;

  // What each function works with.
  struct Turn {
    ClientEngine& engine;
    std::uint64_t& last_call;
    const client_effect::Opened* opened;  // null unless open
    Instant now;
    ClientEffects* effects;
  };

  explicit Subscriber(ClientTransport transport) : transport_(transport) {}

  // Takes the place of what was wanted before. `timeout` is for the first acknowledgment, which
  // answers `call`.
  void Subscribe(CallId call, Subscription wanted, Millis timeout, const Turn& turn);
  // What is listened for: what was acknowledged once.
  const Subscription* current() const {
    return asker_.number == 0 && step_ != Step::kNone ? &wanted_ : nullptr;
  }
  // Listens for what another client listened for; soon.
  void TakeOver(Subscription wanted, const Turn& turn);
  // False: `call` is not one that waits here.
  bool Cancel(CallId call, const Turn& turn);

  void Opened(const Turn& turn);
  // The session or the channel is gone, or there will be none.
  void Lost(const Error& error, const Turn& turn);
  void Closed(const Turn& turn);
  void Woken(const Turn& turn);
  // Answered or Failed; false: not of a request of this.
  bool Ended(ClientEffect& end, const Turn& turn);
  // False: it is the application's too.
  bool Notified(const client_effect::Notified& notified, const Turn& turn);

  Instant deadline() const { return std::min(retry_at_, acknowledged_by_); }
  bool wants_channel() const { return wants_channel_; }

 private:
  enum class Step : std::uint8_t { kNone, kWaiting, kAsking, kListening };

  void Begin(const Turn& turn);
  void Listen(const Turn& turn);
  void GoOnInSession(const Turn& turn);
  void EndByServer(const Turn& turn);
  void Send(std::string_view method, Json params, const Turn& turn);
  void Drop(const Turn& turn);
  void Acknowledge(Json notifications, const Turn& turn);
  void Retry(const Turn& turn);
  void Fail(Error error, std::optional<RpcError> rpc, const Turn& turn);

  const ClientTransport transport_;
  Step step_ = Step::kNone;
  Subscription wanted_;
  CallId asker_;                         // the application's call that waits; 0: none
  CallId request_;                       // of the step; 0: none
  std::vector<CallId> own_;              // requests that have not ended
  std::optional<std::string> changing_;  // in a session: the URI that request_ is about
  bool adding_ = false;                  // which is subscribed to, not unsubscribed from
  std::vector<std::string> subscribed_;  // the session's
  std::vector<std::string> refused_;     // by it
  Instant acknowledged_by_ = kNever;
  Instant retry_at_ = kNever;
  Instant listening_since_;
  int tries_ = 0;  // that brought nothing
  bool heard_ = false;
  bool wants_channel_ = false;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_CLIENT_SUBSCRIPTION_H_

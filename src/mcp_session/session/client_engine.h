// ClientEngine: one client's side of MCP, both eras, over HTTP or over a channel. Events in,
// effects out; no sockets, no clock, no waiting.
//
// Theory of operation. The engine is closed, opening, open or closing.
//   closed   Open, or a Request, starts opening. Requests made while opening wait for its end.
//   opening  Steps: kProbe (server/discover; skipped if the era is fixed to handshake), then
//            either open (stateless) or kInitialize, then kInitialized (the notification) and
//            open. What an answer to the probe means is the table of spec section 13.
//   open     Each Request is one exchange (HTTP) or one message (channel) until it is answered.
//            A 404 to a request that named the session loses it: SessionLost is told and the
//            engine is closed, or opens a new session for what was refused (spec H-30). Requests
//            refused while that goes on, or after, share it.
//   closing  DELETE is under way; whatever waits fails with kCancelled.
// The era is asked for again only where an opening failed, initialize was refused that no probe
// came before, or the server was a stateless one (C-01, C-02). At most limits.max_calls_per_session
// requests wait at once, as many messages that need no answer are under way, and more of either are
// refused or left out.
#ifndef MCP_SESSION_SESSION_CLIENT_ENGINE_H_
#define MCP_SESSION_SESSION_CLIENT_ENGINE_H_

#include <memory>
#include <optional>
#include <string>

#include "mcp_session/base/limits.h"
#include "mcp_session/session/client_event.h"

namespace mcp_session {

enum class ClientTransport : std::uint8_t { kHttp, kChannel };

struct ClientOptions {
  std::string name = "mcp-session";  // clientInfo
  std::string version = "0.1.0";
  // Declare roots, sampling or elicitation (spec G-01) only with ClientEngine::AnswerQuestions.
  Json capabilities = EmptyObject();
  bool renews_session = true;  // see client_effect::SessionLost
  // Over HTTP, in a session: keep a stream by GET open for what the server says and asks beside
  // calls (spec H-50). A server that has none is not asked again in that session.
  bool listens = false;
  // What an earlier client was told by Opened: over HTTP the first opening is that session again,
  // without asking the server; on a channel only its era is taken from it.
  std::optional<client_effect::Opened> resume;
  ClientTransport transport = ClientTransport::kHttp;
  // nullopt: probe for the stateless era first, fall back to the handshake.
  std::optional<Era> era;
  // What an earlier client found of this server (C-01): where `era` is not set, kHandshake saves
  // the probe. If it is wrong over HTTP, the probe follows.
  std::optional<Era> expected_era;
  Millis probe_timeout = Seconds(5);      // no answer on a channel: a handshake-era server
  Millis request_timeout = Seconds(60);   // without an answer or progress
  Millis max_request_time = Minutes(10);  // whatever progress says (spec H-13)
  Limits limits;
};

class ClientEngine {
 public:
  explicit ClientEngine(ClientOptions options);
  ~ClientEngine();
  ClientEngine(const ClientEngine&) = delete;
  ClientEngine& operator=(const ClientEngine&) = delete;

  // The application answers Asked. Otherwise a server's request other than ping is refused (-32601)
  // and a result of type input_required is an answer like any other. Before the first event.
  void AnswerQuestions();

  // Appends what is to be done. `now` never goes back.
  void Handle(ClientEvent event, Instant now, ClientEffects* effects);

  // When to send Woken next; kNever if nothing waits for time to pass.
  Instant NextDeadline() const;

  // Lets a request wait for ever. One that is over is ignored.
  void KeepOpen(CallId call);
  // The id that a request goes by now, which what belongs to it may name (spec U-03). nullopt: it
  // is not sent, or over.
  std::optional<std::int64_t> WireIdOf(CallId call) const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SESSION_CLIENT_ENGINE_H_

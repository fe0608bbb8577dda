// ServerEngine: the protocol side of a server for both eras: HTTP exchanges and channels, message
// framing, handshake, sessions in the store, cancellation. What the requests mean (tools, ...) is
// the application's: the engine hands it calls and takes their answers. McpServer
// (server/mcp_server.h) is that application for everybody who just wants to register tools.
//
// Theory of operation. An HTTP POST goes through the checks of spec section 8 in their order and
// is refused by the first that fails. A stateless request then becomes a call at once. A
// handshake-era one first waits for its session's record; `initialize` waits for the new record.
// A call ends with Answer or Fail, or is cancelled by the client. Notifications about a call turn
// its JSON response into an event stream. What one peer can make the engine hold is bounded by
// Limits. A call may ask its client something; the answer is news.
//
// The engine submits to the store and handles its replies only when they are handed in, so the
// one who owns both drains the store (McpServer does).
#ifndef MCP_SESSION_SESSION_SERVER_ENGINE_H_
#define MCP_SESSION_SESSION_SERVER_ENGINE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "mcp_session/base/entropy.h"
#include "mcp_session/base/limits.h"
#include "mcp_session/base/result.h"
#include "mcp_session/base/time.h"
#include "mcp_session/json/json.h"
#include "mcp_session/protocol/http.h"
#include "mcp_session/protocol/log_level.h"
#include "mcp_session/protocol/message.h"
#include "mcp_session/protocol/version.h"
#include "mcp_session/session/effect.h"
#include "mcp_session/session/event.h"
#include "mcp_session/store/store.h"

namespace mcp_session {

// What a result is to a stateless client (spec J-08, M-02).
enum class ResultType : std::uint8_t { kComplete, kInputRequired, kTask };

struct ServerOptions {
  std::string name = "mcp-session";  // serverInfo
  std::string version = "0.1.0";
  std::string title;         // optional
  std::string instructions;  // for the model; optional
  HostPolicy hosts;          // default: any host and origin that names it; see LoopbackHosts()
  // Sessions end after this long without a request, and after max_life whatever happens.
  Lifetime session_lifetime{.idle_ttl = Minutes(30), .max_life = Hours(24)};
  // Where streams are kept (ServerEngine::KeepStreams): whether sessions of 2025-11-25 can resume
  // the streams of their answers, which the store then keeps while the call runs and for
  // `stream_time` after; a client that lost one comes back after `retry`.
  bool resumable = true;
  Millis stream_time = Minutes(5);
  Millis retry = Seconds(1);
  // How long a node that is gone is thought to work on its calls; the others tell their clients
  // then. What runs is touched three times as often.
  Millis node_time = Seconds(30);
  Limits limits;
};

// A record that a call needs first, read from the store together with its session.
struct ReadAhead {
  std::shared_ptr<const void> reader;  // FirstRecord::reader
  std::shared_ptr<StoreReply> reply;   // null: the store left it to the reader
};

// A request for the application, as the engine has checked it.
struct Call {
  CallId id;
  Revision revision = kNewestHandshake;
  LogLevel log_level = LogLevel::kNotSet;  // the session's
  std::string method;
  Json params;            // an object or null, with its _meta
  std::string principal;  // the caller's verified identity; empty without authentication
  std::string session;    // the session's id, a secret; empty in the stateless era
  // The session's record as it was when the call came (session_record.h); null: stateless.
  std::shared_ptr<const std::string> record = nullptr;
  ReadAhead ahead = {};  // empty if nothing was read

  Era era() const { return EraOf(revision); }
};

// Whose records a caller may touch: the principal's; without one the session's own, in the
// handshake era; without that it is empty: only what the caller has the id of.
std::string OwnerOf(std::string_view principal, std::string_view session);

// A caller whose verified identity is longer can own nothing and is refused (kForbidden).
inline constexpr std::size_t kMaxPrincipalBytes = 246;

// What the application is told, in order.
struct CallStarted {
  Call call;
};
// The client gave up, or went away in the stateless era. The call is over; nothing is sent for it.
struct CallCancelled {
  CallId id;
};
// A session was ended by its client: what it owned can go.
struct SessionEnded {
  std::string principal;
  std::string session;
};
// What became of a request to the client (Ask): its result, its error, or why there is neither:
// kTimeout.
struct ClientAnswered {
  CallId call;
  std::uint64_t number = 0;  // that Ask answered
  std::variant<Json, RpcError, ErrorCode> outcome;
};
// A session has a stream of its own here from now on (GET): what is pushed to it arrives.
struct SessionListens {
  std::string principal;
  std::string session;
};
using EngineNews =
    std::variant<CallStarted, CallCancelled, SessionEnded, ClientAnswered, SessionListens>;

// Calls that go on after their answer, as tasks do.
class LateAnswers {
 public:
  virtual ~LateAnswers() = default;
  // What Answer and Fail were given for a call that was over. In a turn or outside of one.
  virtual void Answered(CallId call, std::string_view members) = 0;
  virtual void Failed(CallId call, const RpcError& error) = 0;
};

// Says what calls need first, so that the store is asked for it before it is known whether there
// is their session, and a store far away is asked in one turn less.
class ReadsAhead {
 public:
  virtual ~ReadsAhead() = default;
  struct FirstRecord {
    RecordKey key;  // as in store::Get
    std::shared_ptr<const void> reader;
  };
  // Of a request in a session; nothing: none. `owner` is room for the key's.
  virtual std::optional<FirstRecord> FirstRecordOf(const std::string& principal,
                                                   const std::string& session,
                                                   const Request& request,
                                                   std::string* owner) const = 0;
};

class ServerEngine {
 public:
  // `store` and `entropy` must outlive the engine. Its tickets are even numbers.
  ServerEngine(ServerOptions options, SessionStore& store, Entropy& entropy);
  ~ServerEngine();
  ServerEngine(const ServerEngine&) = delete;
  ServerEngine& operator=(const ServerEngine&) = delete;

  // From now on initialize and server/discover tell this too: a member of the capabilities as JSON
  // text, `"tools":{}` for instance.
  void AddCapability(std::string_view member);

  // The same with an extension, which only server/discover tells: its name, and an object without
  // settings.
  void AddExtension(std::string_view name);

  // From now on answers to calls that are over go to `late`; they are ignored without it.
  void HearLate(LateAnswers& late);
  // From now on calls in sessions by HTTP come with what `reader` says, which must outlive this.
  void ReadFirst(const ReadsAhead& reader);
  // A number that no call has, had or will have.
  CallId DrawCallId();

  // From now on sessions by HTTP are what they can be: the store keeps the streams of answers so
  // that they can be resumed (ServerOptions::resumable), GET opens a session's own, and what comes
  // to another node reaches the call it is for. The store must have streams. Without this GET is
  // 405, and streams end with their connection. Before the first Handle.
  void KeepStreams();

  // Appends what the host and the application are to do.
  void Handle(const Event& event, Instant now, Effects* effects, std::vector<EngineNews>* news);

  // A reply to a command with one of the engine's tickets.
  void HandleReply(StoreReply reply, Instant now, Effects* effects, std::vector<EngineNews>* news);

  // Ends a call with its result. `members` is the inside of the result object as JSON text,
  // `"content":[...]` for instance; `meta` the inside of its _meta, or empty. The engine adds what
  // the era wants around them. A call that is over already is ignored.
  void Answer(CallId call, std::string_view members, std::string_view meta, Effects* effects,
              ResultType type = ResultType::kComplete);
  void Fail(CallId call, ErrorCode code, std::string_view message, Effects* effects);
  // The same with any error; `http_status` is for an answer that has not begun.
  void Fail(CallId call, const RpcError& error, int http_status, Effects* effects);

  // Tells the client how far a call is, if it asked to be told. Dropped if `progress` is no more
  // than the last one (spec P-03). An empty `message` is left out.
  void Progress(CallId call, double progress, std::optional<double> total, std::string_view message,
                Effects* effects);

  // A notification about a call, which goes where its answer will. `params` is an object as JSON
  // text. Dropped if the call is over.
  void Notify(CallId call, std::string_view method, std::string_view params, Effects* effects);

  // Asks the client something for a call, on the stream of its answer or on its channel, and
  // answers the request's number: a ClientAnswered with it follows, `time` after `now` at the
  // latest. If the call ends before, there is none, and the client is told that the request is
  // cancelled. `params` is an object as JSON text, or empty. That the client declared that it can
  // do this is the caller's to check (spec G-01). kCancelled: the call is over; kTooManyRequests:
  // Limits::max_requests_per_call; kInvalidArgument: stateless clients are never asked (J-10).
  Result<std::uint64_t> Ask(CallId call, std::string_view method, std::string_view params,
                            Millis time, Instant now, Effects* effects);

  // Ends the connection that the answer of a call goes to, but not its stream: the client comes
  // back for what follows when it likes, by GET with Last-Event-ID (spec H-47). False, and nothing
  // happens, if the stream cannot be resumed: see ServerOptions::resumable.
  bool CloseStream(CallId call, Effects* effects);

  // A notification that belongs to no request, for a session: on its channel here, or on the stream
  // that it has by GET, on whichever node. While there is none, the last ones are kept for a client
  // that resumes (H-54); a session that never opened one gets nothing.
  void Push(std::string_view session, std::string_view method, std::string_view params,
            Effects* effects);

  // The sessions that have such a stream here, by GET; sorted.
  std::vector<std::string> ListeningSessions() const;

  // Whether it submitted to the store since it was last asked this: there may be replies.
  bool TakeSubmitted();

  // When to send event::Woken next; kNever if nothing waits for time to pass.
  Instant NextDeadline() const;

  // A message of the subscription that a call of subscriptions/listen is: its _meta names that
  // request (spec U-03). `members` is the inside of the params as JSON text, or empty.
  void NotifySubscriber(CallId call, std::string_view method, std::string_view members,
                        Effects* effects);
  // Ends it with a result, and on a channel with notifications/cancelled (ruling R-3).
  void EndSubscription(CallId call, Effects* effects);

  // The channel that a call came by; nullopt if by HTTP.
  std::optional<ChannelId> ChannelOf(CallId call) const;
  bool IsOpen(ChannelId channel) const;

  // If the call came by a channel, its session's calls have this log level from now on; false if
  // it did not: the level is in the session's record then.
  bool SetChannelLogLevel(CallId call, LogLevel level);

  const ServerOptions& options() const;

  // Calls that have started and not ended.
  std::size_t open_calls() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SESSION_SERVER_ENGINE_H_

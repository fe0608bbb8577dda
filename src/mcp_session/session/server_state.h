// The inside of ServerEngine, shared by its source files: server_engine.cc (calls and answers),
// server_http.cc (exchanges), server_channel.cc (channels), server_session.cc (the store),
// server_request.cc (requests to the client), server_stream.cc (streams that are kept in the
// store), server_listen.cc (streams by GET), server_call_record.cc (what nodes tell each other of
// calls), server_keeping.cc (the way to the last three), server_subscription.cc
// (subscriptions/listen), server_extension.cc (what extensions need).
#ifndef MCP_SESSION_SESSION_SERVER_STATE_H_
#define MCP_SESSION_SESSION_SERVER_STATE_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "mcp_session/base/flat_map.h"
#include "mcp_session/base/slot_map.h"
#include "mcp_session/protocol/classify.h"
#include "mcp_session/protocol/message.h"
#include "mcp_session/session/server_engine.h"

namespace mcp_session {

// Where the answer to a message goes.
using Target = std::variant<ExchangeId, ChannelId>;

// A session as a request found it, or the absence of one.
struct Caller {
  std::string principal;
  std::string session;  // empty: stateless
  Revision revision = kNewestHandshake;
  LogLevel log_level = LogLevel::kNotSet;
};

// A request to the client that it has not answered.
struct Asked {
  std::uint64_t number = 0;
  std::string id;
  Instant deadline;
};

// A request that the application works on. Its CallId is its number in State::calls.
struct OpenCall {
  Target target;
  RequestId id;
  Caller caller;
  std::optional<RequestId> progress_token;
  std::optional<double> last_progress;
  bool streaming = false;
  std::uint64_t stream = 0;  // its number in State::streams; 0: it is not kept in the store
  std::uint64_t number = 0;
  // Its record (server_call_record.cc). The instants are kNever but in sessions by HTTP.
  bool recorded = false;
  std::uint64_t heard = 0;  // the last of its events
  Instant record_at = kNever;
  Instant touch_at = kNever;
  std::vector<std::string> held;  // requests to the client that wait for the record
  std::vector<Asked> asked;
  std::string asking;  // before the number in the ids of its requests; set by the first
  std::uint64_t last_asked = 0;

  Era era() const { return EraOf(caller.revision); }
};

// Kinds of records, all owned by the session. No handle has a hyphen in its kind.
inline constexpr std::string_view kStreamKind = "event-stream";
inline constexpr std::string_view kCallKind = "open-call";
// The id of the session's own stream. No call's stream is called so.
inline constexpr std::string_view kSessionStream = "session";

// A call that ends sooner, and has sent nothing, has no record.
inline constexpr Millis kShortCall = Seconds(1);

// For commands whose reply nobody waits for.
inline constexpr StoreTicket kNobody{0};

// The stream of a call's answer, kept in the store (server_stream.cc).
struct CallStream {
  enum class Kind : char {
    kOpen = 'o',     // the response begins; no event
    kMessage = 'm',  // a message
    kLast = 'l',     // the response to the call
    kEnd = 'e',      // the stream ends without one
    kPause = 'p',    // the connection ends, the stream does not; no event
  };
  struct Waiting {
    Kind kind;
    bool appended;  // the store will answer
    std::string text;
  };
  ExchangeId exchange;  // zero: nobody listens here
  std::string owner;
  std::string name;  // the id of its record
  RequestId request;
  bool kept = true;  // false: the store failed
  std::deque<Waiting> waiting;
};

// One that has ended, until it is forgotten.
struct KeptStream {
  std::string owner;
  std::string name;
  Instant until;  // then it has ended in the store as well
};

// A GET (server_listen.cc).
struct Listener {
  enum class Step : std::uint8_t { kFind, kMark, kFirst, kRead, kAlive, kRest };
  ExchangeId exchange;  // zero: the client is gone, and a reply of the store still to come
  Caller caller;
  std::string owner;
  std::string stream;                // the id of its record
  std::optional<RequestId> request;  // whose stream it is; none: the session's own
  std::uint64_t after = 0;           // the event that was sent last
  std::uint64_t marker = 0;          // the event that says that this GET reads the session's stream
  Step step = Step::kFind;
  bool resumes = false;  // there was a Last-Event-ID
  bool begun = false;    // the head is sent

  bool of_call() const { return stream != kSessionStream; }
};

// What waits for a reply of the store, by what happens then.
struct WaitForSession {  // the record that a POST names: the message goes on with it
  ExchangeId exchange;
  Caller caller;
  Message message;
  std::shared_ptr<const void> reader;  // of what is read ahead
};
struct WaitForCreate {  // the record of a new session: `response` goes out
  ExchangeId exchange;
  RequestId id;
  std::string session;
  std::string response;
};
struct WaitForInitialized {  // the flag that notifications/initialized sets
  ExchangeId exchange;
  Caller caller;
};
struct WaitForRemove {  // the end of a session
  ExchangeId exchange;
  Caller caller;
};
struct WaitForListening {  // the record that a GET names
  ExchangeId exchange;
  Caller caller;
  std::optional<std::string> last_event;
};
struct WaitForStream {  // the record of a call's stream, or an event on it
  std::uint64_t stream;
};
struct WaitForListener {  // whatever its step says
  std::uint64_t listener;
};
struct WaitForCall {  // its record, or events on it
  std::uint64_t call;
  bool created;
};
struct WaitForForward {  // what another node may wait for
  ExchangeId exchange;
};
using Wait =
    std::variant<WaitForSession, WaitForCreate, WaitForInitialized, WaitForRemove, WaitForListening,
                 WaitForStream, WaitForListener, WaitForCall, WaitForForward>;

// A peer on a channel. Its session, if it has one, lives as long as the channel and is in no
// store: nobody else could use it.
struct Channel {
  std::string principal;
  std::string session;  // set by initialize
  Revision revision = kNewestHandshake;
  bool stateless = false;  // it has made a stateless request, so it may not initialize (D-03)
  LogLevel log_level = LogLevel::kNotSet;
  std::shared_ptr<const std::string> record;  // what the store would have; set by initialize
};

// The outputs of one turn, and what time it is in it.
struct Turn {
  Instant now;
  Effects* effects;
  std::vector<EngineNews>* news;
};

// What sessions by HTTP have beyond one exchange on one node, if the engine keeps streams. The rest
// of the engine knows it only by this interface (server_keeping.cc).
class StreamKeeping {
 public:
  virtual ~StreamKeeping() = default;

  virtual void Started(OpenCall& call, Instant now) = 0;
  // False: it goes out as if nothing were kept.
  virtual bool Send(OpenCall& call, std::string* text, bool last, Effects* effects) = 0;
  // Whether a request to the client has to wait.
  virtual bool HoldBack(OpenCall& call, std::string* text) = 0;
  // The call ended without a response. False: its exchange is still to be ended.
  virtual bool Closed(const OpenCall& call, Effects* effects) = 0;
  virtual void Answered(const OpenCall& call) = 0;
  virtual void Tick(OpenCall& call) = 0;
  virtual void Drop(ExchangeId exchange) = 0;
  // A GET: the session first.
  virtual void Find(ExchangeId exchange, Caller caller, std::optional<std::string> last_event) = 0;
  // For a call that may run on another node; the exchange is answered.
  virtual void Forward(ExchangeId exchange, const Caller& caller, const RequestId& cancelled) = 0;
  virtual void Forward(ExchangeId exchange, const Caller& caller, const Response& response,
                       Turn& turn) = 0;
  virtual void SessionEnded(const Caller& caller, Turn& turn) = 0;
  // False: nothing of it waited.
  virtual bool HandleReply(Wait& wait, StoreReply& reply, Turn& turn) = 0;

  SlotMap<CallStream> streams;
  std::deque<KeptStream> kept;  // streams whose call has ended, the oldest first
  SlotMap<Listener> listeners;
};

class ServerEngine::State {
 public:
  class Keeping;

  State(ServerOptions options, SessionStore& store, Entropy& entropy);

  // server_http.cc
  void HandleHttp(const event::HttpRequested& event, Turn& turn);
  void RefuseHttp(ExchangeId exchange, const Refusal& refusal, const std::optional<RequestId>& id,
                  Turn& turn);

  // server_channel.cc
  void HandleMessage(const event::MessageArrived& event, Turn& turn);
  void CloseChannel(ChannelId channel, Turn& turn);

  // server_session.cc
  void HandleReply(StoreReply reply, Turn& turn);
  void StartSession(ExchangeId exchange, std::string_view principal, Request request, Turn& turn);
  void FindSession(ExchangeId exchange, Caller caller, Message message, Turn& turn);
  void EndSession(ExchangeId exchange, Caller caller, Turn& turn);
  // What an initialize request agrees on: the answer, or why there is none.
  struct Handshake {
    Revision revision;
    std::string record;   // of the session, not initialized
    std::string members;  // of the InitializeResult
  };
  Result<Handshake> Negotiate(const Json& params, bool tell_lifetime) const;
  std::string MintSessionId();

  // server_engine.cc
  // `record` is the session's; null in the stateless era.
  void StartCall(const Target& target, Caller caller, Request request,
                 const std::shared_ptr<const std::string>* record, Turn& turn,
                 ReadAhead ahead = {});
  // False: no such call is open here.
  bool CancelCall(const Caller& caller, const Target& target, const RequestId& id, Turn& turn);
  void DropExchange(ExchangeId exchange, Turn& turn);
  void Discover(const Target& target, const Caller& caller, const RequestId& id, Turn& turn);
  void Answer(CallId call, std::string_view members, std::string_view meta, Effects* effects,
              ResultType type = ResultType::kComplete);
  void Fail(CallId call, const RpcError& error, int http_status, Effects* effects);
  void Notify(CallId call, std::string_view method, std::string_view params, Effects* effects);
  void Progress(CallId call, double progress, std::optional<double> total, std::string_view message,
                Effects* effects);

  // server_request.cc
  Result<std::uint64_t> Ask(CallId call, std::string_view method, std::string_view params,
                            Millis time, Instant now, Effects* effects);
  // A response from `caller`. False: to nothing that it was asked here.
  bool TakeResponse(const Caller& caller, const Target& target, Response& response, Turn& turn) {
    return asking != nullptr && (this->*asking->take_response)(caller, target, response, turn);
  }
  // Tells the client that nobody waits any more for its answers to `call`.
  void WithdrawAll(OpenCall& call, Effects* effects) {
    if (asking != nullptr) (this->*asking->withdraw_all)(call, effects);
  }
  // What is due.
  void Tick(Turn& turn);

  // server_stream.cc
  void Submit(StoreTicket ticket, StoreCommand command);
  void AppendPriming(const std::string& id, std::string* out) const;
  bool IsResumable(const OpenCall& call) const;
  std::uint64_t OpenStream(OpenCall& call);
  // The next of a stream, in order.
  void Write(std::uint64_t stream, CallStream::Kind kind, std::string text, Effects* effects);
  void StreamReplied(std::uint64_t stream, const StoreReply& reply, Turn& turn);
  bool CloseStream(CallId call, Effects* effects);

  // server_call_record.cc
  void OpenCallRecord(OpenCall& call);
  void RemoveCallRecord(const OpenCall& call);
  void CallReplied(const WaitForCall& wait, const StoreReply& reply, Turn& turn);
  void ForwardResponse(ExchangeId exchange, const Caller& caller, const Response& response,
                       Turn& turn);
  void ForwardCancellation(ExchangeId exchange, const Caller& caller, const RequestId& id);
  void TickCall(OpenCall& call);

  // server_listen.cc
  void Listen(ExchangeId exchange, Caller caller, const std::optional<std::string>& last_event,
              Turn& turn);
  void ListenerReplied(std::uint64_t listener, StoreReply reply, Turn& turn);
  void DropListener(ExchangeId exchange);
  void EndListenersOf(const Caller& caller, Turn& turn);
  void Push(std::string_view session, std::string_view method, std::string_view params,
            Effects* effects);

  // One whole message that answers a request. `status` is for HTTP.
  void SendResult(const Target& target, const Caller& caller, const RequestId& id,
                  std::string_view members, std::string_view meta, Effects* effects,
                  ResultType type = ResultType::kComplete);
  void SendError(const Target& target, int status, const std::optional<RequestId>& id,
                 const RpcError& error, Effects* effects);

  ServerOptions options;
  std::string capabilities;  // members, as JSON text
  std::string extensions;    // the same
  LateAnswers* late = nullptr;
  const ReadsAhead* reads_ahead = nullptr;
  // What only an engine needs that asks its clients, so that others do not link it.
  struct Asking {
    bool (State::*take_response)(const Caller&, const Target&, Response&, Turn&);
    void (State::*withdraw_all)(OpenCall&, Effects*);
    void (State::*time_out)(std::uint64_t number, OpenCall&, Turn&);
  };
  const Asking* asking = nullptr;  // null: it has asked nothing yet
  std::string server_info;         // JSON text
  SessionStore& store;
  Entropy& entropy;
  SlotMap<OpenCall> calls;
  std::unique_ptr<StreamKeeping> keeping;  // null: nothing is kept
  SlotMap<Wait> waits;
  FlatMap<Channel> channels;
  Instant now;             // of the last turn
  bool submitted = false;  // to the store, since then
  Instant due = kNever;    // when Tick has something to do; it may be sooner

 private:
  void HandlePost(const event::HttpRequested& event, Turn& turn);
  void HandleStateless(const event::HttpRequested& event, Message message, Turn& turn);
  void HandleHandshake(const event::HttpRequested& event, Message message, Turn& turn);
  std::optional<Refusal> CheckStatelessHeaders(const HttpRequest& http,
                                               const Request& request) const;
  void HandleChannelRequest(ChannelId id, Channel& channel, Request request, Turn& turn);
  void InSession(WaitForSession&& found, StoreReply& reply, Turn& turn);
  StoreTicket Await(Wait wait);
  void StoreFailed(ExchangeId exchange, ErrorCode error, const std::optional<RequestId>& id,
                   Turn& turn);
  std::string WrapResult(const Caller& caller, const RequestId& id, std::string_view members,
                         std::string_view meta, ResultType type) const;
  void SendOnCall(OpenCall& call, std::string text, bool last, Effects* effects);
  std::optional<Refusal> WhyNotStart(const Caller& caller, const Target& target,
                                     const RequestId& id);
  std::vector<std::uint64_t> CallsOf(const Caller& caller, const Target& target);
  void CloseCall(std::uint64_t number, Turn& turn);
  // A name for the call with this id that is the same on all nodes.
  static std::string NameOfCall(const RequestId& id);
  void Withdraw(OpenCall& call, const Asked& request, Effects* effects);
  void TimeOut(std::uint64_t number, OpenCall& call, Turn& turn);
  bool TakeResponseToAsked(const Caller& caller, const Target& target, Response& response,
                           Turn& turn);
  void WithdrawAllAsked(OpenCall& call, Effects* effects);
  Millis TouchInterval() const;
  void Flush(std::uint64_t stream, Effects* effects);
  void SendNext(std::uint64_t stream, std::uint64_t sequence, Effects* effects);
  void KeepEnded(const CallStream& stream);
  static void Disconnect(CallStream& stream, Effects* effects);
  void ReadCallRecord(const OpenCall& call);
  bool Hear(OpenCall& call, std::string_view event, Turn& turn);
  void Forward(ExchangeId exchange, const Caller& caller, std::string_view name, std::string event);
  bool Match(OpenCall& call, Response& response, Turn& turn);
  void TouchFor(const OpenCall& call);
  // Whether the events it is sent have ids.
  bool HasEventIds(const Caller& caller) const {
    return options.resumable && caller.revision >= Revision::k2025_11_25;
  }
  void StreamFound(std::uint64_t number, Listener& listener, const StoreReply& reply, Turn& turn);
  Millis ListeningTime(const Listener& listener) const;
  void ReadOn(std::uint64_t number, Listener& listener, Listener::Step step);
  void EventsRead(std::uint64_t number, Listener& listener, const StoreReply& reply, Turn& turn);
  bool Deliver(const Listener& listener, const StreamEvent& event, Turn& turn);
  void BeginListening(Listener& listener, Turn& turn);
  void EndListening(std::uint64_t number, std::optional<ErrorCode> error, Turn& turn);
  void TellLost(std::uint64_t number, const char* why, Turn& turn);
};

// The id of a message that has one.
std::optional<RequestId> IdOf(const Message& message);

// The request that a notifications/cancelled names.
std::optional<RequestId> CancelledBy(const Notification& notification);

// Whose a session's record is.
std::string RecordOwner(const Caller& caller);

ResponseHeaders EventStreamHeaders();

}  // namespace mcp_session

#endif  // MCP_SESSION_SESSION_SERVER_STATE_H_

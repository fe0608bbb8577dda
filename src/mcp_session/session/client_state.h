// What a ClientEngine keeps and does, for the six files that implement it and nobody else:
//   client_engine.cc    the application's events, and time
//   client_opening.cc   the steps until the engine is open, and what their answers mean
//   client_exchange.cc  HTTP: requests, response heads, bodies and streams
//   client_message.cc   JSON-RPC: messages written and read
//   client_stream.cc    streams that outlive their connection
//   client_question.cc  what servers ask, and the rounds of a stateless call
#ifndef MCP_SESSION_SESSION_CLIENT_STATE_H_
#define MCP_SESSION_SESSION_CLIENT_STATE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "mcp_session/protocol/sse.h"
#include "mcp_session/session/client_engine.h"

namespace mcp_session {

class ClientEngine::State {
 public:
  explicit State(ClientOptions options);

  void Handle(ClientEvent event, Instant now, ClientEffects* effects);
  Instant NextDeadline() const;
  void AnswerQuestions();
  void KeepOpen(CallId call);
  std::optional<std::int64_t> WireIdOf(CallId call) const;

 private:
  enum class Step : std::uint8_t {
    kClosed,
    kProbe,        // waits for the answer to server/discover
    kInitialize,   // waits for the answer to initialize
    kInitialized,  // HTTP: waits for the status of notifications/initialized
    kOpen,
    kClosing,  // HTTP: waits for the end of DELETE
  };

  // A request of the application that is not answered yet.
  struct Call {
    CallId id;
    std::int64_t wire_id = 0;   // 0: not sent, for the engine is not open
    ExchangeId exchange;        // HTTP: which brings the answer
    std::uint64_t session = 0;  // it was sent in
    bool accepted = false;      // the server began to answer, so it may have been done
    // Of a stream that broke.
    std::string last_event_id;
    std::optional<Millis> retry;
    int resumes = 0;  // since it brought something new
    Instant resume_at = kNever;
    std::string method;
    Json params;
    std::vector<std::pair<std::string, std::string>> headers;
    bool wants_progress = false;
    bool repeatable = false;
    bool resent = false;    // with another revision (S-06)
    bool repeated = false;  // after a broken connection
    bool renewed = false;   // in another session (H-30)
    // Of a stateless call that was asked something (M-04).
    int rounds = 0;
    std::optional<std::string> request_state;
    std::string input_responses;  // members of an object, each with a comma behind it
    Millis timeout;
    Instant deadline;
    Instant latest;                  // no progress moves the deadline past it (H-13)
    std::optional<double> progress;  // the last one (P-03)
  };

  struct Exchange {
    ExchangeId id;
    // The request whose answer it brings. 0: there is none, or it came; all that may still
    // happen then is its end.
    std::int64_t wire_id = 0;
    std::uint64_t session = 0;        // the number of the one it names; 0: none
    int status = 0;                   // 0: the response has not started
    bool resumes = false;             // it goes on with a stream that broke
    bool listens = false;             // it is the session's stream, which answers nothing
    bool heard = false;               // and brought something
    bool malformed = false;           // something came that is no message
    std::optional<SseReader> events;  // the response is a stream
    std::string body;                 // it is not
    Instant deadline = kNever;        // to abort it when wire_id is 0
  };

  // What the application has not answered.
  struct Question {
    QuestionId id;
    CallId call;                // 0: not known, or of none
    std::string key;            // stateless: its name among the call's
    RequestId request;          // else the server's request
    std::uint64_t session = 0;  // it came in
  };

  // The session's stream by GET (H-50).
  struct Listening {
    ExchangeId exchange;
    std::string last_event_id;
    Millis retry = Seconds(1);
    int tries = 0;  // since it brought something
    Instant at = kNever;
  };

  // The result, the server's error, or why there is neither.
  using Answer = std::variant<Json, RpcError, Error>;

  // How a request ended.
  struct Outcome {
    Answer answer;
    int status = 0;  // of the HTTP response; 0 without one
    bool opaque = false;
    bool names_session = false;  // then a 404 means that there is no such session
  };

  // --- client_engine.cc ---
  void On(client_event::Open&);
  void On(client_event::Request& request);
  void On(client_event::Reply& reply);
  void On(client_event::Cancel& cancel);
  void On(client_event::RootsChanged&);
  void On(client_event::Close&);
  void On(client_event::ChannelClosed&);
  void On(client_event::Woken&);
  bool on_channel() const { return options_.transport == ClientTransport::kChannel; }
  // How many exchanges wait for nothing but their end. Capped, for a server can make us start them.
  bool TooManyAsides() const;
  Call* FindCall(std::int64_t wire_id);
  Call TakeCall(const Call* call);
  void Finish(Call call, Outcome outcome);
  // Tells the server that nobody waits for the call any more.
  void Abandon(const Call& call);
  void Fail(CallId call, Error error, std::optional<RpcError> rpc = std::nullopt);
  void FailCalls(const Error& error);
  // Those that wait for the opening. What was sent in a session that is lost may still be answered.
  std::vector<Call> TakeWaiting();
  // No answer is to be had where the call was sent: sends it again, once the engine is open.
  void SendAgain(Call call);
  Instant DeadlineOf(const Call& call) const;
  void LoseSession();
  // Whether the call's time stands still, for the application is asked.
  bool IsAsked(const Call& call) const;
  void Withdraw(CallId call);
  void WithdrawAll();
  // notifications/cancelled; false: it names no question.
  bool WithdrawRequest(const Json& params);
  // Of the session that requests name now; 0: none.
  std::uint64_t session() const { return session_id_.empty() ? 0 : session_number_; }
  void Tell(ClientEffect effect) { effects_->push_back(std::move(effect)); }

  // --- client_opening.cc ---
  void BeginOpening();
  bool Resume(client_effect::Opened saved);
  void Probe(Revision revision);
  void Initialize(Revision revision);
  void EndProbe(Outcome outcome);
  void EndDiscovery(Json result);
  void EndRefusedProbe(const RpcError& rpc);
  void EndInitialize(Outcome outcome);
  void EndHandshake(Json result);
  void EndInitialized(int status);
  void FallBack(Error error);
  // initialize was refused.
  void EndRefusedInitialize(Error error);
  void BecomeOpen();
  void FailOpening(Error error);
  void TimeOutStep();
  bool opening() const {
    return step_ == Step::kProbe || step_ == Step::kInitialize || step_ == Step::kInitialized;
  }

  // --- client_exchange.cc ---
  void On(client_event::ResponseStarted& event);
  void On(client_event::ResponseBytes& event);
  void On(client_event::ResponseEnded& event);
  void On(client_event::ExchangeFailed& event);
  ExchangeId Post(std::string body, std::int64_t wire_id, std::string_view method,
                  const Json& params, const Call* call = nullptr);
  void AppendSessionHeaders(client_effect::HttpSend* send) const;
  ExchangeId SendDelete();
  Exchange* FindExchange(ExchangeId id);
  std::optional<Exchange> TakeExchange(ExchangeId id);
  // Forgets the exchange and tells the host; nothing if it is over already.
  void Abort(ExchangeId id);
  void AbortAll();
  // The exchange brought all it will; its request, if unanswered, ends with `error`.
  void EndExchange(ExchangeId id, Error error, bool opaque);
  void RefuseBytes(ExchangeId id);

  // --- client_stream.cc ---
  // The exchange was cut off before the answer of its call. Whether the call goes on waiting.
  bool ResumeLater(const Exchange& exchange);
  void ResumeStream(Call& call);
  ExchangeId Get(std::string_view last_event_id);
  void Listen();
  void StopListening();
  void EndListening(const Exchange& exchange);

  // --- client_message.cc ---
  void On(client_event::MessageArrived& event);
  void SendRequest(Call call);
  // The request that the step waits for.
  void SendOwnRequest(std::string_view method, std::string_view params);
  // A message that is not answered.
  void SendAside(std::string text);
  // `from` is the exchange that brought the text, number 0 on a channel.
  void Receive(std::string_view text, ExchangeId from);
  void ReceiveValue(Json value, ExchangeId from);
  void ReceiveAnswer(std::int64_t wire_id, ExchangeId from, Answer answer);
  void ReceiveProgress(Json params);
  void ReceiveRequest(Request request, ExchangeId from);
  void Garbled(ExchangeId from);
  // Which of our requests a message from there with this id answers; 0 if none.
  std::int64_t AnsweredBy(const std::optional<RequestId>& id, ExchangeId from);
  void Settle(std::int64_t wire_id, Outcome outcome);
  // What we put into the _meta of a request, as the inside of an object. Token 0: no progress.
  std::string OwnMeta(std::int64_t progress_token) const;

  // --- client_question.cc ---
  // What only an application that answers needs, so that others do not link it.
  struct Questioning {
    bool (State::*ask)(Request& request, ExchangeId from, ErrorCode* refusal);
    void (State::*begin_round)(Call call, Json result);
    void (State::*reply)(client_event::Reply& reply);
  };
  // Asks the application; false: the request is to be refused with `refusal`.
  bool Ask(Request& request, ExchangeId from, ErrorCode* refusal);
  // A result of type input_required.
  void BeginRound(Call call, Json result);
  void Reply(client_event::Reply& reply);
  void ReplyInSession(const Question& question, std::variant<Json, RpcError> outcome);
  void ReplyInRound(const Question& question, std::variant<Json, RpcError> outcome);

  const ClientOptions options_;
  std::string capabilities_;  // as JSON
  std::string client_info_;   // as JSON; empty if it or the capabilities have no such form

  Step step_ = Step::kClosed;
  Era era_ = Era::kHandshake;
  Revision revision_ = kNewestHandshake;  // offered while opening, agreed on after
  std::string session_id_;
  std::uint64_t session_number_ = 0;  // counts session ids
  std::optional<client_effect::Opened> resume_;
  std::optional<Era> known_era_;  // of the server, until it stops working (C-01)
  bool assumed_ = false;          // known_era_ is all that speaks for this initialize
  bool second_try_ = false;       // a version that the server named is being tried
  bool channel_gone_ = false;
  client_effect::Opened opened_;

  // What the step waits for.
  std::int64_t step_id_ = 0;
  ExchangeId step_exchange_;
  Instant step_deadline_ = kNever;

  std::vector<Call> calls_;
  std::vector<Exchange> exchanges_;
  Listening listening_;
  const Questioning* questioning_ = nullptr;  // null: nobody answers
  std::vector<Question> questions_;
  std::uint64_t last_question_ = 0;
  std::int64_t last_wire_id_ = 0;
  std::uint64_t last_exchange_ = 0;

  // Of the event being handled.
  Instant now_;
  ClientEffects* effects_ = nullptr;
};

// How long the end of an exchange that nobody needs any more may take.
inline constexpr Millis kGrace = Seconds(5);

// How often a call may be answered by input_required (M-09).
inline constexpr int kMaxRounds = 10;

// `t` + `d` without overflow; a negative `d` counts as none.
Instant After(Instant t, Millis d);

// Visible ASCII (H-21), and not too long.
bool IsUsableSessionId(std::string_view id);

// What a response with this status says where no JSON-RPC answer says more.
Error StatusError(int status, bool names_session);

// The error that stands for a JSON-RPC error that came with this status (0: on a channel).
Error PeerError(const RpcError& rpc, int status, bool names_session);

// The newest revisions we share with a list of version names, by era.
struct SharedRevisions {
  std::optional<Revision> stateless;
  std::optional<Revision> handshake;
};
SharedRevisions ReadVersions(const Json* names);
// The list in the data of a refusal: -32022, or -32602 to initialize (H-09).
SharedRevisions ReadSupported(const RpcError& rpc);

}  // namespace mcp_session

#endif  // MCP_SESSION_SESSION_CLIENT_STATE_H_

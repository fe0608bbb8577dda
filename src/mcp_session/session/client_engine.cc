#include "mcp_session/session/client_engine.h"

#include <algorithm>
#include <utility>

#include "mcp_session/json/access.h"
#include "mcp_session/json/write.h"
#include "mcp_session/protocol/classify.h"
#include "mcp_session/session/client_state.h"

namespace mcp_session {
namespace {

Error Cancelled() { return {ErrorCode::kCancelled, Blame::kCaller, "the request was given up"}; }

// A stateless result says what it is (J-09). The tasks extension adds one kind, for those who
// advertise it.
bool HasKnownType(const Json& result, const Json& capabilities) {
  const Json* type = Find(result, "resultType");
  if (type == nullptr) return true;  // an older server: complete
  const std::string* name = AsString(*type);
  if (name == nullptr) return false;
  if (*name == "complete" || *name == "input_required") return true;
  const Json* extensions = FindObject(capabilities, "extensions");
  return *name == "task" && extensions != nullptr &&
         Find(*extensions, "io.modelcontextprotocol/tasks") != nullptr;
}

bool IsParams(const Json& params) {
  if (params.is_null()) return true;
  if (!params.is_object()) return false;
  const Json* meta = Find(params, "_meta");
  return meta == nullptr || meta->is_object();
}

}  // namespace

Instant After(Instant t, Millis d) {
  const std::int64_t count = std::max<std::int64_t>(d.count, 0);
  if (t.millis > 0 && count > kNever.millis - t.millis) return kNever;
  return Instant{t.millis + count};
}

ClientEngine::ClientEngine(ClientOptions options)
    : state_(std::make_unique<State>(std::move(options))) {}

ClientEngine::~ClientEngine() = default;

void ClientEngine::Handle(ClientEvent event, Instant now, ClientEffects* effects) {
  state_->Handle(std::move(event), now, effects);
}

Instant ClientEngine::NextDeadline() const { return state_->NextDeadline(); }

void ClientEngine::KeepOpen(CallId call) { state_->KeepOpen(call); }

std::optional<std::int64_t> ClientEngine::WireIdOf(CallId call) const {
  return state_->WireIdOf(call);
}

ClientEngine::State::State(ClientOptions options)
    : options_(std::move(options)), known_era_(options_.expected_era) {
  resume_ = options_.resume;
  if (!options_.capabilities.is_object() || !AppendJson(options_.capabilities, &capabilities_)) {
    return;
  }
  std::string info = "{\"name\":";
  if (!AppendJsonString(options_.name, &info)) return;
  info += ",\"version\":";
  if (!AppendJsonString(options_.version, &info)) return;
  info += '}';
  client_info_ = std::move(info);
}

void ClientEngine::State::Handle(ClientEvent event, Instant now, ClientEffects* effects) {
  now_ = now;
  effects_ = effects;
  std::visit([this](auto& what) { On(what); }, event);
  effects_ = nullptr;
}

Instant ClientEngine::State::NextDeadline() const {
  Instant next = std::min(step_deadline_, listening_.at);
  for (const Call& call : calls_) next = std::min({next, DeadlineOf(call), call.resume_at});
  for (const Exchange& exchange : exchanges_) next = std::min(next, exchange.deadline);
  return next;
}

void ClientEngine::State::KeepOpen(CallId id) {
  for (Call& call : calls_) {
    if (call.id != id) continue;
    call.timeout = Millis{kNever.millis};
    call.deadline = kNever;
    call.latest = kNever;
  }
}

std::optional<std::int64_t> ClientEngine::State::WireIdOf(CallId id) const {
  for (const Call& call : calls_) {
    if (call.id == id && call.wire_id != 0) return call.wire_id;
  }
  return std::nullopt;
}

void ClientEngine::State::On(client_event::Open&) {
  if (step_ == Step::kOpen) return Tell(opened_);
  if (step_ == Step::kClosing) return Tell(client_effect::OpenFailed{Cancelled()});
  channel_gone_ = false;
  if (step_ == Step::kClosed) BeginOpening();
}

void ClientEngine::State::On(client_event::Request& request) {
  std::string method;
  if (!AppendJsonString(request.method, &method) || !IsParams(request.params)) {
    return Fail(request.call, {ErrorCode::kInvalidArgument, Blame::kCaller,
                               "the method is no text, or params or _meta are no objects"});
  }
  if (calls_.size() >= options_.limits.max_calls_per_session) {
    return Fail(request.call,
                {ErrorCode::kTooManyRequests, Blame::kCaller, "too many requests are unanswered"});
  }
  if (step_ == Step::kClosing) return Fail(request.call, Cancelled());
  if (channel_gone_) {
    return Fail(request.call,
                {ErrorCode::kTransport, Blame::kEnvironment, "the channel is closed"});
  }
  const Millis timeout = request.timeout.value_or(options_.request_timeout);
  Call call{.id = request.call,
            .method = std::string(request.method),
            .params = std::move(request.params),
            .headers = std::move(request.headers),
            .wants_progress = request.wants_progress,
            .repeatable = request.repeatable,
            .timeout = timeout,
            .deadline = After(now_, timeout),
            .latest = After(now_, options_.max_request_time)};
  call.deadline = std::min(call.deadline, call.latest);
  if (step_ == Step::kOpen) return SendRequest(std::move(call));
  calls_.push_back(std::move(call));
  if (step_ == Step::kClosed) BeginOpening();
}

void ClientEngine::State::On(client_event::Reply& reply) {
  if (questioning_ != nullptr) (this->*questioning_->reply)(reply);
}

void ClientEngine::State::On(client_event::Cancel& cancel) {
  const auto call = std::find_if(calls_.begin(), calls_.end(),
                                 [&](const Call& call) { return call.id == cancel.call; });
  if (call == calls_.end()) return;  // answered already: the two crossed (P-01)
  const Call taken = TakeCall(&*call);
  Abandon(taken);
  Fail(taken.id, Cancelled());
}

void ClientEngine::State::On(client_event::RootsChanged&) {
  const Json* roots = FindObject(options_.capabilities, "roots");
  if (step_ != Step::kOpen || era_ == Era::kStateless || roots == nullptr ||
      FindBool(*roots, "listChanged") != true) {
    return;
  }
  std::string text;
  AppendNotification("notifications/roots/list_changed", {}, &text);
  SendAside(std::move(text));
}

void ClientEngine::State::On(client_event::Close&) {
  if (step_ == Step::kClosing) return;  // Closed will come
  if (opening()) Tell(client_effect::OpenFailed{Cancelled()});
  step_id_ = 0;
  step_deadline_ = kNever;
  if (on_channel()) {
    for (const Call& call : calls_) Abandon(call);
  }
  FailCalls(Cancelled());
  WithdrawAll();
  AbortAll();
  listening_ = {};
  if (era_ == Era::kHandshake && !session_id_.empty()) {  // H-31
    step_ = Step::kClosing;
    step_exchange_ = SendDelete();
    step_deadline_ = After(now_, kGrace);
    session_id_.clear();
    return;
  }
  step_ = Step::kClosed;
  Tell(client_effect::Closed{});
}

void ClientEngine::State::On(client_event::ChannelClosed&) {
  if (!on_channel()) return;
  channel_gone_ = true;
  const Error gone{ErrorCode::kTransport, Blame::kEnvironment, "the channel is closed"};
  if (opening()) {
    // A server that ends at the probe is one that does not know it (section 13, stdio).
    const bool at_probe = step_ == Step::kProbe && !second_try_;
    FailOpening(gone);
    if (at_probe) known_era_ = Era::kHandshake;
  }
  step_ = Step::kClosed;
  FailCalls(gone);
  WithdrawAll();
}

void ClientEngine::State::On(client_event::Woken&) {
  if (step_deadline_ <= now_) TimeOutStep();
  for (;;) {
    const auto call = std::find_if(calls_.begin(), calls_.end(),
                                   [this](const Call& each) { return DeadlineOf(each) <= now_; });
    if (call == calls_.end()) break;
    const Call taken = TakeCall(&*call);
    Abandon(taken);  // H-13
    Fail(taken.id, {ErrorCode::kTimeout, Blame::kEnvironment, "no answer in time"});
  }
  for (Call& call : calls_) {
    if (call.resume_at <= now_) ResumeStream(call);
  }
  if (listening_.at <= now_) Listen();
  for (;;) {
    const auto exchange =
        std::find_if(exchanges_.begin(), exchanges_.end(),
                     [this](const Exchange& each) { return each.deadline <= now_; });
    if (exchange == exchanges_.end()) break;
    Abort(exchange->id);
  }
}

bool ClientEngine::State::TooManyAsides() const {
  const auto asides = std::count_if(exchanges_.begin(), exchanges_.end(), [](const Exchange& each) {
    return each.wire_id == 0 && !each.listens;
  });
  return static_cast<std::size_t>(asides) >= options_.limits.max_calls_per_session;
}

ClientEngine::State::Call* ClientEngine::State::FindCall(std::int64_t wire_id) {
  for (Call& call : calls_) {
    if (wire_id != 0 && call.wire_id == wire_id) return &call;
  }
  return nullptr;
}

ClientEngine::State::Call ClientEngine::State::TakeCall(const Call* call) {
  const auto at = calls_.begin() + (call - calls_.data());
  Call taken = std::move(*at);
  calls_.erase(at);
  return taken;
}

Instant ClientEngine::State::DeadlineOf(const Call& call) const {
  return IsAsked(call) ? call.latest : call.deadline;
}

void ClientEngine::State::SendAgain(Call call) {
  call.wire_id = 0;
  call.exchange = {};
  call.accepted = false;
  call.last_event_id.clear();
  call.retry.reset();
  call.resumes = 0;
  call.resume_at = kNever;
  call.progress.reset();
  call.deadline = std::min(After(now_, call.timeout), call.latest);
  if (step_ == Step::kOpen) return SendRequest(std::move(call));
  calls_.push_back(std::move(call));
  if (step_ == Step::kClosed) BeginOpening();
}

void ClientEngine::State::Finish(Call call, Outcome outcome) {
  const bool failed = !std::holds_alternative<Json>(outcome.answer);
  if (failed && outcome.status == 404 && outcome.names_session && options_.renews_session &&
      !call.renewed && (!call.accepted || call.repeatable)) {
    call.renewed = true;  // nothing was done: a refusal is safe to repeat (H-30)
    return SendAgain(std::move(call));
  }
  if (auto* error = std::get_if<Error>(&outcome.answer)) {
    const bool broke = (error->code == ErrorCode::kTransport && outcome.status < 300) ||
                       error->code == ErrorCode::kGap;
    if (broke && call.repeatable && !call.repeated && !on_channel()) {
      call.repeated = true;
      return SendAgain(std::move(call));
    }
    return Fail(call.id, std::move(*error));
  }
  if (auto* rpc = std::get_if<RpcError>(&outcome.answer)) {
    Error error = PeerError(*rpc, outcome.status, outcome.names_session);
    if (era_ == Era::kStateless && error.code == ErrorCode::kUnsupportedVersion && !call.resent) {
      // S-06: once, even if the server names the version it has just refused.
      if (const auto revision = ReadSupported(*rpc).stateless) {
        revision_ = *revision;
        call.resent = true;
        return SendAgain(std::move(call));
      }
    }
    return Fail(call.id, std::move(error), std::move(*rpc));
  }
  Json& result = std::get<Json>(outcome.answer);
  if (era_ == Era::kStateless && !HasKnownType(result, options_.capabilities)) {
    return Fail(call.id,
                {ErrorCode::kPeer, Blame::kPeer, "the result is of a kind nobody asked for"});
  }
  const std::string* type = FindString(result, "resultType");
  if (era_ == Era::kStateless && questioning_ != nullptr && type != nullptr &&
      *type == "input_required") {
    return (this->*questioning_->begin_round)(std::move(call), std::move(result));
  }
  Withdraw(call.id);
  Tell(client_effect::Answered{call.id, std::move(result)});
}

void ClientEngine::State::Abandon(const Call& call) {
  if (call.wire_id == 0) return;
  // Over stateless HTTP the closed response is the word (P-02, S-44); before, a closed response
  // says nothing (H-49).
  const bool in_session =
      era_ == Era::kHandshake && call.session == session() && step_ == Step::kOpen;
  if (on_channel() || in_session) {
    std::string text;
    AppendCancelled(call.wire_id, &text);
    SendAside(std::move(text));
  }
  Abort(call.exchange);
}

void ClientEngine::State::Fail(CallId call, Error error, std::optional<RpcError> rpc) {
  Withdraw(call);
  Tell(client_effect::Failed{call, std::move(error), std::move(rpc)});
}

void ClientEngine::State::FailCalls(const Error& error) {
  const std::vector<Call> calls = std::exchange(calls_, {});
  for (const Call& call : calls) Fail(call.id, error);
}

std::vector<ClientEngine::State::Call> ClientEngine::State::TakeWaiting() {
  std::vector<Call> sent;
  std::vector<Call> waiting;
  for (Call& call : calls_) (call.wire_id != 0 ? sent : waiting).push_back(std::move(call));
  calls_ = std::move(sent);
  return waiting;
}

void ClientEngine::State::LoseSession() {
  step_ = Step::kClosed;
  session_id_.clear();
  WithdrawAll();
  StopListening();
  Tell(client_effect::SessionLost{});
}

bool ClientEngine::State::IsAsked(const Call& call) const {
  return std::any_of(questions_.begin(), questions_.end(), [&](const Question& question) {
    return question.call.number == 0 || question.call == call.id;
  });
}

void ClientEngine::State::Withdraw(CallId call) {
  for (std::size_t i = 0; i < questions_.size();) {
    if (questions_[i].call != call) {
      ++i;
      continue;
    }
    Tell(client_effect::Withdrawn{questions_[i].id});
    questions_.erase(questions_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

void ClientEngine::State::WithdrawAll() {
  for (const Question& question : std::exchange(questions_, {})) {
    Tell(client_effect::Withdrawn{question.id});
  }
}

bool ClientEngine::State::WithdrawRequest(const Json& params) {
  const Json* name = Find(params, "requestId");
  const auto id = name ? ReadRequestId(*name) : std::nullopt;
  const auto found = std::find_if(
      questions_.begin(), questions_.end(),
      [&](const Question& question) { return question.key.empty() && question.request == id; });
  if (!id || era_ == Era::kStateless || found == questions_.end()) return false;
  Tell(client_effect::Withdrawn{found->id});
  questions_.erase(found);
  return true;
}

}  // namespace mcp_session

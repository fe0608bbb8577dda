#include "mcp_session/session/server_engine.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "mcp_session/base/check.h"
#include "mcp_session/json/access.h"
#include "mcp_session/json/write.h"
#include "mcp_session/protocol/sse.h"
#include "mcp_session/session/server_state.h"
#include "mcp_session/store/rules.h"

namespace mcp_session {
namespace {

std::string ToText(const Json& json) {
  std::string text;
  const bool valid = AppendJson(json, &text);
  MCPS_CHECK(valid);  // the program's own text
  return text;
}

Json ServerInfo(const ServerOptions& options) {
  Json info = EmptyObject();
  info["name"] = options.name;
  info["version"] = options.version;
  if (!options.title.empty()) info["title"] = options.title;
  return info;
}

// Whether `call` came from the peer that this is: the same channel, or the same session by HTTP.
// Stateless exchanges have nothing in common.
bool SamePeer(const OpenCall& call, const Caller& caller, const Target& target) {
  if (std::holds_alternative<ChannelId>(target)) return call.target == target;
  return !caller.session.empty() && std::holds_alternative<ExchangeId>(call.target) &&
         call.caller.session == caller.session && call.caller.principal == caller.principal;
}

constexpr std::int64_t kUnknownMethod = -32601;

std::string_view ResultTypeMember(ResultType type) {
  switch (type) {
    case ResultType::kInputRequired:
      return "\"resultType\":\"input_required\"";
    case ResultType::kTask:
      return "\"resultType\":\"task\"";
    default:
      return "\"resultType\":\"complete\"";
  }
}

}  // namespace

ResponseHeaders EventStreamHeaders() {
  return {{"content-type", "text/event-stream"},
          {"cache-control", "no-cache"},
          {"x-accel-buffering", "no"}};  // spec S-43
}

std::string RecordOwner(const Caller& caller) { return OwnerOf(caller.principal, {}); }

std::optional<RequestId> CancelledBy(const Notification& notification) {
  const Json* named = Find(notification.params, "requestId");
  return named != nullptr ? ReadRequestId(*named) : std::nullopt;
}

namespace {
constexpr std::string_view kPrincipalPrefix = "principal:";
static_assert(kPrincipalPrefix.size() + kMaxPrincipalBytes == kMaxKeyPartBytes);
}  // namespace

std::string OwnerOf(std::string_view principal, std::string_view session) {
  if (!principal.empty()) return std::string(kPrincipalPrefix) + std::string(principal);
  if (!session.empty()) return "session:" + std::string(session);
  return {};
}

ServerEngine::State::State(ServerOptions options_in, SessionStore& store_in, Entropy& entropy_in)
    : options(std::move(options_in)),
      server_info(ToText(ServerInfo(options))),
      store(store_in),
      entropy(entropy_in) {}

std::optional<RequestId> IdOf(const Message& message) {
  const auto* request = std::get_if<Request>(&message);
  return request ? std::optional<RequestId>(request->id) : std::nullopt;
}

// --- calls ---

std::vector<std::uint64_t> ServerEngine::State::CallsOf(const Caller& caller,
                                                        const Target& target) {
  std::vector<std::uint64_t> numbers;
  if (calls.size() == 0) return numbers;
  calls.ForEach([&](std::uint64_t number, const OpenCall& call) {
    if (SamePeer(call, caller, target)) numbers.push_back(number);
  });
  return numbers;
}

std::optional<Refusal> ServerEngine::State::WhyNotStart(const Caller& caller, const Target& target,
                                                        const RequestId& id) {
  if (calls.size() >= options.limits.max_calls) {
    return MakeRefusal(ErrorCode::kTooManyRequests, "too many requests are open");
  }
  const std::vector<std::uint64_t> open = CallsOf(caller, target);
  if (open.size() >= options.limits.max_calls_per_session) {
    return MakeRefusal(ErrorCode::kTooManyRequests, "too many requests of this client are open");
  }
  for (const std::uint64_t number : open) {
    if (calls.Find(number)->id == id) {  // J-03
      return MakeRefusal(ErrorCode::kInvalidRequest, "an open request has the same id");
    }
  }
  return std::nullopt;
}

void ServerEngine::State::StartCall(const Target& target, Caller caller, Request request,
                                    const std::shared_ptr<const std::string>* record, Turn& turn,
                                    ReadAhead ahead) {
  if (const auto refusal = WhyNotStart(caller, target, request.id)) {
    return SendError(target, refusal->http_status, request.id, ToRpcError(refusal->error),
                     turn.effects);
  }
  OpenCall open;
  open.target = target;
  open.id = std::move(request.id);
  open.caller = std::move(caller);
  if (const Json* meta = FindObject(request.params, "_meta")) {
    if (const Json* token = Find(*meta, "progressToken")) {
      open.progress_token = ReadRequestId(*token);
    }
  }
  Call call{{},
            open.caller.revision,
            open.caller.log_level,
            std::move(request.method),
            std::move(request.params),
            open.caller.principal,
            open.caller.session};
  if (record != nullptr) call.record = *record;
  call.ahead = std::move(ahead);
  if (keeping != nullptr && open.era() == Era::kHandshake &&
      std::holds_alternative<ExchangeId>(target)) {
    keeping->Started(open, turn.now);
  }
  call.id = CallId{calls.Insert(std::move(open))};
  calls.Find(call.id.number)->number = call.id.number;
  turn.news->push_back(CallStarted{std::move(call)});
}

// Ends a call without a response: the client does not want one.
void ServerEngine::State::CloseCall(std::uint64_t number, Turn& turn) {
  std::optional<OpenCall> call = calls.Take(number);
  if (!call) return;
  turn.news->push_back(CallCancelled{CallId{number}});
  WithdrawAll(*call, turn.effects);
  if (keeping != nullptr && keeping->Closed(*call, turn.effects)) return;
  const auto* exchange = std::get_if<ExchangeId>(&call->target);
  if (exchange == nullptr) return;
  if (!call->streaming) {
    turn.effects->push_back(effect::HttpStream{*exchange, 200, EventStreamHeaders()});
  }
  turn.effects->push_back(effect::HttpEnd{*exchange});
}

bool ServerEngine::State::CancelCall(const Caller& caller, const Target& target,
                                     const RequestId& id, Turn& turn) {
  for (const std::uint64_t number : CallsOf(caller, target)) {
    // Finished, or never there: ignored (P-01).
    if (calls.Find(number)->id != id) continue;
    CloseCall(number, turn);
    return true;
  }
  return false;
}

void ServerEngine::State::DropExchange(ExchangeId exchange, Turn& turn) {
  if (keeping != nullptr) keeping->Drop(exchange);
  std::uint64_t found = 0;
  calls.ForEach([&](std::uint64_t number, const OpenCall& call) {
    const auto* target = std::get_if<ExchangeId>(&call.target);
    // In the handshake era losing the connection cancels nothing (H-49).
    if (target != nullptr && *target == exchange && call.era() == Era::kStateless) found = number;
  });
  if (calls.Take(found)) turn.news->push_back(CallCancelled{CallId{found}});  // S-44
}

// --- answers ---

std::string ServerEngine::State::WrapResult(const Caller& caller, const RequestId& id,
                                            std::string_view members, std::string_view meta,
                                            ResultType type) const {
  const bool stateless = EraOf(caller.revision) == Era::kStateless;
  std::string inside;
  inside.reserve(members.size() + meta.size() + 160);
  if (stateless) inside += ResultTypeMember(type);  // J-08
  if (stateless && !members.empty()) inside += ',';
  inside += members;
  if (stateless || !meta.empty()) {
    if (!inside.empty()) inside += ',';
    inside += "\"_meta\":{";
    inside += meta;
    if (stateless) {  // S-08
      if (!meta.empty()) inside += ',';
      inside += '"';
      inside += kMetaServerInfo;
      inside += "\":";
      inside += server_info;
    }
    inside += '}';
  }
  std::string text;
  text.reserve(inside.size() + 64);
  AppendResult(id, inside, &text);
  return text;
}

void ServerEngine::State::SendResult(const Target& target, const Caller& caller,
                                     const RequestId& id, std::string_view members,
                                     std::string_view meta, Effects* effects, ResultType type) {
  std::string text = WrapResult(caller, id, members, meta, type);
  if (const auto* channel = std::get_if<ChannelId>(&target)) {
    effects->push_back(effect::Send{*channel, std::move(text)});
    return;
  }
  effects->push_back(effect::HttpRespond{
      std::get<ExchangeId>(target), 200, {{"content-type", "application/json"}}, std::move(text)});
}

void ServerEngine::State::SendError(const Target& target, int status,
                                    const std::optional<RequestId>& id, const RpcError& error,
                                    Effects* effects) {
  std::string text;
  AppendError(id, error, &text);
  if (const auto* channel = std::get_if<ChannelId>(&target)) {
    effects->push_back(effect::Send{*channel, std::move(text)});
    return;
  }
  ResponseHeaders headers = {{"content-type", "application/json"}};
  if (status == 503) headers.emplace_back("retry-after", "1");
  effects->push_back(effect::HttpRespond{std::get<ExchangeId>(target), status, std::move(headers),
                                         std::move(text)});
}

// One message of a call that is streaming, or begins to.
void ServerEngine::State::SendOnCall(OpenCall& call, std::string text, bool last,
                                     Effects* effects) {
  if (const auto* channel = std::get_if<ChannelId>(&call.target)) {
    effects->push_back(effect::Send{*channel, std::move(text)});
    return;
  }
  if (keeping != nullptr && keeping->Send(call, &text, last, effects)) return;
  const ExchangeId exchange = std::get<ExchangeId>(call.target);
  if (!call.streaming) {
    effects->push_back(effect::HttpStream{exchange, 200, EventStreamHeaders()});
    call.streaming = true;
  }
  std::string event;
  AppendSseEvent({}, text, &event);
  effects->push_back(effect::HttpChunk{exchange, std::move(event)});
  if (last) effects->push_back(effect::HttpEnd{exchange});
}

void ServerEngine::State::Answer(CallId id, std::string_view members, std::string_view meta,
                                 Effects* effects, ResultType type) {
  std::optional<OpenCall> call = calls.Take(id.number);
  if (!call) {
    if (late != nullptr) late->Answered(id, members);
    return;
  }
  WithdrawAll(*call, effects);
  if (call->streaming) {
    SendOnCall(*call, WrapResult(call->caller, call->id, members, meta, type), true, effects);
  } else {
    SendResult(call->target, call->caller, call->id, members, meta, effects, type);
  }
  if (keeping != nullptr) keeping->Answered(*call);
}

void ServerEngine::State::Fail(CallId id, const RpcError& error, int http_status,
                               Effects* effects) {
  std::optional<OpenCall> call = calls.Take(id.number);
  if (!call) {
    if (late != nullptr) late->Failed(id, error);
    return;
  }
  WithdrawAll(*call, effects);
  if (call->streaming) {  // too late for a status (E-04)
    std::string text;
    AppendError(call->id, error, &text);
    SendOnCall(*call, std::move(text), true, effects);
    if (keeping != nullptr) keeping->Answered(*call);
    return;
  }
  if (keeping != nullptr) keeping->Answered(*call);
  // In the handshake era an unknown method is told in band; only an outage has its own status.
  const bool in_band = call->era() == Era::kHandshake && error.code == kUnknownMethod;
  SendError(call->target, in_band ? 200 : http_status, call->id, error, effects);
}

void ServerEngine::State::Notify(CallId id, std::string_view method, std::string_view params,
                                 Effects* effects) {
  OpenCall* call = calls.Find(id.number);
  if (call == nullptr) return;
  std::string text;
  AppendNotification(method, params, &text);
  SendOnCall(*call, std::move(text), false, effects);
}

void ServerEngine::State::Progress(CallId id, double progress, std::optional<double> total,
                                   std::string_view message, Effects* effects) {
  OpenCall* call = calls.Find(id.number);
  if (call == nullptr || !call->progress_token || !std::isfinite(progress)) return;
  if (call->last_progress && progress <= *call->last_progress) return;  // P-03
  call->last_progress = progress;
  std::string params = "{\"progressToken\":";
  AppendRequestId(*call->progress_token, &params);
  params += ",\"progress\":";
  bool valid = AppendJson(progress, &params);
  if (total && std::isfinite(*total)) {
    params += ",\"total\":";
    valid = AppendJson(*total, &params) && valid;
  }
  MCPS_CHECK(valid);  // both are finite
  if (!message.empty()) {
    const std::size_t before = params.size();
    params += ",\"message\":";
    if (!AppendJsonString(message, &params)) params.resize(before);
  }
  params += '}';
  std::string text;
  AppendNotification("notifications/progress", params, &text);
  SendOnCall(*call, std::move(text), false, effects);
}

void ServerEngine::State::Discover(const Target& target, const Caller& caller, const RequestId& id,
                                   Turn& turn) {
  std::string members = "\"supportedVersions\":[\"";
  members += RevisionName(kNewestStateless);
  members += "\"],\"capabilities\":{";
  members += capabilities;
  if (!extensions.empty()) {
    if (!capabilities.empty()) members += ',';
    members += "\"extensions\":{" + extensions + '}';
  }
  members += '}';
  if (!options.instructions.empty()) {
    members += ",\"instructions\":";
    if (!AppendJsonString(options.instructions, &members)) members += "\"\"";
  }
  members += ",\"ttlMs\":60000,\"cacheScope\":\"public\"";  // F-11
  SendResult(target, caller, id, members, {}, turn.effects);
}

// --- the public face ---

ServerEngine::ServerEngine(ServerOptions options, SessionStore& store, Entropy& entropy)
    : state_(std::make_unique<State>(std::move(options), store, entropy)) {}

ServerEngine::~ServerEngine() = default;

void ServerEngine::AddCapability(std::string_view member) {
  std::string& capabilities = state_->capabilities;
  if (!capabilities.empty()) capabilities += ',';
  capabilities += member;
}

void ServerEngine::Handle(const Event& event, Instant now, Effects* effects,
                          std::vector<EngineNews>* news) {
  Turn turn{now, effects, news};
  State& state = *state_;
  state.now = now;
  state.Tick(turn);
  if (const auto* http = std::get_if<event::HttpRequested>(&event)) {
    state.HandleHttp(*http, turn);
  } else if (const auto* message = std::get_if<event::MessageArrived>(&event)) {
    state.HandleMessage(*message, turn);
  } else if (const auto* gone = std::get_if<event::ExchangeClosed>(&event)) {
    state.DropExchange(gone->exchange, turn);
  } else if (const auto* opened = std::get_if<event::ChannelOpened>(&event)) {
    Channel channel;
    channel.principal = opened->principal;
    state.channels.Insert(opened->channel.number, std::move(channel));
  } else if (const auto* closed = std::get_if<event::ChannelClosed>(&event)) {
    state.CloseChannel(closed->channel, turn);
  }
}

void ServerEngine::HandleReply(StoreReply reply, Instant now, Effects* effects,
                               std::vector<EngineNews>* news) {
  Turn turn{now, effects, news};
  state_->now = now;
  state_->HandleReply(std::move(reply), turn);
}

void ServerEngine::Answer(CallId call, std::string_view members, std::string_view meta,
                          Effects* effects, ResultType type) {
  state_->Answer(call, members, meta, effects, type);
}

void ServerEngine::Fail(CallId call, ErrorCode code, std::string_view message, Effects* effects) {
  const RpcError error{JsonRpcNumber(code), std::string(message), std::nullopt};
  state_->Fail(call, error, HttpStatus(code), effects);
}

void ServerEngine::Fail(CallId call, const RpcError& error, int http_status, Effects* effects) {
  state_->Fail(call, error, http_status, effects);
}

void ServerEngine::Notify(CallId call, std::string_view method, std::string_view params,
                          Effects* effects) {
  state_->Notify(call, method, params, effects);
}

Result<std::uint64_t> ServerEngine::Ask(CallId call, std::string_view method,
                                        std::string_view params, Millis time, Instant now,
                                        Effects* effects) {
  return state_->Ask(call, method, params, time, now, effects);
}

bool ServerEngine::CloseStream(CallId call, Effects* effects) {
  return state_->CloseStream(call, effects);
}

void ServerEngine::Push(std::string_view session, std::string_view method, std::string_view params,
                        Effects* effects) {
  state_->Push(session, method, params, effects);
}

bool ServerEngine::TakeSubmitted() { return std::exchange(state_->submitted, false); }

Instant ServerEngine::NextDeadline() const { return state_->due; }

bool ServerEngine::SetChannelLogLevel(CallId id, LogLevel level) {
  const OpenCall* call = state_->calls.Find(id.number);
  const auto* channel = call != nullptr ? std::get_if<ChannelId>(&call->target) : nullptr;
  if (channel == nullptr) return false;
  if (Channel* found = state_->channels.Find(channel->number)) found->log_level = level;
  return true;
}

void ServerEngine::Progress(CallId call, double progress, std::optional<double> total,
                            std::string_view message, Effects* effects) {
  state_->Progress(call, progress, total, message, effects);
}

const ServerOptions& ServerEngine::options() const { return state_->options; }

std::size_t ServerEngine::open_calls() const { return state_->calls.size(); }

}  // namespace mcp_session

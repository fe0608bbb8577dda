// JSON-RPC on the client: requests and notifications written, whatever a server sends read.
#include <algorithm>
#include <utility>

#include "mcp_session/json/access.h"
#include "mcp_session/json/parse.h"
#include "mcp_session/json/write.h"
#include "mcp_session/protocol/classify.h"
#include "mcp_session/session/client_state.h"

namespace mcp_session {
namespace {

constexpr std::string_view kProgressToken = "progressToken";

bool IsOwnMeta(std::string_view name) {
  return name == kProgressToken || name == kMetaProtocolVersion ||
         name == kMetaClientCapabilities || name == kMetaClientInfo;
}

// What a round of questions adds to params, instead of whatever had these names.
bool IsOfRound(std::string_view name) { return name == "inputResponses" || name == "requestState"; }

bool AppendMember(std::string_view name, const Json& value, std::string* out) {
  if (!AppendJsonString(name, out)) return false;
  *out += ':';
  if (!AppendJson(value, out)) return false;
  *out += ',';
  return true;
}

// `params` with the members `own` in its _meta, instead of whatever had their names, and with
// `round`, members that each have a comma behind them.
bool AppendParams(const Json& params, std::string_view own, std::string_view round,
                  std::string* out) {
  const Json* meta = Find(params, "_meta");
  if (own.empty() && meta == nullptr) return params.is_null() || AppendJson(params, out);
  *out += '{';
  *out += round;
  if (const auto* members = params.get_ptr<const Json::object_t*>()) {
    for (const auto& member : *members) {
      if (&member.second == meta || (!round.empty() && IsOfRound(member.first))) continue;
      if (!AppendMember(member.first, member.second, out)) return false;
    }
  }
  *out += "\"_meta\":{";
  const auto* members = meta ? meta->get_ptr<const Json::object_t*>() : nullptr;
  if (members != nullptr) {
    for (const auto& member : *members) {
      if (IsOwnMeta(member.first)) continue;
      if (!AppendMember(member.first, member.second, out)) return false;
    }
  }
  if (own.empty() && out->back() == ',') out->pop_back();
  *out += own;
  *out += "}}";
  return true;
}

std::int64_t NumberOf(const std::optional<RequestId>& id) {
  const auto* number = id ? std::get_if<std::int64_t>(&*id) : nullptr;  // J-05: never a string
  return number ? *number : 0;
}

// The id, if the value is meant as the answer to a request of ours.
std::optional<RequestId> IdOfResponse(const Json& value) {
  const Json* id = Find(value, "id");
  if (id == nullptr || !id->is_number_integer() || Find(value, "method")) return std::nullopt;
  const auto number = AsInteger(*id);
  return number ? std::optional<RequestId>(*number) : std::nullopt;
}

}  // namespace

Error PeerError(const RpcError& rpc, int status, bool names_session) {
  if (status >= 400) {
    Error error = StatusError(status, names_session);
    if (error.code != ErrorCode::kPeer) return error;
  }
  auto code = ErrorCode::kPeer;
  for (const ErrorCode ours :
       {ErrorCode::kParseError, ErrorCode::kInvalidRequest, ErrorCode::kMethodNotFound,
        ErrorCode::kInvalidParams, ErrorCode::kInternal, ErrorCode::kHeaderMismatch,
        ErrorCode::kMissingCapability, ErrorCode::kUnsupportedVersion}) {
    if (JsonRpcNumber(ours) == rpc.code) code = ours;
  }
  return {code, Blame::kPeer, "the server answered with an error"};
}

// The members that our requests have in _meta (S-02, S-03, P-03).
std::string ClientEngine::State::OwnMeta(std::int64_t progress_token) const {
  std::string meta;
  const auto add = [&meta](std::string_view name, std::string_view value) {
    meta += meta.empty() ? "\"" : ",\"";
    meta += name;
    meta += "\":";
    meta += value;
  };
  if (era_ == Era::kStateless) {
    add(kMetaProtocolVersion, "\"");
    meta += RevisionName(revision_);
    meta += '"';
    add(kMetaClientCapabilities, capabilities_);
    add(kMetaClientInfo, client_info_);
  }
  if (progress_token != 0) {
    add(kProgressToken, {});
    AppendInteger(progress_token, &meta);
  }
  return meta;
}

void ClientEngine::State::SendRequest(Call call) {
  // A new number each time, for the server may remember the last try's (J-03, S-45).
  call.wire_id = ++last_wire_id_;
  std::string round;
  if (!call.input_responses.empty()) {
    round = "\"inputResponses\":{" + call.input_responses;
    round.back() = '}';
    round += ',';
  }
  if (call.request_state) {
    round += "\"requestState\":";
    (void)AppendJsonString(*call.request_state, &round);  // it was parsed, so it is UTF-8
    round += ',';
  }
  std::string params;
  if (!AppendParams(call.params, OwnMeta(call.wants_progress ? call.wire_id : 0), round, &params)) {
    return Fail(call.id,
                {ErrorCode::kInvalidArgument, Blame::kCaller, "the params have no JSON form"});
  }
  std::string text;
  AppendRequest(call.wire_id, call.method, params, &text);
  if (text.size() > options_.limits.max_message_bytes) {
    return Fail(call.id, {ErrorCode::kTooLarge, Blame::kCaller, "the request is too large"});
  }
  if (on_channel()) {
    Tell(client_effect::Send{std::move(text)});
  } else {
    call.session = session();
    call.exchange = Post(std::move(text), call.wire_id, call.method, call.params, &call);
  }
  calls_.push_back(std::move(call));
}

void ClientEngine::State::SendOwnRequest(std::string_view method, std::string_view params) {
  step_id_ = ++last_wire_id_;
  std::string text;
  AppendRequest(step_id_, method, params, &text);
  if (on_channel()) {
    Tell(client_effect::Send{std::move(text)});
  } else {
    step_exchange_ = Post(std::move(text), step_id_, method, Json());
  }
}

void ClientEngine::State::SendAside(std::string text) {
  if (on_channel()) {
    Tell(client_effect::Send{std::move(text)});
  } else if (!TooManyAsides()) {
    // Past the cap it is not sent: a server can make us answer as often as it likes.
    Post(std::move(text), 0, {}, Json());
  }
}

void ClientEngine::State::On(client_event::MessageArrived& event) {
  if (on_channel() && step_ != Step::kClosed) Receive(event.text, {});
}

void ClientEngine::State::Receive(std::string_view text, ExchangeId from) {
  auto value = ParseJson(text, options_.limits);
  if (!value) return Garbled(from);
  auto* batch = value->get_ptr<Json::array_t*>();
  if (batch == nullptr) return ReceiveValue(std::move(*value), from);
  // Only one revision has them (J-11).
  if (era_ != Era::kHandshake || revision_ != Revision::k2025_03_26) return Garbled(from);
  for (Json& each : *batch) ReceiveValue(std::move(each), from);
}

void ClientEngine::State::ReceiveValue(Json value, ExchangeId from) {
  const auto id = IdOfResponse(value);
  auto message = DecodeMessage(std::move(value));
  if (!message) {
    Garbled(from);
    if (!id) return;
    // A broken answer is still the only one there will be.
    return ReceiveAnswer(AnsweredBy(id, from), from,
                         Error{ErrorCode::kPeer, Blame::kPeer, "the answer is malformed"});
  }
  if (auto* response = std::get_if<Response>(&*message)) {
    Answer answer;
    if (auto* rpc = std::get_if<RpcError>(&response->outcome)) {
      answer = std::move(*rpc);
    } else {
      answer = std::move(std::get<Json>(response->outcome));
    }
    return ReceiveAnswer(AnsweredBy(response->id, from), from, std::move(answer));
  }
  if (auto* notification = std::get_if<Notification>(&*message)) {
    if (notification->method == "notifications/progress") {
      return ReceiveProgress(std::move(notification->params));
    }
    if (notification->method == "notifications/cancelled" &&
        WithdrawRequest(notification->params)) {
      return;
    }
    return Tell(
        client_effect::Notified{std::move(notification->method), std::move(notification->params)});
  }
  ReceiveRequest(std::move(std::get<Request>(*message)), from);
}

std::int64_t ClientEngine::State::AnsweredBy(const std::optional<RequestId>& id, ExchangeId from) {
  const std::int64_t number = NumberOf(id);
  if (!on_channel()) {
    const Exchange* exchange = FindExchange(from);
    if (exchange == nullptr || (id && number != exchange->wire_id)) return 0;
    return exchange->wire_id;  // an error without an id can only mean the request it answers
  }
  if (!id) return step_id_;  // while opening there is only one request
  return number == step_id_ || FindCall(number) != nullptr ? number : 0;
}

void ClientEngine::State::ReceiveAnswer(std::int64_t wire_id, ExchangeId from, Answer answer) {
  if (wire_id == 0) return;  // late, or nobody's (P-01)
  Outcome outcome{std::move(answer)};
  if (Exchange* exchange = FindExchange(from)) {
    outcome.status = exchange->status;
    outcome.names_session = exchange->session != 0;
    const bool may_drain = !exchange->events || !TooManyAsides();
    exchange->wire_id = 0;
    exchange->events.reset();
    exchange->deadline = After(now_, kGrace);
    if (!may_drain) Abort(from);
  }
  Settle(wire_id, std::move(outcome));
}

void ClientEngine::State::Settle(std::int64_t wire_id, Outcome outcome) {
  if (wire_id == step_id_) {
    step_id_ = 0;
    step_exchange_ = {};
    step_deadline_ = kNever;
    return step_ == Step::kProbe ? EndProbe(std::move(outcome)) : EndInitialize(std::move(outcome));
  }
  if (const Call* call = FindCall(wire_id)) Finish(TakeCall(call), std::move(outcome));
}

void ClientEngine::State::ReceiveProgress(Json params) {
  const auto token = FindInteger(params, kProgressToken);
  const auto progress = FindNumber(params, "progress");
  Call* call = token ? FindCall(*token) : nullptr;
  // What does not rise is no progress, and buys no time (P-03).
  if (call == nullptr || !call->wants_progress || !progress || call->progress >= progress) return;
  call->progress = progress;
  call->deadline = std::min(After(now_, call->timeout), call->latest);
  Json told = EmptyObject();
  told["progress"] = Take(params, "progress");
  if (FindNumber(params, "total")) told["total"] = Take(params, "total");
  if (FindString(params, "message")) told["message"] = Take(params, "message");
  Tell(client_effect::Progressed{call->id, std::move(told)});
}

void ClientEngine::State::ReceiveRequest(Request request, ExchangeId from) {
  if (era_ == Era::kStateless || step_ == Step::kClosing) return;  // J-10: none, and no answers
  std::string text;
  auto refusal = ErrorCode::kMethodNotFound;
  if (request.method == "ping") {
    AppendResult(request.id, {}, &text);  // P-04
  } else if (questioning_ != nullptr && (this->*questioning_->ask)(request, from, &refusal)) {
    return;
  } else {
    const char* what =
        refusal == ErrorCode::kMethodNotFound ? "method not found" : "that was not declared";
    AppendError(request.id, {JsonRpcNumber(refusal), what, {}}, &text);  // G-07
  }
  SendAside(std::move(text));
}

void ClientEngine::State::Garbled(ExchangeId from) {
  if (Exchange* exchange = FindExchange(from)) exchange->malformed = true;
}

}  // namespace mcp_session

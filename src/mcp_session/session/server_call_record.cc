// The record of a call that takes long: it says to other nodes that this one works on it, and its
// events are what they have for it, a response to what it asked or that its client gave up.
//
// A call has one from its first event or question on, or once it is a second old; what ends sooner
// costs nothing. It has a short life and is touched while the call runs, so it is gone soon after
// the node that was. A store that fails is tried again later.
#include <algorithm>
#include <utility>

#include "mcp_session/json/parse.h"
#include "mcp_session/json/write.h"
#include "mcp_session/session/server_state.h"
#include "mcp_session/session/session_record.h"

namespace mcp_session {
namespace {

constexpr char kCancelled = 'c';  // and the request's id as JSON
constexpr char kResponse = 'r';   // and the message
constexpr std::size_t kKeptEvents = 64;

// The name of the call in the id of a request that some node made for it.
std::string_view NameInside(const std::optional<RequestId>& id) {
  const auto* text = id ? std::get_if<std::string>(&*id) : nullptr;
  const std::size_t dot = text != nullptr ? text->find('.') : std::string::npos;
  return dot == std::string::npos ? std::string_view() : std::string_view(*text).substr(0, dot);
}

std::string ResponseText(const Response& response) {
  std::string text;
  if (const auto* error = std::get_if<RpcError>(&response.outcome)) {
    AppendError(response.id, *error, &text);
    return text;
  }
  std::string result;
  if (!AppendJson(std::get<Json>(response.outcome), &result)) return {};
  const std::string_view members(result);
  AppendResult(*response.id, members.substr(1, members.size() - 2), &text);
  return text;
}

}  // namespace

void ServerEngine::State::OpenCallRecord(OpenCall& call) {
  if (call.recorded) return;
  call.recorded = true;
  const std::string owner = OwnerOf({}, call.caller.session);
  const std::string name = NameOfCall(call.id);
  Submit(Await(WaitForCall{call.number, true}),
         store::Create{RecordKey{owner, kCallKind, name}, "R1",
                       Lifetime{options.node_time, std::nullopt}});
  ReadCallRecord(call);
}

void ServerEngine::State::ReadCallRecord(const OpenCall& call) {
  const std::string owner = OwnerOf({}, call.caller.session);
  const std::string name = NameOfCall(call.id);
  Submit(
      Await(WaitForCall{call.number, false}),
      store::ReadEvents{RecordKey{owner, kCallKind, name}, call.heard, kKeptEvents, kMaxEventWait});
}

// After the last event of its stream: who finds no record must find that.
void ServerEngine::State::RemoveCallRecord(const OpenCall& call) {
  if (!call.recorded) return;
  const std::string owner = OwnerOf({}, call.caller.session);
  const std::string name = NameOfCall(call.id);
  Submit(kNobody, store::Remove{RecordKey{owner, kCallKind, name}});
}

void ServerEngine::State::CallReplied(const WaitForCall& wait, const StoreReply& reply,
                                      Turn& turn) {
  OpenCall* call = calls.Find(wait.call);
  if (call == nullptr) return;
  if (wait.created) {
    // Answers find the way from now on.
    for (std::string& text : std::exchange(call->held, {})) {
      SendOnCall(*call, std::move(text), false, turn.effects);
    }
    return;  // if there is none, the read says so too
  }
  if (reply.error == ErrorCode::kGap) {
    call->heard = reply.sequence;
  } else if (reply.error) {
    call->recorded = false;
    call->record_at = turn.now + TouchInterval();
    due = std::min(due, call->record_at);
    return;
  }
  for (const StreamEvent& event : reply.events) {
    call->heard = event.sequence;
    if (!Hear(*call, *event.data, turn)) return;
  }
  ReadCallRecord(*call);
}

// False: the call is over.
bool ServerEngine::State::Hear(OpenCall& call, std::string_view event, Turn& turn) {
  Result<Json> json = ParseJson(event.substr(event.empty() ? 0 : 1), options.limits);
  if (!json) return true;
  if (event[0] == kCancelled && ReadRequestId(*json) == call.id) {
    CloseCall(call.number, turn);
    return false;
  }
  if (event[0] != kResponse) return true;
  Result<Message> message = DecodeMessage(std::move(*json));
  auto* response = message ? std::get_if<Response>(&*message) : nullptr;
  if (response != nullptr) Match(call, *response, turn);
  return true;
}

// For a call that is not open here. The client is answered when the store has it.
void ServerEngine::State::ForwardResponse(ExchangeId exchange, const Caller& caller,
                                          const Response& response, Turn& turn) {
  const std::string_view name = NameInside(response.id);
  const std::string text = name.empty() ? std::string() : ResponseText(response);
  if (text.empty()) {
    turn.effects->push_back(effect::HttpRespond{exchange, 202, {}, {}});
    return;
  }
  Forward(exchange, caller, name, kResponse + text);
}

void ServerEngine::State::ForwardCancellation(ExchangeId exchange, const Caller& caller,
                                              const RequestId& id) {
  std::string text(1, kCancelled);
  AppendRequestId(id, &text);
  Forward(exchange, caller, NameOfCall(id), std::move(text));
}

void ServerEngine::State::Forward(ExchangeId exchange, const Caller& caller, std::string_view name,
                                  std::string event) {
  const std::string owner = OwnerOf({}, caller.session);
  Submit(Await(WaitForForward{exchange}),
         store::Append{RecordKey{owner, kCallKind, name}, std::move(event), kKeptEvents});
}

// --- what keeps alive ---

// Often enough for the shortest life of what is kept alive.
Millis ServerEngine::State::TouchInterval() const {
  const Millis idle = options.session_lifetime.idle_ttl.value_or(kMaxLifetime);
  const Millis shortest = std::min({idle, options.node_time, options.stream_time});
  return std::max(Millis{1}, Millis{shortest.count / 3});
}

// A call that runs long keeps what it needs alive: its session, its stream, its record.
void ServerEngine::State::TouchFor(const OpenCall& call) {
  const std::string owner = RecordOwner(call.caller);
  Submit(kNobody, store::Touch{RecordKey{owner, kSessionKind, call.caller.session}});
  const std::string own = OwnerOf({}, call.caller.session);
  if (const CallStream* stream = keeping->streams.Find(call.stream)) {
    if (stream->kept) Submit(kNobody, store::Touch{RecordKey{own, kStreamKind, stream->name}});
  }
  if (!call.recorded) return;
  const std::string name = NameOfCall(call.id);
  Submit(kNobody, store::Touch{RecordKey{own, kCallKind, name}});
}

// What is due for a call in a session by HTTP.
void ServerEngine::State::TickCall(OpenCall& call) {
  if (call.touch_at <= now) {
    TouchFor(call);
    call.touch_at = now + TouchInterval();
  }
  due = std::min(due, call.touch_at);
  if (call.recorded) return;
  if (call.record_at <= now) return OpenCallRecord(call);
  due = std::min(due, call.record_at);
}

}  // namespace mcp_session

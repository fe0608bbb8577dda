// Requests to the client: what a call asks it, on the stream of the call's answer or on its
// channel, and how the answers find their way back. A request is known by an id that no other in
// the session has on any node; who answers must be the peer of the call.
#include <algorithm>
#include <array>
#include <utility>

#include "mcp_session/base/base64.h"
#include "mcp_session/base/random_name.h"
#include "mcp_session/base/siphash.h"
#include "mcp_session/json/write.h"
#include "mcp_session/session/server_state.h"

namespace mcp_session {

std::string ServerEngine::State::NameOfCall(const RequestId& id) {
  std::string text;
  AppendRequestId(id, &text);
  const std::uint64_t hash = SipHash13(SipKey{}, 0, text);
  std::array<std::uint8_t, 8> bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(hash >> (8 * i));
  }
  return EncodeBase64Url(bytes);
}

Result<std::uint64_t> ServerEngine::State::Ask(CallId id, std::string_view method,
                                               std::string_view params, Millis time, Instant now,
                                               Effects* effects) {
  OpenCall* call = calls.Find(id.number);
  if (call == nullptr) {
    return Failure(ErrorCode::kCancelled, Blame::kCaller, "the call is over");
  }
  if (call->era() == Era::kStateless) {
    return Failure(ErrorCode::kInvalidArgument, Blame::kCaller,
                   "a client without a session cannot be asked");
  }
  if (call->asked.size() >= options.limits.max_requests_per_call) {
    return Failure(ErrorCode::kTooManyRequests, Blame::kCaller, "too many requests are unanswered");
  }
  static constexpr Asking kAsking = {&State::TakeResponseToAsked, &State::WithdrawAllAsked,
                                     &State::TimeOut};
  asking = &kAsking;
  if (call->asking.empty()) {
    call->asking = NameOfCall(call->id) + "." + RandomName<8>(entropy) + ".";
  }
  const std::uint64_t number = ++call->last_asked;
  std::string name = call->asking;
  AppendInteger(static_cast<std::int64_t>(number), &name);
  std::string text;
  AppendRequest(name, method, params, &text);
  call->asked.push_back({number, std::move(name), now + time});
  due = std::min(due, now + time);
  // Its answer may come to another node, and must find the call.
  const bool by_http = std::holds_alternative<ExchangeId>(call->target);
  if (by_http && keeping != nullptr && keeping->HoldBack(*call, &text)) return number;
  SendOnCall(*call, std::move(text), false, effects);
  return number;
}

bool ServerEngine::State::TakeResponseToAsked(const Caller& caller, const Target& target,
                                              Response& response, Turn& turn) {
  for (const std::uint64_t number : CallsOf(caller, target)) {
    if (Match(*calls.Find(number), response, turn)) return true;
  }
  return false;
}

// Whether `response` is to what `call` asked; then it is news.
bool ServerEngine::State::Match(OpenCall& call, Response& response, Turn& turn) {
  const auto* id = response.id ? std::get_if<std::string>(&*response.id) : nullptr;
  if (id == nullptr) return false;
  const auto found = std::find_if(call.asked.begin(), call.asked.end(),
                                  [&](const Asked& request) { return request.id == *id; });
  if (found == call.asked.end()) return false;
  ClientAnswered answered{CallId{call.number}, found->number, ErrorCode::kInternal};
  if (auto* result = std::get_if<Json>(&response.outcome)) {
    answered.outcome = std::move(*result);
  } else {
    answered.outcome = std::move(std::get<RpcError>(response.outcome));
  }
  call.asked.erase(found);
  turn.news->push_back(std::move(answered));
  return true;
}

void ServerEngine::State::Withdraw(OpenCall& call, const Asked& request, Effects* effects) {
  std::string text;
  AppendCancelled(request.id, &text);
  SendOnCall(call, std::move(text), false, effects);
}

void ServerEngine::State::WithdrawAllAsked(OpenCall& call, Effects* effects) {
  // Those that were held back were never sent.
  call.asked.resize(call.asked.size() - std::min(call.asked.size(), call.held.size()));
  call.held.clear();
  for (const Asked& request : call.asked) Withdraw(call, request, effects);
  call.asked.clear();
}

void ServerEngine::State::TimeOut(std::uint64_t number, OpenCall& call, Turn& turn) {
  for (std::size_t i = 0; i < call.asked.size();) {
    if (call.asked[i].deadline > turn.now) {
      due = std::min(due, call.asked[i++].deadline);
      continue;
    }
    const Asked request = std::move(call.asked[i]);
    call.asked.erase(call.asked.begin() + static_cast<std::ptrdiff_t>(i));
    Withdraw(call, request, turn.effects);  // H-13
    turn.news->push_back(ClientAnswered{CallId{number}, request.number, ErrorCode::kTimeout});
  }
}

void ServerEngine::State::Tick(Turn& turn) {
  if (turn.now < due) return;
  due = kNever;
  calls.ForEach([&](std::uint64_t number, OpenCall& call) {
    if (asking != nullptr) (this->*asking->time_out)(number, call, turn);
    if (call.touch_at != kNever) keeping->Tick(call);
  });
}

}  // namespace mcp_session

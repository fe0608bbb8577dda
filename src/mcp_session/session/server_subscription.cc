// Requests that stay open for notifications: subscriptions/listen (spec section 9). And who is
// there to be told something.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "mcp_session/protocol/message.h"
#include "mcp_session/session/server_state.h"

namespace mcp_session {
namespace {

// What every message of a subscription has (U-03).
std::string SubscriptionMeta(const RequestId& id) {
  std::string meta = "\"io.modelcontextprotocol/subscriptionId\":";
  AppendRequestId(id, &meta);
  return meta;
}

}  // namespace

void ServerEngine::NotifySubscriber(CallId id, std::string_view method, std::string_view members,
                                    Effects* effects) {
  const OpenCall* call = state_->calls.Find(id.number);
  if (call == nullptr) return;
  std::string params = "{";
  params += members;
  if (!members.empty()) params += ',';
  params += "\"_meta\":{" + SubscriptionMeta(call->id) + "}}";
  state_->Notify(id, method, params, effects);
}

void ServerEngine::EndSubscription(CallId id, Effects* effects) {
  const OpenCall* call = state_->calls.Find(id.number);
  if (call == nullptr) return;
  const RequestId request = call->id;
  const std::optional<ChannelId> told = ChannelOf(id);
  state_->Answer(id, {}, SubscriptionMeta(request), effects);  // U-07
  if (!told) return;
  std::string text;
  AppendCancelled(request, &text);  // U-08, ruling R-3
  effects->push_back(effect::Send{*told, std::move(text)});
}

std::optional<ChannelId> ServerEngine::ChannelOf(CallId id) const {
  const OpenCall* call = state_->calls.Find(id.number);
  const auto* channel = call != nullptr ? std::get_if<ChannelId>(&call->target) : nullptr;
  return channel != nullptr ? std::optional(*channel) : std::nullopt;
}

bool ServerEngine::IsOpen(ChannelId channel) const {
  return state_->channels.Find(channel.number) != nullptr;
}

std::vector<std::string> ServerEngine::ListeningSessions() const {
  std::vector<std::string> sessions;
  if (state_->keeping == nullptr) return sessions;
  state_->keeping->listeners.ForEach([&](std::uint64_t, const Listener& listener) {
    const bool open = listener.begun && listener.exchange.number != 0;
    if (open && !listener.of_call()) sessions.push_back(listener.caller.session);
  });
  std::sort(sessions.begin(), sessions.end());
  return sessions;
}

}  // namespace mcp_session

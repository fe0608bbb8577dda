// Notifications that belong to no call, or to one that stays open for them: subscriptions/listen
// (spec section 9).
#include <string>
#include <utility>

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
  std::string params = "{\"requestId\":";  // U-08, ruling R-3
  AppendRequestId(request, &params);
  params += '}';
  NotifyChannel(*told, "notifications/cancelled", params, effects);
}

std::optional<ChannelId> ServerEngine::ChannelOf(CallId id) const {
  const OpenCall* call = state_->calls.Find(id.number);
  const auto* channel = call != nullptr ? std::get_if<ChannelId>(&call->target) : nullptr;
  return channel != nullptr ? std::optional(*channel) : std::nullopt;
}

bool ServerEngine::IsOpen(ChannelId channel) const {
  return state_->channels.Find(channel.number) != nullptr;
}

void ServerEngine::NotifyChannel(ChannelId channel, std::string_view method,
                                 std::string_view params, Effects* effects) {
  if (!IsOpen(channel)) return;
  std::string text;
  AppendNotification(method, params, &text);
  effects->push_back(effect::Send{channel, std::move(text)});
}

}  // namespace mcp_session

// How RedisAdmin asks Redis, and waits for the answer.
#include <utility>

#include "mcp_session/redis/admin_state.h"
#include "mcp_session/system/clock.h"

namespace mcp_session {

Result<void> RedisAdmin::State::Connect() {
  const Instant end = MonotonicNow() + options_.command_timeout;
  while (route_->state() != StoreState::kConnected) {
    const bool refused = route_->state() == StoreState::kMisconfigured;
    if (refused || route_->state() == StoreState::kUnavailable || MonotonicNow() >= end) {
      return Failure(refused ? ErrorCode::kMisconfigured : ErrorCode::kUnavailable,
                     Blame::kEnvironment, "redis: " + route_->reason());
    }
    loop_.run_one_until(ToSteadyTime(end));
  }
  return {};
}

Result<RedisAdmin::State::Replies> RedisAdmin::State::Ask(
    std::string bytes, std::size_t replies, const std::function<void(RedisExchange)>& send) {
  if (Result<void> connected = Connect(); !connected) {
    return tl::unexpected(std::move(connected.error()));
  }
  std::optional<RedisDelivery> delivered;
  RedisExchange exchange;
  exchange.bytes = std::move(bytes);
  exchange.replies = replies;
  exchange.deadline = MonotonicNow() + options_.command_timeout;
  exchange.done = [&delivered](RedisDelivery delivery) { delivered = std::move(delivery); };
  send(std::move(exchange));
  while (!delivered) loop_.run_one();
  if (delivered->fate != RedisFate::kAnswered) {
    const bool refused = delivered->fate == RedisFate::kRefused;
    return Failure(refused ? ErrorCode::kMisconfigured : ErrorCode::kUnavailable,
                   Blame::kEnvironment, "redis: " + route_->reason());
  }
  for (const RedisReply& reply : delivered->replies) {
    if (!reply.IsError()) continue;
    const RedisErrorMeaning meaning = ClassifyRedisError(reply.text);
    return Failure(meaning.code, Blame::kEnvironment,
                   "redis: the server " + std::string(meaning.words));
  }
  return std::move(delivered->replies);
}

Result<RedisAdmin::State::Replies> RedisAdmin::State::AskKey(std::string_view key,
                                                             std::string bytes,
                                                             std::size_t replies) {
  return Ask(std::move(bytes), replies,
             [this, key](RedisExchange exchange) { route_->Send(key, std::move(exchange)); });
}

Result<RedisAdmin::State::Replies> RedisAdmin::State::AskNode(const std::string& node,
                                                              std::string bytes,
                                                              std::size_t replies) {
  return Ask(std::move(bytes), replies,
             [this, &node](RedisExchange exchange) { route_->SendTo(node, std::move(exchange)); });
}

}  // namespace mcp_session

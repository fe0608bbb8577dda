// How RedisAdmin asks Redis, and waits for the answer.
#include <algorithm>
#include <utility>

#include "mcp_session/redis/admin_state.h"
#include "mcp_session/system/clock.h"

namespace mcp_session {
namespace {

// What is on its way together; the deadline is for all of it.
constexpr std::size_t kQuestionsAtOnce = 256;
constexpr std::size_t kBytesAtOnce = 4u << 20;

}  // namespace

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

RedisExchange RedisAdmin::State::MakeExchange(std::string bytes, std::size_t replies) const {
  RedisExchange exchange;
  exchange.bytes = std::move(bytes);
  exchange.replies = replies;
  exchange.deadline = MonotonicNow() + options_.command_timeout;
  return exchange;
}

Result<RedisAdmin::State::Replies> RedisAdmin::State::ReadDelivery(RedisDelivery delivery) {
  if (delivery.fate != RedisFate::kAnswered) {
    const bool refused = delivery.fate == RedisFate::kRefused;
    return Failure(refused ? ErrorCode::kMisconfigured : ErrorCode::kUnavailable,
                   Blame::kEnvironment, "redis: " + route_->reason());
  }
  for (const RedisReply& reply : delivery.replies) {
    if (!reply.IsError()) continue;
    const RedisErrorMeaning meaning = ClassifyRedisError(reply.text);
    return Failure(meaning.code, Blame::kEnvironment,
                   "redis: the server " + std::string(meaning.words));
  }
  return std::move(delivery.replies);
}

std::vector<Result<RedisAdmin::State::Replies>> RedisAdmin::State::AskKeys(
    std::vector<Question> questions) {
  std::vector<Result<Replies>> answers;
  for (std::size_t i = 0; i < questions.size();) {
    if (Result<void> connected = Connect(); !connected) {
      answers.resize(questions.size(), tl::unexpected(connected.error()));
      break;
    }
    const std::size_t first = i;
    std::size_t waited_for = 0, bytes = 0;
    std::vector<RedisDelivery> delivered(std::min(questions.size() - first, kQuestionsAtOnce));
    for (; i < questions.size() && i - first < kQuestionsAtOnce && bytes < kBytesAtOnce; ++i) {
      Question& question = questions[i];
      bytes += question.bytes.size();
      ++waited_for;
      RedisExchange exchange = MakeExchange(std::move(question.bytes), question.replies);
      exchange.done = [&waited_for, &delivery = delivered[i - first]](RedisDelivery came) {
        delivery = std::move(came);
        --waited_for;
      };
      route_->Send(question.key, std::move(exchange));
    }
    while (waited_for > 0) loop_.run_one();
    for (std::size_t j = first; j < i; ++j) {
      answers.push_back(ReadDelivery(std::move(delivered[j - first])));
    }
  }
  return answers;
}

Result<RedisAdmin::State::Replies> RedisAdmin::State::AskKey(std::string_view key,
                                                             std::string bytes,
                                                             std::size_t replies) {
  return std::move(AskKeys({{std::string(key), std::move(bytes), replies}})[0]);
}

Result<RedisAdmin::State::Replies> RedisAdmin::State::AskNode(const std::string& node,
                                                              std::string bytes,
                                                              std::size_t replies) {
  if (Result<void> connected = Connect(); !connected) {
    return tl::unexpected(std::move(connected.error()));
  }
  std::optional<RedisDelivery> delivered;
  RedisExchange exchange = MakeExchange(std::move(bytes), replies);
  exchange.done = [&delivered](RedisDelivery delivery) { delivered = std::move(delivery); };
  route_->SendTo(node, std::move(exchange));
  while (!delivered) loop_.run_one();
  return ReadDelivery(std::move(*delivered));
}

}  // namespace mcp_session

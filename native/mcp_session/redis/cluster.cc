#include "mcp_session/redis/cluster.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <utility>

#include "mcp_session/redis/keys.h"
#include "mcp_session/system/clock.h"

namespace mcp_session {
namespace {

constexpr int kMaxHops = 5;
constexpr std::int64_t kShortestTryAgain = 20;
constexpr std::int64_t kLongestTryAgain = 100;

// The first error of a delivery that says where else to go.
const RedisReply* FindRedirection(const RedisDelivery& delivery) {
  for (const RedisReply& reply : delivery.replies) {
    if (!reply.IsError()) continue;
    const RedisRemedy remedy = ClassifyRedisError(reply.text).remedy;
    if (remedy == RedisRemedy::kMoved || remedy == RedisRemedy::kAsk ||
        remedy == RedisRemedy::kTryAgain) {
      return &reply;
    }
  }
  return nullptr;
}

bool SaysTheMapIsOld(const RedisDelivery& delivery) {
  if (delivery.fate != RedisFate::kAnswered) return true;
  return std::any_of(delivery.replies.begin(), delivery.replies.end(), [](const RedisReply& reply) {
    return reply.IsError() && (reply.text.starts_with("CLUSTERDOWN") ||
                               ClassifyRedisError(reply.text).remedy == RedisRemedy::kReconnect);
  });
}

// Each command says ASKING first.
std::string WithAsking(std::string_view bytes) {
  std::string all;
  for (const std::string_view command : SplitRedisCommands(bytes)) {
    AppendRedisCommand(&all, {"ASKING"});
    all += command;
  }
  return all;
}

void DropAskingReplies(std::vector<RedisReply>* replies) {
  std::vector<RedisReply> rest;
  for (std::size_t i = 1; i < replies->size(); i += 2) rest.push_back(std::move((*replies)[i]));
  *replies = std::move(rest);
}

}  // namespace

ClusterRoute::ClusterRoute(boost::asio::io_context& loop, const RedisOptions& options,
                           Entropy& entropy, RedisCounters& counters)
    : loop_(loop),
      options_(options),
      entropy_(entropy),
      counters_(counters),
      nodes_of_slots_(kRedisSlots),
      timer_(loop),
      expiry_(loop) {
  LoadSlots();
}

ClusterRoute::~ClusterRoute() { Close(); }

void ClusterRoute::Close() {
  *alive_ = false;
  if (question_ != nullptr) question_->Close();
  question_ = nullptr;
  for (const auto& [node, link] : links_) link->Close();
  links_.clear();
  lanes_.clear();
  unplaced_.clear();
  timer_.cancel();
  expiry_.cancel();
}

std::vector<std::string> ClusterRoute::Nodes() const {
  std::vector<std::string> names;
  for (const auto& [node, address] : nodes_) names.push_back(node);
  return names;
}

void ClusterRoute::SendTo(const std::string& node, RedisExchange exchange) {
  if (!nodes_.contains(node)) return exchange.done({RedisFate::kNotSent, false, {}});
  LinkTo(node).Send(std::move(exchange));
}

bool ClusterRoute::AreTogether(std::string_view key, std::string_view other) const {
  return RedisSlot(key) == RedisSlot(other);
}

// A node that is away takes its slots with it and no others: connected is who has one.
StoreState ClusterRoute::state() const {
  if (!has_slots_) return state_;
  const auto some_are = [this](StoreState state) {
    return std::any_of(links_.begin(), links_.end(),
                       [state](const auto& each) { return each.second->state() == state; });
  };
  if (some_are(StoreState::kMisconfigured)) return StoreState::kMisconfigured;
  if (links_.empty() || some_are(StoreState::kConnected)) return StoreState::kConnected;
  return some_are(StoreState::kUnavailable) ? StoreState::kUnavailable : StoreState::kConnecting;
}

// The worst first: a node that is away is more than one that may evict. Null: none has a reason.
const std::pair<const std::string, std::shared_ptr<RedisLink>>* ClusterRoute::WorstLink() const {
  for (const StoreState state : {StoreState::kMisconfigured, StoreState::kUnavailable,
                                 StoreState::kConnecting, StoreState::kConnected}) {
    for (const auto& each : links_) {
      if (each.second->state() == state && !each.second->reason().empty()) return &each;
    }
  }
  return nullptr;
}

std::string ClusterRoute::reason() const {
  if (!has_slots_) return failure_.reason;
  const auto* worst = WorstLink();
  return worst == nullptr ? std::string() : worst->first + ": " + worst->second->reason();
}

RedisCause ClusterRoute::cause() const {
  const auto* worst = has_slots_ ? WorstLink() : nullptr;
  return worst == nullptr ? failure_.cause : worst->second->cause();
}

std::optional<bool> ClusterRoute::MayEvict() const {
  std::optional<bool> evicts;
  for (const auto& [node, link] : links_) {
    if (link->MayEvict()) evicts = evicts.value_or(false) || *link->MayEvict();
  }
  return evicts;
}

void ClusterRoute::Send(std::string_view key, RedisExchange exchange) {
  Journey journey;
  journey.number = ++last_number_;
  journey.lane = key.substr(0, key.rfind(':'));
  journey.slot = RedisSlot(key);
  journey.exchange = std::move(exchange);
  if (!has_slots_) {
    if (state_ == StoreState::kMisconfigured) {
      return journey.exchange.done({RedisFate::kRefused, false, {}});
    }
    if (unplaced_.size() >= options_.max_in_flight) return Fail(std::move(journey));
    unplaced_.push_back(std::move(journey));
    return ExpireUnplaced();
  }
  const auto found = lanes_.find(journey.lane);
  if (found == lanes_.end() || !found->second.in_trouble) return Go(std::move(journey));
  if (found->second.waiters.size() >= options_.max_in_flight) return Fail(std::move(journey));
  found->second.waiters.push_back(std::move(journey));
}

// Certainly not done, unless an earlier try was.
void ClusterRoute::Fail(Journey journey) {
  journey.exchange.done(
      {journey.repeated ? RedisFate::kLost : RedisFate::kNotSent, journey.repeated, {}});
}

void ClusterRoute::Go(Journey journey) {
  const std::string node = journey.ask.empty() ? nodes_of_slots_[journey.slot] : journey.ask;
  if (node.empty()) {
    LoadSlotsSoon();
    return Fail(std::move(journey));
  }
  ++lanes_[journey.lane].in_flight;
  RedisExchange exchange = journey.exchange;
  if (!journey.ask.empty()) {
    std::string bytes;
    AppendExchange(exchange, &bytes);
    exchange.bytes = WithAsking(bytes);
    exchange.put.reset();
    exchange.replies *= 2;
  }
  exchange.done = [this, journey = std::move(journey)](RedisDelivery delivery) mutable {
    OnDelivered(std::move(journey), std::move(delivery));
  };
  LinkTo(node).Send(std::move(exchange));
}

void ClusterRoute::OnDelivered(Journey journey, RedisDelivery delivery) {
  const std::string name = journey.lane;
  Lane& lane = lanes_[name];
  --lane.in_flight;
  if (!journey.ask.empty()) DropAskingReplies(&delivery.replies);
  if (SaysTheMapIsOld(delivery)) LoadSlotsSoon();
  delivery.repeated = delivery.repeated || journey.repeated;
  const RedisReply* const error = FindRedirection(delivery);
  const bool overtook = delivery.fate == RedisFate::kAnswered && journey.exchange.read_only &&
                        !lane.waiters.empty() && lane.waiters.front().number < journey.number;
  if (overtook || (error != nullptr && Redirect(&journey, *error, &lane))) {
    lane.in_trouble = true;
    journey.repeated = delivery.repeated;
    const auto place =
        std::find_if(lane.waiters.begin(), lane.waiters.end(),
                     [&journey](const Journey& other) { return other.number > journey.number; });
    lane.waiters.insert(place, std::move(journey));
  } else {
    const auto done = std::move(journey.exchange.done);
    done(std::move(delivery));
  }
  SendNext(name);
}

// Whether it is to be sent again, and where.
bool ClusterRoute::Redirect(Journey* journey, const RedisReply& error, Lane* lane) {
  if (MonotonicNow() >= journey->exchange.deadline) return false;
  journey->ask.clear();
  const RedisRemedy remedy = ClassifyRedisError(error.text).remedy;
  if (remedy == RedisRemedy::kTryAgain) {
    lane->waiting = true;
    journey->hops = 0;
    return true;
  }
  if (++journey->hops > kMaxHops) return false;
  ++counters_.redirections;
  // "MOVED 3999 127.0.0.1:6381"; without a host it is the one that was asked.
  const std::size_t space = error.text.rfind(' ');
  const std::size_t colon = error.text.rfind(':');
  if (space == std::string::npos || colon == std::string::npos || colon < space) return false;
  RedisAddress address;
  address.host = error.text.substr(space + 1, colon - space - 1);
  const auto asked = nodes_.find(nodes_of_slots_[journey->slot]);
  if (address.host.empty() && asked != nodes_.end()) address.host = asked->second.host;
  address.port = static_cast<std::uint16_t>(std::atoi(error.text.c_str() + colon + 1));
  const std::string node = address.Text();
  nodes_[node] = address;
  if (remedy == RedisRemedy::kAsk) {
    journey->ask = node;
  } else {
    nodes_of_slots_[journey->slot] = node;
    LoadSlotsSoon();
  }
  return true;
}

void ClusterRoute::SendNext(const std::string& name) {
  for (;;) {
    const auto found = lanes_.find(name);
    if (found == lanes_.end() || found->second.in_flight > 0) return;
    Lane& lane = found->second;
    if (lane.waiters.empty()) {
      lanes_.erase(found);
      return;
    }
    if (lane.waiting) return TryAgainLater(name);
    Journey next = std::move(lane.waiters.front());
    lane.waiters.pop_front();
    Go(std::move(next));
  }
}

void ClusterRoute::TryAgainLater(const std::string& name) {
  std::array<std::uint8_t, 1> byte;
  entropy_.Fill(byte);
  const std::int64_t length =
      kShortestTryAgain + byte[0] * (kLongestTryAgain - kShortestTryAgain) / 255;
  const auto timer = std::make_shared<boost::asio::steady_timer>(loop_);
  timer->expires_after(std::chrono::milliseconds(length));
  timer->async_wait([this, name, timer, alive = alive_](const boost::system::error_code&) {
    if (!*alive) return;
    lanes_[name].waiting = false;
    // What is over its deadline is answered by the link, as everything is.
    SendNext(name);
  });
}

RedisLink& ClusterRoute::LinkTo(const std::string& node) {
  std::shared_ptr<RedisLink>& link = links_[node];
  if (link == nullptr) {
    link = std::make_shared<RedisLink>(loop_, options_, entropy_, counters_,
                                       [address = nodes_[node]](auto found) { found(address); });
    link->Start();
  }
  return *link;
}

}  // namespace mcp_session

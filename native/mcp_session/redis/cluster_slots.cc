// The other half of ClusterRoute: how it comes to know which node has which slots.
#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "mcp_session/redis/cluster.h"
#include "mcp_session/redis/keys.h"
#include "mcp_session/system/clock.h"

namespace mcp_session {
namespace {

// At least between two times the slots are learnt; more after nobody knew them, or let us in.
constexpr Millis kReload{100};
constexpr Millis kFailedReload = Seconds(1);
constexpr Millis kMisconfiguredReload = Seconds(60);

}  // namespace

void ClusterRoute::LoadSlotsSoon() {
  if (loading_) return;
  const Instant at = std::max(MonotonicNow(), loaded_at_ + kReload);
  if (at >= load_at_) return;
  load_at_ = at;
  timer_.expires_at(ToSteadyTime(at));
  timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
    if (!error && *alive) LoadSlots();
  });
}

// Asks what is known to have slots, then what was given at the start, one after the other.
void ClusterRoute::LoadSlots() {
  load_at_ = kNever;
  loading_ = true;
  to_ask_ = options_.endpoints;
  for (const auto& [node, address] : nodes_) {
    if (links_.contains(node) && links_[node]->state() == StoreState::kConnected) {
      to_ask_.push_back(address);
    }
  }
  failure_ = {ErrorCode::kUnavailable, "no node of the cluster answers"};
  AskNext();
}

void ClusterRoute::AskNext() {
  if (to_ask_.empty()) {
    loading_ = false;
    loaded_at_ = MonotonicNow() + kFailedReload;
    const bool misconfigured = failure_.code == ErrorCode::kMisconfigured && !has_slots_;
    state_ = misconfigured ? StoreState::kMisconfigured : StoreState::kUnavailable;
    if (misconfigured) {
      loaded_at_ = loaded_at_ + kMisconfiguredReload;
      std::deque<Journey> refused = std::move(unplaced_);
      unplaced_.clear();
      for (Journey& journey : refused) journey.exchange.done({RedisFate::kRefused, false, {}});
    }
    if (!has_slots_ && options_.log) {
      options_.log("redis: " + std::string(StateName(state_)) + ": " + failure_.reason);
    }
    return LoadSlotsSoon();
  }
  const RedisAddress address = to_ask_.back();
  to_ask_.pop_back();
  question_ = RedisQuestion::Ask(loop_, options_, RedisPurpose::kAdmin, address,
                                 {"CLUSTER", "SLOTS"}, options_.connect_timeout,
                                 [this, address](const auto& answer) { OnSlots(address, answer); });
}

void ClusterRoute::OnSlots(const RedisAddress& asked,
                           const tl::expected<RedisReply, RedisFailure>& answer) {
  if (!answer) {
    if (failure_.code != ErrorCode::kMisconfigured) failure_ = answer.error();
    return AskNext();
  }
  if (!ReadSlots(asked, *answer)) {
    failure_ = MakeRedisFailure(RedisCause::kNotReady, "the cluster has no slots yet");
    return AskNext();
  }
  loading_ = false;
  loaded_at_ = MonotonicNow();
  const bool first = !has_slots_;
  has_slots_ = true;
  if (first && options_.log) options_.log("redis: connected to the cluster");
  DropIdleLinks();
  if (first) SendUnplaced();
}

// Each element: first slot, last slot, the primary (host, port, ...), its replicas.
bool ClusterRoute::ReadSlots(const RedisAddress& asked, const RedisReply& reply) {
  std::vector<std::string> nodes_of_slots(kRedisSlots);
  std::map<std::string, RedisAddress> nodes;
  for (const RedisReply& range : reply.elements) {
    if (range.elements.size() < 3 || range.elements[2].elements.size() < 2) continue;
    const RedisReply& primary = range.elements[2];
    RedisAddress address;
    address.host = primary.elements[0].text.empty() ? asked.host : primary.elements[0].text;
    address.port = static_cast<std::uint16_t>(primary.elements[1].integer);
    const std::string node = address.Text();
    nodes[node] = address;
    const std::int64_t last = std::min<std::int64_t>(range.elements[1].integer, kRedisSlots - 1);
    for (std::int64_t slot = std::max<std::int64_t>(range.elements[0].integer, 0); slot <= last;
         ++slot) {
      nodes_of_slots[static_cast<std::size_t>(slot)] = node;
    }
  }
  if (nodes.empty()) return false;
  nodes_of_slots_ = std::move(nodes_of_slots);
  nodes_ = std::move(nodes);
  return true;
}

// Of nodes that have no slots any more.
void ClusterRoute::DropIdleLinks() {
  for (auto at = links_.begin(); at != links_.end();) {
    if (!nodes_.contains(at->first) && at->second->IsIdle()) {
      at->second->Close();
      at = links_.erase(at);
    } else {
      ++at;
    }
  }
}

void ClusterRoute::SendUnplaced() {
  std::deque<Journey> unplaced = std::move(unplaced_);
  unplaced_.clear();
  for (Journey& journey : unplaced) Go(std::move(journey));
}

// All have about the same time, so the oldest is the first to be over.
void ClusterRoute::ExpireUnplaced() {
  while (!unplaced_.empty() && MonotonicNow() >= unplaced_.front().exchange.deadline) {
    Journey journey = std::move(unplaced_.front());
    unplaced_.pop_front();
    Fail(std::move(journey));
  }
  if (unplaced_.empty()) return;
  expiry_.expires_at(ToSteadyTime(unplaced_.front().exchange.deadline));
  expiry_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
    if (!error && *alive) ExpireUnplaced();
  });
}

// Everything that is published is heard on every node.
RedisLocator ClusterRoute::EventsLocator() {
  return [this, alive = alive_](auto found) {
    if (!*alive || nodes_.empty()) {
      return found(
          tl::unexpected(RedisFailure{ErrorCode::kUnavailable, "no node of the cluster answers"}));
    }
    auto node = nodes_.begin();
    std::advance(node, static_cast<std::ptrdiff_t>(next_events_node_++ % nodes_.size()));
    found(node->second);
  };
}

}  // namespace mcp_session

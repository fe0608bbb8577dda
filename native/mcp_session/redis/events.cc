#include "mcp_session/redis/events.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "mcp_session/redis/stored_events.h"
#include "mcp_session/redis/subscription.h"
#include "mcp_session/system/clock.h"

namespace mcp_session {
namespace {

// How often a waiter is read although nothing was heard.
constexpr Millis kLookInterval = Seconds(1);
// All of one store.
constexpr std::size_t kMaxWaiters = 10'000;

StoreReply Gap(std::uint64_t go_on_after) {
  StoreReply reply = FailedReply(ErrorCode::kGap);
  reply.sequence = go_on_after;
  return reply;
}

}  // namespace

RedisEvents::RedisEvents(boost::asio::io_context& loop, RedisOperations& operations,
                         RedisRoute& route)
    : loop_(loop), operations_(operations), route_(route), timer_(loop) {}

RedisEvents::~RedisEvents() { Close(); }

void RedisEvents::Close() {
  *alive_ = false;
  if (subscription_ != nullptr) subscription_->Close();
  subscription_ = nullptr;
  timer_.cancel();
  waiters_.clear();
  by_channel_.clear();
}

void RedisEvents::Read(const RedisKeys& keys, std::uint64_t after, std::size_t limit, Instant until,
                       Done done) {
  if (waiters_.size() >= kMaxWaiters) return done(FailedReply(ErrorCode::kUnavailable));
  const std::uint64_t number = ++last_number_;
  Waiter waiter{.keys = keys};
  waiter.from = after == 0 ? "-" : std::to_string(after) + "-0";
  waiter.after = after;
  waiter.limit = limit;
  waiter.until = until;
  waiter.done = std::move(done);
  waiters_.emplace(number, std::move(waiter));
  Look(number);
}

void RedisEvents::Look(std::uint64_t number) {
  Waiter& waiter = waiters_.at(number);
  if (waiter.reading) {
    waiter.read_again = true;
    return;
  }
  waiter.reading = true;
  waiter.read_again = false;
  RedisExchange exchange;
  const std::string record = waiter.keys.record();
  const std::string stream = waiter.keys.stream();
  AppendRedisCommand(&exchange.bytes, {"GETRANGE", record, "0", kRecordHeaderEnd});
  // One more than asked for: the event `after` itself shows that nothing is missing.
  AppendRedisCommand(&exchange.bytes, {"XRANGE", stream, waiter.from, "+", "COUNT",
                                       std::to_string(waiter.limit + 1)});
  exchange.replies = 2;
  if (waiter.whole) {
    AppendRedisCommand(&exchange.bytes, {"XRANGE", stream, "-", "+", "COUNT", "1"});
    exchange.replies = 3;
  }
  exchange.repeatable = true;
  exchange.read_only = true;
  exchange.wants_time = true;
  exchange.deadline = MonotonicNow() + operations_.options().command_timeout;
  exchange.done = [this, number](const RedisDelivery& delivery) { OnRead(number, delivery); };
  route_.Send(record, std::move(exchange));
}

void RedisEvents::OnRead(std::uint64_t number, const RedisDelivery& delivery) {
  Waiter& waiter = waiters_.at(number);
  waiter.reading = false;
  if (std::optional<StoreReply> failure = operations_.FailureOf(delivery)) {
    return Finish(number, std::move(*failure));
  }
  const std::string& text = delivery.replies[0].text;
  if (text.empty()) return Finish(number, FailedReply(ErrorCode::kNotFound));
  const std::optional<RedisRecordHeader> header = DecodeRedisHeader(text, waiter.keys.record_tag());
  if (!header) return Finish(number, operations_.Corrupt());
  const Millis left{header->end - delivery.server_now};
  if (left <= Millis{}) return Finish(number, FailedReply(ErrorCode::kExpired));

  const std::vector<RedisReply>& entries = delivery.replies[1].elements;
  if (entries.empty() && waiter.after != 0) {
    // Nothing from `after` on: it is not kept, or never was.
    if (!waiter.whole) {
      waiter.whole = true;
      return Look(number);
    }
    const std::vector<RedisReply>& oldest = delivery.replies[2].elements;
    return Finish(number, Gap(oldest.empty() ? 0 : SequenceOfEvent(oldest[0]) - 1));
  }
  StoreReply reply;
  if (!entries.empty()) {
    const std::uint64_t oldest = SequenceOfEvent(entries[0]);
    const bool complete = waiter.after == 0 ? FirstOfStream(entries[0]) == std::to_string(oldest)
                                            : oldest == waiter.after || oldest == waiter.after + 1;
    if (!complete) return Finish(number, Gap(oldest - 1));
    for (const RedisReply& entry : entries) {
      const std::uint64_t sequence = SequenceOfEvent(entry);
      if (sequence == waiter.after || reply.events.size() == waiter.limit) continue;
      reply.events.push_back({sequence, std::make_shared<const std::string>(DataOfEvent(entry))});
    }
  }
  if (!reply.events.empty() || MonotonicNow() >= waiter.until) {
    return Finish(number, std::move(reply));
  }
  Wait(number, left);
}

// Nothing yet.
void RedisEvents::Wait(std::uint64_t number, Millis left) {
  Waiter& waiter = waiters_.at(number);
  const Instant now = MonotonicNow();
  waiter.look_at = std::min({waiter.until, now + left, now + kLookInterval});
  if (waiter.read_again) return Look(number);
  if (subscription_ == nullptr) {
    subscription_ = std::make_shared<RedisSubscription>(
        loop_, operations_.options(), route_.EventsLocator(),
        [this](const std::string& channel) { OnPublished(channel); });
  }
  const std::string channel = waiter.keys.channel();
  const bool first = by_channel_[channel].insert(number).second;
  // A channel that is heard already may have been heard while this was read.
  if (!subscription_->Add(channel) && first) return Look(number);
  SetTimer();
}

void RedisEvents::OnPublished(const std::string& channel) {
  const auto found = by_channel_.find(channel);
  if (found == by_channel_.end()) return;
  const std::set<std::uint64_t> numbers = found->second;
  for (const std::uint64_t number : numbers) {
    if (waiters_.contains(number)) Look(number);
  }
}

void RedisEvents::Finish(std::uint64_t number, StoreReply reply) {
  const auto found = waiters_.find(number);
  const std::string channel = found->second.keys.channel();
  const Done done = std::move(found->second.done);
  waiters_.erase(found);
  if (const auto waiting = by_channel_.find(channel); waiting != by_channel_.end()) {
    waiting->second.erase(number);
    if (waiting->second.empty()) {
      by_channel_.erase(waiting);
      subscription_->Remove(channel);
    }
  }
  done(std::move(reply));
}

void RedisEvents::SetTimer() {
  Instant next = kNever;
  for (const auto& [number, waiter] : waiters_) {
    if (!waiter.reading) next = std::min(next, waiter.look_at);
  }
  if (next == timer_at_ || next == kNever) return;
  timer_at_ = next;
  timer_.expires_at(ToSteadyTime(next));
  timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
    if (!error && *alive) OnTimer();
  });
}

void RedisEvents::OnTimer() {
  timer_at_ = kNever;
  const Instant now = MonotonicNow();
  std::vector<std::uint64_t> due;
  for (const auto& [number, waiter] : waiters_) {
    if (!waiter.reading && waiter.look_at <= now) due.push_back(number);
  }
  for (const std::uint64_t number : due) {
    if (waiters_.contains(number)) Look(number);
  }
  SetTimer();
}

}  // namespace mcp_session

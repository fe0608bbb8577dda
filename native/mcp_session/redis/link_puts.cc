// Puts that go together.
#include <algorithm>
#include <utility>
#include <vector>

#include "mcp_session/redis/link.h"

namespace mcp_session {
namespace {

// Together. The server does nothing else meanwhile: a tenth of a millisecond.
constexpr std::size_t kMostPuts = 32;
// Of one that goes together with others: what takes long to write is alone.
constexpr std::size_t kMostBytes = 4096;

constexpr std::array<std::uint64_t, 2> kAnyRecord{};

}  // namespace

void AppendExchange(const RedisExchange& exchange, std::string* out) {
  *out += exchange.bytes;
  if (!exchange.put) return;
  const RedisPut* const put = &*exchange.put;
  AppendRedisPuts(out, std::span(&put, 1));
}

void RedisLink::AppendPending(const Pending& pending, std::string* out) {
  if (pending.joined.empty()) return AppendExchange(pending.exchange, out);
  std::array<const RedisPut*, kMostPuts> puts;
  for (std::size_t i = 0; i < pending.joined.size(); ++i) {
    puts[i] = &*pending.joined[i]->exchange.put;
  }
  AppendRedisPuts(out, std::span(puts).first(pending.joined.size()));
}

std::unique_ptr<RedisLink::Pending> RedisLink::Join(std::vector<std::unique_ptr<Pending>>&& group) {
  auto joined = std::make_unique<Pending>();
  joined->exchange.deadline = kNever;
  joined->exchange.repeatable = true;
  for (const std::unique_ptr<Pending>& pending : group) {
    const RedisExchange& exchange = pending->exchange;
    joined->exchange.deadline = std::min(joined->exchange.deadline, exchange.deadline);
    joined->exchange.repeatable &= exchange.repeatable;
  }
  joined_ += group.size() - 1;
  joined->joined = std::move(group);
  return joined;
}

// What was sent before stays as it was then: each part of it is answered or lost together.
void RedisLink::JoinPuts() {
  Queue rest;
  std::vector<std::unique_ptr<Pending>> group;
  std::size_t place = 0;               // of the group, in `rest`
  std::vector<std::uint64_t> between;  // records of what comes after that place
  const auto close = [&] {
    if (group.empty()) return;
    rest[place] = group.size() == 1 ? std::move(group.front()) : Join(std::move(group));
    group.clear();
    between.clear();
  };
  for (std::unique_ptr<Pending>& pending : waiting_) {
    const RedisExchange& exchange = pending->exchange;
    if (!exchange.put || pending->repeated || exchange.put->body.size() > kMostBytes) {
      if (exchange.records == kAnyRecord) close();
      if (!group.empty()) {
        between.insert(between.end(), exchange.records.begin(), exchange.records.end());
      }
      rest.push_back(std::move(pending));
      continue;
    }
    if (group.size() == kMostPuts ||
        std::find(between.begin(), between.end(), exchange.records[0]) != between.end()) {
      close();
    }
    if (group.empty()) {
      place = rest.size();
      rest.emplace_back();
    }
    group.push_back(std::move(pending));
  }
  close();
  waiting_ = std::move(rest);
}

// Each gets what a put that went alone would.
void RedisLink::FinishJoined(Pending&& pending, RedisFate fate) {
  const auto self = shared_from_this();
  const std::size_t count = pending.joined.size();
  joined_ -= count - 1;
  RedisReply reply;
  if (!pending.replies.empty()) reply = std::move(pending.replies.front());
  for (std::size_t i = 0; i < count && !closed_; ++i) {
    RedisDelivery delivery{fate, pending.repeated, {}, server_now_};
    if (reply.IsError()) {
      delivery.replies.push_back(reply);
    } else if (fate == RedisFate::kAnswered) {
      RedisReply& alone = delivery.replies.emplace_back();
      alone.type = RedisReply::Type::kArray;
      if (reply.elements.size() == count + 1) {
        alone.elements.reserve(2);
        alone.elements.push_back(reply.elements[0]);
        alone.elements.push_back(std::move(reply.elements[i + 1]));
      }
    }
    pending.joined[i]->exchange.done(std::move(delivery));
  }
}

}  // namespace mcp_session

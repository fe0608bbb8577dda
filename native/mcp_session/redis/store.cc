#include "mcp_session/redis/store.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <iterator>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "mcp_session/redis/store_state.h"
#include "mcp_session/store/rules.h"
#include "mcp_session/system/clock.h"

namespace mcp_session {

Result<std::unique_ptr<RedisSessionStore>> RedisSessionStore::Make(boost::asio::io_context& loop,
                                                                   RedisOptions options,
                                                                   Entropy& entropy) {
  if (Result<void> fine = CheckRedisOptions(options); !fine) {
    return tl::unexpected(std::move(fine.error()));
  }
  return std::unique_ptr<RedisSessionStore>(
      new RedisSessionStore(std::make_shared<State>(loop, std::move(options), entropy)));
}

RedisSessionStore::RedisSessionStore(std::shared_ptr<State> state) : state_(std::move(state)) {}

RedisSessionStore::~RedisSessionStore() { state_->Close(); }

void RedisSessionStore::Submit(StoreTicket ticket, StoreCommand command, Instant) {
  state_->Submit(ticket, std::move(command));
}

void RedisSessionStore::Drain(std::vector<StoreReply>* replies) { state_->Drain(replies); }

void RedisSessionStore::OnReady(std::function<void()> ready) { state_->OnReady(std::move(ready)); }

StoreStatus RedisSessionStore::Status() const { return state_->Status(); }

const RedisCounters& RedisSessionStore::counters() const { return state_->counters(); }

std::optional<bool> RedisSessionStore::MayEvict() const { return state_->MayEvict(); }

RedisSessionStore::State::State(boost::asio::io_context& loop, RedisOptions options,
                                Entropy& entropy)
    : loop_(loop),
      options_(std::move(options)),
      operations_(options_, counters_, entropy),
      route_(MakeRedisRoute(loop_, options_, entropy, counters_)),
      events_(loop_, operations_, *route_) {}

void RedisSessionStore::State::Close() {
  closed_ = true;
  events_.Close();
  route_->Close();
}

void RedisSessionStore::State::Submit(StoreTicket ticket, StoreCommand&& command) {
  submitting_ = true;
  const Instant now = MonotonicNow();
  std::visit(
      [this, ticket, now]<typename Command>(Command&& one) {
        using Kind = std::decay_t<Command>;
        if constexpr (std::is_same_v<Kind, store::Regenerate> ||
                      std::is_same_v<Kind, store::ReadEvents>) {
          Run(ticket, one);
        } else if constexpr (std::is_same_v<Kind, store::Get>) {
          // What takes several exchanges may have that record to itself.
          if (!occupied_.empty()) one.ahead.reset();
          Run(ticket, operations_.Plan(one), now);
        } else {
          Run(ticket, operations_.Plan(std::move(one)), now);
        }
      },
      std::move(command));
  submitting_ = false;
}

void RedisSessionStore::State::Run(StoreTicket ticket, RedisPlanned&& planned, Instant now) {
  if (auto* reply = std::get_if<StoreReply>(&planned)) return Answer(ticket, std::move(*reply));
  RedisPlan& plan = std::get<RedisPlan>(planned);
  plan.exchange.deadline = now + options_.command_timeout;
  if (occupied_.empty()) return Send(ticket, std::move(plan));
  // Of an owner: after nothing in particular.
  const std::string tag = plan.keys == nullptr ? std::string() : plan.keys->record_tag();
  InOrder({tag}, [this, ticket, plan = std::move(plan)] { Send(ticket, RedisPlan(plan)); });
}

void RedisSessionStore::State::Run(StoreTicket ticket, const store::ReadEvents& command) {
  if (!IsValid(command)) return Answer(ticket, FailedReply(ErrorCode::kInvalidArgument));
  if (!IsStorable(command.key)) return Answer(ticket, FailedReply(ErrorCode::kNotFound));
  const RedisKeys keys = *operations_.Keys(command.key);
  InOrder({keys.record_tag()}, [this, ticket, keys, after = command.after, limit = command.limit,
                                until = MonotonicNow() + command.wait] {
    events_.Read(keys, after, limit, until,
                 [this, ticket](StoreReply reply) { Answer(ticket, std::move(reply)); });
  });
}

void RedisSessionStore::State::Send(StoreTicket ticket, RedisPlan&& plan) {
  const std::string& key = plan.key();
  plan.exchange.done = [this, ticket, read = std::move(plan.read), keys = plan.keys,
                        touch_due = std::move(plan.touch_due)](RedisDelivery&& delivery) {
    Answer(ticket, read(delivery));
    if (touch_due != nullptr && *touch_due) Touch(keys);
  };
  route_->Send(key, std::move(plan.exchange));
}

void RedisSessionStore::State::InOrder(Tags tags, std::function<void()> go) {
  const auto overlaps = [&tags](const auto& other) {
    return std::any_of(tags.begin(), tags.end(), [&other](const std::string& tag) {
      return std::find(other.begin(), other.end(), tag) != other.end();
    });
  };
  const bool must_wait =
      overlaps(occupied_) || std::any_of(held_.begin(), held_.end(),
                                         [&](const Held& held) { return overlaps(held.tags); });
  if (!must_wait) return go();
  held_.push_back({std::move(tags), std::move(go)});
}

void RedisSessionStore::State::Occupy(const Tags& tags) {
  occupied_.insert(tags.begin(), tags.end());
}

void RedisSessionStore::State::Release(const Tags& tags) {
  for (const std::string& tag : tags) occupied_.erase(tag);
  // Each finds its place anew: some go, and what they occupy holds up the rest.
  std::deque<Held> held = std::move(held_);
  held_.clear();
  for (Held& one : held) InOrder(std::move(one.tags), std::move(one.go));
}

// Nobody waits for it: an access that is not recorded is less bad than a slow Get. Of many at once
// one is told.
void RedisSessionStore::State::Touch(const std::shared_ptr<const RedisKeys>& keys) {
  if (!touching_.insert(keys->record_tag()).second) return;
  RedisPlan plan = operations_.PlanTouch(keys);
  plan.exchange.deadline = MonotonicNow() + options_.command_timeout;
  plan.exchange.done = [this, keys](const RedisDelivery&) { touching_.erase(keys->record_tag()); };
  route_->Send(keys->record(), std::move(plan.exchange));
}

void RedisSessionStore::State::Answer(StoreTicket ticket, StoreReply reply) {
  reply.ticket = ticket;
  replies_.push_back(std::move(reply));
  if (submitting_ || announced_ || announcing_) return;
  announcing_ = true;
  boost::asio::post(loop_, [self = shared_from_this()] {
    self->announcing_ = false;
    // Closed or drained meanwhile?
    if (self->closed_ || self->replies_.empty() || !self->ready_) return;
    self->announced_ = true;
    self->ready_();
  });
}

void RedisSessionStore::State::Drain(std::vector<StoreReply>* replies) {
  replies->insert(replies->end(), std::move_iterator(replies_.begin()),
                  std::move_iterator(replies_.end()));
  replies_.clear();
  announced_ = false;
}

StoreStatus RedisSessionStore::State::Status() const {
  return {route_->state(), "redis", route_->reason()};
}

}  // namespace mcp_session

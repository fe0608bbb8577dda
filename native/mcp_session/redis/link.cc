#include "mcp_session/redis/link.h"

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <chrono>
#include <iterator>
#include <utility>

#include "mcp_session/redis/scripts.h"
#include "mcp_session/system/clock.h"

namespace mcp_session {
namespace {

// With so many exchanges in flight the next ones wait until they are half as many, or the answers
// have caught up: the server takes them in order and is busy. So it always has some to do while we
// see to its answers, and neither side is woken for few.
constexpr std::size_t kCrowd = 16;

// For what is written next, once something large was.
constexpr std::size_t kMostRoomKept = 1 << 20;

constexpr Millis kFirstBackoff{50};
constexpr Millis kLongestBackoff = Seconds(5);
constexpr Millis kMisconfiguredBackoff = Seconds(60);
// A connection that held this long is looked for again at once.
constexpr Millis kGoodConnection = Seconds(1);
// A connection on which nothing was heard for this long is asked whether it is still there.
constexpr Millis kHeartbeat = Seconds(2);
// How often a server is asked what has become of its keys.
constexpr Millis kVitalsInterval = Seconds(10);
// The server does not even answer in between.
constexpr std::size_t kMaxLeftBehind = 16;

std::uint64_t Draw(Entropy& entropy) {
  std::array<std::uint8_t, 8> bytes;
  entropy.Fill(bytes);
  std::uint64_t number = 0;
  for (const std::uint8_t byte : bytes) number = number << 8 | byte;
  return number;
}

}  // namespace

RedisLink::RedisLink(boost::asio::io_context& loop, const RedisOptions& options, Entropy& entropy,
                     RedisCounters& counters, RedisLocator locate)
    : loop_(loop),
      options_(options),
      entropy_(entropy),
      counters_(counters),
      locate_(std::move(locate)),
      watch_(options.layout == RedisLayout::kCluster),
      timer_(loop) {}

void RedisLink::Start() { Connect(); }

void RedisLink::Close() {
  closed_ = true;
  if (connection_ != nullptr) connection_->Close();
  connection_ = nullptr;
  timer_.cancel();
  waiting_.clear();
  in_flight_.clear();
  again_.clear();
  joined_ = 0;
}

void RedisLink::Send(RedisExchange&& exchange) {
  auto pending = std::make_unique<Pending>();
  pending->exchange = std::move(exchange);
  if (state_ == StoreState::kMisconfigured) {
    return Finish(std::move(*pending), RedisFate::kRefused);
  }
  if (held() >= options_.max_in_flight) {
    return Finish(std::move(*pending), RedisFate::kNotSent);
  }
  SetTimer(pending->exchange.deadline);
  waiting_.push_back(std::move(pending));
  FlushSoon();
}

std::size_t RedisLink::held() const {
  return waiting_.size() + in_flight_.size() + again_.size() + joined_;
}

void RedisLink::SendInternal(std::string bytes, std::size_t replies,
                             std::function<void(const RedisDelivery&)> done) {
  auto pending = std::make_unique<Pending>();
  pending->exchange.bytes = std::move(bytes);
  pending->exchange.replies = replies;
  pending->exchange.deadline = MonotonicNow() + options_.command_timeout;
  pending->exchange.done = std::move(done);
  pending->internal = true;
  SetTimer(pending->exchange.deadline);
  waiting_.push_front(std::move(pending));
  FlushSoon();
}

void RedisLink::FlushSoon() {
  if (!ready_ || flush_posted_ || writing_) return;
  flush_posted_ = true;
  boost::asio::post(loop_, [self = shared_from_this()] {
    self->flush_posted_ = false;
    if (!self->closed_) self->Flush();
  });
}

void RedisLink::Flush() {
  if (!ready_ || writing_ || reloading_ || dropping_ || waiting_.empty()) return;
  const std::size_t in_flight = held() - waiting_.size();
  if (in_flight >= kCrowd && 2 * waiting_.size() < in_flight) return;
  counters_.exchanges += waiting_.size();
  // One script may not have keys of two slots.
  if (waiting_.size() > 1 && options_.layout != RedisLayout::kCluster) JoinPuts();
  // A copy: they may be needed again.
  bool told = false;
  for (std::unique_ptr<Pending>& pending : waiting_) {
    pending->asks_time = pending->exchange.wants_time && !told;
    if (pending->asks_time) AppendRedisCommand(&output_, {"TIME"});
    told = pending->exchange.read_only && (told || pending->asks_time);
    AppendPending(*pending, &output_);
    in_flight_.push_back(std::move(pending));
  }
  waiting_.clear();
  writing_ = true;
  ++counters_.writes;
  connection_->Write(&output_);
  if (output_.capacity() > kMostRoomKept) output_ = {};
}

void RedisLink::OnWritten() {
  writing_ = false;
  Flush();
}

// What is asked since the last replies goes out before the next ones are looked at.
void RedisLink::OnHeard() {
  last_heard_ = MonotonicNow();
  Flush();
}

void RedisLink::OnReply(RedisReply&& reply) {
  if (in_flight_.empty()) {
    ++counters_.desyncs;
    connection_->Close();
    return OnFailed({ErrorCode::kUnavailable, "the server answered what nobody asked"});
  }
  Pending& oldest = *in_flight_.front();
  if (oldest.asks_time) {
    oldest.asks_time = false;
    return OnTime(std::move(reply));
  }
  if (oldest.replies.empty()) oldest.replies.reserve(oldest.exchange.replies);
  oldest.replies.push_back(std::move(reply));
  if (oldest.replies.size() < oldest.exchange.replies) return;
  if (oldest.exchange.wants_time && no_time_) oldest.replies.push_back(*no_time_);
  std::unique_ptr<Pending> answered = std::move(in_flight_.front());
  in_flight_.pop_front();
  OnAnswered(std::move(answered));
  if (closed_ || !ready_) return;
  GoOnIfIdle();
  if (!waiting_.empty()) FlushSoon();
}

void RedisLink::OnTime(RedisReply&& reply) {
  no_time_.reset();
  if (const std::optional<std::int64_t> now = RedisMillis(reply)) {
    server_now_ = *now;
  } else {
    reply.type = RedisReply::Type::kError;
    no_time_ = std::move(reply);
  }
}

void RedisLink::OnAnswered(std::unique_ptr<Pending> answered) {
  for (const RedisReply& reply : answered->replies) {
    if (!reply.IsError()) continue;
    const RedisErrorMeaning meaning = ClassifyRedisError(reply.text);
    if (meaning.remedy == RedisRemedy::kLoadScripts && !answered->reloaded) {
      reloading_ = true;
      answered->reloaded = true;
      answered->replies.clear();
      return again_.push_back(std::move(answered));
    }
    if (meaning.remedy == RedisRemedy::kReconnect) {
      Reconnect("the server " + std::string(meaning.words));
    }
  }
  worked_ = !dropping_;
  if (reloading_ && answered->exchange.read_only) {
    answered->replies.clear();
    return again_.push_back(std::move(answered));
  }
  Finish(std::move(*answered), RedisFate::kAnswered);
}

void RedisLink::GoOnIfIdle() {
  if (!in_flight_.empty()) return;
  if (reloading_) return LoadScriptsAgain();
  if (dropping_) {
    connection_->Close();
    OnFailed({ErrorCode::kUnavailable, drop_reason_});
  }
}

// Loading and what needs it go out in one write.
void RedisLink::LoadScriptsAgain() {
  ++counters_.reloads;
  reloading_ = false;
  std::move(again_.rbegin(), again_.rend(), std::front_inserter(waiting_));
  again_.clear();
  std::string bytes;
  for (const RedisScript& script : RedisScripts()) {
    AppendRedisCommand(&bytes, {"SCRIPT", "LOAD", script.text});
  }
  SendInternal(std::move(bytes), RedisScripts().size(), nullptr);
}

void RedisLink::Reconnect(std::string reason) {
  if (!ready_) return;
  dropping_ = true;
  drop_reason_ = std::move(reason);
}

void RedisLink::Finish(Pending&& pending, RedisFate fate) {
  if (fate == RedisFate::kNotSent && pending.repeated) fate = RedisFate::kLost;
  if (!pending.joined.empty()) return FinishJoined(std::move(pending), fate);
  if (!pending.exchange.done) return;
  const auto done = std::move(pending.exchange.done);
  done({fate, pending.repeated, std::move(pending.replies), server_now_});
}

void RedisLink::Connect() {
  connect_at_ = kNever;
  connect_by_ = MonotonicNow() + options_.connect_timeout;
  SetTimer(connect_by_);
  locate_([self = shared_from_this(),
           by = connect_by_](tl::expected<RedisAddress, RedisFailure> found) {
    if (self->closed_ || self->connection_ != nullptr || self->connect_by_ != by) return;
    if (!found) return self->OnFailed(std::move(found.error()));
    self->ConnectTo(*found);
  });
}

void RedisLink::ConnectTo(const RedisAddress& address) {
  connection_ = std::make_shared<RedisConnection>(loop_, options_, RedisPurpose::kCommands);
  const auto self = shared_from_this();
  connection_->Start(
      address, {.ready = [self](const RedisServerInfo& info) { self->OnReady(info); },
                .heard = [self] { self->OnHeard(); },
                .reply = [self](RedisReply&& reply) { self->OnReply(std::move(reply)); },
                .written = [self] { self->OnWritten(); },
                .failed = [self](RedisFailure failure) { self->OnFailed(std::move(failure)); }});
}

void RedisLink::OnReady(const RedisServerInfo& info) {
  ++counters_.connects;
  connect_by_ = kNever;
  ready_ = true;
  writing_ = reloading_ = dropping_ = worked_ = false;
  last_heard_ = ready_since_ = MonotonicNow();
  ask_vitals_at_ = last_heard_ + kHeartbeat;
  Note(info.vitals);
  SetTimer(last_heard_ + kHeartbeat);
  EndLastConnections(info);
  Flush();
}

// In front of all that waits, and in the same write.
void RedisLink::EndLastConnections(const RedisServerInfo& info) {
  if (info.vitals.run_id != run_id_) left_behind_.clear();
  run_id_ = info.vitals.run_id;
  std::string bytes;
  for (const std::int64_t id : left_behind_) {
    AppendRedisCommand(&bytes, {"CLIENT", "KILL", "ID", std::to_string(id)});
  }
  if (!left_behind_.empty()) {
    SendInternal(std::move(bytes), left_behind_.size(),
                 [this, newest = left_behind_.back()](const RedisDelivery& delivery) {
                   if (delivery.fate != RedisFate::kAnswered) return;
                   std::erase_if(left_behind_, [newest](auto id) { return id <= newest; });
                 });
  }
  if (info.client_id != 0) left_behind_.push_back(info.client_id);
  if (left_behind_.size() > kMaxLeftBehind) left_behind_.erase(left_behind_.begin());
}

void RedisLink::OnFailed(RedisFailure failure) {
  if (closed_) return;
  const Instant now = MonotonicNow();
  const bool was_ready = ready_;
  const bool good = was_ready && !dropping_ && now - ready_since_ >= kGoodConnection;
  // One that worked so far is not set up wrongly; if it is now, the next attempt will say so.
  const bool misconfigured = !was_ready && failure.code == ErrorCode::kMisconfigured;
  ++(was_ready ? counters_.lost : counters_.failures);
  connection_ = nullptr;
  cause_ = failure.cause;
  ready_ = false;
  connect_by_ = kNever;
  attempts_ = was_ready && (good || worked_) ? 0 : attempts_ + 1;
  SetState(misconfigured ? StoreState::kMisconfigured
           : was_ready   ? StoreState::kConnecting
                         : StoreState::kUnavailable,
           std::move(failure.reason));
  RetryLater(misconfigured, good);
  LoseAll(!misconfigured);
  if (misconfigured) RefuseWaiting();
}

void RedisLink::RetryLater(bool misconfigured, bool at_once) {
  const Instant now = MonotonicNow();
  connect_at_ = misconfigured ? now + kMisconfiguredBackoff : at_once ? now : now + Jitter();
  SetTimer(connect_at_);
}

// Full jitter: any wait up to one that doubles from attempt to attempt.
Millis RedisLink::Jitter() {
  std::int64_t longest = kFirstBackoff.count;
  for (int i = 0; i < attempts_ && longest < kLongestBackoff.count; ++i) longest *= 2;
  longest = std::min(longest, kLongestBackoff.count);
  return Millis{
      static_cast<std::int64_t>(Draw(entropy_) % static_cast<std::uint64_t>(longest + 1))};
}

// What was in flight on a connection that is no more, in order: to be sent again, or lost.
void RedisLink::LoseAll(bool repeat) {
  writing_ = reloading_ = dropping_ = false;
  Queue lost = std::move(again_);
  again_.clear();
  // What was answered by NOSCRIPT was not done; the rest of again_ only reads.
  for (const std::unique_ptr<Pending>& pending : lost) pending->reloaded = false;
  std::move(in_flight_.begin(), in_flight_.end(), std::back_inserter(lost));
  const std::size_t answered = lost.size() - in_flight_.size();
  in_flight_.clear();
  Queue again;
  Queue gone;
  for (std::size_t i = 0; i < lost.size(); ++i) {
    Pending& pending = *lost[i];
    if (pending.internal) continue;
    pending.replies.clear();
    const bool may_go_again =
        repeat && (i < answered || (pending.exchange.repeatable && !pending.repeated));
    if (may_go_again && i >= answered) {
      pending.repeated = true;
      ++counters_.repeated;
    }
    (may_go_again ? again : gone).push_back(std::move(lost[i]));
  }
  std::erase_if(waiting_, [](const auto& pending) { return pending->internal; });
  std::move(again.rbegin(), again.rend(), std::front_inserter(waiting_));
  for (const auto& pending : gone) Finish(std::move(*pending), RedisFate::kLost);
}

void RedisLink::RefuseWaiting() {
  const Queue refused = std::move(waiting_);
  waiting_.clear();
  for (const auto& pending : refused) {
    Finish(std::move(*pending), pending->repeated ? RedisFate::kLost : RedisFate::kRefused);
  }
}

void RedisLink::SetState(StoreState state, std::string reason) {
  const bool changed = state != state_ || reason != reason_;
  state_ = state;
  reason_ = std::move(reason);
  if (!changed || !options_.log) return;
  options_.log("redis: " + std::string(StateName(state_)) +
               (reason_.empty() ? "" : ": " + reason_));
}

void RedisLink::Beat() {
  const std::string nonce = std::to_string(Draw(entropy_));
  std::string bytes;
  AppendRedisCommand(&bytes, {"PING", nonce});
  SendInternal(std::move(bytes), 1, [this, nonce](const RedisDelivery& delivery) {
    if (delivery.fate != RedisFate::kAnswered || delivery.replies[0].text == nonce) return;
    if (delivery.replies[0].IsError()) return;
    ++counters_.desyncs;
    Reconnect("the server answered what nobody asked");
  });
}

// However busy the connection is: under load is when a server evicts.
void RedisLink::AskVitals() {
  ask_vitals_at_ = MonotonicNow() + kVitalsInterval;
  std::string bytes;
  for (const std::string_view section : {"memory", "stats", "keyspace"}) {
    AppendRedisCommand(&bytes, {"INFO", section});
  }
  SendInternal(std::move(bytes), 3, [this, run_id = run_id_](const RedisDelivery& delivery) {
    if (delivery.fate != RedisFate::kAnswered || !ready_) return;
    for (const RedisReply& reply : delivery.replies) {
      if (!reply.IsText()) return;
    }
    RedisVitals vitals;
    vitals.run_id = run_id;
    vitals.ReadMemory(delivery.replies[0].text);
    vitals.ReadStats(delivery.replies[1].text);
    vitals.ReadKeyspace(delivery.replies[2].text, options_.database);
    Note(vitals);
  });
}

void RedisLink::Note(const RedisVitals& vitals) {
  const Instant now = MonotonicNow();
  const RedisServerWatch::News news = watch_.See(vitals, now);
  counters_.evicted_keys += news.evicted;
  if (news.reset) ++counters_.resets;
  SetState(StoreState::kConnected, watch_.Warning(now));
}

void RedisLink::SetTimer(Instant at) {
  if (closed_ || at >= timer_at_) return;
  timer_at_ = at;
  timer_.expires_at(ToSteadyTime(at));
  timer_.async_wait([self = shared_from_this(),
                     number = ++timer_number_](const boost::system::error_code& error) {
    if (!error && !self->closed_ && number == self->timer_number_) self->OnTimer();
  });
}

void RedisLink::OnTimer() {
  timer_at_ = kNever;
  // What is here is not late.
  if (connection_ != nullptr) connection_->ReadAll();
  if (closed_) return;
  const Instant now = MonotonicNow();
  if (now >= connect_by_) {
    if (connection_ != nullptr) connection_->Close();
    OnFailed(MakeRedisFailure(RedisCause::kTimedOut));
  }
  Expire();
  if (closed_) return;
  if (MonotonicNow() >= connect_at_) Connect();
  if (ready_ && in_flight_.empty() && now - last_heard_ >= kHeartbeat) Beat();
  if (ready_ && now >= ask_vitals_at_) AskVitals();
  for (const Queue* queue : {&waiting_, &in_flight_, &again_}) {
    for (const auto& pending : *queue) SetTimer(pending->exchange.deadline);
  }
  SetTimer(connect_by_);
  SetTimer(connect_at_);
  if (ready_ && in_flight_.empty()) SetTimer(std::max(last_heard_, now) + kHeartbeat);
  if (ready_) SetTimer(ask_vitals_at_);
}

// Answers what is over its deadline. If that was in flight, the connection dies with it.
void RedisLink::Expire() {
  const Instant now = MonotonicNow();
  Queue not_sent;
  Queue lost;
  const auto take = [now](Queue& queue, Queue& over) {
    Queue rest;
    for (std::unique_ptr<Pending>& pending : queue) {
      const bool is_over = now >= pending->exchange.deadline;
      (is_over ? over : rest).push_back(std::move(pending));
    }
    queue = std::move(rest);
  };
  take(in_flight_, lost);
  const bool broken = !lost.empty();
  take(again_, not_sent);
  take(waiting_, not_sent);
  counters_.timeouts += lost.size() + not_sent.size();
  if (broken) connection_->Close();
  for (const auto& pending : lost) Finish(std::move(*pending), RedisFate::kLost);
  if (broken) OnFailed(MakeRedisFailure(RedisCause::kTimedOut));
  for (const auto& pending : not_sent) Finish(std::move(*pending), RedisFate::kNotSent);
}

}  // namespace mcp_session

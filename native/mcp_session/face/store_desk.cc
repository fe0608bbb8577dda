#include "mcp_session/face/store_desk.h"

#include <array>
#include <boost/asio/post.hpp>
#include <boost/system/error_code.hpp>
#include <span>
#include <utility>

#include "mcp_session/face/desk_state.h"
#include "mcp_session/system/clock.h"

namespace mcp_session {
namespace {

StoreReply Cancelled() {
  StoreReply reply;
  reply.error = ErrorCode::kCancelled;
  reply.maybe_done = true;
  return reply;
}

}  // namespace

std::uint64_t DrawNumber(Entropy& entropy) {
  for (;;) {
    std::array<std::uint8_t, 8> bytes{};
    entropy.Fill(bytes);
    std::uint64_t number = 0;
    for (const std::uint8_t byte : bytes) number = number << 8 | byte;
    if (number != 0) return number;
  }
}

Millis DrawPause(Entropy& entropy) {
  return Millis{1 + static_cast<std::int64_t>(DrawNumber(entropy) % 20)};
}

StoreDesk::State::State(SessionStore& store, boost::asio::any_io_executor executor,
                        Entropy& entropy)
    : store_(store), executor_(std::move(executor)), entropy_(entropy), timer_(executor_) {}

void StoreDesk::State::Open() {
  store_.OnReady([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->DrainSoon();
  });
  SetTimer();
}

void StoreDesk::State::Close() {
  closed_ = true;
  store_.OnReady(nullptr);
  timer_.cancel();
  std::vector<std::uint64_t> numbers;
  waiting_.ForEach([&](std::uint64_t number, const Waiting&) { numbers.push_back(number); });
  for (const std::uint64_t number : numbers) Cancel(number);
  lines_.clear();
}

void StoreDesk::State::Post(std::function<void()> action) {
  boost::asio::post(executor_, std::move(action));
}

std::uint64_t StoreDesk::State::Run(const MakeCommand& make, Answer answer) {
  const std::uint64_t number = waiting_.Insert(Waiting{std::move(answer), nullptr});
  store_.Submit(StoreTicket{number}, make(), MonotonicNow());
  DrainSoon();
  return number;
}

void StoreDesk::State::DrainSoon() {
  if (std::exchange(draining_soon_, true)) return;
  Post([self = shared_from_this()] {
    self->draining_soon_ = false;
    self->Drain();
  });
}

// Answering may submit more, or close the desk.
void StoreDesk::State::Drain() {
  if (closed_) return;
  std::vector<StoreReply> replies;
  replies.swap(replies_);
  store_.Drain(&replies);
  for (StoreReply& reply : replies) {
    std::optional<Waiting> waiting = waiting_.Take(reply.ticket.number);
    if (waiting && waiting->answer) waiting->answer(std::move(reply));
  }
  if (closed_) return;
  replies.clear();
  replies_.swap(replies);
  SetTimer();
}

void StoreDesk::State::SetTimer() {
  const Instant due = store_.NextDeadline();
  if (due >= timer_at_) return;  // it is early enough, and sets itself again
  timer_at_ = due;
  timer_.expires_at(ToSteadyTime(due));
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (error || self == nullptr || self->closed_) return;
    self->timer_at_ = kNever;
    const Instant now = MonotonicNow();
    if (self->store_.NextDeadline() <= now) self->store_.Tick(now);
    self->Drain();
  });
}

void StoreDesk::State::Cancel(std::uint64_t number) {
  std::optional<Waiting> waiting = waiting_.Take(number);
  if (!waiting) return;
  if (waiting->lock != nullptr) {
    Post([waiter = waiting->lock] {
      StoreReply reply = Cancelled();
      waiter->answer(tl::unexpected<StoreError>(ErrorOf(reply)));
    });
    const RecordName& name = waiting->lock->name;
    if (!closed_) Advance(LineKey(name.owner, name.kind, name.id));
  } else if (waiting->answer) {
    Post([answer = std::move(waiting->answer)] { answer(Cancelled()); });
  }
}

StoreDesk::StoreDesk(SessionStore& store, boost::asio::any_io_executor executor, Entropy& entropy)
    : state_(std::make_shared<State>(store, std::move(executor), entropy)) {
  state_->Open();
}

StoreDesk::~StoreDesk() { state_->Close(); }

std::uint64_t StoreDesk::Run(const MakeCommand& make, Answer answer) {
  return state_->Run(make, std::move(answer));
}
std::uint64_t StoreDesk::Lock(RecordName name, LockOptions options, LockAnswer answer) {
  return state_->Lock(std::move(name), options, std::move(answer));
}
void StoreDesk::Released(const RecordName& name) { state_->Released(name); }
void StoreDesk::Cancel(std::uint64_t number) { state_->Cancel(number); }
Entropy& StoreDesk::entropy() const { return state_->entropy(); }
StoreStatus StoreDesk::Status() const { return state_->Status(); }

}  // namespace mcp_session

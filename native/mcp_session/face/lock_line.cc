// The lines of those who wait for locks; see desk_state.h.
#include <algorithm>
#include <boost/system/error_code.hpp>
#include <utility>

#include "mcp_session/face/desk_state.h"
#include "mcp_session/system/clock.h"

namespace mcp_session {
namespace {

constexpr Millis kShortestDelay{10};
constexpr Millis kLongestDelay{250};

StoreError Locked(Millis locked_for) {
  StoreReply reply;
  reply.error = ErrorCode::kLocked;
  reply.record.expires_in = locked_for;
  return ErrorOf(reply);
}

}  // namespace

// Clocks may differ in speed, and rounding takes up to a millisecond on either side.
Instant ValidUntil(Instant asked, Millis lease) {
  return asked + Millis{lease.count - lease.count / 100 - 2};
}

std::uint64_t StoreDesk::State::Lock(RecordName name, LockOptions options, LockAnswer answer) {
  const Instant now = MonotonicNow();
  LineKey key(name.owner, name.kind, name.id);
  auto waiter = std::make_shared<LockWaiter>(
      LockWaiter{std::move(name), options, std::move(answer), 0,
                 now + Millis{std::clamp(options.wait.count, std::int64_t{0}, Hours(24).count)}});
  waiter->number = waiting_.Insert(Waiting{nullptr, waiter});
  if (options.wait <= Millis{0}) {
    Ask(waiter, std::move(key));
    return waiter->number;
  }
  Line& line = lines_.try_emplace(key, executor_).first->second;
  line.waiters.push_back(waiter);
  if (line.waiters.size() == 1) line.ask_at = now;
  Advance(key);
  return waiter->number;
}

void StoreDesk::State::Released(const RecordName& name) {
  const LineKey key(name.owner, name.kind, name.id);
  const auto found = lines_.find(key);
  if (found == lines_.end()) return;
  found->second.ask_at = MonotonicNow();
  Advance(key);
}

// False if it was answered, or cancelled, before.
bool StoreDesk::State::Settle(const Waiter& waiter, StoreResult<LockGrant> result) {
  if (!waiting_.Take(waiter->number)) return false;
  Post([waiter, result = std::move(result)] { waiter->answer(result); });
  return true;
}

void StoreDesk::State::Ask(const Waiter& waiter, LineKey key) {
  const std::uint64_t holder = DrawNumber(entropy_);
  const Instant asked = MonotonicNow();
  const auto lock = operation::Lock(waiter->name, holder, waiter->options.lease);
  Run(lock.make,
      [weak = weak_from_this(), waiter, key = std::move(key), holder, asked](StoreReply reply) {
        const auto self = weak.lock();
        if (self != nullptr && !self->closed_) {
          self->Asked(waiter, key, holder, asked, std::move(reply));
        }
      });
}

void StoreDesk::State::Asked(const Waiter& waiter, const LineKey& key, std::uint64_t holder,
                             Instant asked, StoreReply reply) {
  const bool in_line = waiter->options.wait > Millis{0};
  if (!reply.error) {
    const LockGrant grant{holder, reply.fence, ValidUntil(asked, waiter->options.lease)};
    if (!Settle(waiter, grant)) Run(operation::Unlock(waiter->name, holder).make, nullptr);
  } else if (reply.error != ErrorCode::kLocked || !in_line) {
    Settle(waiter, tl::unexpected<StoreError>(ErrorOf(reply)));
  }
  const auto found = lines_.find(key);
  if (!in_line || found == lines_.end()) return;
  Line& line = found->second;
  const Instant now = MonotonicNow();
  line.asking = false;
  line.locked_for = reply.error == ErrorCode::kLocked ? reply.record.expires_in : Millis{0};
  // Decorrelated jitter: from the shortest delay to three times the last one.
  const std::int64_t most = std::max(line.delay.count, kShortestDelay.count) * 3;
  const auto spread = static_cast<std::uint64_t>(most - kShortestDelay.count + 1);
  line.delay = std::min(
      kLongestDelay,
      Millis{kShortestDelay.count + static_cast<std::int64_t>(DrawNumber(entropy_) % spread)});
  line.ask_at = now + line.delay;
  Advance(key);
}

void StoreDesk::State::GiveUp(Line& line, Instant now) {
  if (line.waiters.empty()) return;
  const Waiter first = line.waiters.front();
  line.waiters.remove_if([&](const Waiter& waiter) {
    if (waiting_.Find(waiter->number) == nullptr) return true;  // answered or cancelled
    if (waiter->gives_up > now || (waiter == first && line.asking)) return false;
    Settle(waiter, tl::unexpected<StoreError>(Locked(line.locked_for)));
    return true;
  });
}

// Does what is due in a line: lets go of those whose time is over, asks for the first.
void StoreDesk::State::Advance(const LineKey& key) {
  const auto found = lines_.find(key);
  if (found == lines_.end()) return;
  Line& line = found->second;
  const Instant now = MonotonicNow();
  GiveUp(line, now);
  if (line.waiters.empty()) {
    if (!line.asking) lines_.erase(found);
    return;
  }
  if (!line.asking && line.ask_at <= now) {
    line.asking = true;
    Ask(line.waiters.front(), key);
  }
  Instant due = line.asking ? kNever : line.ask_at;
  for (const Waiter& waiter : line.waiters) due = std::min(due, waiter->gives_up);
  // At the first's time to give up its command is under way, or it has been looked at.
  if (due <= now) due = now + kShortestDelay;
  line.timer.expires_at(ToSteadyTime(due));
  line.timer.async_wait([weak = weak_from_this(), key](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (!error && self != nullptr && !self->closed_) self->Advance(key);
  });
}

}  // namespace mcp_session

// Which way commands go, and when; what happens to local records is in local_records.cc.
//
// Theory of operation. The phase follows the backend's state, which is looked at before every
// command and, unless all is normal, every 50 ms by Tick. A command on a key that has a local
// record goes to the memory, where it is answered at once, or is refused; every other one goes to
// the backend under a ticket of ours, or is refused. So a key is either here or there, never both,
// and the replies of each come in order.
#include "mcp_session/fallback/degrading_store.h"

#include <algorithm>
#include <iterator>
#include <type_traits>
#include <utility>
#include <variant>

#include "mcp_session/fallback/local_rules.h"

namespace mcp_session {
namespace {

constexpr Millis kLookInterval{50};
constexpr std::size_t kMaxUnheard = 10'000;

}  // namespace

DegradingStore::DegradingStore(std::unique_ptr<SessionStore> backend, DegradingOptions options,
                               Entropy& entropy)
    : backend_(std::move(backend)),
      local_(options.local, entropy),
      entropy_(entropy),
      options_(std::move(options)) {}

void DegradingStore::UpdatePhase() {
  switch (backend_->Status().state) {
    case StoreState::kUnavailable:
      return SetPhase(Phase::kAway);
    case StoreState::kConnecting:
      return;  // it may come to anything
    case StoreState::kConnected:
    case StoreState::kMisconfigured:
    case StoreState::kDegraded:
      return SetPhase(records_.empty() ? Phase::kNormal : Phase::kMoving);
  }
}

void DegradingStore::SetPhase(Phase phase) {
  if (phase == phase_) return;
  if (phase == Phase::kAway) {
    Log("warning: the backend is unavailable (" + backend_->Status().reason +
        "): new records are kept in memory until it is back");
  } else if (phase == Phase::kNormal && phase_ == Phase::kMoving) {
    Log("all local records are with the backend, but for " + std::to_string(counters_.lost) +
        " lost since the start");
  } else {
    Log("the backend is back: " + std::to_string(records_.size()) + " local records to be moved");
  }
  phase_ = phase;
  look_at_ = phase == Phase::kNormal ? kNever : now_ + kLookInterval;
}

void DegradingStore::Submit(StoreTicket ticket, StoreCommand command, Instant now) {
  now_ = std::max(now_, now);
  UpdatePhase();
  std::visit([&](auto& concrete) { Route(ticket, concrete); }, command);
}

template <typename Command>
void DegradingStore::Route(StoreTicket ticket, Command& command) {
  const auto found = records_.find(PackKey(command.key));
  if (found != records_.end()) return Answer(ticket, RunLocally(found, std::move(command)));
  if (IsLocalOwner(command.key.owner)) {
    return Answer(ticket, RunForLocalOwner(std::move(command)));
  }
  if (phase_ != Phase::kAway) return Pass(ticket, std::move(command));
  ++counters_.refused;
  Fail(ticket, ErrorCode::kUnavailable);
}

// The backend does not know of what is here.
void DegradingStore::Route(StoreTicket ticket, store::Get& command) {
  if (command.ahead && (IsLocalOwner(command.ahead->owner) ||
                        (!records_.empty() && records_.contains(PackKey(*command.ahead))))) {
    command.ahead.reset();
  }
  Route<store::Get>(ticket, command);
}

void DegradingStore::Route(StoreTicket ticket, store::Create& command) {
  std::string packed = PackKey(command.key);
  const auto found = records_.find(packed);
  if (found == records_.end() && phase_ != Phase::kAway && !IsLocalOwner(command.key.owner)) {
    if (command.write_id == 0) return Pass(ticket, std::move(command));
    const std::uint64_t number = passed_.Insert(
        Passed{.ticket = ticket, .created = std::move(packed), .write_id = command.write_id});
    return backend_->Submit(StoreTicket{number}, std::move(command), now_);
  }
  if (found != records_.end() && !found->second.writable()) {
    return Fail(ticket, ErrorCode::kUnavailable);
  }
  Answer(ticket, CreateLocally(std::move(packed), command));
}

void DegradingStore::Route(StoreTicket ticket, store::Regenerate& command) {
  const auto found = records_.find(PackKey(command.from));
  const auto to = records_.find(PackKey(command.to));
  if (found == records_.end() && to == records_.end() && phase_ != Phase::kAway &&
      !IsLocalOwner(command.to.owner)) {
    return Pass(ticket, std::move(command));
  }
  // From here to there, or from there to here, is not offered.
  const bool writable = found != records_.end() && found->second.removable() &&
                        (to == records_.end() || to->second.writable());
  if (!writable) {
    ++counters_.refused;
    return Fail(ticket, ErrorCode::kUnavailable);
  }
  Answer(ticket, RegenerateLocally(found, command));
}

void DegradingStore::Route(StoreTicket ticket, store::RemoveOwned& command) {
  bool all = true;
  const bool local = IsLocalOwner(command.owner);
  const std::uint64_t removed = RemoveOwnedLocally(command.owner, &all);
  if (local && all) {
    StoreReply reply;
    reply.removed = removed;
    return Answer(ticket, std::move(reply));
  }
  if (phase_ == Phase::kAway || !all) {
    ++counters_.refused;
    return Fail(ticket, ErrorCode::kUnavailable, /*maybe_done=*/removed > 0);
  }
  const std::uint64_t number = passed_.Insert(Passed{.ticket = ticket, .removed = removed});
  backend_->Submit(StoreTicket{number}, std::move(command), now_);
}

void DegradingStore::Route(StoreTicket ticket, store::List& command) {
  if (IsLocalOwner(command.owner)) return Answer(ticket, Ask(std::move(command)));
  if (phase_ != Phase::kAway && !HasLocal(command.owner)) return Pass(ticket, std::move(command));
  ++counters_.refused;
  Fail(ticket, ErrorCode::kUnavailable);
}

void DegradingStore::Pass(StoreTicket ticket, StoreCommand command) {
  const std::uint64_t number = passed_.Insert(Passed{.ticket = ticket});
  backend_->Submit(StoreTicket{number}, std::move(command), now_);
}

// Which Creates may have been done unheard.
void DegradingStore::NoteCreate(const Passed& create, const StoreReply& reply) {
  if (!reply.error || reply.error == ErrorCode::kExists) {
    unheard_.erase(create.created);
  } else if (reply.maybe_done) {
    if (unheard_.size() >= kMaxUnheard) unheard_.erase(unheard_.begin());
    unheard_[create.created] = create.write_id;
  }
}

void DegradingStore::Answer(StoreTicket ticket, StoreReply reply) {
  reply.ticket = ticket;
  ready_.push_back(std::move(reply));
}

void DegradingStore::Fail(StoreTicket ticket, ErrorCode error, bool maybe_done) {
  StoreReply reply;
  reply.error = error;
  reply.maybe_done = maybe_done;
  Answer(ticket, std::move(reply));
}

void DegradingStore::Drain(std::vector<StoreReply>* replies) {
  std::vector<StoreReply> passed;
  // What comes of a move may be another command, and its reply.
  for (bool moved = true; moved;) {
    moved = false;
    passed.clear();
    backend_->Drain(&passed);
    for (StoreReply& reply : passed) {
      std::optional<Passed> waiting = passed_.Take(reply.ticket.number);
      if (!waiting) continue;
      if (waiting->move.empty()) {
        if (!waiting->created.empty()) NoteCreate(*waiting, reply);
        reply.removed += reply.error ? 0 : waiting->removed;
        Answer(waiting->ticket, std::move(reply));
      } else {
        moved = true;
        Moved(waiting->move, std::move(reply));
      }
    }
  }
  std::move(ready_.begin(), ready_.end(), std::back_inserter(*replies));
  ready_.clear();
}

Instant DegradingStore::NextDeadline() const {
  return std::min({backend_->NextDeadline(), local_.NextDeadline(), look_at_});
}

void DegradingStore::Tick(Instant now) {
  now_ = std::max(now_, now);
  if (backend_->NextDeadline() <= now_) backend_->Tick(now_);
  if (local_.NextDeadline() <= now_) local_.Tick(now_);
  UpdatePhase();
  if (look_at_ > now_) return;
  look_at_ = phase_ == Phase::kNormal ? kNever : now_ + kLookInterval;
  DropExpired();
  if (phase_ == Phase::kMoving && backend_->Status().state == StoreState::kConnected) MoveSome();
}

StoreStatus DegradingStore::Status() const {
  StoreStatus status = backend_->Status();
  const bool refuses = status.state == StoreState::kMisconfigured;
  const bool away = status.state == StoreState::kUnavailable || phase_ == Phase::kAway;
  if (refuses || (!away && records_.empty())) return status;
  status.state = StoreState::kDegraded;
  const std::string count = std::to_string(records_.size());
  if (away) {
    status.reason = "the backend is unavailable" +
                    (status.reason.empty() ? "" : " (" + status.reason + ")") + ", " + count +
                    " records are in memory until it is back";
  } else {
    status.reason = count + " records are in memory and being moved";
  }
  return status;
}

void DegradingStore::Log(const std::string& line) const {
  if (options_.log) options_.log(line);
}

}  // namespace mcp_session

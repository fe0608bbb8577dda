// Local records: how they are used, and how they go to the backend.
//
// A move is a Create with what is left of the record's life. Its write_id stays the same however
// often it is tried, and is the one of the Create that made the record, if that had one: so a move
// that was done without our hearing of it, or a Create that had reached the backend before it went
// away, is recognised. If the record there is such an older state, a Put brings it up to date, and
// only if nobody else wrote it since.
#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include "mcp_session/base/check.h"
#include "mcp_session/fallback/degrading_store.h"
#include "mcp_session/fallback/local_rules.h"
#include "mcp_session/store/rules.h"

namespace mcp_session {
namespace {

// In each round, of which there are 20 a second; and how many may be under way.
constexpr std::size_t kMovesPerRound = 10;
constexpr std::size_t kMovesUnderWay = 32;
constexpr std::size_t kLooksPerRound = 1000;

template <typename Command>
constexpr bool kNeedsBackend =
    std::is_same_v<Command, store::Lock> || std::is_same_v<Command, store::Extend> ||
    std::is_same_v<Command, store::Unlock> || std::is_same_v<Command, store::Append> ||
    std::is_same_v<Command, store::ReadEvents>;

// Adjusts a command for the memory; whether it may go there. What is done under a lock needs the
// one who knows of locks.
bool Adjust(store::Put& put) {
  put.expected = ToLocalVersion(put.expected);
  return put.fence == 0;
}
bool Adjust(store::Remove& remove) {
  remove.expected = ToLocalVersion(remove.expected);
  return remove.fence == 0;
}
template <typename Command>
bool Adjust(Command&) {
  return !kNeedsBackend<Command>;
}

StoreReply Unavailable() {
  StoreReply reply;
  reply.error = ErrorCode::kUnavailable;
  return reply;
}

std::uint64_t DrawWriteId(Entropy& entropy) {
  std::array<std::uint8_t, 8> bytes{};
  entropy.Fill(bytes);
  std::uint64_t id = 1;
  for (const std::uint8_t byte : bytes) id = id << 8 ^ byte;
  return id | 1;
}

}  // namespace

// Runs a command in the memory, which answers at once.
StoreReply DegradingStore::Ask(StoreCommand command) {
  local_.Submit(StoreTicket{1}, std::move(command), now_);
  std::vector<StoreReply> replies;
  local_.Drain(&replies);
  MCPS_CHECK(replies.size() == 1);
  if (replies[0].record.version != 0) replies[0].record.version |= kLocalVersion;
  for (Record& record : replies[0].listed) record.version |= kLocalVersion;
  return std::move(replies[0]);
}

void DegradingStore::NoteAccess(LocalRecord& record) {
  if (!record.lifetime.idle_ttl) return;
  record.ends_at = EndAfterAccess(record.ends_at, *record.lifetime.idle_ttl, record.last_end, now_);
}

StoreReply DegradingStore::RunLocally(Records::iterator found, StoreCommand command) {
  const bool reads = std::holds_alternative<store::Get>(command);
  const bool ends = std::holds_alternative<store::Remove>(command) ||
                    std::holds_alternative<store::Take>(command);
  const bool possible = std::visit([](auto& concrete) { return Adjust(concrete); }, command);
  if (!possible || (!reads && !found->second.writable()) || (ends && !found->second.removable())) {
    ++counters_.refused;
    return Unavailable();
  }
  StoreReply reply = Ask(std::move(command));
  if (IsAbsent(reply.error)) {
    if (!found->second.moving) Forget(found, &DegradingCounters::expired);
  } else if (!reply.error && ends) {
    Forget(found, reply.removed > 0 || reply.record.data != nullptr ? &DegradingCounters::removed
                                                                    : &DegradingCounters::expired);
  } else if (!reply.error) {
    NoteAccess(found->second);
  }
  return reply;
}

StoreReply DegradingStore::CreateLocally(std::string packed, store::Create& command) {
  LocalRecord record;
  record.owner = command.key.owner;
  record.kind = command.key.kind;
  record.id = command.key.id;
  record.lifetime = command.lifetime;
  record.write_id = command.write_id != 0 ? command.write_id : DrawWriteId(entropy_);
  StoreReply reply = Ask(std::move(command));
  if (reply.error) return reply;
  if (record.lifetime.max_life) record.last_end = now_ + *record.lifetime.max_life;
  record.ends_at = now_ + reply.record.expires_in;
  const auto found = records_.find(packed);
  // The same Create again made nothing; one after an expired record made a new one.
  if (found != records_.end() && found->second.write_id == record.write_id) return reply;
  if (found != records_.end()) ++counters_.expired;
  const auto unheard = unheard_.find(packed);
  record.maybe_there = unheard != unheard_.end() && unheard->second == record.write_id;
  Keep(std::move(packed), std::move(record));
  ++counters_.created;
  return reply;
}

void DegradingStore::Keep(std::string packed, LocalRecord record) {
  record.owns.clear();
  if (options_.owner_that_is && !record.maybe_there) {
    record.owns = options_.owner_that_is(record.key());
  }
  if (!record.owns.empty()) local_owners_.insert(record.owns);
  records_.insert_or_assign(std::move(packed), std::move(record));
}

void DegradingStore::Drop(Records::iterator found) {
  if (!found->second.owns.empty()) local_owners_.erase(found->second.owns);
  records_.erase(found);
}

StoreReply DegradingStore::RegenerateLocally(Records::iterator found, store::Regenerate& command) {
  LocalRecord record = found->second;
  record.owner = command.to.owner;
  record.kind = command.to.kind;
  record.id = command.to.id;
  record.write_id = command.write_id != 0 ? command.write_id : DrawWriteId(entropy_);
  std::string packed = PackKey(command.to);
  StoreReply reply = Ask(std::move(command));
  if (reply.error) {
    if (IsAbsent(reply.error)) Forget(found, &DegradingCounters::expired);
    return reply;
  }
  Drop(found);
  Keep(std::move(packed), std::move(record));
  return reply;
}

// Those that can be written; `all` says whether that was all of them.
std::uint64_t DegradingStore::RemoveOwnedLocally(std::string_view owner, bool* all) {
  std::uint64_t removed = 0;
  for (auto at = records_.begin(); at != records_.end() && !owner.empty();) {
    const auto found = at++;
    if (found->second.owner != owner) continue;
    if (!found->second.removable()) {
      *all = false;
      continue;
    }
    const bool gone = Ask(store::Remove{found->second.key()}).removed > 0;
    removed += gone ? 1 : 0;
    Forget(found, gone ? &DegradingCounters::removed : &DegradingCounters::expired);
  }
  return removed;
}

bool DegradingStore::HasLocal(std::string_view owner) const {
  return std::any_of(records_.begin(), records_.end(),
                     [&](const auto& entry) { return entry.second.owner == owner; });
}

bool DegradingStore::IsLocalOwner(std::string_view owner) const {
  return !owner.empty() && local_owners_.find(owner) != local_owners_.end();
}

// A command on a record that is not there, nor anywhere else.
StoreReply DegradingStore::RunForLocalOwner(StoreCommand command) {
  if (!std::visit([](auto& concrete) { return Adjust(concrete); }, command)) {
    ++counters_.refused;
    return Unavailable();
  }
  return Ask(std::move(command));
}

void DegradingStore::Forget(Records::iterator found, std::uint64_t DegradingCounters::*count) {
  ++(counters_.*count);
  (void)Ask(store::Remove{found->second.key()});  // or nothing, if it is gone already
  Drop(found);
}

void DegradingStore::DropExpired() {
  auto at = records_.lower_bound(sweep_from_);
  for (std::size_t looks = 0; looks < kLooksPerRound && at != records_.end(); ++looks) {
    const auto found = at++;
    if (found->second.ends_at <= now_ && !found->second.moving) {
      Forget(found, &DegradingCounters::expired);
    }
  }
  sweep_from_ = at == records_.end() ? std::string() : at->first;
}

// --- moving ---

void DegradingStore::MoveSome() {
  auto at = records_.lower_bound(move_from_);
  for (std::size_t i = 0; i < kMovesPerRound && moves_ < kMovesUnderWay && !records_.empty(); ++i) {
    if (at == records_.end()) at = records_.begin();
    const auto found = at++;
    if (!found->second.moving) Move(found);
  }
  move_from_ = at == records_.end() ? std::string() : at->first;
}

void DegradingStore::Move(Records::iterator found) {
  LocalRecord& record = found->second;
  const StoreReply local = Ask(store::Get{record.key()});
  if (local.error) {
    return Forget(found, &DegradingCounters::expired);
  }
  Lifetime left = record.lifetime;
  if (left.max_life) left.max_life = local.record.max_life_left;
  // From now on others may know it, and what it owns.
  if (!record.owns.empty()) local_owners_.erase(record.owns);
  record.owns.clear();
  record.sent = local.record.data;
  record.moving = true;
  ++moves_;
  const std::uint64_t number = passed_.Insert(Passed{.move = found->first});
  backend_->Submit(StoreTicket{number},
                   store::Create{record.key(), *record.sent, left, record.write_id}, now_);
}

void DegradingStore::Moved(const std::string& packed, StoreReply reply) {
  const auto found = records_.find(packed);
  MCPS_CHECK(found != records_.end() && found->second.moving);
  LocalRecord& record = found->second;
  if (!reply.error && reply.record.data != nullptr && *reply.record.data != *record.sent) {
    const std::uint64_t number = passed_.Insert(Passed{.move = packed});
    return backend_->Submit(
        StoreTicket{number},
        store::Put{record.key(), *record.sent, reply.record.version, DrawWriteId(entropy_)}, now_);
  }
  record.moving = false;
  --moves_;
  if (!reply.error) return Forget(found, &DegradingCounters::moved);
  switch (*reply.error) {
    case ErrorCode::kUnavailable:
      record.maybe_moved = record.maybe_moved || reply.maybe_done;
      return;
    case ErrorCode::kCapacity:
    case ErrorCode::kMisconfigured:
      return;  // a later round tries again
    case ErrorCode::kNotFound:
    case ErrorCode::kExpired:  // it was there, and somebody has removed it since
      return Forget(found, &DegradingCounters::removed);
    default:
      return Lose(found, *reply.error);
  }
}

void DegradingStore::Lose(Records::iterator found, ErrorCode error) {
  Log("warning: a local " + found->second.kind + " is lost: the backend " +
      (error == ErrorCode::kExists || error == ErrorCode::kConflict ? "has its own"
                                                                    : "does not take it"));
  Forget(found, &DegradingCounters::lost);
}

}  // namespace mcp_session

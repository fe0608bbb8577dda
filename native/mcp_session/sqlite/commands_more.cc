// The commands on lists, locks and streams; those on records are in commands.cc.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "mcp_session/base/decimal.h"
#include "mcp_session/sqlite/commands.h"
#include "mcp_session/sqlite/describe.h"
#include "mcp_session/store/rules.h"
#include "mcp_session/stored/stored_key.h"

namespace mcp_session::sqlite {
namespace {

constexpr std::nullopt_t kDone = std::nullopt;

// A cursor is the place of the last record listed, in decimal; `clock` is the highest there was.
std::optional<std::uint64_t> DecodeCursor(std::string_view cursor, std::uint64_t clock) {
  const std::optional<std::int64_t> parsed = ParseDecimal(cursor);
  if (!parsed || cursor.front() == '0') return std::nullopt;
  const auto place = static_cast<std::uint64_t>(*parsed);
  return place <= clock ? std::optional(place) : std::nullopt;
}

}  // namespace

Commands::Outcome Commands::Do(const store::List& command, Instant now, StoreReply& reply) {
  if (command.owner.empty() || command.limit == 0 || command.limit > kMaxListLimit) {
    return ErrorCode::kInvalidArgument;
  }
  std::uint64_t after = 0;
  if (!command.cursor.empty()) {
    const auto place = DecodeCursor(command.cursor, records_.ReadClock());
    if (!place) return ErrorCode::kInvalidArgument;
    after = *place;
  }
  // One more than asked for tells whether there are more.
  std::vector<NamedRecord> found =
      records_.List(OwnerTag(command.owner), command.kind, after, command.limit + 1, now);
  if (found.size() > command.limit) {
    found.pop_back();
    reply.cursor = std::to_string(found.back().row.seq);
  }
  for (NamedRecord& each : found) {
    Record& record = reply.listed.emplace_back();
    Describe(each.row, now, &record);
    record.id = std::move(each.id);
    record.data = std::move(each.data);
  }
  return kDone;
}

Commands::Outcome Commands::Do(const store::Lock& command, Instant now, StoreReply& reply) {
  if (!IsValid(command)) return ErrorCode::kInvalidArgument;
  const std::string tag = MakeStoredKey(command.key).record_tag;
  if (const std::optional<LockRow> held = locks_.FindHeld(tag, now)) {
    reply.record.expires_in = held->end - now;
    if (held->holder != command.holder) return ErrorCode::kLocked;
    reply.fence = held->token;
    return kDone;
  }
  const LockRow lock{.holder = command.holder,
                     .token = records_.NextStamp(now),
                     .granted = now,
                     .end = now + command.lease};
  locks_.Put(tag, lock);
  std::optional<RecordRow> record = records_.Find(tag);
  if (record && record->IsLive(now)) {
    record->fence = lock.token;
    records_.SetFence(*record);
  }
  reply.record.expires_in = command.lease;
  reply.fence = lock.token;
  return kDone;
}

Commands::Outcome Commands::Do(const store::Extend& command, Instant now, StoreReply& reply) {
  if (!IsValid(command)) return ErrorCode::kInvalidArgument;
  if (!IsStorable(command.key)) return ErrorCode::kLockLost;
  const std::string tag = MakeStoredKey(command.key).record_tag;
  std::optional<LockRow> lock = locks_.FindHeld(tag, now);
  if (!lock || lock->holder != command.holder) return ErrorCode::kLockLost;
  const Instant end = std::max(lock->end, std::min(now + command.lease, lock->granted + kMaxHold));
  if (end > lock->end) {
    lock->end = end;
    locks_.Put(tag, *lock);
  }
  reply.record.expires_in = end - now;
  reply.fence = lock->token;
  return kDone;
}

Commands::Outcome Commands::Do(const store::Unlock& command, Instant now, StoreReply&) {
  if (!IsStorable(command.key)) return ErrorCode::kLockLost;
  const std::string tag = MakeStoredKey(command.key).record_tag;
  const std::optional<LockRow> lock = locks_.FindHeld(tag, now);
  if (!lock || lock->holder != command.holder) return ErrorCode::kLockLost;
  locks_.Erase(tag);
  return kDone;
}

Commands::Outcome Commands::Do(const store::Append& command, Instant now, StoreReply& reply) {
  if (command.data.size() > limits_.max_record_bytes) return ErrorCode::kTooLarge;
  if (!IsValid(command)) return ErrorCode::kInvalidArgument;
  if (!IsStorable(command.key)) return ErrorCode::kNotFound;
  const std::optional<RecordRow> record = records_.Find(MakeStoredKey(command.key).record_tag);
  if (!record || !record->IsLive(now)) return AbsenceOf(record, now);
  const std::optional<EventRows::Kept> kept = events_.FindKept(record->row);
  const std::uint64_t sequence = (kept ? kept->last : record->stream_start) + 1;
  // A stream starts at a stamp and takes one for each event, so the sequences of a later record
  // with this key are higher.
  events_.Insert(record->row, records_.NextStamp(now), sequence, command.data);
  if (kept && kept->first + command.keep <= sequence) {
    events_.Trim(record->row, sequence - command.keep);
  }
  reply.sequence = sequence;
  return kDone;
}

Commands::Outcome Commands::Do(const store::ReadEvents& command, Instant now, StoreReply& reply) {
  if (!IsValid(command)) return ErrorCode::kInvalidArgument;
  if (!IsStorable(command.key)) return ErrorCode::kNotFound;
  const std::optional<RecordRow> record = records_.Find(MakeStoredKey(command.key).record_tag);
  if (!record || !record->IsLive(now)) return AbsenceOf(record, now);
  const std::optional<EventRows::Kept> kept = events_.FindKept(record->row);
  const std::uint64_t first = kept ? kept->first - 1 : record->stream_start;
  const std::uint64_t last = kept ? kept->last : record->stream_start;
  const std::uint64_t after = command.after == 0 ? record->stream_start : command.after;
  if (after < first || after > last) {
    reply.sequence = first;
    return ErrorCode::kGap;
  }
  if (after < last) reply.events = events_.Read(record->row, after, command.limit);
  return kDone;
}

}  // namespace mcp_session::sqlite

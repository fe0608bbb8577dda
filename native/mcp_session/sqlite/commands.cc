// The commands on records; those on lists, locks and streams are in commands_more.cc.
#include "mcp_session/sqlite/commands.h"

#include <algorithm>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "mcp_session/sqlite/describe.h"
#include "mcp_session/store/rules.h"
#include "mcp_session/stored/stored_key.h"

namespace mcp_session::sqlite {
namespace {

constexpr std::nullopt_t kDone = std::nullopt;

// The end after an access.
Instant EndNow(const RecordRow& record, Instant now) {
  if (record.idle == Millis{}) return record.end;
  return EndAfterAccess(record.end, record.idle, record.last_end, now);
}

}  // namespace

bool IsMutation(const StoreCommand& command) {
  return !std::holds_alternative<store::Get>(command) &&
         !std::holds_alternative<store::List>(command) &&
         !std::holds_alternative<store::ReadEvents>(command);
}

Commands::Commands(Database& database, const CommandLimits& limits)
    : limits_(limits), records_(database), events_(database), locks_(database) {}

bool Commands::Run(const StoreCommand& command, Instant now, Touching touching, StoreReply* reply) {
  touching_ = touching;
  must_write_ = false;
  carries_data_ = false;
  reply->error =
      std::visit([&](const auto& concrete) { return Do(concrete, now, *reply); }, command);
  return !must_write_;
}

Instant Commands::NextDue() { return std::min(records_.NextDue(), locks_.NextDue()); }

void Commands::Sweep(Instant now) {
  locks_.Sweep(now);
  records_.Sweep(now, limits_.max_records);
}

Commands::Outcome Commands::Do(const store::Create& command, Instant now, StoreReply& reply) {
  if (command.data.size() > limits_.max_record_bytes) return ErrorCode::kTooLarge;
  if (!IsStorable(command.key) || !IsValid(command.lifetime)) return ErrorCode::kInvalidArgument;
  const StoredKey key = MakeStoredKey(command.key);
  const std::optional<RecordRow> there = records_.Find(key.record_tag);
  if (there && there->IsLive(now)) {
    if (!IsRepeated(*there, command.write_id)) return ErrorCode::kExists;
    Describe(*there, now, &reply.record);
    reply.record.data = records_.ReadData(*there);
    return kDone;
  }
  if (!HasShare(key.owner_tag, now) || !HasRoom(now)) return ErrorCode::kCapacity;
  // Room may have been made of it.
  if (const auto dead = records_.Find(key.record_tag)) records_.Erase(*dead);

  const Lifetime& lifetime = command.lifetime;
  RecordRow record;
  record.version = records_.NextStamp(now);
  record.seq = record.version;
  record.stream_start = record.version;
  record.write_id = command.write_id;
  record.fence = FenceFor(key.record_tag, now);
  if (lifetime.max_life) record.last_end = now + *lifetime.max_life;
  if (lifetime.idle_ttl) record.idle = *lifetime.idle_ttl;
  record.end = lifetime.idle_ttl ? std::min(now + record.idle, record.last_end) : record.last_end;
  record.remember = lifetime.remember;
  records_.Insert({key, command.key.kind, command.key.id}, record, command.data);
  Describe(record, now, &reply.record);
  carries_data_ = true;
  return kDone;
}

Commands::Outcome Commands::Do(const store::Get& command, Instant now, StoreReply& reply) {
  if (!IsStorable(command.key)) return ErrorCode::kNotFound;
  std::shared_ptr<const std::string> data;
  std::optional<RecordRow> record = records_.Find(MakeStoredKey(command.key).record_tag, &data);
  if (!record || !record->IsLive(now)) return AbsenceOf(record, now);
  const bool is_due = record->idle != Millis{} && touching_ != Touching::kSkip &&
                      IsTouchDue(record->end, record->idle, now);
  if (const Instant end = is_due ? EndNow(*record, now) : record->end; end > record->end) {
    if (touching_ == Touching::kAsk) {
      must_write_ = true;
      return kDone;
    }
    record->end = end;
    records_.MoveEnd(*record);
  }
  Describe(*record, now, &reply.record);
  reply.record.data = std::move(data);
  return kDone;
}

Commands::Outcome Commands::Do(const store::Put& command, Instant now, StoreReply& reply) {
  if (command.data.size() > limits_.max_record_bytes) return ErrorCode::kTooLarge;
  if (!IsStorable(command.key)) return ErrorCode::kNotFound;
  std::optional<RecordRow> record = records_.Find(MakeStoredKey(command.key).record_tag);
  if (!record || !record->IsLive(now)) return AbsenceOf(record, now);
  const bool is_repeated = IsRepeated(*record, command.write_id);
  if (!is_repeated && IsFenced(*record, command.fence)) return ErrorCode::kFenced;
  const bool conflicts = command.expected && *command.expected != record->version;
  if (is_repeated || conflicts) {
    Describe(*record, now, &reply.record);
    reply.record.data = records_.ReadData(*record);
    return is_repeated ? Outcome() : ErrorCode::kConflict;
  }
  record->version = records_.NextStamp(now);
  record->write_id = command.write_id;
  record->end = EndNow(*record, now);
  records_.Replace(*record, command.data);
  Describe(*record, now, &reply.record);
  carries_data_ = true;
  return kDone;
}

Commands::Outcome Commands::Do(const store::Touch& command, Instant now, StoreReply&) {
  if (!IsStorable(command.key)) return ErrorCode::kNotFound;
  std::optional<RecordRow> record = records_.Find(MakeStoredKey(command.key).record_tag);
  if (!record || !record->IsLive(now)) return AbsenceOf(record, now);
  const Instant end = EndNow(*record, now);
  if (end > record->end) {
    record->end = end;
    records_.MoveEnd(*record);
  }
  return kDone;
}

Commands::Outcome Commands::Do(const store::Remove& command, Instant now, StoreReply& reply) {
  if (!IsStorable(command.key)) return kDone;
  const std::optional<RecordRow> record = records_.Find(MakeStoredKey(command.key).record_tag);
  if (!record) return kDone;
  if (record->IsLive(now)) {
    if (IsFenced(*record, command.fence)) return ErrorCode::kFenced;
    if (command.expected && *command.expected != record->version) {
      Describe(*record, now, &reply.record);
      reply.record.data = records_.ReadData(*record);
      return ErrorCode::kConflict;
    }
    reply.removed = 1;
  }
  records_.Erase(*record);
  return kDone;
}

Commands::Outcome Commands::Do(const store::Take& command, Instant now, StoreReply& reply) {
  if (!IsStorable(command.key)) return ErrorCode::kNotFound;
  std::shared_ptr<const std::string> data;
  const auto record = records_.Find(MakeStoredKey(command.key).record_tag, &data);
  if (!record || !record->IsLive(now)) return AbsenceOf(record, now);
  Describe(*record, now, &reply.record);
  reply.record.data = std::move(data);
  records_.Erase(*record);
  return kDone;
}

Commands::Outcome Commands::Do(const store::Regenerate& command, Instant now, StoreReply& reply) {
  if (!IsStorable(command.to)) return ErrorCode::kInvalidArgument;
  if (!IsStorable(command.from)) return ErrorCode::kNotFound;
  const StoredKey from = MakeStoredKey(command.from);
  const StoredKey to = MakeStoredKey(command.to);
  const std::optional<RecordRow> there = records_.Find(to.record_tag);
  const bool occupied = there && there->IsLive(now);
  if (occupied && IsRepeated(*there, command.write_id)) {
    Describe(*there, now, &reply.record);
    reply.record.data = records_.ReadData(*there);
    return kDone;
  }
  std::shared_ptr<const std::string> data;
  std::optional<RecordRow> record = records_.Find(from.record_tag, &data);
  if (!record || !record->IsLive(now)) return AbsenceOf(record, now);
  if (occupied) return ErrorCode::kExists;
  if (from.owner_tag != to.owner_tag && !HasShare(to.owner_tag, now)) return ErrorCode::kCapacity;
  if (there) records_.Erase(*there);
  record->version = records_.NextStamp(now);
  record->seq = record->version;
  record->write_id = command.write_id;
  record->fence = std::max(record->fence, FenceFor(to.record_tag, now));
  // Under the new key there may have been higher sequences than a stream would begin with that has
  // no events yet.
  if (!events_.FindKept(record->row)) record->stream_start = record->version;
  records_.Rename({to, command.to.kind, command.to.id}, *record);
  Describe(*record, now, &reply.record);
  reply.record.data = std::move(data);
  return kDone;
}

Commands::Outcome Commands::Do(const store::RemoveOwned& command, Instant now, StoreReply& reply) {
  if (command.owner.empty()) return ErrorCode::kInvalidArgument;
  reply.removed = records_.EraseOwned(OwnerTag(command.owner), now);
  return kDone;
}

bool Commands::HasShare(std::string_view owner_tag, Instant now) {
  return owner_tag.empty() || records_.CountOwned(owner_tag, now) < limits_.max_records_per_owner;
}

bool Commands::HasRoom(Instant now) {
  if (limits_.max_records == 0) return true;
  while (records_.books().held >= limits_.max_records) {
    if (records_.Sweep(now, limits_.max_records) == 0) return false;
  }
  return true;
}

std::uint64_t Commands::FenceFor(std::string_view record_tag, Instant now) {
  const std::optional<LockRow> lock = locks_.FindHeld(record_tag, now);
  return lock ? lock->token : 0;
}

}  // namespace mcp_session::sqlite

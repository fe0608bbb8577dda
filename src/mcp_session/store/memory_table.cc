#include "mcp_session/store/memory_table.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>

#include "mcp_session/store/memory_cost.h"
#include "mcp_session/store/rules.h"

namespace mcp_session {
namespace {

constexpr std::nullopt_t kDone = std::nullopt;

}  // namespace

bool MemoryTable::Run(StoreCommand& command, StoreTicket ticket, std::uint64_t reader, Instant now,
                      StoreReply* reply) {
  reply->error = std::visit([&](auto& concrete) { return Do(concrete, now, *reply); }, command);
  const auto* read = std::get_if<store::ReadEvents>(&command);
  if (read == nullptr || read->wait == Millis{} || reply->error || !reply->events.empty()) {
    return true;
  }
  if (readers_.size() >= options().max_records) {
    reply->error = ErrorCode::kCapacity;
    return true;
  }
  Wait(*read, ticket, reader, now);
  return false;
}

Instant MemoryTable::NextDeadline() const {
  return std::min(RecordCommands::NextDeadline(), readers_.NextDeadline());
}

void MemoryTable::Tick(Instant now) {
  RecordCommands::Tick(now);
  while (const auto read = readers_.TakeDue(now)) AnswerReader(*read, now);
  CountReserved();
}

MemoryTable::Outcome MemoryTable::Do(store::Create& command, Instant now, StoreReply& reply) {
  const Outcome outcome = RecordCommands::Do(command, now, reply);
  if (!outcome && locks_.size() > 0) {
    const PackedKey key = Pack(command.key);
    StampHeldLock(key, *records().FindLive(key, now)->entry, now);
  }
  return outcome;
}

MemoryTable::Outcome MemoryTable::Do(const store::Take& command, Instant now, StoreReply& reply) {
  if (!IsStorable(command.key)) return ErrorCode::kNotFound;
  const PackedKey key = Pack(command.key);
  RecordSlot* slot = records().FindLive(key, now);
  if (slot == nullptr) return Absence(key, now);
  Describe(*slot, now, reply.record);
  records().Erase(slot);
  return kDone;
}

MemoryTable::Outcome MemoryTable::Do(const store::Regenerate& command, Instant now,
                                     StoreReply& reply) {
  return Regenerate(*this, *this, command, now, &reply);
}

MemoryTable::Outcome MemoryTable::Do(const store::Lock& command, Instant now, StoreReply& reply) {
  if (!IsValid(command)) return ErrorCode::kInvalidArgument;
  const PackedKey key = Pack(command.key);
  if (const HeldLock* held = locks_.FindHeld(key, now)) {
    reply.record.expires_in = held->end - now;
    if (held->holder != command.holder) return ErrorCode::kLocked;
    reply.fence = held->token;
    return kDone;
  }
  if (locks_.size() >= options().max_records) locks_.Purge(now);
  if (locks_.size() >= options().max_records ||
      !MakeRoomForBytes(/*anonymous=*/false, LockTable::CostOfGrant(key), now)) {
    return ErrorCode::kCapacity;
  }
  const std::uint64_t token = records().NextVersion();
  locks_.Grant(
      key, {.holder = command.holder, .token = token, .granted = now, .end = now + command.lease},
      now);
  CountReserved();
  if (const RecordSlot* slot = records().FindLive(key, now)) {
    records().ChangeExtras(*slot->entry, [token](RecordExtras& extras) { extras.fence = token; });
  }
  reply.record.expires_in = command.lease;
  reply.fence = token;
  return kDone;
}

MemoryTable::Outcome MemoryTable::Do(const store::Extend& command, Instant now, StoreReply& reply) {
  if (!IsValid(command)) return ErrorCode::kInvalidArgument;
  HeldLock* held = FindHeld(command.key, command.holder, now);
  if (held == nullptr) return ErrorCode::kLockLost;
  held->end = std::max(held->end, std::min(now + command.lease, held->granted + kMaxHold));
  reply.record.expires_in = held->end - now;
  reply.fence = held->token;
  return kDone;
}

MemoryTable::Outcome MemoryTable::Do(const store::Unlock& command, Instant now, StoreReply&) {
  if (FindHeld(command.key, command.holder, now) == nullptr) return ErrorCode::kLockLost;
  locks_.Release(Pack(command.key));
  CountReserved();
  return kDone;
}

MemoryTable::Outcome MemoryTable::Do(store::Append& command, Instant now, StoreReply& reply) {
  if (command.data.size() > options().max_record_bytes) return ErrorCode::kTooLarge;
  if (!IsValid(command)) return ErrorCode::kInvalidArgument;
  if (!IsStorable(command.key)) return ErrorCode::kNotFound;
  const PackedKey key = Pack(command.key);
  const RecordSlot* slot = records().FindLive(key, now);
  if (slot == nullptr) return Absence(key, now);
  RecordEntry& entry = *slot->entry;
  DropSlack(command.data);
  const auto cost = static_cast<std::ptrdiff_t>(EventLog::CostOfAppend(command.data));
  if (!MakeRoomForBytes(command.key.owner.empty(), cost, now)) return ErrorCode::kCapacity;
  records().ChangeExtras(entry, [&](RecordExtras& extras) {
    if (extras.events == nullptr) extras.events = records().MakeEventLog();
    reply.sequence = extras.events->Append(std::move(command.data), command.keep);
  });
  WakeReaders(entry, now);
  return kDone;
}

MemoryTable::Outcome MemoryTable::Do(const store::ReadEvents& command, Instant now,
                                     StoreReply& reply) {
  if (!IsValid(command)) return ErrorCode::kInvalidArgument;
  if (!IsStorable(command.key)) return ErrorCode::kNotFound;
  const PackedKey key = Pack(command.key);
  const RecordSlot* slot = records().FindLive(key, now);
  if (slot == nullptr) return Absence(key, now);
  const RecordExtras* extras = records().ExtrasOf(*slot->entry);
  if (extras == nullptr || extras->events == nullptr) {
    if (command.after == 0) return kDone;
    return ErrorCode::kGap;
  }
  const auto gap = extras->events->Read(command.after, command.limit, &reply.events);
  if (!gap) return kDone;
  reply.sequence = *gap;
  return ErrorCode::kGap;
}

bool MemoryTable::IsRepeated(const RecordKey& to, std::uint64_t write_id, Instant now,
                             StoreReply* reply) {
  if (write_id == 0) return false;
  const RecordSlot* slot = FindLive(to, now);
  if (slot == nullptr || WriteId(*slot->entry) != write_id) return false;
  Describe(*slot, now, reply->record);
  return true;
}

std::optional<ErrorCode> MemoryTable::CheckDeparture(const RecordKey& from, Instant now) {
  const PackedKey key = Pack(from);
  if (records().FindLive(key, now) != nullptr) return std::nullopt;
  return Absence(key, now);
}

std::optional<ErrorCode> MemoryTable::CheckArrival(const RecordKey& to, bool owner_changes,
                                                   Instant now) {
  if (FindLive(to, now) != nullptr) return ErrorCode::kExists;
  if (!owner_changes) return std::nullopt;
  const bool fits = to.owner.empty() ? FitsAnonymousShare(1, 0) : MakeShareFor(to.owner, now);
  return fits ? std::nullopt : std::optional(ErrorCode::kCapacity);
}

DetachedRecord MemoryTable::Detach(const RecordKey& from, Instant now) {
  return records().Detach(FindLive(from, now));
}

void MemoryTable::Attach(const RecordKey& to, DetachedRecord record, std::uint64_t write_id,
                         Instant now, StoreReply* reply) {
  const PackedKey key = Pack(to);
  const RecordSlot* slot = records().Attach(key, std::move(record));
  if (write_id != WriteId(*slot->entry)) {
    records().ChangeExtras(*slot->entry,
                           [write_id](RecordExtras& extras) { extras.write_id = write_id; });
  }
  StampHeldLock(key, *slot->entry, now);
  Describe(*slot, now, reply->record);
}

HeldLock* MemoryTable::FindHeld(const RecordKey& key, std::uint64_t holder, Instant now) {
  if (!IsStorable(key)) return nullptr;
  HeldLock* held = locks_.FindHeld(Pack(key), now);
  CountReserved();  // it may have freed one whose lease is over
  return held != nullptr && held->holder == holder ? held : nullptr;
}

void MemoryTable::CountReserved() {
  SetReservedBytes(locks_.MemoryUse() + readers_.size() * sizeof(WaitingRead));
}

void MemoryTable::StampHeldLock(const PackedKey& key, RecordEntry& entry, Instant now) {
  if (locks_.size() == 0) return;
  const HeldLock* held = locks_.FindHeld(key, now);
  if (held == nullptr) return;
  records().ChangeExtras(
      entry, [held](RecordExtras& extras) { extras.fence = std::max(extras.fence, held->token); });
}

void MemoryTable::Wait(const store::ReadEvents& command, StoreTicket ticket, std::uint64_t reader,
                       Instant now) {
  const std::uint64_t number = readers_.Add({.ticket = ticket,
                                             .reader = reader,
                                             .owner = std::string(command.key.owner),
                                             .kind = std::string(command.key.kind),
                                             .id = std::string(command.key.id),
                                             .after = command.after,
                                             .limit = command.limit},
                                            now + command.wait);
  CountReserved();
  RecordEntry& entry = *FindLive(command.key, now)->entry;
  records().ChangeExtras(entry, [&](RecordExtras& extras) {
    if (extras.readers.size() == extras.readers.capacity()) {
      std::erase_if(extras.readers, [&](std::uint64_t each) { return !readers_.IsWaiting(each); });
    }
    extras.readers.push_back(number);
  });
}

void MemoryTable::WakeReaders(RecordEntry& entry, Instant now) {
  if (records().ExtrasOf(entry)->readers.empty()) return;
  std::vector<std::uint64_t> numbers;
  records().ChangeExtras(entry, [&numbers](RecordExtras& extras) { numbers.swap(extras.readers); });
  for (const std::uint64_t number : numbers) {
    if (const auto read = readers_.Take(number)) AnswerReader(*read, now);
  }
  CountReserved();
}

void MemoryTable::AnswerReader(const WaitingRead& read, Instant now) {
  StoreReply reply;
  reply.ticket = read.ticket;
  reply.error = Do(read.Command(), now, reply);
  readers_.Answer(read.reader, std::move(reply));
}

std::optional<ErrorCode> Regenerate(MemoryTable& source, MemoryTable& target,
                                    const store::Regenerate& command, Instant now,
                                    StoreReply* reply) {
  if (!IsStorable(command.to)) return ErrorCode::kInvalidArgument;
  if (target.IsRepeated(command.to, command.write_id, now, reply)) return kDone;
  if (!IsStorable(command.from)) return ErrorCode::kNotFound;
  if (const auto error = source.CheckDeparture(command.from, now)) return error;
  const bool owner_changes = command.from.owner != command.to.owner;
  if (const auto error = target.CheckArrival(command.to, owner_changes, now)) return error;
  target.Attach(command.to, source.Detach(command.from, now), command.write_id, now, reply);
  return kDone;
}

}  // namespace mcp_session

#include "mcp_session/store/memory_table.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "mcp_session/base/decimal.h"
#include "mcp_session/store/rules.h"

namespace mcp_session {
namespace {

// How much of the table one call may look at: some 1.5 MiB of slots in housekeeping, and before a
// Create is refused all of a store of the default size.
constexpr std::size_t kSlotsPerTick = std::size_t{1} << 16;
constexpr std::size_t kSlotsPerReclaim = std::size_t{1} << 18;

constexpr std::nullopt_t kDone = std::nullopt;

// Into a fresh record, where it is: this is on the way of every Get.
void Describe(const RecordSlot& slot, Instant now, Record& record) {
  const RecordEntry& entry = *slot.entry;
  record.data = entry.data;
  record.version = entry.version;
  record.expires_in = slot.end - now;
  if (entry.last_end != kNever) record.max_life_left = entry.last_end - now;
}

void CountAccess(RecordSlot& slot, Instant now) {
  const RecordEntry& entry = *slot.entry;
  if (entry.idle_millis == 0) return;
  slot.end = EndAfterAccess(slot.end, Millis{entry.idle_millis}, entry.last_end, now);
}

// A string that grew piece by piece may hold twice the memory it needs, and would for years.
void DropSlack(std::string& data) {
  if (data.capacity() - data.size() > 64 + data.size() / 8) data.shrink_to_fit();
}

// A cursor is the sequence of the last record listed, in decimal.
std::optional<std::uint64_t> DecodeCursor(std::string_view cursor, std::uint64_t last_sequence) {
  if (cursor.empty()) return 0;
  const std::optional<std::int64_t> parsed = ParseDecimal(cursor);
  if (!parsed || cursor.front() == '0') return std::nullopt;
  const auto sequence = static_cast<std::uint64_t>(*parsed);
  return sequence <= last_sequence ? std::optional<std::uint64_t>(sequence) : std::nullopt;
}

}  // namespace

bool MemoryTable::Run(StoreCommand& command, StoreTicket ticket, std::uint64_t reader, Instant now,
                      StoreReply* reply) {
  reply->error = std::visit([&](auto& concrete) { return Do(concrete, now, *reply); }, command);
  const auto* read = std::get_if<store::ReadEvents>(&command);
  if (read == nullptr || read->wait == Millis{} || reply->error || !reply->events.empty()) {
    return true;
  }
  if (readers_.size() >= options_.max_records) {
    reply->error = ErrorCode::kCapacity;
    return true;
  }
  Wait(*read, ticket, reader, now);
  return false;
}

Instant MemoryTable::NextDeadline() const {
  return std::min(records_.NextSweep(), readers_.NextDeadline());
}

void MemoryTable::Tick(Instant now) {
  if (records_.NextSweep() <= now) records_.Sweep(now, kSlotsPerTick);
  while (const auto read = readers_.TakeDue(now)) AnswerReader(*read, now);
}

std::size_t MemoryTable::MemoryUse() const {
  return records_.MemoryUse() + locks_.MemoryUse() + readers_.size() * sizeof(WaitingRead);
}

MemoryTable::Outcome MemoryTable::Do(store::Create& command, Instant now, StoreReply& reply) {
  if (command.data.size() > options_.max_record_bytes) return ErrorCode::kTooLarge;
  if (!IsStorable(command.key) || !IsValid(command.lifetime)) return ErrorCode::kInvalidArgument;
  const PackedKey key = Pack(command.key);
  if (const RecordSlot* slot = records_.FindLive(key, now)) {
    if (command.write_id == 0 || command.write_id != slot->entry->write_id()) {
      return ErrorCode::kExists;
    }
    Describe(*slot, now, reply.record);
    return kDone;
  }
  DropSlack(command.data);
  if (!MakeRoomFor(command, key, now)) return ErrorCode::kCapacity;
  const RecordSlot* slot = records_.Insert(key, std::move(command.data), command.lifetime, now);
  if (command.write_id != 0) {
    records_.ChangeExtras(*slot->entry,
                          [&](RecordExtras& extras) { extras.write_id = command.write_id; });
  }
  StampHeldLock(key, *slot->entry, now);
  Describe(*slot, now, reply.record);
  return kDone;
}

MemoryTable::Outcome MemoryTable::Do(const store::Get& command, Instant now, StoreReply& reply) {
  if (!IsStorable(command.key)) return ErrorCode::kNotFound;
  const PackedKey key = Pack(command.key);
  RecordSlot* slot = records_.FindLive(key, now);
  if (slot == nullptr) return Absence(key, now);
  const Millis idle_ttl{slot->entry->idle_millis};
  // Most reads leave the slot as it is, and its line in the cache clean.
  if (idle_ttl.count != 0 && IsTouchDue(slot->end, idle_ttl, now)) CountAccess(*slot, now);
  Describe(*slot, now, reply.record);
  return kDone;
}

MemoryTable::Outcome MemoryTable::Do(store::Put& command, Instant now, StoreReply& reply) {
  if (command.data.size() > options_.max_record_bytes) return ErrorCode::kTooLarge;
  if (!IsStorable(command.key)) return ErrorCode::kNotFound;
  const PackedKey key = Pack(command.key);
  RecordSlot* slot = records_.FindLive(key, now);
  if (slot == nullptr) return Absence(key, now);
  RecordEntry& entry = *slot->entry;
  if (command.write_id != 0 && command.write_id == entry.write_id()) {
    Describe(*slot, now, reply.record);
    return kDone;
  }
  if (command.fence != 0 && command.fence < entry.fence()) return ErrorCode::kFenced;
  if (command.expected && *command.expected != entry.version) {
    Describe(*slot, now, reply.record);
    return ErrorCode::kConflict;
  }
  DropSlack(command.data);
  if (!MakeRoomForBytes(RecordTable::CostOfReplace(entry, command.data), now)) {
    return ErrorCode::kCapacity;
  }
  records_.Replace(entry, std::move(command.data));
  if (command.write_id != entry.write_id()) {
    records_.ChangeExtras(entry, [&](RecordExtras& extras) { extras.write_id = command.write_id; });
  }
  slot = records_.FindLive(key, now);  // making room may have moved it
  CountAccess(*slot, now);
  Describe(*slot, now, reply.record);
  return kDone;
}

MemoryTable::Outcome MemoryTable::Do(const store::Touch& command, Instant now, StoreReply&) {
  if (!IsStorable(command.key)) return ErrorCode::kNotFound;
  const PackedKey key = Pack(command.key);
  RecordSlot* slot = records_.FindLive(key, now);
  if (slot == nullptr) return Absence(key, now);
  CountAccess(*slot, now);
  return kDone;
}

MemoryTable::Outcome MemoryTable::Do(const store::Remove& command, Instant now, StoreReply& reply) {
  if (!IsStorable(command.key)) return kDone;
  const PackedKey key = Pack(command.key);
  RecordSlot* slot = records_.FindLive(key, now);
  if (slot == nullptr) {
    records_.Forget(key);
    return kDone;
  }
  if (command.fence != 0 && command.fence < slot->entry->fence()) return ErrorCode::kFenced;
  if (command.expected && *command.expected != slot->entry->version) {
    Describe(*slot, now, reply.record);
    return ErrorCode::kConflict;
  }
  records_.Erase(slot);
  reply.removed = 1;
  return kDone;
}

MemoryTable::Outcome MemoryTable::Do(const store::Take& command, Instant now, StoreReply& reply) {
  if (!IsStorable(command.key)) return ErrorCode::kNotFound;
  const PackedKey key = Pack(command.key);
  RecordSlot* slot = records_.FindLive(key, now);
  if (slot == nullptr) return Absence(key, now);
  Describe(*slot, now, reply.record);
  records_.Erase(slot);
  return kDone;
}

MemoryTable::Outcome MemoryTable::Do(const store::Regenerate& command, Instant now,
                                     StoreReply& reply) {
  return Regenerate(*this, *this, command, now, &reply);
}

MemoryTable::Outcome MemoryTable::Do(const store::RemoveOwned& command, Instant now,
                                     StoreReply& reply) {
  if (command.owner.empty()) return ErrorCode::kInvalidArgument;
  reply.removed = records_.EraseOwned(command.owner, now, /*only_dead=*/false);
  return kDone;
}

MemoryTable::Outcome MemoryTable::Do(const store::List& command, Instant now, StoreReply& reply) {
  const auto after = DecodeCursor(command.cursor, records_.last_sequence());
  if (command.owner.empty() || command.limit == 0 || command.limit > kMaxListLimit || !after) {
    return ErrorCode::kInvalidArgument;
  }
  const OwnerSlot* owner = records_.FindOwner(command.owner);
  std::uint64_t last = 0;
  for (const RecordEntry* entry = owner == nullptr ? nullptr : owner->oldest; entry != nullptr;
       entry = entry->newer) {
    if (entry->sequence <= *after || entry->kind() != command.kind) continue;
    const RecordSlot& slot = records_.SlotOf(*entry);
    if (slot.end <= now) continue;
    if (reply.listed.size() == command.limit) {
      reply.cursor = std::to_string(last);
      break;
    }
    Record& record = reply.listed.emplace_back();
    Describe(slot, now, record);
    record.id = entry->id();
    last = entry->sequence;
  }
  return kDone;
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
  if (locks_.size() >= options_.max_records) locks_.Purge(now);
  if (locks_.size() >= options_.max_records ||
      !MakeRoomForBytes(LockTable::CostOfGrant(key), now)) {
    return ErrorCode::kCapacity;
  }
  const std::uint64_t token = records_.NextVersion();
  locks_.Grant(
      key, {.holder = command.holder, .token = token, .granted = now, .end = now + command.lease},
      now);
  if (const RecordSlot* slot = records_.FindLive(key, now)) {
    records_.ChangeExtras(*slot->entry, [token](RecordExtras& extras) { extras.fence = token; });
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
  return kDone;
}

MemoryTable::Outcome MemoryTable::Do(store::Append& command, Instant now, StoreReply& reply) {
  if (command.data.size() > options_.max_record_bytes) return ErrorCode::kTooLarge;
  if (!IsValid(command)) return ErrorCode::kInvalidArgument;
  if (!IsStorable(command.key)) return ErrorCode::kNotFound;
  const PackedKey key = Pack(command.key);
  const RecordSlot* slot = records_.FindLive(key, now);
  if (slot == nullptr) return Absence(key, now);
  RecordEntry& entry = *slot->entry;
  DropSlack(command.data);
  const auto cost = static_cast<std::ptrdiff_t>(EventLog::CostOfAppend(command.data));
  if (!MakeRoomForBytes(cost, now)) return ErrorCode::kCapacity;
  records_.ChangeExtras(entry, [&](RecordExtras& extras) {
    if (extras.events == nullptr) extras.events = records_.MakeEventLog();
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
  const RecordSlot* slot = records_.FindLive(key, now);
  if (slot == nullptr) return Absence(key, now);
  const RecordExtras* extras = slot->entry->extras.get();
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
  if (slot == nullptr || slot->entry->write_id() != write_id) return false;
  Describe(*slot, now, reply->record);
  return true;
}

std::optional<ErrorCode> MemoryTable::CheckDeparture(const RecordKey& from, Instant now) {
  const PackedKey key = Pack(from);
  if (records_.FindLive(key, now) != nullptr) return std::nullopt;
  return Absence(key, now);
}

std::optional<ErrorCode> MemoryTable::CheckArrival(const RecordKey& to, bool owner_changes,
                                                   Instant now) {
  if (FindLive(to, now) != nullptr) return ErrorCode::kExists;
  if (!to.owner.empty() && owner_changes && !MakeShareFor(to.owner, now)) {
    return ErrorCode::kCapacity;
  }
  return std::nullopt;
}

DetachedRecord MemoryTable::Detach(const RecordKey& from, Instant now) {
  return records_.Detach(FindLive(from, now));
}

void MemoryTable::Attach(const RecordKey& to, DetachedRecord record, std::uint64_t write_id,
                         Instant now, StoreReply* reply) {
  const PackedKey key = Pack(to);
  const RecordSlot* slot = records_.Attach(key, std::move(record));
  if (write_id != slot->entry->write_id()) {
    records_.ChangeExtras(*slot->entry,
                          [write_id](RecordExtras& extras) { extras.write_id = write_id; });
  }
  StampHeldLock(key, *slot->entry, now);
  Describe(*slot, now, reply->record);
}

ErrorCode MemoryTable::Absence(const PackedKey& key, Instant now) const {
  return records_.Remembers(key, now) ? ErrorCode::kExpired : ErrorCode::kNotFound;
}

RecordSlot* MemoryTable::FindLive(const RecordKey& key, Instant now) {
  return records_.FindLive(Pack(key), now);
}

HeldLock* MemoryTable::FindHeld(const RecordKey& key, std::uint64_t holder, Instant now) {
  if (!IsStorable(key)) return nullptr;
  HeldLock* held = locks_.FindHeld(Pack(key), now);
  return held != nullptr && held->holder == holder ? held : nullptr;
}

void MemoryTable::StampHeldLock(const PackedKey& key, RecordEntry& entry, Instant now) {
  if (locks_.size() == 0) return;
  const HeldLock* held = locks_.FindHeld(key, now);
  if (held == nullptr) return;
  records_.ChangeExtras(
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
  RecordEntry& entry = *FindLive(command.key, now)->entry;
  records_.ChangeExtras(entry, [&](RecordExtras& extras) {
    if (extras.readers.size() == extras.readers.capacity()) {
      std::erase_if(extras.readers, [&](std::uint64_t each) { return !readers_.IsWaiting(each); });
    }
    extras.readers.push_back(number);
  });
}

void MemoryTable::WakeReaders(RecordEntry& entry, Instant now) {
  if (entry.extras->readers.empty()) return;
  std::vector<std::uint64_t> numbers;
  records_.ChangeExtras(entry, [&numbers](RecordExtras& extras) { numbers.swap(extras.readers); });
  for (const std::uint64_t number : numbers) {
    if (const auto read = readers_.Take(number)) AnswerReader(*read, now);
  }
}

void MemoryTable::AnswerReader(const WaitingRead& read, Instant now) {
  StoreReply reply;
  reply.ticket = read.ticket;
  reply.error = Do(read.Command(), now, reply);
  readers_.Answer(read.reader, std::move(reply));
}

bool MemoryTable::MakeRoomFor(const store::Create& command, const PackedKey& key, Instant now) {
  const std::string_view owner = command.key.owner;
  const bool with_extras = command.write_id != 0 || command.lifetime.remember > Millis{};
  return (owner.empty() || MakeShareFor(owner, now)) && MakeRoom(now, [&] {
           return records_.size() < options_.max_records &&
                  MemoryUse() + records_.CostOfInsert(key, owner, command.data, with_extras) <=
                      options_.max_bytes;
         });
}

bool MemoryTable::MakeRoomForBytes(std::ptrdiff_t bytes, Instant now) {
  if (bytes <= 0) return true;
  const auto more = static_cast<std::size_t>(bytes);
  return MakeRoom(now, [&] { return MemoryUse() + more <= options_.max_bytes; });
}

bool MemoryTable::MakeShareFor(std::string_view owner, Instant now) {
  const OwnerSlot* share = records_.FindOwner(owner);
  if (share == nullptr || share->count < options_.max_records_per_owner) {
    return options_.max_records_per_owner > 0;
  }
  if (!records_.MayHaveDead(now)) return false;
  return records_.EraseOwned(owner, now, /*only_dead=*/true) < options_.max_records_per_owner;
}

// Frees dead records until fits(), then those that are only remembered. Two sweeps: the first may
// only be the rest of one.
template <typename Fits>
bool MemoryTable::MakeRoom(Instant now, Fits fits) {
  for (int i = 0; i < 2 && !fits() && records_.MayHaveDead(now); ++i) {
    records_.Sweep(now, kSlotsPerReclaim);
  }
  if (!fits()) records_.ForgetRemembered();
  return fits();
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

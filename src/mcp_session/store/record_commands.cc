#include "mcp_session/store/record_commands.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "mcp_session/base/decimal.h"
#include "mcp_session/store/memory_cost.h"
#include "mcp_session/store/rules.h"

namespace mcp_session {
namespace {

// How much of the table one call may look at: some 1.5 MiB of slots in housekeeping, and before a
// Create is refused all of a store of the default size.
constexpr std::size_t kSlotsPerTick = std::size_t{1} << 16;
constexpr std::size_t kSlotsPerReclaim = std::size_t{1} << 18;

constexpr std::nullopt_t kDone = std::nullopt;

// Of `all`, so many percent.
std::size_t ShareOf(std::size_t all, unsigned percent) {
  return percent >= 100 ? all : all / 100 * percent + all % 100 * percent / 100;
}

void CountAccess(RecordSlot& slot, Instant now) {
  const RecordEntry& entry = *slot.entry;
  if (entry.idle_millis == 0) return;
  slot.end = EndAfterAccess(slot.end, Millis{entry.idle_millis}, entry.last_end, now);
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

void RecordCommands::Describe(const RecordSlot& slot, Instant now, Record& record) {
  const RecordEntry& entry = *slot.entry;
  record.data = std::shared_ptr<const std::string>(slot.entry, &entry.data);
  record.version = entry.version;
  record.expires_in = slot.end - now;
  if (entry.last_end != kNever) record.max_life_left = entry.last_end - now;
}

bool RecordCommands::Reclaim(Instant now) {
  const std::size_t before = records_.size();
  for (int i = 0; i < 2 && records_.size() == before && records_.MayHaveDead(now); ++i) {
    records_.Sweep(now, kSlotsPerReclaim);
  }
  if (records_.size() == before) records_.ForgetRemembered();
  return records_.size() < before;
}

void RecordCommands::Tick(Instant now) {
  if (records_.NextSweep() <= now) records_.Sweep(now, kSlotsPerTick);
}

RecordCommands::Outcome RecordCommands::Do(store::Create& command, Instant now, StoreReply& reply) {
  if (command.data.size() > options_.max_record_bytes) return ErrorCode::kTooLarge;
  if (!IsStorable(command.key) || !IsValid(command.lifetime)) return ErrorCode::kInvalidArgument;
  const PackedKey key = Pack(command.key);
  if (const RecordSlot* slot = records_.FindLive(key, now)) {
    if (command.write_id == 0 || command.write_id != WriteId(*slot->entry)) {
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
  Describe(*slot, now, reply.record);
  return kDone;
}

RecordCommands::Outcome RecordCommands::Do(const store::Get& command, Instant now,
                                           StoreReply& reply) {
  if (!IsStorable(command.key)) return ErrorCode::kNotFound;
  return Get(Pack(command.key), now, reply.record);
}

RecordCommands::Outcome RecordCommands::Get(const PackedKey& key, Instant now, Record& record) {
  RecordSlot* slot = records_.FindLive(key, now);
  if (slot == nullptr) return Absence(key, now);
  const Millis idle_ttl{slot->entry->idle_millis};
  // Most reads leave the slot as it is, and its line in the cache clean.
  if (idle_ttl.count != 0 && IsTouchDue(slot->end, idle_ttl, now)) CountAccess(*slot, now);
  Describe(*slot, now, record);
  return kDone;
}

RecordCommands::Outcome RecordCommands::Do(store::Put& command, Instant now, StoreReply& reply) {
  if (command.data.size() > options_.max_record_bytes) return ErrorCode::kTooLarge;
  if (!IsStorable(command.key)) return ErrorCode::kNotFound;
  const PackedKey key = Pack(command.key);
  RecordSlot* slot = records_.FindLive(key, now);
  if (slot == nullptr) return Absence(key, now);
  const RecordEntry& entry = *slot->entry;
  if (command.write_id != 0 && command.write_id == WriteId(entry)) {
    Describe(*slot, now, reply.record);
    return kDone;
  }
  if (command.fence != 0 && command.fence < Fence(entry)) return ErrorCode::kFenced;
  if (command.expected && *command.expected != entry.version) {
    Describe(*slot, now, reply.record);
    return ErrorCode::kConflict;
  }
  DropSlack(command.data);
  if (!MakeRoomForBytes(command.key.owner.empty(), RecordTable::CostOfReplace(entry, command.data),
                        now)) {
    return ErrorCode::kCapacity;
  }
  slot = records_.FindLive(key, now);  // making room may have moved it
  records_.Replace(*slot, std::move(command.data));
  if (command.write_id != WriteId(*slot->entry)) {
    records_.ChangeExtras(*slot->entry,
                          [&](RecordExtras& extras) { extras.write_id = command.write_id; });
  }
  CountAccess(*slot, now);
  Describe(*slot, now, reply.record);
  return kDone;
}

RecordCommands::Outcome RecordCommands::Do(const store::Touch& command, Instant now, StoreReply&) {
  if (!IsStorable(command.key)) return ErrorCode::kNotFound;
  const PackedKey key = Pack(command.key);
  RecordSlot* slot = records_.FindLive(key, now);
  if (slot == nullptr) return Absence(key, now);
  CountAccess(*slot, now);
  return kDone;
}

RecordCommands::Outcome RecordCommands::Do(const store::Remove& command, Instant now,
                                           StoreReply& reply) {
  if (!IsStorable(command.key)) return kDone;
  const PackedKey key = Pack(command.key);
  RecordSlot* slot = records_.FindLive(key, now);
  if (slot == nullptr) {
    records_.Forget(key);
    return kDone;
  }
  if (command.fence != 0 && command.fence < Fence(*slot->entry)) return ErrorCode::kFenced;
  if (command.expected && *command.expected != slot->entry->version) {
    Describe(*slot, now, reply.record);
    return ErrorCode::kConflict;
  }
  records_.Erase(slot);
  reply.removed = 1;
  return kDone;
}

RecordCommands::Outcome RecordCommands::Do(const store::RemoveOwned& command, Instant now,
                                           StoreReply& reply) {
  if (command.owner.empty()) return ErrorCode::kInvalidArgument;
  reply.removed = records_.EraseOwned(command.owner, now, /*only_dead=*/false);
  return kDone;
}

RecordCommands::Outcome RecordCommands::Do(const store::List& command, Instant now,
                                           StoreReply& reply) {
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
      AppendDecimal(last, &reply.cursor);
      break;
    }
    Record& record = reply.listed.emplace_back();
    Describe(slot, now, record);
    record.id = entry->id();
    last = entry->sequence;
  }
  return kDone;
}

std::uint64_t RecordCommands::WriteId(const RecordEntry& entry) const {
  const RecordExtras* extras = records_.ExtrasOf(entry);
  return extras == nullptr ? 0 : extras->write_id;
}

std::uint64_t RecordCommands::Fence(const RecordEntry& entry) const {
  const RecordExtras* extras = records_.ExtrasOf(entry);
  return extras == nullptr ? 0 : extras->fence;
}

ErrorCode RecordCommands::Absence(const PackedKey& key, Instant now) const {
  return records_.Remembers(key, now) ? ErrorCode::kExpired : ErrorCode::kNotFound;
}

RecordSlot* RecordCommands::FindLive(const RecordKey& key, Instant now) {
  return records_.FindLive(Pack(key), now);
}

bool RecordCommands::MakeRoomFor(const store::Create& command, const PackedKey& key, Instant now) {
  const std::string_view owner = command.key.owner;
  const bool with_extras = command.write_id != 0 || command.lifetime.remember > Millis{};
  return (owner.empty() || MakeShareFor(owner, now)) && MakeRoom(now, [&] {
           return HasRoom(owner.empty(), 1,
                          records_.CostOfInsert(key, owner, command.data, with_extras));
         });
}

RecordCommands::Outcome RecordCommands::Restore(const RecordKey& key, DetachedRecord record,
                                                Instant now) {
  const PackedKey packed = Pack(key);
  if (records_.FindLive(packed, now) != nullptr) return ErrorCode::kExists;
  const std::size_t cost =
      records_.CostOfInsert(packed, key.owner, record.data, record.extras != nullptr);
  if (!HasRoom(key.owner.empty(), 1, cost)) return ErrorCode::kCapacity;
  records_.Attach(packed, std::move(record));
  return std::nullopt;
}

bool RecordCommands::MakeRoomForBytes(bool anonymous, std::ptrdiff_t bytes, Instant now) {
  if (bytes <= 0) return true;
  return MakeRoom(now, [&] { return HasRoom(anonymous, 0, static_cast<std::size_t>(bytes)); });
}

bool RecordCommands::HasRoom(bool anonymous, std::size_t records, std::size_t bytes) const {
  return records_.size() + elsewhere_.records + records <= options_.max_records &&
         MemoryUse() + elsewhere_.bytes + bytes <= options_.max_bytes &&
         (!anonymous || FitsAnonymousShare(records, bytes));
}

bool RecordCommands::FitsAnonymousShare(std::size_t records, std::size_t bytes) const {
  const Holdings here = records_.holdings();
  return here.anonymous_records + elsewhere_.anonymous_records + records <=
             ShareOf(options_.max_records, options_.anonymous_percent) &&
         here.anonymous_bytes + elsewhere_.anonymous_bytes + bytes <=
             ShareOf(options_.max_bytes, options_.anonymous_percent);
}

bool RecordCommands::MakeShareFor(std::string_view owner, Instant now) {
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
bool RecordCommands::MakeRoom(Instant now, Fits fits) {
  for (int i = 0; i < 2 && !fits() && records_.MayHaveDead(now); ++i) {
    records_.Sweep(now, kSlotsPerReclaim);
  }
  if (!fits()) records_.ForgetRemembered();
  return fits();
}

}  // namespace mcp_session

#include "mcp_session/store/memory_store.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "mcp_session/base/decimal.h"
#include "mcp_session/store/record_table.h"
#include "mcp_session/store/rules.h"

namespace mcp_session {
namespace {

// How much of the table one call may look at: some 1.5 MiB of slots in housekeeping, and before a
// Create is refused all of a store of the default size.
constexpr std::size_t kSlotsPerTick = std::size_t{1} << 16;
constexpr std::size_t kSlotsPerReclaim = std::size_t{1} << 18;

using Outcome = std::optional<ErrorCode>;
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

// The commands. Each fills `reply` in place, for it is large, and answers what went wrong.
class MemorySessionStore::Table {
 public:
  Table(const MemoryStoreOptions& options, Entropy& entropy)
      : options_(options), records_(entropy) {}

  RecordTable& records() { return records_; }

  Outcome Run(store::Create& command, Instant now, StoreReply& reply) {
    if (command.data.size() > options_.max_record_bytes) return ErrorCode::kTooLarge;
    if (!IsStorable(command.key) || !IsValid(command.lifetime)) return ErrorCode::kInvalidArgument;
    const PackedKey key(records_.sip_key(), command.key);
    if (records_.FindLive(key, now) != nullptr) return ErrorCode::kExists;
    DropSlack(command.data);
    if (!MakeRoomFor(command, key, now)) return ErrorCode::kCapacity;
    const RecordSlot* slot = records_.Insert(key, std::move(command.data), command.lifetime, now);
    Describe(*slot, now, reply.record);
    return kDone;
  }

  Outcome Run(const store::Get& command, Instant now, StoreReply& reply) {
    RecordSlot* slot = FindLive(command.key, now);
    if (slot == nullptr) return ErrorCode::kNotFound;
    const Millis idle_ttl{slot->entry->idle_millis};
    // Most reads leave the slot as it is, and its line in the cache clean.
    if (idle_ttl.count != 0 && IsTouchDue(slot->end, idle_ttl, now)) CountAccess(*slot, now);
    Describe(*slot, now, reply.record);
    return kDone;
  }

  Outcome Run(store::Put& command, Instant now, StoreReply& reply) {
    if (command.data.size() > options_.max_record_bytes) return ErrorCode::kTooLarge;
    if (!IsStorable(command.key)) return ErrorCode::kNotFound;
    const PackedKey key(records_.sip_key(), command.key);
    RecordSlot* slot = records_.FindLive(key, now);
    if (slot == nullptr) return ErrorCode::kNotFound;
    if (command.expected && *command.expected != slot->entry->version) {
      Describe(*slot, now, reply.record);
      return ErrorCode::kConflict;
    }
    RecordEntry& entry = *slot->entry;
    DropSlack(command.data);
    if (!MakeRoomFor(command, entry, now)) return ErrorCode::kCapacity;
    records_.Replace(entry, std::move(command.data));
    slot = records_.FindLive(key, now);  // making room may have moved it
    CountAccess(*slot, now);
    Describe(*slot, now, reply.record);
    return kDone;
  }

  Outcome Run(const store::Touch& command, Instant now, StoreReply&) {
    RecordSlot* slot = FindLive(command.key, now);
    if (slot == nullptr) return ErrorCode::kNotFound;
    CountAccess(*slot, now);
    return kDone;
  }

  Outcome Run(const store::Remove& command, Instant now, StoreReply& reply) {
    RecordSlot* slot = FindLive(command.key, now);
    if (slot == nullptr) return kDone;
    records_.Erase(slot);
    reply.removed = 1;
    return kDone;
  }

  Outcome Run(const store::RemoveOwned& command, Instant now, StoreReply& reply) {
    if (command.owner.empty()) return ErrorCode::kInvalidArgument;
    reply.removed = records_.EraseOwned(command.owner, now, /*only_dead=*/false);
    return kDone;
  }

  Outcome Run(const store::List& command, Instant now, StoreReply& reply) {
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

 private:
  RecordSlot* FindLive(const RecordKey& key, Instant now) {
    if (!IsStorable(key)) return nullptr;
    return records_.FindLive(PackedKey(records_.sip_key(), key), now);
  }

  bool MakeRoomFor(const store::Create& command, const PackedKey& key, Instant now) {
    const std::string_view owner = command.key.owner;
    return (owner.empty() || MakeShareFor(owner, now)) && MakeRoom(now, [&] {
             return records_.size() < options_.max_records &&
                    records_.MemoryUse() + records_.CostOfInsert(key, owner, command.data) <=
                        options_.max_bytes;
           });
  }

  bool MakeRoomFor(const store::Put& command, const RecordEntry& entry, Instant now) {
    const std::ptrdiff_t cost = RecordTable::CostOfReplace(entry, command.data);
    if (cost <= 0) return true;
    const auto bytes = static_cast<std::size_t>(cost);
    return MakeRoom(now, [&] { return records_.MemoryUse() + bytes <= options_.max_bytes; });
  }

  bool MakeShareFor(std::string_view owner, Instant now) {
    const OwnerSlot* share = records_.FindOwner(owner);
    if (share == nullptr || share->count < options_.max_records_per_owner) {
      return options_.max_records_per_owner > 0;
    }
    if (!records_.MayHaveDead(now)) return false;
    return records_.EraseOwned(owner, now, /*only_dead=*/true) < options_.max_records_per_owner;
  }

  // Frees dead records until fits(). Two sweeps: the first may only be the rest of one.
  template <typename Fits>
  bool MakeRoom(Instant now, Fits fits) {
    for (int i = 0; i < 2 && !fits() && records_.MayHaveDead(now); ++i) {
      records_.Sweep(now, kSlotsPerReclaim);
    }
    return fits();
  }

  const MemoryStoreOptions options_;
  RecordTable records_;
};

MemorySessionStore::MemorySessionStore(const MemoryStoreOptions& options, Entropy& entropy)
    : table_(std::make_unique<Table>(options, entropy)) {}

MemorySessionStore::~MemorySessionStore() = default;

void MemorySessionStore::Submit(StoreTicket ticket, StoreCommand command, Instant now) {
  StoreReply& reply = replies_.emplace_back();
  reply.ticket = ticket;
  reply.error =
      std::visit([&](auto& concrete) { return table_->Run(concrete, now, reply); }, command);
}

void MemorySessionStore::Drain(std::vector<StoreReply>* replies) {
  if (replies->empty()) {
    replies->swap(replies_);  // so that the two take turns, and neither allocates for long
    return;
  }
  std::move(replies_.begin(), replies_.end(), std::back_inserter(*replies));
  replies_.clear();
}

Instant MemorySessionStore::NextDeadline() const { return table_->records().NextSweep(); }

void MemorySessionStore::Tick(Instant now) {
  if (NextDeadline() <= now) table_->records().Sweep(now, kSlotsPerTick);
}

std::size_t MemorySessionStore::size() const { return table_->records().size(); }

std::size_t MemorySessionStore::MemoryUse() const { return table_->records().MemoryUse(); }

}  // namespace mcp_session

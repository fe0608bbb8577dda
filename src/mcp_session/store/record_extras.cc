#include "mcp_session/store/record_extras.h"

#include "mcp_session/store/memory_cost.h"

namespace mcp_session {

std::size_t RecordExtras::MemoryUse() const {
  std::size_t use = AllocatedBytes(sizeof(RecordExtras));
  if (events != nullptr) use += AllocatedBytes(sizeof(EventLog)) + events->MemoryUse();
  if (readers.capacity() > 0) use += AllocatedBytes(readers.capacity() * sizeof readers[0]);
  return use;
}

const RecordExtras* ExtrasTable::Find(std::uint64_t hash, const RecordEntry* entry) const {
  const std::size_t at = PositionOf(hash, entry);
  return at == slots_.kNone ? nullptr : slots_[at].extras.get();
}

void ExtrasTable::Insert(std::uint64_t hash, const RecordEntry* entry,
                         std::unique_ptr<RecordExtras> extras) {
  if (extras == nullptr) return;
  bytes_ += extras->MemoryUse();
  Slot slot;
  slot.hash = hash;
  slot.entry = entry;
  slot.extras = std::move(extras);
  slots_.Insert(std::move(slot));
}

std::unique_ptr<RecordExtras> ExtrasTable::Take(std::uint64_t hash, const RecordEntry* entry) {
  const std::size_t at = PositionOf(hash, entry);
  if (at == slots_.kNone) return nullptr;
  std::unique_ptr<RecordExtras> extras = std::move(slots_[at].extras);
  bytes_ -= extras->MemoryUse();
  slots_.Erase(at);
  return extras;
}

std::size_t ExtrasTable::PositionOf(std::uint64_t hash, const RecordEntry* entry) const {
  return slots_.Find(hash, [entry](const Slot& slot) { return slot.entry == entry; });
}

RecordExtras& ExtrasTable::FindOrMake(std::uint64_t hash, const RecordEntry* entry) {
  if (PositionOf(hash, entry) == slots_.kNone) {
    Insert(hash, entry, std::make_unique<RecordExtras>());
  }
  return *slots_[PositionOf(hash, entry)].extras;
}

}  // namespace mcp_session

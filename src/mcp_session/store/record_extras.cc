#include "mcp_session/store/record_extras.h"

#include "mcp_session/store/memory_cost.h"

namespace mcp_session {

std::size_t RecordExtras::MemoryUse() const {
  std::size_t use = AllocatedBytes(sizeof(RecordExtras));
  if (events != nullptr) use += AllocatedBytes(sizeof(EventLog)) + events->MemoryUse();
  if (readers.capacity() > 0) use += AllocatedBytes(readers.capacity() * sizeof readers[0]);
  return use;
}

const RecordExtras* ExtrasTable::Find(std::uint64_t hash, std::uint64_t record) const {
  const std::size_t at = PositionOf(hash, record);
  return at == slots_.kNone ? nullptr : slots_[at].extras.get();
}

void ExtrasTable::Insert(std::uint64_t hash, std::uint64_t record,
                         std::unique_ptr<RecordExtras> extras) {
  if (extras == nullptr) return;
  bytes_ += extras->MemoryUse();
  Slot slot;
  slot.hash = hash;
  slot.record = record;
  slot.extras = std::move(extras);
  slots_.Insert(std::move(slot));
}

std::unique_ptr<RecordExtras> ExtrasTable::Take(std::uint64_t hash, std::uint64_t record) {
  const std::size_t at = PositionOf(hash, record);
  if (at == slots_.kNone) return nullptr;
  std::unique_ptr<RecordExtras> extras = std::move(slots_[at].extras);
  bytes_ -= extras->MemoryUse();
  slots_.Erase(at);
  return extras;
}

std::size_t ExtrasTable::PositionOf(std::uint64_t hash, std::uint64_t record) const {
  return slots_.Find(hash, [record](const Slot& slot) { return slot.record == record; });
}

RecordExtras& ExtrasTable::FindOrMake(std::uint64_t hash, std::uint64_t record) {
  if (PositionOf(hash, record) == slots_.kNone) {
    Insert(hash, record, std::make_unique<RecordExtras>());
  }
  return *slots_[PositionOf(hash, record)].extras;
}

}  // namespace mcp_session

#include "mcp_session/store/lock_table.h"

#include <algorithm>
#include <utility>

#include "mcp_session/store/memory_cost.h"

namespace mcp_session {
namespace {

std::size_t BytesOf(const HeldLock& lock) {
  return AllocatedBytes(sizeof(HeldLock)) + CharacterBytes(lock.key);
}

}  // namespace

HeldLock* LockTable::FindHeld(const PackedKey& key, Instant now) {
  const std::size_t at = PositionOf(key);
  if (at == locks_.kNone) return nullptr;
  if (now < locks_[at].lock->end) return locks_[at].lock.get();
  EraseAt(at);
  return nullptr;
}

std::ptrdiff_t LockTable::CostOfGrant(const PackedKey& key) {
  return static_cast<std::ptrdiff_t>(AllocatedBytes(sizeof(HeldLock)) +
                                     AllocatedBytes(key.bytes().size() + 1) + sizeof(Slot));
}

HeldLock& LockTable::Grant(const PackedKey& key, HeldLock lock, Instant now) {
  if (locks_.size() >= purge_at_) {
    Purge(now);
    purge_at_ = std::max<std::size_t>(64, locks_.size() * 2);
  }
  lock.key = key.bytes();
  lock.key_sizes = key.sizes();
  Slot slot;
  slot.hash = key.hash();
  slot.lock = std::make_unique<HeldLock>(std::move(lock));
  bytes_ += BytesOf(*slot.lock);
  return *locks_[locks_.Insert(std::move(slot))].lock;
}

void LockTable::Release(const PackedKey& key) {
  const std::size_t at = PositionOf(key);
  if (at != locks_.kNone) EraseAt(at);
}

void LockTable::Purge(Instant now) {
  for (std::size_t at = 0; at < locks_.capacity();) {
    if (locks_[at].used() && locks_[at].lock->end <= now) {
      EraseAt(at);  // what moves into the slot is looked at next
    } else {
      ++at;
    }
  }
  locks_.Shrink();
}

std::size_t LockTable::PositionOf(const PackedKey& key) const {
  return locks_.Find(key.hash(), [&key](const Slot& slot) {
    return slot.lock->key_sizes == key.sizes() && slot.lock->key == key.bytes();
  });
}

void LockTable::EraseAt(std::size_t at) {
  bytes_ -= BytesOf(*locks_[at].lock);
  locks_.Erase(at);
}

}  // namespace mcp_session

// FlatIndex: finds slots by a hash that is already well mixed and keyed. Open addressing with
// linear probing in one block of memory, which grows by a quarter: what is looked for at random
// should be in few lines. Erasing shifts back what follows, so there are no tombstones, and a table
// that churns for weeks stays as quick as a new one.
//
// A Slot is movable, has a member `hash`, is unused when made by its default constructor, and
// says so by used(). Positions are good until the next Insert, Erase or Shrink.
#ifndef MCP_SESSION_STORE_FLAT_INDEX_H_
#define MCP_SESSION_STORE_FLAT_INDEX_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace mcp_session {

template <typename Slot>
class FlatIndex {
 public:
  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

  FlatIndex() : slots_(kMinCapacity) {}

  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  std::size_t MemoryUse() const { return capacity_ * sizeof(Slot); }

  // What the next Insert adds to MemoryUse.
  std::size_t GrowthOfInsert() const { return IsFull() ? capacity_ / 4 * sizeof(Slot) : 0; }

  // Any position below capacity(), used or not.
  Slot& operator[](std::size_t at) { return slots_[at]; }
  const Slot& operator[](std::size_t at) const { return slots_[at]; }

  // The position of the slot with this hash for which matches(slot), or kNone.
  template <typename Matches>
  std::size_t Find(std::uint64_t hash, Matches matches) const {
    for (std::size_t at = Home(hash); slots_[at].used(); at = After(at)) {
      if (slots_[at].hash == hash && matches(slots_[at])) return at;
    }
    return kNone;
  }

  // The position the slot got.
  std::size_t Insert(Slot&& slot) {
    if (IsFull()) Rehash(capacity_ + capacity_ / 4);
    ++size_;
    return Place(std::move(slot));
  }

  // Returns the position that became unused in the end: every slot that moved was between `at`
  // and there, and moved towards `at`, round the end of the table if need be.
  std::size_t Erase(std::size_t at) {
    std::size_t hole = at;
    for (std::size_t next = After(hole); slots_[next].used(); next = After(next)) {
      // It may fill the hole unless it would then stand before its home.
      if (Distance(Home(slots_[next].hash), next) < Distance(hole, next)) continue;
      slots_[hole] = std::move(slots_[next]);
      hole = next;
    }
    slots_[hole] = Slot();
    --size_;
    return hole;
  }

  // Gives memory back if almost all of it is unused.
  void Shrink() {
    const std::size_t capacity = std::max(kMinCapacity, size_ * 2);
    if (capacity * 4 <= capacity_ || size_ == 0) Rehash(capacity);
  }

 private:
  static constexpr std::size_t kMinCapacity = 16;

  // Seven eighths: a search for what is there then looks at four to five neighbours on average.
  bool IsFull() const { return (size_ + 1) * 8 > capacity_ * 7; }

  // The upper half of the hash, as a fraction, of the capacity.
  std::size_t Home(std::uint64_t hash) const {
    return static_cast<std::size_t>((hash >> 32) * capacity_ >> 32);
  }
  std::size_t After(std::size_t at) const { return at + 1 == capacity_ ? 0 : at + 1; }
  std::size_t Distance(std::size_t from, std::size_t to) const {
    return to >= from ? to - from : to + capacity_ - from;
  }

  std::size_t Place(Slot&& slot) {
    std::size_t at = Home(slot.hash);
    while (slots_[at].used()) at = After(at);
    slots_[at] = std::move(slot);
    return at;
  }

  void Rehash(std::size_t capacity) {
    if (capacity == capacity_) return;
    capacity_ = capacity;
    std::vector<Slot> old(capacity);
    old.swap(slots_);
    for (Slot& slot : old) {
      if (slot.used()) Place(std::move(slot));
    }
  }

  std::vector<Slot> slots_;
  std::size_t capacity_ = kMinCapacity;
  std::size_t size_ = 0;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_STORE_FLAT_INDEX_H_

// SlotMap: values under numbers that it hands out, found without hashing. A number is never
// used twice, so a late one finds nothing instead of somebody else's value.
#ifndef MCP_SESSION_BASE_SLOT_MAP_H_
#define MCP_SESSION_BASE_SLOT_MAP_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace mcp_session {

template <typename T>
class SlotMap {
 public:
  // Keeps `value`; the answer is its number, never 0.
  std::uint64_t Insert(T value) {
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(slots_.size()));
      slots_.emplace_back();
    }
    const std::uint32_t index = free_.back();
    free_.pop_back();
    Slot& slot = slots_[index];
    ++slot.generation;
    slot.value = std::move(value);
    ++size_;
    return (std::uint64_t{slot.generation} << 32) | index;
  }

  // Null if there is none. The pointer is good until the next Insert.
  T* Find(std::uint64_t number) {
    const auto index = static_cast<std::uint32_t>(number);
    if (index >= slots_.size()) return nullptr;
    Slot& slot = slots_[index];
    return slot.value && slot.generation == number >> 32 ? &*slot.value : nullptr;
  }

  std::optional<T> Take(std::uint64_t number) {
    T* value = Find(number);
    if (value == nullptr) return std::nullopt;
    std::optional<T> taken(std::move(*value));
    const auto index = static_cast<std::uint32_t>(number);
    slots_[index].value.reset();
    free_.push_back(index);
    --size_;
    return taken;
  }

  std::size_t size() const { return size_; }

  // Calls visit(number, value) for each, in no order.
  template <typename Visit>
  void ForEach(Visit visit) {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i].value) visit((std::uint64_t{slots_[i].generation} << 32) | i, *slots_[i].value);
    }
  }

 private:
  struct Slot {
    std::uint32_t generation = 0;
    std::optional<T> value;
  };
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::size_t size_ = 0;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_BASE_SLOT_MAP_H_

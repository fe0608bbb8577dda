// FlatMap: values under numbers that others chose, in one sorted vector. For maps that are small,
// or whose newest numbers are the ones in use: then a find, an insert and an erase touch its end.
#ifndef MCP_SESSION_BASE_FLAT_MAP_H_
#define MCP_SESSION_BASE_FLAT_MAP_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace mcp_session {

template <typename T>
class FlatMap {
 public:
  // Null if there is none. Good until the next Insert or Erase.
  T* Find(std::uint64_t number) {
    const auto at = LowerBound(number);
    return at != entries_.end() && at->number == number ? &at->value : nullptr;
  }

  // Replaces what was there.
  T& Insert(std::uint64_t number, T value) {
    if (T* found = Find(number)) return *found = std::move(value);
    entries_.push_back(Entry{number, std::move(value)});
    auto at = entries_.end() - 1;
    for (; at != entries_.begin() && (at - 1)->number > number; --at) std::swap(*at, *(at - 1));
    return at->value;
  }

  void Erase(std::uint64_t number) {
    const auto at = LowerBound(number);
    if (at != entries_.end() && at->number == number) entries_.erase(at);
  }

  // Calls visit(number, value) for each, in the order of their numbers.
  template <typename Visit>
  void ForEach(Visit visit) {
    for (Entry& entry : entries_) visit(entry.number, entry.value);
  }

  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::uint64_t number;
    T value;
  };

  typename std::vector<Entry>::iterator LowerBound(std::uint64_t number) {
    return std::lower_bound(entries_.begin(), entries_.end(), number,
                            [](const Entry& entry, std::uint64_t n) { return entry.number < n; });
  }

  std::vector<Entry> entries_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_BASE_FLAT_MAP_H_

#include "mcp_session/store/event_log.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "mcp_session/store/memory_cost.h"

namespace mcp_session {

std::size_t EventLog::MemoryUse() const {
  return AllocatedBytes(events_.capacity() * sizeof(StreamEvent)) + bytes_;
}

std::size_t EventLog::CostOfAppend(const std::string& data) {
  return DataBytes(data) + 2 * sizeof(StreamEvent);
}

std::uint64_t EventLog::Append(std::string data, std::size_t keep) {
  bytes_ += DataBytes(data);
  events_.push_back({++last_, std::make_shared<const std::string>(std::move(data))});
  while (events_.size() - gone_ > keep) {
    bytes_ -= DataBytes(*events_[gone_].data);
    events_[gone_++].data = nullptr;
  }
  if (gone_ * 2 >= events_.size()) {
    events_.erase(events_.begin(), events_.begin() + static_cast<std::ptrdiff_t>(gone_));
    gone_ = 0;
  }
  return last_;
}

std::optional<std::uint64_t> EventLog::Read(std::uint64_t after, std::size_t limit,
                                            std::vector<StreamEvent>* events) const {
  const std::uint64_t start = Start(after);
  if (start > last_ || start + 1 < oldest()) return oldest() - 1;
  const std::size_t first = gone_ + static_cast<std::size_t>(start + 1 - oldest());
  const std::size_t count = std::min(limit, events_.size() - first);
  events->insert(events->end(), events_.begin() + static_cast<std::ptrdiff_t>(first),
                 events_.begin() + static_cast<std::ptrdiff_t>(first + count));
  return std::nullopt;
}

}  // namespace mcp_session

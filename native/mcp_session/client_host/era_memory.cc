#include "mcp_session/client_host/era_memory.h"

#include <algorithm>

namespace mcp_session {

std::optional<Revision> EraMemory::Find(std::string_view origin) const {
  const std::lock_guard guard(mutex_);
  const auto found = known_.find(origin);
  return found == known_.end() ? std::nullopt : std::optional(found->second.revision);
}

void EraMemory::Remember(std::string_view origin, Revision revision) {
  const std::lock_guard guard(mutex_);
  known_.insert_or_assign(std::string(origin), Known{revision, ++last_});
  if (known_.size() <= max_origins_) return;
  known_.erase(std::min_element(known_.begin(), known_.end(), [](const auto& a, const auto& b) {
    return a.second.at < b.second.at;
  }));
}

void EraMemory::Forget(std::string_view origin) {
  const std::lock_guard guard(mutex_);
  const auto found = known_.find(origin);
  if (found != known_.end()) known_.erase(found);
}

}  // namespace mcp_session

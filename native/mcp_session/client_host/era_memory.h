// EraMemory: which revision servers spoke, by their origin, so that the clients that come after the
// first one need not find it out (spec C-01). Give it to HttpLinkOptions::eras of all of them.
//
// Any thread. It holds no secrets and nothing of what servers say of themselves.
#ifndef MCP_SESSION_CLIENT_HOST_ERA_MEMORY_H_
#define MCP_SESSION_CLIENT_HOST_ERA_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "mcp_session/protocol/version.h"

namespace mcp_session {

class EraMemory {
 public:
  // Of more origins those are forgotten that were remembered longest ago.
  explicit EraMemory(std::size_t max_origins = 1000) : max_origins_(max_origins) {}

  std::optional<Revision> Find(std::string_view origin) const;
  void Remember(std::string_view origin, Revision revision);
  void Forget(std::string_view origin);

 private:
  struct Known {
    Revision revision;
    std::uint64_t at = 0;
  };

  const std::size_t max_origins_;
  mutable std::mutex mutex_;
  std::map<std::string, Known, std::less<>> known_;
  std::uint64_t last_ = 0;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_CLIENT_HOST_ERA_MEMORY_H_

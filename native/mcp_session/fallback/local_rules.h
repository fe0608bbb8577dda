// Small things that DegradingStore's two files share. Private to this folder.
#ifndef MCP_SESSION_FALLBACK_LOCAL_RULES_H_
#define MCP_SESSION_FALLBACK_LOCAL_RULES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "mcp_session/base/entropy.h"
#include "mcp_session/store/command.h"

namespace mcp_session {

// Versions of local records have this bit, which those of the backends do not have: they count
// microseconds since 1970 and get there in the year 2112, or records.
inline constexpr std::uint64_t kLocalVersion = std::uint64_t{1} << 52;

// An `expected` as the memory store knows it. What is no version of a local record equals none.
inline std::optional<std::uint64_t> ToLocalVersion(std::optional<std::uint64_t> expected) {
  if (!expected) return expected;
  return (*expected & kLocalVersion) != 0 ? *expected & ~kLocalVersion : ~std::uint64_t{0};
}

// A key as one string; no two keys share one.
inline std::string PackKey(const RecordKey& key) {
  std::string packed;
  for (const std::string_view part : {key.owner, key.kind, key.id}) {
    packed.append(std::to_string(part.size())).append(":").append(part);
  }
  return packed;
}

}  // namespace mcp_session

#endif  // MCP_SESSION_FALLBACK_LOCAL_RULES_H_

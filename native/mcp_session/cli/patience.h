// Patience with a store that is away for a moment.
#ifndef MCP_SESSION_CLI_PATIENCE_H_
#define MCP_SESSION_CLI_PATIENCE_H_

#include <chrono>
#include <thread>

#include "mcp_session/base/error.h"

namespace mcp_session {

inline constexpr int kTries = 5;  // of one call, a second apart

// A call to a store, again if the store is unavailable.
template <typename Call>
auto Patiently(Call call) {
  auto result = call();
  for (int tries = 1; tries < kTries && !result; ++tries) {
    if (result.error().code != ErrorCode::kUnavailable) break;
    std::this_thread::sleep_for(std::chrono::seconds(1));
    result = call();
  }
  return result;
}

}  // namespace mcp_session

#endif  // MCP_SESSION_CLI_PATIENCE_H_

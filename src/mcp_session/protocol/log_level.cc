#include "mcp_session/protocol/log_level.h"

#include <array>

namespace mcp_session {
namespace {

constexpr std::array<std::string_view, 8> kNames = {"debug", "info",     "notice", "warning",
                                                    "error", "critical", "alert",  "emergency"};

}  // namespace

std::optional<LogLevel> ParseLogLevel(std::string_view text) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (text == kNames[i]) return static_cast<LogLevel>(i + 1);
  }
  return std::nullopt;
}

std::string_view LogLevelName(LogLevel level) {
  return kNames[static_cast<std::size_t>(level) - 1];
}

}  // namespace mcp_session

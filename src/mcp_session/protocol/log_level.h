// How much a log message matters (spec P-05).
#ifndef MCP_SESSION_PROTOCOL_LOG_LEVEL_H_
#define MCP_SESSION_PROTOCOL_LOG_LEVEL_H_

#include <cstdint>
#include <optional>
#include <string_view>

namespace mcp_session {

// In order of importance, as in RFC 5424.
enum class LogLevel : std::uint8_t {
  kNotSet,  // where nobody has said yet
  kDebug,
  kInfo,
  kNotice,
  kWarning,
  kError,
  kCritical,
  kAlert,
  kEmergency,
};

// "debug", "info", ...; nullopt for any other text. kNotSet has no name.
std::optional<LogLevel> ParseLogLevel(std::string_view text);
std::string_view LogLevelName(LogLevel level);

}  // namespace mcp_session

#endif  // MCP_SESSION_PROTOCOL_LOG_LEVEL_H_

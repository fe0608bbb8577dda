// What a program says to its operator: lines on stderr, as text or as JSON.
#ifndef MCP_SESSION_SYSTEM_LOG_H_
#define MCP_SESSION_SYSTEM_LOG_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace mcp_session {

enum class LogFormat : std::uint8_t {
  kText,  // "mcp-session: <message>"
  kJson,  // {"time":"2026-01-31T12:00:00.000Z","level":"info","event":"...","message":"...",...}
};
// Before there is another thread.
void SetLogFormat(LogFormat format);

enum class LogSeverity : std::uint8_t { kInfo, kWarning, kError };
using LogFields = std::initializer_list<std::pair<std::string_view, std::string_view>>;

// Writes one line to stderr, in one piece. `event` is a name for machines ("certificate_reloaded");
// it and the fields are in JSON only. Any thread.
void Log(LogSeverity severity, std::string_view event, std::string_view message,
         LogFields fields = {});

// An event "message" of severity info, without fields.
void LogLine(std::string_view line);

// Text from elsewhere (a peer, an exception) as it may stand in a log: one line of at most 200
// bytes, control characters as '?', and of everything that could be an id or a token - 16 or more
// letters, digits, '-' or '_' in a row with a digit or both cases among them - the first six.
std::string Redact(std::string_view text);

}  // namespace mcp_session

#endif  // MCP_SESSION_SYSTEM_LOG_H_

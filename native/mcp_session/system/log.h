// What a program says to its operator: lines on stderr.
#ifndef MCP_SESSION_SYSTEM_LOG_H_
#define MCP_SESSION_SYSTEM_LOG_H_

#include <string>
#include <string_view>

namespace mcp_session {

// Writes "mcp-session: <line>" and a line break to stderr, in one piece. Any thread.
void LogLine(std::string_view line);

// Text from elsewhere (a peer, an exception) as it may stand in a log: one line of at most 200
// bytes, control characters as '?', and of everything that could be an id or a token - 16 or more
// letters, digits, '-' or '_' in a row with a digit or both cases among them - the first six.
std::string Redact(std::string_view text);

}  // namespace mcp_session

#endif  // MCP_SESSION_SYSTEM_LOG_H_

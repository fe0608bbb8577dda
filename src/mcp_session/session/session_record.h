// What a handshake-era session is in the store (docs/formats.md).
#ifndef MCP_SESSION_SESSION_SESSION_RECORD_H_
#define MCP_SESSION_SESSION_SESSION_RECORD_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/protocol/log_level.h"
#include "mcp_session/protocol/version.h"

namespace mcp_session {

// The kind of such a record's key.
inline constexpr std::string_view kSessionKind = "session";

struct SessionRecord {
  Revision revision = kNewestHandshake;
  bool initialized = false;  // notifications/initialized has come
  // The client's part of initialize as JSON text: {"clientInfo":{...},"capabilities":{...}}.
  std::string client;
};

// "S1", one letter for the revision ('a' the oldest), 'i' or '-', the client's JSON. Before that
// the log level, '1' (debug) to '8', if the client has set one, and what it has subscribed to, if
// anything: '+', the length in decimal of the JSON array of URIs that follows, and ';'.
std::string EncodeSessionRecord(const SessionRecord& record);

// What every request needs, without looking at the JSON; nullopt if `data` is no such record.
struct SessionHead {
  Revision revision = kNewestHandshake;
  bool initialized = false;
  LogLevel log_level = LogLevel::kNotSet;
};
std::optional<SessionHead> DecodeSessionHead(std::string_view data);

// The client's part of `data`, which must be such a record.
std::string_view ClientOf(std::string_view data);

// `data` with the initialized flag set. It must be such a record.
std::string MarkInitialized(std::string_view data);

// The URIs that the client has subscribed to. `data` must be such a record.
std::vector<std::string> SubscriptionsOf(std::string_view data);

// `data` with these instead. It must be such a record, and `uris` UTF-8.
std::string WithSubscriptions(std::string_view data, const std::vector<std::string>& uris);

// `data` with this log level. It must be such a record.
std::string WithLogLevel(std::string_view data, LogLevel level);

}  // namespace mcp_session

#endif  // MCP_SESSION_SESSION_SESSION_RECORD_H_

// The ids of the events that a server sends on streams that can be resumed (spec H-53): which
// stream, which of its events, and of which request, so that its client can be told when the
// stream is gone.
#ifndef MCP_SESSION_SESSION_EVENT_ID_H_
#define MCP_SESSION_SESSION_EVENT_ID_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "mcp_session/protocol/message.h"

namespace mcp_session {

struct EventId {
  std::string stream;          // letters, digits, '-' and '_'
  std::uint64_t sequence = 0;  // 0: before the first event
  std::optional<RequestId> request;
};

// "STREAM.SEQUENCE", then ".i7" for the request 7 and ".sa-1" for "a-1". A request whose id is
// long, negative or has other characters is left out.
std::string EncodeEventId(const EventId& id);

// nullopt if no EncodeEventId made it.
std::optional<EventId> ParseEventId(std::string_view text);

}  // namespace mcp_session

#endif  // MCP_SESSION_SESSION_EVENT_ID_H_

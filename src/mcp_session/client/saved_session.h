// A client's session as text, for whoever keeps it: a store, a file.
#ifndef MCP_SESSION_CLIENT_SAVED_SESSION_H_
#define MCP_SESSION_CLIENT_SAVED_SESSION_H_

#include <string>
#include <string_view>

#include "mcp_session/base/result.h"
#include "mcp_session/session/client_event.h"

namespace mcp_session {

// JSON: {"form":1,"revision":"2025-11-25","sessionId":"...","server":{...}}. It holds the session
// id, which is a secret (spec H-27). Empty if `session.server` has no JSON form.
std::string EncodeSavedSession(const client_effect::Opened& session);

// kCorrupt: `text` is none, or of a later version of this library.
Result<client_effect::Opened> DecodeSavedSession(std::string_view text);

}  // namespace mcp_session

#endif  // MCP_SESSION_CLIENT_SAVED_SESSION_H_

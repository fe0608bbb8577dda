// Which era a message belongs to, decided here, once, for each message (spec section 12).
#ifndef MCP_SESSION_PROTOCOL_CLASSIFY_H_
#define MCP_SESSION_PROTOCOL_CLASSIFY_H_

#include <optional>
#include <string>
#include <string_view>

#include "mcp_session/base/result.h"
#include "mcp_session/protocol/message.h"
#include "mcp_session/protocol/version.h"

namespace mcp_session {

// The _meta keys of the stateless era.
inline constexpr std::string_view kMetaProtocolVersion = "io.modelcontextprotocol/protocolVersion";
inline constexpr std::string_view kMetaClientCapabilities =
    "io.modelcontextprotocol/clientCapabilities";
inline constexpr std::string_view kMetaClientInfo = "io.modelcontextprotocol/clientInfo";
inline constexpr std::string_view kMetaServerInfo = "io.modelcontextprotocol/serverInfo";
inline constexpr std::string_view kMetaLogLevel = "io.modelcontextprotocol/logLevel";

// The error that answers a message, with the HTTP status that goes with it.
struct Refusal {
  Error error;
  int http_status = 400;
  std::optional<Json> data;  // of the JSON-RPC error
};
Refusal MakeRefusal(ErrorCode code, std::string message);

// For a request or notification that came by HTTP with this MCP-Protocol-Version header (nullopt:
// none), or by a channel (nullopt).
struct Classification {
  Era era = Era::kHandshake;
  // Set if the message must not be handled, whatever it is.
  std::optional<Refusal> refusal;
};
Classification Classify(std::string_view method, const Json& params,
                        std::optional<std::string_view> version_header);

// The stateless era's description of a request by itself (spec S-02, S-03).
struct Envelope {
  Revision revision = kNewestStateless;
  const Json* capabilities = nullptr;  // an object, in `params`
};
// Checks what every stateless request must have, in this order: -32602 for a missing field
// (S-04), -32020 for a version header that says otherwise, -32022 for a revision that is not
// served (S-05, with the served ones). A missing header is not this function's business.
tl::expected<Envelope, Refusal> ReadEnvelope(const Json& params,
                                             std::optional<std::string_view> version_header);

// The refusal of a revision that is not served; `requested` may be any text.
Refusal UnsupportedVersion(std::string_view requested);

}  // namespace mcp_session

#endif  // MCP_SESSION_PROTOCOL_CLASSIFY_H_

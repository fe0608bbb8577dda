// SseLink: a ClientLink to a server of 2024-11-05, which speaks by HTTP+SSE: a stream by GET, whose
// first event `endpoint` says where messages are posted, and which brings all that the server says
// (spec H-57). To the client it is a channel. Private to this folder: HttpLink makes it.
//
// The endpoint must be of the server's own origin. A stream that ends, a message that is refused
// and an event that is too large end the channel; a new one is a new session.
#ifndef MCP_SESSION_HTTP_CLIENT_SSE_LINK_H_
#define MCP_SESSION_HTTP_CLIENT_SSE_LINK_H_

#include <memory>

#include "mcp_session/http_client/http_link.h"

namespace mcp_session {

// `options` are those of an HttpLink. `loop` must outlive the link.
std::unique_ptr<ClientLink> MakeSseLink(boost::asio::io_context& loop, HttpLinkOptions options);

}  // namespace mcp_session

#endif  // MCP_SESSION_HTTP_CLIENT_SSE_LINK_H_

// HttpLink: a ClientLink over HTTP/1.1 or HTTPS, with Boost.Beast. Connections are kept and used
// again; redirections are not followed, and no proxy is asked. A server that refuses to initialize
// with 400, 404 or 405 is tried as one of 2024-11-05, over HTTP+SSE (spec H-57).
#ifndef MCP_SESSION_HTTP_CLIENT_HTTP_LINK_H_
#define MCP_SESSION_HTTP_CLIENT_HTTP_LINK_H_

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mcp_session/base/result.h"
#include "mcp_session/base/time.h"
#include "mcp_session/client_host/client_link.h"
#include "mcp_session/client_host/era_memory.h"

namespace boost::asio {
class io_context;
}

namespace mcp_session {

// The bearer token of the next request (spec A-03); empty: none. Asked for each request, so keep
// it. When the server has answered 401, `challenge` is its WWW-Authenticate, or "Bearer" if there
// is none: another token than the last one is tried, once. An error fails the request with
// kTransport and its message. All of one user, for whom the client keeps what it was told (spec
// F-12). On the loop's thread; may wait.
using TokenProvider =
    std::function<boost::asio::awaitable<Result<std::string>>(std::string challenge)>;

// Always the same one.
TokenProvider FixedToken(std::string token);

struct HttpLinkOptions {
  std::string url;            // http://HOST[:PORT]/PATH or https://...
  TokenProvider token;        // over http:// only to this machine
  std::string ca_file;        // PEM: whom to trust instead of whom the system trusts
  bool verify_server = true;  // its certificate; without, anybody may be in between
  // Go with every request, for example x-api-key. Those that the protocol has a use for are
  // ignored.
  std::vector<std::pair<std::string, std::string>> headers;
  // What clients remember of the servers that they spoke with; null: each finds it out.
  std::shared_ptr<EraMemory> eras;
  Millis connect_time = Seconds(10);  // until a connection is there, TLS and all
  Millis write_time = Seconds(30);    // until a request has been sent
  Millis idle_time = Seconds(30);     // for which a connection that is not used is kept
  std::size_t max_idle_connections = 8;
  std::size_t max_header_bytes = 64u << 10;  // of a response; more than this is as this
};

// kInvalidArgument: the URL is none, a header cannot be sent, or a token would go unprotected over
// a network. kMisconfigured: the CA file cannot be read. `loop` must outlive the link.
Result<std::unique_ptr<ClientLink>> MakeHttpLink(boost::asio::io_context& loop,
                                                 HttpLinkOptions options);

}  // namespace mcp_session

#endif  // MCP_SESSION_HTTP_CLIENT_HTTP_LINK_H_

// Key sets by HTTP.
#ifndef MCP_SESSION_AUTH_JWKS_FETCH_H_
#define MCP_SESSION_AUTH_JWKS_FETCH_H_

#include <string>

#include "mcp_session/auth/jwt_authenticator.h"
#include "mcp_session/base/result.h"
#include "mcp_session/base/time.h"

namespace boost::asio {
class io_context;
}

namespace mcp_session {

struct JwksFetchOptions {
  std::string url;      // https://..., or http://... on this machine
  std::string ca_file;  // PEM; empty: what the system trusts
  Millis timeout = Seconds(5);
};

// A source that asks with GET, each time over a new connection, on `loop`, which must outlive it.
// Redirections are not followed; an answer of more than kMaxJwksBytes is refused. kInvalidArgument:
// the URL makes no sense, or keys would come unprotected over a network. kMisconfigured: the CA
// file cannot be read.
Result<JwksSource> JwksFromUrl(boost::asio::io_context& loop, const JwksFetchOptions& options);

}  // namespace mcp_session

#endif  // MCP_SESSION_AUTH_JWKS_FETCH_H_

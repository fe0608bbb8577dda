// The authenticator that the options of `mcp-session serve` ask for.
#ifndef MCP_SESSION_CLI_SERVE_AUTH_H_
#define MCP_SESSION_CLI_SERVE_AUTH_H_

#include <memory>

#include "mcp_session/auth/authenticator.h"
#include "mcp_session/base/result.h"
#include "mcp_session/cli/options.h"
#include "mcp_session/http/server.h"

namespace boost::asio {
class io_context;
}

namespace mcp_session {

// Whether callers have to say who they are.
bool WantsTokens(const ServeOptions& options);

// Null if nobody has to. `loop` must outlive it. kInvalidArgument: the options do not go together;
// kMisconfigured: a file cannot be read.
Result<std::unique_ptr<Authenticator>> MakeAuthenticator(const ServeOptions& options,
                                                         boost::asio::io_context& loop);

HttpAuthOptions ToAuthOptions(const ServeOptions& options, Authenticator* authenticator);

}  // namespace mcp_session

#endif  // MCP_SESSION_CLI_SERVE_AUTH_H_

// What a call to a server ends with.
#ifndef MCP_SESSION_CLIENT_HOST_CLIENT_RESULT_H_
#define MCP_SESSION_CLIENT_HOST_CLIENT_RESULT_H_

#include <optional>
#include <tl/expected.hpp>

#include "mcp_session/base/error.h"
#include "mcp_session/protocol/message.h"

namespace mcp_session {

struct ClientError {
  Error error;
  std::optional<RpcError> rpc;  // if the server answered with one (client_effect::Failed)
};

template <typename T>
using ClientResult = tl::expected<T, ClientError>;

}  // namespace mcp_session

#endif  // MCP_SESSION_CLIENT_HOST_CLIENT_RESULT_H_

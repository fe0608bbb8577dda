// What McpServer::ServeChanges can be told.
#ifndef MCP_SESSION_SERVER_CHANGE_OPTIONS_H_
#define MCP_SESSION_SERVER_CHANGE_OPTIONS_H_

#include <cstddef>
#include <string>

#include "mcp_session/base/time.h"

namespace mcp_session {

struct ChangeOptions {
  // Servers with the same name for it, on the same store, tell each other what changes. At most 256
  // bytes; empty: the name of the server, for which the same holds then.
  std::string bus;
  std::size_t max_listens = 1000;  // subscriptions that are open at once
  // The same of one principal, or on one channel. Callers by HTTP without a principal cannot be
  // told apart.
  std::size_t max_listens_per_caller = 16;
  std::size_t max_uris = 100;  // resources in one subscription
  std::size_t max_uri_bytes = 2048;
  // Changes that follow each other faster are told together.
  Millis pause{50};
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_CHANGE_OPTIONS_H_

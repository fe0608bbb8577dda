// What makes a requestState that its client can neither read nor change (spec M-06, M-07).
#ifndef MCP_SESSION_SERVER_STATE_SEALER_H_
#define MCP_SESSION_SERVER_STATE_SEALER_H_

#include <optional>
#include <string>
#include <string_view>

namespace mcp_session {

// Authenticated encryption with the implementation's keys and clock. All nodes that answer the
// same clients need the same keys. Called on the thread of the server that has it; servers of
// several loops that share one call it at the same time.
class StateSealer {
 public:
  virtual ~StateSealer() = default;

  // `state` in printable ASCII, no two times the same. `bound_to` does not become part of it, but
  // only with the same it can be opened.
  virtual std::string Seal(std::string_view state, std::string_view bound_to) = 0;

  // What was sealed; nullopt if `token` was not made by Seal with one of the keys, was changed, was
  // made too long ago, or is bound to something else.
  virtual std::optional<std::string> Open(std::string_view token, std::string_view bound_to) = 0;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_STATE_SEALER_H_

// requestState, as it comes back from clients (spec M-06, M-07). Private to this folder.
#ifndef MCP_SESSION_SERVER_SEALED_STATES_H_
#define MCP_SESSION_SERVER_SEALED_STATES_H_

#include <optional>
#include <string>

#include "mcp_session/server/feature.h"
#include "mcp_session/server/server_state.h"
#include "mcp_session/server/state_sealer.h"

namespace mcp_session {

// Sees stateless calls first: puts what was sealed in the place of params.requestState, or takes
// the call if it cannot be opened.
class SealedStates final : public Feature {
 public:
  static constexpr Name kName = Name::kSealedStates;
  SealedStates(McpServer::State& server, StateSealer& sealer)
      : Feature(kName), server_(server), sealer_(sealer) {}

  // For `call`, whose arguments are in `arguments`. nullopt: it is too large, or nests too deep.
  std::optional<std::string> Seal(const Json& state, const Call& call, const Json& arguments);

  bool HandleCall(Call& call) override;
  void HandleAnswer(const Running& call) override;

 private:
  McpServer::State& server_;
  StateSealer& sealer_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_SEALED_STATES_H_

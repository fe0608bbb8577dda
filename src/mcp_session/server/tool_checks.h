// What has to hold before a tool may be called, for the tools whose authors ask for it. Private to
// this folder.
#ifndef MCP_SESSION_SERVER_TOOL_CHECKS_H_
#define MCP_SESSION_SERVER_TOOL_CHECKS_H_

#include <string>
#include <vector>

#include "mcp_session/server/feature.h"
#include "mcp_session/server/server_state.h"

namespace mcp_session {

struct ToolCheck {
  std::string tool;
  Json required_capabilities;  // an object
};

// Sees tools/call before Tools does, and takes the calls that fail a check.
class ToolChecks final : public Feature {
 public:
  static constexpr Name kName = Name::kToolChecks;
  explicit ToolChecks(McpServer::State& server) : Feature(kName), server_(server) {}

  void Add(ToolCheck check) { checks_.push_back(std::move(check)); }

  bool HandleCall(Call& call) override;
  void HandleAnswer(const Running& call) override;

 private:
  const ToolCheck* FindCheck(const Call& call) const;
  void TellMissing(const Call& call, const Json& required);

  McpServer::State& server_;
  std::vector<ToolCheck> checks_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_TOOL_CHECKS_H_

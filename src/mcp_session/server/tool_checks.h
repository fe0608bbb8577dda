// What has to hold before a tool is called: its headers, and what its client can do. Private to
// this folder.
#ifndef MCP_SESSION_SERVER_TOOL_CHECKS_H_
#define MCP_SESSION_SERVER_TOOL_CHECKS_H_

#include <string>
#include <vector>

#include "mcp_session/server/feature.h"
#include "mcp_session/server/param_headers.h"
#include "mcp_session/server/server_state.h"

namespace mcp_session {

struct ToolCheck {
  std::string tool;
  Json required_capabilities;  // an object; null: none
  std::vector<MarkedArgument> marked;
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
  Result<void> CheckHeaders(const Call& call, const ToolCheck& check) const;
  void TellMissing(const Call& call, const Json& required);

  McpServer::State& server_;
  std::vector<ToolCheck> checks_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_TOOL_CHECKS_H_

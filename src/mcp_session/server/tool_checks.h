// What has to hold before a tool is called: its headers, what its client can do, and its
// arguments. Private to this folder.
#ifndef MCP_SESSION_SERVER_TOOL_CHECKS_H_
#define MCP_SESSION_SERVER_TOOL_CHECKS_H_

#include <memory>
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
  std::shared_ptr<const CompiledSchema> arguments;  // null: they are not checked
};

// Sees tools/call before Tools does, and takes the calls that fail a check.
class ToolChecks final : public Feature {
 public:
  static constexpr Name kName = Name::kToolChecks;
  explicit ToolChecks(McpServer::State& server, const SchemaValidator* validator_in = nullptr)
      : Feature(kName), validator(validator_in), server_(server) {}

  const SchemaValidator* const validator;  // may be null

  void Add(ToolCheck check) { checks_.push_back(std::move(check)); }
  void Remove(std::string_view tool);

  bool HandleCall(Call& call) override;
  void HandleAnswer(const Running& call) override;

 private:
  const ToolCheck* FindCheck(const Call& call) const;
  Result<void> CheckHeaders(const Call& call, const ToolCheck& check) const;
  bool FindsFault(const Call& call, const CompiledSchema& schema);

  McpServer::State& server_;
  std::vector<ToolCheck> checks_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_TOOL_CHECKS_H_

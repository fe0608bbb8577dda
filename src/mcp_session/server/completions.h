// completion/complete. Private to this folder.
#ifndef MCP_SESSION_SERVER_COMPLETIONS_H_
#define MCP_SESSION_SERVER_COMPLETIONS_H_

#include <memory>
#include <string_view>
#include <vector>

#include "mcp_session/server/completion.h"
#include "mcp_session/server/feature.h"
#include "mcp_session/server/server_state.h"

namespace mcp_session {

struct RegisteredCompletion {
  CompletionTarget target;
  CompletionHandler handler;
};

class Completions final : public Feature {
 public:
  static constexpr Name kName = Name::kCompletions;
  static constexpr std::string_view kCapability = "\"completions\":{}";
  static constexpr std::string_view kChangingCapability = kCapability;
  explicit Completions(McpServer::State& server) : Feature(kName), server_(server) {}

  Result<void> Register(CompletionTarget target, CompletionHandler handler);

  // Those of a prompt, or of a template.
  void RemoveOf(std::string_view prompt, std::string_view uri_template);

  bool HandleCall(Call& call) override;
  void HandleAnswer(const Running& call) override;

 private:
  bool IsThere(const CompletionTarget& target) const;
  std::shared_ptr<const RegisteredCompletion> FindCompletion(const CompletionTarget& target) const;
  void Complete(Call call);

  McpServer::State& server_;
  std::vector<std::shared_ptr<const RegisteredCompletion>> completions_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_COMPLETIONS_H_

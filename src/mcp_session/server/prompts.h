// The prompts of a server: prompts/list and prompts/get. Private to this folder.
#ifndef MCP_SESSION_SERVER_PROMPTS_H_
#define MCP_SESSION_SERVER_PROMPTS_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/server/feature.h"
#include "mcp_session/server/prompt.h"

namespace mcp_session {

struct RegisteredPrompt {
  Prompt prompt;
  PromptHandler handler;
};

class Prompts final : public Feature {
 public:
  static constexpr Name kName = Name::kPrompts;
  static constexpr std::string_view kCapability = "\"prompts\":{}";
  static constexpr std::string_view kChangingCapability = "\"prompts\":{\"listChanged\":true}";
  explicit Prompts(McpServer::State& server) : Feature(kName), server_(server) {}

  Result<void> Register(Prompt prompt, PromptHandler handler);
  // False if there is none of this name.
  bool Remove(std::string_view name);
  std::shared_ptr<const RegisteredPrompt> FindPrompt(std::string_view name) const;

  bool HandleCall(Call& call) override;
  void HandleAnswer(const Running& call) override;
  void RunAgain(const Running& call) override;

 private:
  void Get(Call call);
  void Run(const Running& call);

  McpServer::State& server_;
  std::vector<std::shared_ptr<const RegisteredPrompt>> prompts_;
  std::vector<std::string> listed_;  // each as JSON text
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_PROMPTS_H_

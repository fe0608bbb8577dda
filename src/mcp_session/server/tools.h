// The tools of a server: tools/list and tools/call. Private to this folder.
#ifndef MCP_SESSION_SERVER_TOOLS_H_
#define MCP_SESSION_SERVER_TOOLS_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/server/feature.h"
#include "mcp_session/server/server_state.h"
#include "mcp_session/server/tool.h"

namespace mcp_session {

struct RegisteredTool {
  Tool tool;
  ToolHandler handler;
  std::shared_ptr<const CompiledSchema> output;  // null: results are not checked
};

struct ToolCall::State : HandlerCall::State {
  using HandlerCall::State::State;

  std::shared_ptr<const RegisteredTool> tool;

  Json value = EmptyObject();  // the state
  // What is in the store, to see whether the state changed; null and no version: nothing is.
  std::shared_ptr<const std::string> stored;
  std::optional<std::uint64_t> version;
  std::string handle;
  std::vector<HandleInfo> handles;
  bool end_handle = false;

  int runs = 0;  // how often the handler was called, for conflicts
  ToolResult result;
};

// Ends a call of a tool with a result that is an error.
void AnswerToolError(McpServer::State& server, CallId id, std::string text);

// What tools/list says of a tool without decoration.
Json DescribeTool(const Tool& tool);

class Tools final : public Feature {
 public:
  static constexpr Name kName = Name::kTools;
  static constexpr std::string_view kCapability = "\"tools\":{}";
  static constexpr std::string_view kChangingCapability = "\"tools\":{\"listChanged\":true}";
  explicit Tools(McpServer::State& server) : Feature(kName), server_(server) {}

  // `described` is what tools/list says of it.
  Result<void> Register(Tool tool, ToolHandler handler, const Json& described,
                        std::shared_ptr<const CompiledSchema> output = nullptr);
  // False if there is none of this name.
  bool Remove(std::string_view name);
  // Each tool of tools/list as JSON text.
  const std::vector<std::string>& listed() const { return listed_; }

  bool HandleCall(Call& call) override;
  void HandleAnswer(const Running& call) override;
  void HandleReply(int step, const Running& call, StoreReply& reply) override;
  void RunAgain(const Running& call) override;

  // As ReadsAhead::FirstRecordOf, for a tools/call.
  std::optional<ReadsAhead::FirstRecord> FirstRecordOf(const std::string& principal,
                                                       const std::string& session,
                                                       const Json& params,
                                                       std::string* owner) const;

 private:
  enum Step : int { kLoad, kList, kSave };

  static ToolCall::State& Of(const Running& call) { return static_cast<ToolCall::State&>(*call); }

  // tools.cc
  std::shared_ptr<const RegisteredTool> FindTool(std::string_view name) const;
  void ListTools(const Call& call);

  // tool_run.cc
  void Start(Call call);
  void Load(const Running& call, ReadAhead ahead = {});
  void LoadList(const Running& call, std::string_view cursor);
  void Run(const Running& call);
  Running Renew(const Running& call);
  void RunOnNewer(const Running& call);
  void CheckResult(ToolCall::State& call) const;
  void Save(const Running& call);
  void Loaded(const Running& call, StoreReply& reply);
  void Listed(const Running& call, StoreReply& reply);
  void Saved(const Running& call, StoreReply& reply);
  bool Adopt(const Running& call, const Record& record);
  void Answer(const Running& call, const ToolResult& result);
  void Fail(const Running& call, ErrorCode code);
  void TellGone(const Running& call);
  StoreTicket Await(const Running& call, Step step);
  std::string MintHandle(std::string_view kind);

  McpServer::State& server_;
  std::vector<std::shared_ptr<const RegisteredTool>> tools_;
  std::vector<std::string> listed_;  // each as JSON text
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_TOOLS_H_

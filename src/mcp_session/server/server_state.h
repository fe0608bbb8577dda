// The inside of McpServer, shared by mcp_server.cc (turns and methods) and tool_run.cc (the way
// of one tool call). Private to this folder.
#ifndef MCP_SESSION_SERVER_SERVER_STATE_H_
#define MCP_SESSION_SERVER_SERVER_STATE_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "mcp_session/base/flat_map.h"
#include "mcp_session/base/slot_map.h"
#include "mcp_session/server/mcp_server.h"
#include "mcp_session/server/tool_state.h"

namespace mcp_session {

class McpServer::State : public std::enable_shared_from_this<McpServer::State> {
 public:
  using Running = std::shared_ptr<ToolCall::State>;

  State(ServerOptions options, SessionStore& store, Entropy& entropy);

  Result<void> Register(Tool tool, ToolHandler handler);
  void Handle(const Event& event, Instant now, Effects* effects);

  std::size_t open_calls() const { return engine_.open_calls(); }

  // What a ToolCall does, in a turn or outside of one.
  void Replied(Running call);
  void Progressed(const ToolCall::State& call, double progress, std::optional<double> total,
                  std::string_view message);
  void Dropped(const ToolCall::State& call);

  // The store has replies.
  void StoreReady();

  SessionStore& store;
  std::function<void()> wake;
  HandlerGuard guard;

 private:
  enum class Step : std::uint8_t { kLoad, kList, kSave, kForget };
  struct Wait {
    Running call;  // null for kForget
    Step step = Step::kLoad;
  };

  // mcp_server.cc
  void Settle();
  void HandleNews(EngineNews news);
  void ListTools(const Call& call);
  std::shared_ptr<const RegisteredTool> FindTool(std::string_view name) const;
  void Cancel(CallId id);
  Effects* Out();
  void Wake();

  // tool_run.cc
  void Start(Call call);
  void Load(const Running& call);
  void LoadList(const Running& call, std::string_view cursor);
  void Run(const Running& call);
  void RunAgain(const Running& call);
  void Save(const Running& call);
  void HandleToolReply(StoreReply reply);
  void Loaded(const Running& call, StoreReply& reply);
  void Listed(const Running& call, StoreReply& reply);
  void Saved(const Running& call, StoreReply& reply);
  bool Adopt(const Running& call, const Record& record);
  void Answer(const Running& call, const ToolResult& result);
  void Fail(const Running& call, ErrorCode code);
  void TellGone(const Running& call);
  void Forget(const SessionEnded& ended);
  StoreTicket Await(Running call, Step step);
  std::string MintHandle(std::string_view kind);

  ServerEngine engine_;
  Entropy& entropy_;
  std::vector<std::shared_ptr<const RegisteredTool>> tools_;
  std::string tools_text_;  // the tools of tools/list, separated by commas

  // The turn that is being handled; effects_ is null outside of one.
  Instant now_;
  Effects* effects_ = nullptr;
  std::vector<EngineNews> news_;
  std::vector<StoreReply> replies_;

  SlotMap<Wait> waits_;  // for replies of the store
  // Calls that are not over, so that they can be told of a cancellation.
  FlatMap<std::weak_ptr<ToolCall::State>> open_;
  // What handlers did outside of a turn, until the next one.
  std::vector<Running> replied_outside_;
  Effects effects_outside_;
  bool woken_ = false;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_SERVER_STATE_H_

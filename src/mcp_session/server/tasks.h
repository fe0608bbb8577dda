// The tasks extension (spec section 17): calls of tools that go on after their answer. Private to
// this folder.
//
// A task is a record of its caller (task_record.h), made before the client is told of it (K-03).
// TaskRuns has those that this node works on, TaskRequests what clients want of any. A task that
// waits for its client runs nowhere: whichever node takes the last answer goes on with it.
//
//   kCounted  how many run of this caller's
//   kRunMade  the record of the run, first, so that there is no moment in which nobody works on it
//   kCreated  the task's; then the client is answered
//   kReadForNews  a task that changed, for one who listens (K-06)
#ifndef MCP_SESSION_SERVER_TASKS_H_
#define MCP_SESSION_SERVER_TASKS_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mcp_session/server/feature.h"
#include "mcp_session/server/server_state.h"
#include "mcp_session/server/task_requests.h"
#include "mcp_session/server/task_runs.h"

namespace mcp_session {

class Tasks final : public Feature, public TaskServing, public LateAnswers {
 public:
  static constexpr Name kName = Name::kTasks;
  Tasks(McpServer::State& server, TaskOptions options)
      : Feature(kName),
        server_(server),
        options_(std::move(options)),
        runs_(server, *this, options_),
        requests_(server, *this, options_, runs_) {}

  TaskRuns& runs() { return runs_; }

  void Add(std::string_view tool, const TaskUse& use) override;
  void Remove(std::string_view tool) override;
  bool Begins(const Running& call) override;
  void Lasts(const Running& call) override;
  bool Admits(const Call& call) override { return requests_.Admits(call); }
  void Tell(const Call& listener, std::string_view task) override;

  void Answered(CallId call, std::string_view members) override;
  void Failed(CallId call, const RpcError& error) override;

  bool HandleCall(Call& call) override;
  void HandleAnswer(const Running& call) override;
  void HandleReply(int step, const Running& call, StoreReply& reply) override;
  void HandleDeadline() override;

 private:
  enum Step : int { kCounted = TaskRequests::kOtherSteps, kRunMade, kCreated, kReadForNews };
  struct Creation;
  struct News;
  struct Outcome;

  const TaskUse* FindUse(std::string_view tool) const;
  void Create(const Running& tool_call, bool kept);
  void MakeRun(const std::shared_ptr<Creation>& creation);
  void HandleCreation(int step, const std::shared_ptr<Creation>& creation, StoreReply& reply);
  void Created(const std::shared_ptr<Creation>& creation, std::uint64_t version);
  void ReadForNews(const News& news, const StoreReply& reply);
  void RefuseCreation(const Creation& creation, ErrorCode code);
  void Happened(CallId id, TaskRecord::Status status, std::string text, std::string why);

  McpServer::State& server_;
  const TaskOptions options_;
  TaskRuns runs_;
  TaskRequests requests_;
  std::vector<std::pair<std::string, TaskUse>> uses_;  // by tool
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_TASKS_H_

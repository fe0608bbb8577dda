// What clients want of tasks: tasks/get, tasks/update and tasks/cancel (spec K-04, K-05), on
// whichever node. Private to this folder.
//
//   kFound    the task
//   kRunRead  tasks/get of one that is worked on, but not here: is there still somebody?
//   kRunMade  tasks/update with the last answer: this node is to work on it
//   kChanged  the task is written; if somebody else wrote it meanwhile, all begins again with that
#ifndef MCP_SESSION_SERVER_TASK_REQUESTS_H_
#define MCP_SESSION_SERVER_TASK_REQUESTS_H_

#include <cstdint>
#include <memory>
#include <string_view>

#include "mcp_session/server/feature.h"
#include "mcp_session/server/task_options.h"
#include "mcp_session/server/task_runs.h"

namespace mcp_session {

// What a client that knows tasks has declared, and whether that of `call` has (spec K-02).
Json TasksCapability();
bool KnowsTasks(const Call& call);

class TaskRequests {
 public:
  enum Step : int { kFound = TaskRuns::kOtherSteps, kRunRead, kRunMade, kChanged, kOtherSteps };

  TaskRequests(McpServer::State& server, Feature& feature, const TaskOptions& options,
               TaskRuns& runs)
      : server_(server), feature_(feature), options_(options), runs_(runs) {}

  // False: its client does not know tasks, and is told.
  bool Admits(const Call& call);
  // False: it is none.
  bool HandleCall(Call& call);
  // A reply at one of the steps above.
  void HandleReply(int step, const Feature::Running& call, StoreReply& reply);

 private:
  struct Request;
  using Pointer = std::shared_ptr<Request>;

  bool Adopt(const Pointer& request, const StoreReply& reply);
  void Go(const Pointer& request);
  void Get(const Pointer& request);
  void Missed(const Pointer& request);
  void Update(const Pointer& request);
  void Cancel(const Pointer& request);
  void Change(const Pointer& request);
  void Changed(const Pointer& request, const StoreReply& reply);
  void Resume(Request& request, std::uint64_t version);
  void Tell(const Request& request);
  void Acknowledge(const Request& request);
  void Refuse(const Request& request, ErrorCode code, std::string_view why);
  void RefuseByStore(const Request& request, ErrorCode code);
  void DropRun(const Request& request);

  McpServer::State& server_;
  Feature& feature_;
  const TaskOptions& options_;
  TaskRuns& runs_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_TASK_REQUESTS_H_

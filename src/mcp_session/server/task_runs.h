// TaskRuns: the tasks that this node works on. Private to this folder.
//
// While a node works on a task, a second record lives in the store, the run's: of a short life, and
// touched well within it. A task that says it is worked on and whose run's record is gone, and
// stays gone for as long again (ServerOptions::node_time), has lost its node. The events of that
// record are what other nodes have for the one that works on it: that the task was cancelled. A
// task ends, or waits for its client, by a write that names the version it had; whoever was sooner
// has won.
//
//   works     the handler has not answered; the run's record is touched, and read
//   kChecked  that record was gone: is the task still ours?
//   kWritten  the handler has answered, or asked; a store that fails is tried again
#ifndef MCP_SESSION_SERVER_TASK_RUNS_H_
#define MCP_SESSION_SERVER_TASK_RUNS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "mcp_session/base/flat_map.h"
#include "mcp_session/base/time.h"
#include "mcp_session/server/feature.h"
#include "mcp_session/server/task_options.h"
#include "mcp_session/server/task_record.h"

namespace mcp_session {

class TaskRuns {
 public:
  enum Step : int { kWritten, kTouched, kHeard, kChecked, kRenewed, kOtherSteps };

  TaskRuns(McpServer::State& server, Feature& feature, const TaskOptions& options)
      : server_(server), feature_(feature), options_(options) {}

  bool IsFull() const { return runs_.size() >= options_.max_running; }
  // Whether this node works on the run of this name.
  bool Has(std::string_view run);
  // The task that a call is; null if it is none.
  const TaskRecord* Find(CallId id);

  // How the run's record is made, before the task says that it is worked on.
  store::Create RunRecord(std::string_view owner, const TaskRecord& task) const;
  // It is of no use.
  void Remove(std::string_view owner, std::string_view run);
  // Both records are there; the task's has `version`.
  void Begin(CallId id, std::string owner, std::string name, TaskRecord task,
             std::uint64_t version);
  // The handler has answered.
  void End(CallId id, TaskRecord::Status how, std::string outcome, std::string why);
  // The handler has asked; `parked` has what, and all it needs to go on.
  void Park(CallId id, TaskRecord parked);
  // The task was ended by its client: whoever works on it stops.
  void Stop(std::string_view owner, std::string_view run);

  // For those who listen.
  void SayChanged(std::string_view task);

  // A reply at one of the steps above.
  void HandleReply(int step, const Feature::Running& call, StoreReply& reply);
  void HandleDeadline();

 private:
  struct Run;

  std::shared_ptr<Run> FindRun(CallId id);
  void Due(Instant at);
  Millis Pause() const;
  void Touch(Run& run);
  void Listen(const std::shared_ptr<Run>& run);
  void Check(const std::shared_ptr<Run>& run);
  void Write(const std::shared_ptr<Run>& run);
  void WriteFailure(const std::shared_ptr<Run>& run, const char* why);
  void Written(const std::shared_ptr<Run>& run, const StoreReply& reply);
  void Heard(const std::shared_ptr<Run>& run, const StoreReply& reply);
  void Checked(const std::shared_ptr<Run>& run, const StoreReply& reply);
  void GiveUp(const std::shared_ptr<Run>& run);
  void Finish(const std::shared_ptr<Run>& run);

  McpServer::State& server_;
  Feature& feature_;
  const TaskOptions& options_;
  FlatMap<std::shared_ptr<Run>> runs_;  // by the numbers of their calls
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_TASK_RUNS_H_

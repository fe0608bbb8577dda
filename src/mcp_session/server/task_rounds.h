// What the handler of a task asks: it is kept with the task, whose client finds it there. Private
// to this folder.
#ifndef MCP_SESSION_SERVER_TASK_ROUNDS_H_
#define MCP_SESSION_SERVER_TASK_ROUNDS_H_

#include "mcp_session/server/rounds.h"
#include "mcp_session/server/task_record.h"

namespace mcp_session {

class TaskRounds final : public Rounds {
 public:
  // `before`: what the call asked until it became a task; null: nothing, or it was one already.
  TaskRounds(const TaskRecord& task, Rounds* before);

 private:
  void Send(McpServer::State& server, const Feature::Running& call) override;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_TASK_ROUNDS_H_

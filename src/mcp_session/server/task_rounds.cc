#include "mcp_session/server/task_rounds.h"

#include <utility>

#include "mcp_session/json/write.h"
#include "mcp_session/server/tasks.h"

namespace mcp_session {

TaskRounds::TaskRounds(const TaskRecord& task, Rounds* before) : Rounds(task.capabilities) {
  if (before != nullptr) {
    TakeOver(*before);
    return;
  }
  round_ = task.round;
  kept_ = kept_before_ = task.kept;
  for (const auto& [key, answer] : *task.answers.get_ptr<const Json::object_t*>()) {
    answers_.emplace(key, answer);
  }
}

// A key of the handler's can be asked again, in another round, if the question has changed; one of
// the client's is never used again (spec K-05).
void TaskRounds::Send(McpServer::State& server, const Feature::Running& call) {
  TaskRecord parked;
  parked.round = round_;
  parked.kept = std::move(kept_);
  for (const auto& [key, answer] : answers_) parked.answers[key] = answer;
  for (Open& open : open_) {
    std::string key;
    AppendInteger(round_, &key);
    key += '.';
    key += open.key;
    Json& asked = parked.asked[key];
    asked["key"] = std::move(open.key);
    asked["kind"] = static_cast<std::int64_t>(open.question.kind);
    asked["params"] = std::move(open.question.params);
  }
  server.Close(call->call.id);
  server.Find<Tasks>()->runs().Park(call->call.id, std::move(parked));
}

}  // namespace mcp_session

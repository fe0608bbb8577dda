// A task as the store has it (docs/formats.md, format T1), and as clients are told of it. Private
// to this folder.
#ifndef MCP_SESSION_SERVER_TASK_RECORD_H_
#define MCP_SESSION_SERVER_TASK_RECORD_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "mcp_session/base/time.h"
#include "mcp_session/json/json.h"
#include "mcp_session/protocol/message.h"

namespace mcp_session {

// Kinds of records, which no handle can have. A task belongs to its caller, and so does its run: a
// record that lives while a node works on the task.
inline constexpr std::string_view kTaskKind = "tool-task";
inline constexpr std::string_view kTaskRunKind = "task-run";

struct TaskRecord {
  enum class Status : std::uint8_t { kWorking, kInputRequired, kCompleted, kFailed, kCancelled };
  Status status = Status::kWorking;
  std::int64_t created = 0;  // milliseconds since 1970
  std::int64_t updated = 0;
  Millis ttl{};

  // Until it has ended.
  std::string run;          // kWorking: the id of the run's record
  std::int64_t missed = 0;  // when that was first found to be gone; 0: it was not
  std::string tool;
  Json arguments = EmptyObject();
  Json capabilities = EmptyObject();  // of the client
  std::int64_t round = 0;             // how often the client was asked
  Json answers = EmptyObject();       // by the handler's keys
  Json kept;
  // By key of inputRequests: {"key": the handler's, "kind": Question::Kind, "params": {...}}.
  Json asked = EmptyObject();

  // When it has.
  std::string outcome;  // kCompleted: the result; kFailed: the error; as JSON text
  std::string why;      // kFailed: in words

  bool ended() const { return status >= Status::kCompleted; }
  // Ends it, and forgets what only runs of it need.
  void End(Status how, std::string outcome_in, std::string why_in);
};

// nullopt: there is no JSON form of it that could be read again.
std::optional<std::string> EncodeTask(const TaskRecord& task);
// nullopt: it is none.
std::optional<TaskRecord> DecodeTask(std::string_view data);

// The outcome of a call that ended with a result of these members, or with an error.
std::string CompletedOutcome(std::string_view members);
std::string FailedOutcome(const RpcError& error);

// Appends the members of a Task, and if it is `detailed` what belongs to its status (spec K-04).
void AppendTask(const TaskRecord& task, std::string_view id, Millis poll_interval, bool detailed,
                std::string* members);

// 2026-07-28T08:00:00.000Z, of milliseconds since 1970.
std::string IsoTime(std::int64_t unix_millis);

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_TASK_RECORD_H_

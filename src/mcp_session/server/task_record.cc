#include "mcp_session/server/task_record.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <utility>

#include "mcp_session/json/access.h"
#include "mcp_session/json/parse.h"
#include "mcp_session/json/write.h"
#include "mcp_session/server/question.h"
#include "mcp_session/server/rounds.h"

namespace mcp_session {
namespace {

constexpr std::string_view kTag = "T1";
// By TaskRecord::Status.
constexpr std::array<std::string_view, 5> kNames = {"working", "input_required", "completed",
                                                    "failed", "cancelled"};

std::optional<TaskRecord::Status> ReadStatus(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<TaskRecord::Status>(i);
  }
  return std::nullopt;
}

void AppendPadded(std::int64_t value, std::size_t digits, std::string* out) {
  std::string text;
  AppendInteger(value, &text);
  out->append(digits - std::min(digits, text.size()), '0');
  *out += text;
}

void AppendMember(std::string_view name, std::string_view json, std::string* out) {
  *out += ",\"";
  *out += name;
  *out += "\":";
  *out += json;
}

void AppendInputRequests(const Json& asked, std::string* members) {
  *members += ",\"inputRequests\":{";
  bool first = true;
  for (const auto& [key, entry] : *asked.get_ptr<const Json::object_t*>()) {
    std::string one;
    Question question{static_cast<Question::Kind>(FindInteger(entry, "kind").value_or(0))};
    if (const Json* params = FindObject(entry, "params")) question.params = *params;
    if (!AppendJsonString(key, &one)) continue;
    one += ':';
    if (!AppendQuestion(question, &one)) continue;
    if (!std::exchange(first, false)) *members += ',';
    *members += one;
  }
  *members += '}';
}

}  // namespace

void TaskRecord::End(Status how, std::string outcome_in, std::string why_in) {
  status = how;
  outcome = std::move(outcome_in);
  why = std::move(why_in);
  run.clear();
  missed = 0;
  tool.clear();
  round = 0;
  arguments = capabilities = answers = asked = EmptyObject();
  kept = nullptr;
}

// T1, a line of JSON, and after its end the outcome as it is told.
std::optional<std::string> EncodeTask(const TaskRecord& task) {
  Json head = EmptyObject();
  head["status"] = std::string(kNames[static_cast<std::size_t>(task.status)]);
  head["created"] = task.created;
  head["updated"] = task.updated;
  head["ttl"] = task.ttl.count;
  if (!task.ended()) {
    if (!task.run.empty()) head["run"] = task.run;
    if (task.missed != 0) head["missed"] = task.missed;
    head["tool"] = task.tool;
    head["arguments"] = task.arguments;
    head["capabilities"] = task.capabilities;
    head["round"] = task.round;
    head["answers"] = task.answers;
    head["kept"] = task.kept;
    head["asked"] = task.asked;
  }
  if (!task.why.empty()) head["why"] = task.why;
  std::string data(kTag);
  if (!AppendJson(head, &data)) return std::nullopt;
  data += '\n';
  data += task.outcome;
  // Handlers nest what they keep as deep as they like.
  if (!task.ended() && !DecodeTask(data)) return std::nullopt;
  return data;
}

std::optional<TaskRecord> DecodeTask(std::string_view data) {
  const std::size_t end = data.find('\n');
  if (data.substr(0, kTag.size()) != kTag || end == std::string_view::npos) return std::nullopt;
  Limits limits;  // what it keeps must be readable, whatever a peer may send
  limits.max_message_bytes = limits.max_json_values = end;
  Result<Json> head = ParseJson(data.substr(kTag.size(), end - kTag.size()), limits);
  if (!head) return std::nullopt;
  const auto status = ReadStatus(StringOrEmpty(*head, "status"));
  const auto created = FindInteger(*head, "created");
  const auto updated = FindInteger(*head, "updated");
  const auto ttl = FindInteger(*head, "ttl");
  if (!status || !created || !updated || !ttl) return std::nullopt;
  TaskRecord task{*status, *created, *updated, Millis{*ttl}};
  task.why = StringOrEmpty(*head, "why");
  task.outcome = data.substr(end + 1);
  if (task.ended()) return task;
  task.run = StringOrEmpty(*head, "run");
  task.missed = FindInteger(*head, "missed").value_or(0);
  task.tool = StringOrEmpty(*head, "tool");
  task.round = FindInteger(*head, "round").value_or(0);
  task.kept = Take(*head, "kept");
  const std::pair<const char*, Json*> objects[] = {{"arguments", &task.arguments},
                                                   {"capabilities", &task.capabilities},
                                                   {"answers", &task.answers},
                                                   {"asked", &task.asked}};
  for (const auto& [name, into] : objects) {
    *into = Take(*head, name);
    if (!into->is_object()) return std::nullopt;
  }
  return task;
}

std::string CompletedOutcome(std::string_view members) {
  std::string outcome = "{\"resultType\":\"complete\"";
  if (!members.empty()) outcome += ',';
  outcome += members;
  return outcome + '}';
}

std::string FailedOutcome(const RpcError& error) {
  std::string outcome = "{\"code\":";
  AppendInteger(error.code, &outcome);
  std::string message;
  AppendMember("message", AppendJsonString(error.message, &message) ? message : "\"\"", &outcome);
  std::string data;
  if (error.data && AppendJson(*error.data, &data)) AppendMember("data", data, &outcome);
  return outcome + '}';
}

void AppendTask(const TaskRecord& task, std::string_view id, Millis poll_interval, bool detailed,
                std::string* members) {
  using Status = TaskRecord::Status;
  *members += "\"taskId\":\"";
  *members += id;
  *members += "\",\"status\":\"";
  *members += kNames[static_cast<std::size_t>(task.status)];
  *members += '"';
  std::string why;
  if (!task.why.empty() && AppendJsonString(task.why, &why)) {
    AppendMember("statusMessage", why, members);
  }
  AppendMember("createdAt", '"' + IsoTime(task.created) + '"', members);
  AppendMember("lastUpdatedAt", '"' + IsoTime(task.updated) + '"', members);
  *members += ",\"ttlMs\":";
  AppendInteger(task.ttl.count, members);
  *members += ",\"pollIntervalMs\":";
  AppendInteger(poll_interval.count, members);
  if (!detailed) return;
  if (task.status == Status::kInputRequired) AppendInputRequests(task.asked, members);
  if (task.status == Status::kCompleted) AppendMember("result", task.outcome, members);
  if (task.status == Status::kFailed) AppendMember("error", task.outcome, members);
}

std::string IsoTime(std::int64_t unix_millis) {
  constexpr std::int64_t kDay = 86'400'000;
  const std::int64_t day = unix_millis / kDay - (unix_millis % kDay < 0 ? 1 : 0);
  const std::int64_t time = unix_millis - day * kDay;
  const std::chrono::year_month_day date(
      std::chrono::sys_days(std::chrono::days(static_cast<int>(day))));
  std::string text;
  AppendPadded(static_cast<int>(date.year()), 4, &text);
  text += '-';
  AppendPadded(static_cast<unsigned>(date.month()), 2, &text);
  text += '-';
  AppendPadded(static_cast<unsigned>(date.day()), 2, &text);
  text += 'T';
  AppendPadded(time / 3'600'000, 2, &text);
  text += ':';
  AppendPadded(time / 60'000 % 60, 2, &text);
  text += ':';
  AppendPadded(time / 1000 % 60, 2, &text);
  text += '.';
  AppendPadded(time % 1000, 3, &text);
  text += 'Z';
  return text;
}

}  // namespace mcp_session

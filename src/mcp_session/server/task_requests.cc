#include "mcp_session/server/task_requests.h"

#include <utility>

#include "mcp_session/base/check.h"
#include "mcp_session/base/random_name.h"
#include "mcp_session/json/access.h"
#include "mcp_session/protocol/classify.h"
#include "mcp_session/server/answer_check.h"
#include "mcp_session/server/client_capabilities.h"
#include "mcp_session/server/server_state.h"
#include "mcp_session/server/tools.h"
#include "mcp_session/store/rules.h"

namespace mcp_session {
namespace {

using Status = TaskRecord::Status;

constexpr int kMaxTries = 5;
constexpr char kLost[] = "the server that worked on this task is gone";

enum class Taken : std::uint8_t { kNothing, kSome, kAll, kRefused };

// Puts answers to what is asked where the handler finds them. Those to anything else are ignored.
Taken TakeAnswers(const Json& responses, TaskRecord* task) {
  Json left = EmptyObject();
  for (auto& [key, entry] : *task->asked.get_ptr<Json::object_t*>()) {
    const Json* response = Find(responses, key);
    if (response == nullptr) {
      left[key] = entry;
      continue;
    }
    Question question{static_cast<Question::Kind>(FindInteger(entry, "kind").value_or(0))};
    if (const Json* params = FindObject(entry, "params")) question.params = *params;
    Json checked = CheckedAnswer(question, *response);
    if (checked.is_null()) return Taken::kRefused;
    task->answers[StringOrEmpty(entry, "key")] = std::move(checked);
  }
  const bool nothing = left.size() == task->asked.size();
  task->asked = std::move(left);
  if (nothing) return Taken::kNothing;
  return task->asked.empty() ? Taken::kAll : Taken::kSome;
}

}  // namespace

// Of a client. It cannot be cancelled: what is done in the store is done to its end.
struct TaskRequests::Request : HandlerCall::State {
  using State::State;
  enum class Kind : std::uint8_t { kGet, kUpdate, kCancel };

  RecordKey key() const { return RecordKey{owner, kTaskKind, name}; }

  Kind kind = Kind::kGet;
  std::string owner;
  std::string name;
  Json responses;
  TaskRecord task;
  std::uint64_t version = 0;
  int tries = 0;
  std::string run;      // kCancel: of the one who works on it
  std::string new_run;  // kUpdate: the record that was made for this node
};

bool TaskRequests::Admits(const Call& call) {
  if (KnowsTasks(call)) return true;
  RefuseForCapabilities(server_, call, TasksCapability());
  return false;
}

bool TaskRequests::HandleCall(Call& call) {
  using Kind = Request::Kind;
  if (call.era() != Era::kStateless) return false;
  Kind kind = Kind::kGet;
  if (call.method == "tasks/update") {
    kind = Kind::kUpdate;
  } else if (call.method == "tasks/cancel") {
    kind = Kind::kCancel;
  } else if (call.method != "tasks/get") {
    return false;
  }
  if (!Admits(call)) return true;
  const auto request =
      std::make_shared<Request>(server_.weak_from_this(), feature_, std::move(call));
  const Json& params = request->call.params;
  request->kind = kind;
  request->owner = OwnerOf(request->call.principal, {});
  const std::string* name = FindString(params, "taskId");
  const Json* responses = FindObject(params, "inputResponses");
  if (name == nullptr) {
    Refuse(*request, ErrorCode::kInvalidParams, "params.taskId is missing");
  } else if (kind == Kind::kUpdate && responses == nullptr) {
    Refuse(*request, ErrorCode::kInvalidParams, "params.inputResponses is missing");
  } else {
    request->name = *name;
    if (responses != nullptr) request->responses = *responses;
    server_.store.Submit(server_.Await(request, &feature_, kFound), store::Get{request->key()},
                         server_.now);
  }
  return true;
}

void TaskRequests::HandleReply(int step, const Feature::Running& call, StoreReply& reply) {
  const auto request = std::static_pointer_cast<Request>(call);
  if (step == kChanged) return Changed(request, reply);
  if (step == kRunRead) {
    if (IsAbsent(reply.error)) return Missed(request);
    if (reply.error && reply.error != ErrorCode::kGap) return RefuseByStore(*request, *reply.error);
    if (request->task.missed == 0) return Tell(*request);
    request->task.missed = 0;
    return Change(request);
  }
  if (reply.error) return RefuseByStore(*request, *reply.error);
  if (step == kRunMade) return Change(request);
  if (Adopt(request, reply)) Go(request);
}

// False: it cannot be read, and the client is told.
bool TaskRequests::Adopt(const Pointer& request, const StoreReply& reply) {
  auto task = DecodeTask(*reply.record.data);
  if (!task) {
    RefuseByStore(*request, ErrorCode::kCorrupt);
    return false;
  }
  request->task = std::move(*task);
  request->version = reply.record.version;
  return true;
}

void TaskRequests::Go(const Pointer& request) {
  switch (request->kind) {
    case Request::Kind::kGet:
      return Get(request);
    case Request::Kind::kUpdate:
      return Update(request);
    case Request::Kind::kCancel:
      return Cancel(request);
  }
}

void TaskRequests::Get(const Pointer& request) {
  const TaskRecord& task = request->task;
  if (task.status != Status::kWorking || runs_.Has(task.run)) return Tell(*request);
  // To read it is no access, which would keep it alive.
  server_.store.Submit(
      server_.Await(request, &feature_, kRunRead),
      store::ReadEvents{RecordKey{request->owner, kTaskRunKind, task.run}, 0, 1, Millis{0}},
      server_.now);
}

// Nobody works on it, or one who was cut off from the store and has not come back yet: that one has
// as much time again.
void TaskRequests::Missed(const Pointer& request) {
  TaskRecord& task = request->task;
  const std::int64_t now = options_.unix_millis();
  if (task.missed == 0) {
    task.missed = now;
    return Change(request);
  }
  if (now - task.missed < server_.engine.options().node_time.count) return Tell(*request);
  task.End(Status::kFailed,
           FailedOutcome(RpcError{JsonRpcNumber(ErrorCode::kInternal), kLost, std::nullopt}),
           kLost);
  task.updated = now;
  Change(request);
}

void TaskRequests::Cancel(const Pointer& request) {
  if (request->task.ended()) return Acknowledge(*request);
  request->run = request->task.run;
  request->task.End(Status::kCancelled, {}, {});
  request->task.updated = options_.unix_millis();
  Change(request);
}

void TaskRequests::Update(const Pointer& request) {
  TaskRecord& task = request->task;
  if (task.status != Status::kInputRequired) return Acknowledge(*request);
  task.updated = options_.unix_millis();
  switch (TakeAnswers(request->responses, &task)) {
    case Taken::kRefused:
      return Refuse(*request, ErrorCode::kInvalidParams, "an answer does not fit what was asked");
    case Taken::kNothing:
      return Acknowledge(*request);
    case Taken::kSome:
      return Change(request);
    case Taken::kAll:
      break;
  }
  if (runs_.IsFull()) {
    return Refuse(*request, ErrorCode::kTooManyRequests, "too many tasks are running");
  }
  task.status = Status::kWorking;
  const bool made = !request->new_run.empty();
  if (!made) request->new_run = RandomName<8>(server_.entropy);
  task.run = request->new_run;
  if (made) return Change(request);
  server_.store.Submit(server_.Await(request, &feature_, kRunMade),
                       runs_.RunRecord(request->owner, task), server_.now);
}

void TaskRequests::Change(const Pointer& request) {
  std::optional<std::string> data = EncodeTask(request->task);
  if (!data || data->size() > server_.engine.options().limits.max_message_bytes) {
    return RefuseByStore(*request, ErrorCode::kTooLarge);
  }
  server_.store.Submit(server_.Await(request, &feature_, kChanged),
                       store::Put{request->key(), std::move(*data), request->version}, server_.now);
}

void TaskRequests::Changed(const Pointer& request, const StoreReply& reply) {
  if (reply.error == ErrorCode::kConflict && ++request->tries < kMaxTries) {
    if (Adopt(request, reply)) Go(request);
    return;
  }
  if (reply.error) return RefuseByStore(*request, *reply.error);
  const bool asks = request->kind == Request::Kind::kGet;
  if (!asks || request->task.ended()) runs_.SayChanged(request->name);
  if (asks) return Tell(*request);
  if (request->kind == Request::Kind::kCancel && !request->run.empty()) {
    runs_.Stop(request->owner, request->run);
  }
  const bool resumes = request->task.status == Status::kWorking;
  if (resumes) request->new_run.clear();  // it is in use
  Acknowledge(*request);
  if (resumes) Resume(*request, reply.record.version);
}

// The tool's call once more, with the answers.
void TaskRequests::Resume(Request& request, std::uint64_t version) {
  Call call;
  call.id = server_.engine.DrawCallId();
  call.revision = request.call.revision;
  call.method = "tools/call";
  call.params = EmptyObject();
  call.params["name"] = request.task.tool;
  call.params["arguments"] = request.task.arguments;
  call.params["_meta"][std::string(kMetaClientCapabilities)] = request.task.capabilities;
  call.principal = request.call.principal;
  runs_.Begin(call.id, std::move(request.owner), std::move(request.name), std::move(request.task),
              version);
  auto* tools = server_.Find<Tools>();
  MCPS_CHECK(tools != nullptr && tools->HandleCall(call));  // they cannot be taken away
}

void TaskRequests::Tell(const Request& request) {
  std::string members;
  AppendTask(request.task, request.name, options_.poll_interval, true, &members);
  server_.engine.Answer(request.call.id, members, {}, server_.effects);
}

void TaskRequests::Acknowledge(const Request& request) {
  DropRun(request);
  server_.engine.Answer(request.call.id, {}, {}, server_.effects);
}

void TaskRequests::Refuse(const Request& request, ErrorCode code, std::string_view why) {
  DropRun(request);
  server_.engine.Fail(request.call.id, code, why, server_.effects);
}

// What was never there, has ended, is somebody else's, or can be no task's name is all the same.
void TaskRequests::RefuseByStore(const Request& request, ErrorCode code) {
  switch (code) {
    case ErrorCode::kNotFound:
    case ErrorCode::kExpired:
      return Refuse(request, ErrorCode::kInvalidParams, "unknown task");
    case ErrorCode::kCapacity:
      return Refuse(request, code, "there is no room in the store");
    case ErrorCode::kTooLarge:
      return Refuse(request, code, "the answers are too large to be kept");
    case ErrorCode::kConflict:
      return Refuse(request, code, "too many changes of this task at once");
    case ErrorCode::kUnavailable:
      return Refuse(request, code, "the state store is unavailable");
    case ErrorCode::kMisconfigured:
      return Refuse(request, code, "the state store refuses this server");
    case ErrorCode::kCorrupt:
      return Refuse(request, code, "the task cannot be read");
    default:
      return Refuse(request, ErrorCode::kInternal, "the task cannot be changed");
  }
}

void TaskRequests::DropRun(const Request& request) {
  if (!request.new_run.empty()) runs_.Remove(request.owner, request.new_run);
}

}  // namespace mcp_session

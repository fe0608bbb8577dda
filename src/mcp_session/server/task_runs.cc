#include "mcp_session/server/task_runs.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "mcp_session/base/check.h"
#include "mcp_session/server/server_state.h"
#include "mcp_session/store/rules.h"

namespace mcp_session {
namespace {

using Status = TaskRecord::Status;

constexpr char kStop[] = "c";  // the event that says that the task was cancelled
constexpr std::size_t kKeptEvents = 4;
constexpr Millis kPause = Seconds(1);  // at most, after a failure of the store

std::uint64_t DrawWriteId(Entropy& entropy) {
  std::array<std::uint8_t, 8> bytes;
  entropy.Fill(bytes);
  std::uint64_t id = 1;  // never 0
  for (const std::uint8_t byte : bytes) id = id << 8 | byte;
  return id | 1;
}

}  // namespace

// Its call's id is that of the handler's call. Cancelled once it is over here: replies that are
// still to come do nothing then.
struct TaskRuns::Run : HandlerCall::State {
  using HandlerCall::State::State;

  RecordKey key() const { return RecordKey{owner, kTaskKind, name}; }
  RecordKey own_key() const { return RecordKey{owner, kTaskRunKind, task.run}; }

  std::string owner;
  std::string name;  // the task's
  TaskRecord task;   // as it is in the store
  std::uint64_t version = 0;
  bool listening = false;
  bool checking = false;

  bool answered = false;
  TaskRecord last;  // what the task is to be
  std::uint64_t write_id = 0;

  Instant touch_at = kNever;
  Instant listen_at = kNever;
  Instant write_at = kNever;
};

bool TaskRuns::Has(std::string_view run) {
  bool found = false;
  runs_.ForEach([&](std::uint64_t, const std::shared_ptr<Run>& one) {
    found = found || one->task.run == run;
  });
  return found;
}

std::shared_ptr<TaskRuns::Run> TaskRuns::FindRun(CallId id) {
  const std::shared_ptr<Run>* found = runs_.Find(id.number);
  return found != nullptr ? *found : nullptr;
}

const TaskRecord* TaskRuns::Find(CallId id) {
  const std::shared_ptr<Run> run = FindRun(id);
  return run != nullptr ? &run->task : nullptr;
}

void TaskRuns::Due(Instant at) { feature_.deadline = std::min(feature_.deadline, at); }

store::Create TaskRuns::RunRecord(std::string_view owner, const TaskRecord& task) const {
  return store::Create{RecordKey{owner, kTaskRunKind, task.run}, "W1",
                       Lifetime{server_.engine.options().node_time, task.ttl}};
}

void TaskRuns::Begin(CallId id, std::string owner, std::string name, TaskRecord task,
                     std::uint64_t version) {
  Call call;
  call.id = id;
  const auto run = std::make_shared<Run>(server_.weak_from_this(), feature_, std::move(call));
  run->owner = std::move(owner);
  run->name = std::move(name);
  run->task = std::move(task);
  run->version = version;
  runs_.Insert(id.number, run);
  ++server_.running_tasks;
  Touch(*run);
  Listen(run);
}

// Well within the time that is left to one whom the store has not heard of.
Millis TaskRuns::Pause() const {
  return std::max(Millis{1},
                  std::min(kPause, Millis{server_.engine.options().node_time.count / 6}));
}

void TaskRuns::Touch(Run& run) {
  run.touch_at = server_.now + Millis{server_.engine.options().node_time.count / 3};
  Due(run.touch_at);
}

void TaskRuns::Listen(const std::shared_ptr<Run>& run) {
  if (std::exchange(run->listening, true)) return;
  server_.store.Submit(server_.Await(run, &feature_, kHeard),
                       store::ReadEvents{run->own_key(), 0, kKeptEvents, kMaxEventWait},
                       server_.now);
}

void TaskRuns::Heard(const std::shared_ptr<Run>& run, const StoreReply& reply) {
  run->listening = false;
  if (reply.error && reply.error != ErrorCode::kGap) {
    run->listen_at = server_.now + Pause();
    return Due(run->listen_at);
  }
  // There are no other events, so one that is missed is one too.
  if (reply.error || !reply.events.empty()) return GiveUp(run);
  Listen(run);
}

// The run's record is gone: after an outage that it did not survive, or because the task is.
void TaskRuns::Check(const std::shared_ptr<Run>& run) {
  if (std::exchange(run->checking, true)) return;
  server_.store.Submit(server_.Await(run, &feature_, kChecked), store::Get{run->key()},
                       server_.now);
}

void TaskRuns::Checked(const std::shared_ptr<Run>& run, const StoreReply& reply) {
  run->checking = false;
  if (reply.error && !IsAbsent(reply.error)) {
    run->listen_at = server_.now + Pause();
    return Due(run->listen_at);
  }
  const auto task = reply.error ? std::nullopt : DecodeTask(*reply.record.data);
  if (!task || task->status != Status::kWorking || task->run != run->task.run) return GiveUp(run);
  server_.store.Submit(server_.Await(run, &feature_, kRenewed), RunRecord(run->owner, run->task),
                       server_.now);
}

void TaskRuns::End(CallId id, Status how, std::string outcome, std::string why) {
  const std::shared_ptr<Run> run = FindRun(id);
  if (run == nullptr || run->answered) return;
  if (outcome.size() > options_.max_result_bytes) {
    return WriteFailure(run, "the result is too large to be kept");
  }
  run->last = run->task;
  run->last.End(how, std::move(outcome), std::move(why));
  run->write_id = DrawWriteId(server_.entropy);
  Write(run);
}

void TaskRuns::Park(CallId id, TaskRecord parked) {
  const std::shared_ptr<Run> run = FindRun(id);
  if (run == nullptr || run->answered) return;
  parked.status = Status::kInputRequired;
  parked.created = run->task.created;
  parked.ttl = run->task.ttl;
  parked.tool = run->task.tool;
  parked.arguments = run->task.arguments;
  parked.capabilities = run->task.capabilities;
  run->last = std::move(parked);
  run->write_id = DrawWriteId(server_.entropy);
  Write(run);
}

void TaskRuns::Write(const std::shared_ptr<Run>& run) {
  run->answered = true;
  run->write_at = kNever;
  run->last.updated = options_.unix_millis();
  std::optional<std::string> data = EncodeTask(run->last);
  const Limits& limits = server_.engine.options().limits;
  if (!data || (!run->last.ended() && data->size() > limits.max_message_bytes)) {
    return WriteFailure(run, "what the task keeps is too large");
  }
  server_.store.Submit(server_.Await(run, &feature_, kWritten),
                       store::Put{run->key(), std::move(*data), run->version, run->write_id},
                       server_.now);
}

void TaskRuns::WriteFailure(const std::shared_ptr<Run>& run, const char* why) {
  run->last = run->task;
  run->last.End(Status::kFailed,
                FailedOutcome(RpcError{JsonRpcNumber(ErrorCode::kInternal), why, std::nullopt}),
                why);
  run->write_id = DrawWriteId(server_.entropy);
  Write(run);
}

void TaskRuns::Written(const std::shared_ptr<Run>& run, const StoreReply& reply) {
  if (!reply.error) SayChanged(run->name);
  if (!reply.error || IsAbsent(reply.error)) return Finish(run);
  switch (*reply.error) {
    case ErrorCode::kConflict: {
      const auto task = DecodeTask(*reply.record.data);
      if (!task || task->status != Status::kWorking || task->run != run->task.run) {
        return Finish(run);
      }
      run->version = reply.record.version;
      return Write(run);
    }
    case ErrorCode::kTooLarge:
      if (run->last.status == Status::kFailed) return Finish(run);
      return WriteFailure(run, "the result is too large to be kept");
    default:
      run->write_at = server_.now + Pause();
      return Due(run->write_at);
  }
}

void TaskRuns::SayChanged(std::string_view task) {
  server_.Happened(Change{Change::Kind::kTask, std::string(task.substr(0, kTaskChars))});
}

// Somebody else has ended the task.
void TaskRuns::GiveUp(const std::shared_ptr<Run>& run) {
  server_.Cancel(run->call.id);
  Finish(run);
}

void TaskRuns::Finish(const std::shared_ptr<Run>& run) {
  run->cancelled = true;
  runs_.Erase(run->call.id.number);
  --server_.running_tasks;
  Remove(run->owner, run->task.run);
}

void TaskRuns::Remove(std::string_view owner, std::string_view run) {
  server_.store.Submit(server_.Await(nullptr, nullptr, 0),
                       store::Remove{RecordKey{owner, kTaskRunKind, run}}, server_.now);
}

void TaskRuns::Stop(std::string_view owner, std::string_view run) {
  std::shared_ptr<Run> here;
  runs_.ForEach([&](std::uint64_t, const std::shared_ptr<Run>& one) {
    if (one->task.run == run) here = one;
  });
  if (here != nullptr) return GiveUp(here);
  server_.store.Submit(server_.Await(nullptr, nullptr, 0),
                       store::Append{RecordKey{owner, kTaskRunKind, run}, kStop, kKeptEvents},
                       server_.now);
}

void TaskRuns::HandleReply(int step, const Feature::Running& call, StoreReply& reply) {
  const auto run = std::static_pointer_cast<Run>(call);
  switch (step) {
    case kWritten:
      return Written(run, reply);
    case kTouched:
      if (IsAbsent(reply.error)) Check(run);
      return;
    case kHeard:
      return Heard(run, reply);
    case kChecked:
      return Checked(run, reply);
    default:  // kRenewed; what went wrong shows when it is touched again
      return Listen(run);
  }
}

void TaskRuns::HandleDeadline() {
  std::vector<std::shared_ptr<Run>> runs;
  runs_.ForEach([&](std::uint64_t, const std::shared_ptr<Run>& run) { runs.push_back(run); });
  for (const std::shared_ptr<Run>& run : runs) {
    if (run->touch_at <= server_.now) {
      Touch(*run);
      server_.store.Submit(server_.Await(run, &feature_, kTouched), store::Touch{run->own_key()},
                           server_.now);
    }
    if (run->listen_at <= server_.now) {
      run->listen_at = kNever;
      Listen(run);
    }
    if (run->write_at <= server_.now) Write(run);
    Due(std::min({run->touch_at, run->listen_at, run->write_at}));
  }
}

}  // namespace mcp_session

#include "mcp_session/server/tasks.h"

#include <algorithm>

#include "mcp_session/base/check.h"
#include "mcp_session/base/random_name.h"
#include "mcp_session/json/access.h"
#include "mcp_session/server/client_capabilities.h"
#include "mcp_session/server/task_requests.h"
#include "mcp_session/server/task_rounds.h"
#include "mcp_session/server/tools.h"
#include "mcp_session/store/rules.h"

namespace mcp_session {
namespace {

constexpr std::string_view kExtension = "io.modelcontextprotocol/tasks";

}  // namespace

Json TasksCapability() {
  Json required = EmptyObject();
  required["extensions"][std::string(kExtension)] = EmptyObject();
  return required;
}

bool KnowsTasks(const Call& call) {
  return call.era() == Era::kStateless &&
         HasCapabilities(ClientCapabilities(call), TasksCapability());
}

// A task that is being made, for a call that is to be one.
struct Tasks::Creation : HandlerCall::State {
  Creation(McpServer::State& server_in, Feature& feature_in, Running tool_call_in)
      : State(server_in.weak_from_this(), feature_in, Call{}), tool_call(std::move(tool_call_in)) {}

  Running tool_call;
  bool kept = false;  // its handler runs already
  std::string owner;
  std::string name;
  TaskRecord task;
};

// How a task's handler answered.
struct Tasks::Outcome : HandlerCall::State {
  using State::State;
  TaskRecord::Status status{};
  std::string text;
  std::string why;
};

void McpServer::ServeTasks(TaskOptions options) {
  MCPS_CHECK(state_->Find<Tasks>() == nullptr && state_->Find<Tools>() == nullptr);
  MCPS_CHECK(options.unix_millis && options.ttl > Millis{0} && options.ttl <= kMaxLifetime);
  MCPS_CHECK(options.poll_interval > Millis{0} && options.max_running_per_caller < kMaxListLimit);
  auto tasks = std::make_unique<Tasks>(*state_, std::move(options));
  state_->tasks = tasks.get();
  state_->engine.HearLate(*tasks);
  state_->engine.AddExtension(kExtension);
  state_->AddFirst(std::move(tasks));
}

void Tasks::Add(std::string_view tool, const TaskUse& use) { uses_.emplace_back(tool, use); }

void Tasks::Remove(std::string_view tool) {
  uses_.erase(std::remove_if(uses_.begin(), uses_.end(),
                             [&](const auto& use) { return use.first == tool; }),
              uses_.end());
}

const TaskUse* Tasks::FindUse(std::string_view tool) const {
  const auto found =
      std::find_if(uses_.begin(), uses_.end(), [&](const auto& use) { return use.first == tool; });
  return found != uses_.end() ? &found->second : nullptr;
}

// --- a call becomes a task ---

bool Tasks::Begins(const Running& call) {
  if (const TaskRecord* task = runs_.Find(call->call.id)) {  // it goes on, after answers
    call->asking = std::make_shared<TaskRounds>(*task, nullptr);
    return false;
  }
  const TaskUse* use = FindUse(StringOrEmpty(call->call.params, "name"));
  if (use == nullptr) return false;
  if (KnowsTasks(call->call)) {
    if (use->start == TaskUse::Start::kAtOnce) Create(call, false);
    return use->start == TaskUse::Start::kAtOnce;
  }
  if (use->support != TaskUse::Support::kRequired) return false;
  server_.Close(call->call.id);
  RefuseForCapabilities(server_, call->call, TasksCapability());
  return true;
}

void Tasks::Lasts(const Running& call) {
  if (runs_.Find(call->call.id) != nullptr) return;
  const TaskUse* use = FindUse(StringOrEmpty(call->call.params, "name"));
  if (use != nullptr && KnowsTasks(call->call)) Create(call, true);
}

void Tasks::Create(const Running& tool_call, bool kept) {
  const auto creation = std::make_shared<Creation>(server_, *this, tool_call);
  const Call& call = tool_call->call;
  creation->kept = kept;
  creation->owner = OwnerOf(call.principal, {});
  creation->name = "task_" + RandomName<16>(server_.entropy);
  TaskRecord& task = creation->task;
  task.created = task.updated = options_.unix_millis();
  task.ttl = options_.ttl;
  task.run = RandomName<8>(server_.entropy);
  task.tool = StringOrEmpty(call.params, "name");
  task.arguments = tool_call->arguments;
  task.capabilities = ClientCapabilities(call);
  if (runs_.IsFull()) return RefuseCreation(*creation, ErrorCode::kTooManyRequests);
  if (creation->owner.empty()) return MakeRun(creation);
  server_.store.Submit(
      server_.Await(creation, this, kCounted),
      store::List{creation->owner, kTaskRunKind, {}, options_.max_running_per_caller}, server_.now);
}

void Tasks::MakeRun(const std::shared_ptr<Creation>& creation) {
  server_.store.Submit(server_.Await(creation, this, kRunMade),
                       runs_.RunRecord(creation->owner, creation->task), server_.now);
}

void Tasks::HandleCreation(int step, const std::shared_ptr<Creation>& creation, StoreReply& reply) {
  if (reply.error) return RefuseCreation(*creation, *reply.error);
  if (step == kCounted) {
    if (reply.listed.size() >= options_.max_running_per_caller) {
      return RefuseCreation(*creation, ErrorCode::kTooManyRequests);
    }
    return MakeRun(creation);
  }
  if (step == kCreated) return Created(creation, reply.record.version);
  auto data = EncodeTask(creation->task);
  if (!data) return RefuseCreation(*creation, ErrorCode::kTooLarge);
  server_.store.Submit(server_.Await(creation, this, kCreated),
                       store::Create{RecordKey{creation->owner, kTaskKind, creation->name},
                                     std::move(*data), Lifetime{std::nullopt, options_.ttl}},
                       server_.now);
}

void Tasks::Created(const std::shared_ptr<Creation>& creation, std::uint64_t version) {
  const Running& tool_call = creation->tool_call;
  // The client has gone, or has its answer already.
  if (tool_call->cancelled || (creation->kept && !tool_call->running)) {
    server_.store.Submit(server_.Await(nullptr, nullptr, 0),
                         store::Remove{RecordKey{creation->owner, kTaskKind, creation->name}},
                         server_.now);
    return runs_.Remove(creation->owner, creation->task.run);
  }
  std::string members;
  AppendTask(creation->task, creation->name, options_.poll_interval, false, &members);
  server_.engine.Answer(tool_call->call.id, members, {}, server_.effects, ResultType::kTask);
  tool_call->asking =
      std::make_shared<TaskRounds>(creation->task, static_cast<Rounds*>(tool_call->asking.get()));
  runs_.Begin(tool_call->call.id, std::move(creation->owner), std::move(creation->name),
              std::move(creation->task), version);
  if (!creation->kept) tool_call->feature.RunAgain(tool_call);
}

// A call whose handler runs already goes on as a call.
void Tasks::RefuseCreation(const Creation& creation, ErrorCode code) {
  const Running& tool_call = creation.tool_call;
  runs_.Remove(creation.owner, creation.task.run);
  if (creation.kept || tool_call->cancelled) return;
  std::string_view why = "the task cannot be kept";
  if (code == ErrorCode::kTooManyRequests) why = "too many tasks of this caller are running";
  if (code == ErrorCode::kCapacity) why = "there is no room for another task";
  if (code == ErrorCode::kTooLarge) why = "the call is too large to be kept";
  if (code == ErrorCode::kUnavailable) why = "the state store is unavailable";
  if (code == ErrorCode::kMisconfigured) why = "the state store refuses this server";
  server_.Close(tool_call->call.id);
  server_.engine.Fail(tool_call->call.id, code, why, server_.effects);
}

// --- clients that listen ---

// A task for a listener.
struct Tasks::News : HandlerCall::State {
  using State::State;
  std::string name;
};

// As it is now: the task may have changed again since somebody said that it had.
void Tasks::Tell(const Call& listener, std::string_view task) {
  Call call;
  call.id = listener.id;
  const auto news = std::make_shared<News>(server_.weak_from_this(), *this, std::move(call));
  news->name = task;
  const std::string owner = OwnerOf(listener.principal, {});
  server_.store.Submit(server_.Await(news, this, kReadForNews),
                       store::Get{RecordKey{owner, kTaskKind, news->name}}, server_.now);
}

void Tasks::ReadForNews(const News& news, const StoreReply& reply) {
  // After an outage of the store the bus makes up for what was missed.
  const auto task = reply.error ? std::nullopt : DecodeTask(*reply.record.data);
  if (!task) return;
  std::string members;
  AppendTask(*task, news.name, options_.poll_interval, true, &members);
  server_.engine.NotifySubscriber(news.call.id, "notifications/tasks", members, server_.effects);
}

// --- its handler answers ---

// What comes outside of a turn waits for the next, as the answers of handlers do.
void Tasks::Answered(CallId call, std::string_view members) {
  Happened(call, TaskRecord::Status::kCompleted, CompletedOutcome(members), {});
}

void Tasks::Failed(CallId call, const RpcError& error) {
  Happened(call, TaskRecord::Status::kFailed, FailedOutcome(error), error.message);
}

void Tasks::Happened(CallId id, TaskRecord::Status status, std::string text, std::string why) {
  if (runs_.Find(id) == nullptr) return;
  Call call;
  call.id = id;
  const auto outcome = std::make_shared<Outcome>(server_.weak_from_this(), *this, std::move(call));
  outcome->status = status;
  outcome->text = std::move(text);
  outcome->why = std::move(why);
  server_.Answered(outcome);
}

void Tasks::HandleAnswer(const Running& call) {
  Outcome& outcome = static_cast<Outcome&>(*call);
  runs_.End(call->call.id, outcome.status, std::move(outcome.text), std::move(outcome.why));
}

void Tasks::HandleReply(int step, const Running& call, StoreReply& reply) {
  if (step < TaskRuns::kOtherSteps) {
    runs_.HandleReply(step, call, reply);
  } else if (step < TaskRequests::kOtherSteps) {
    requests_.HandleReply(step, call, reply);
  } else if (step == kReadForNews) {
    ReadForNews(static_cast<const News&>(*call), reply);
  } else {
    HandleCreation(step, std::static_pointer_cast<Creation>(call), reply);
  }
}

void Tasks::HandleDeadline() {
  deadline = kNever;
  runs_.HandleDeadline();
}

bool Tasks::HandleCall(Call& call) { return requests_.HandleCall(call); }

}  // namespace mcp_session

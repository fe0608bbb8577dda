#include "mcp_session/server/changes.h"

#include <algorithm>
#include <utility>

#include "mcp_session/base/check.h"
#include "mcp_session/json/access.h"
#include "mcp_session/json/write.h"
#include "mcp_session/server/prompts.h"
#include "mcp_session/server/resources.h"
#include "mcp_session/server/tools.h"
#include "mcp_session/store/rules.h"

namespace mcp_session {
namespace {

constexpr std::size_t kMaxUntold = 1000;  // different changes; beyond, anything may have changed

}  // namespace

struct Changes::Notice : HandlerCall::State {
  Notice(McpServer::State& server_in, Feature& feature_in, Change change_in)
      : State(server_in.weak_from_this(), feature_in, Call{}), change(std::move(change_in)) {}
  Change change;
};

// What a client listens for: what it asked for and this server has.
struct Changes::Listening : HandlerCall::State {
  using HandlerCall::State::State;
  Interest interest;
  std::vector<std::string> uris;     // of resources
  std::vector<std::string> tasks;    // by their ids
  std::optional<ChannelId> channel;  // null: by HTTP
  bool acknowledged = false;
};

void McpServer::ServeChanges(ChangeOptions options) {
  MCPS_CHECK(state_->Find<Changes>() == nullptr && state_->Find<Tools>() == nullptr &&
             state_->Find<Prompts>() == nullptr && state_->Find<Resources>() == nullptr);
  if (options.bus.empty()) options.bus = state_->engine.options().name;
  MCPS_CHECK(!options.bus.empty() && options.bus.size() <= kMaxKeyPartBytes);
  auto subscriptions = std::make_unique<Subscriptions>(*state_, options);
  auto changes = std::make_unique<Changes>(*state_, std::move(options), *subscriptions);
  state_->AddFirst(std::move(subscriptions));
  state_->AddFirst(std::move(changes));
  state_->changing = true;
}

void McpServer::NotifyToolsChanged() { state_->Happened(Change{Change::Kind::kTools, {}}); }
void McpServer::NotifyPromptsChanged() { state_->Happened(Change{Change::Kind::kPrompts, {}}); }
void McpServer::NotifyResourcesChanged() { state_->Happened(Change{Change::Kind::kResources, {}}); }
void McpServer::NotifyResourceUpdated(std::string uri) {
  state_->Happened(Change{Change::Kind::kResource, std::move(uri)});
}

void McpServer::State::Happened(Change change) {
  if (auto* changes = Find<Changes>()) changes->Happened(std::move(change));
}

Changes::Changes(McpServer::State& server, ChangeOptions options, Subscriptions& subscriptions)
    : Feature(kName),
      server_(server),
      subscriptions_(subscriptions),
      options_(std::move(options)),
      bus_(server, *this, options_.bus, [this](const Change& change) { Heard(change); }) {}

// As if it were the answer of a handler, which may come at any time as well.
void Changes::Happened(Change change) {
  server_.Answered(std::make_shared<Notice>(server_, *this, std::move(change)));
}

void Changes::HandleAnswer(const Running& call) {
  const Change& change = static_cast<const Notice&>(*call).change;
  std::string text;
  const bool askable =
      change.uri.size() <= options_.max_uri_bytes && AppendJsonString(change.uri, &text);
  if (!askable) return;  // nobody can listen for that
  bus_.Say(change);
  TellSoon(change);
  SetDeadline();
}

bool Changes::HandleCall(Call& call) {
  if (call.era() != Era::kStateless || call.method != "subscriptions/listen") return false;
  Listen(std::move(call));
  return true;
}

void Changes::Listen(Call call) {
  const auto listening =
      std::make_shared<Listening>(server_.weak_from_this(), *this, std::move(call));
  const CallId id = listening->call.id;
  listening->channel = server_.engine.ChannelOf(id);
  const Json* wanted = FindObject(listening->call.params, "notifications");
  const bool wants_tasks = wanted != nullptr && Find(*wanted, "taskIds") != nullptr;
  if (wants_tasks && server_.tasks != nullptr && !server_.tasks->Admits(listening->call)) return;
  if (const char* why = ReadFilter(listening->call.params, listening.get())) {
    return server_.engine.Fail(id, ErrorCode::kInvalidParams, why, server_.effects);
  }
  listening->call.params = nullptr;
  Forget();
  if (stopping_ || IsFull(*listening)) {
    return server_.engine.Fail(id, ErrorCode::kTooManyRequests, "too many subscriptions",
                               server_.effects);
  }
  server_.Open(listening);
  listenings_.push_back(listening);
  bus_.Listen();
  Acknowledge();
}

// nullptr, or what is wrong with the request (U-01).
const char* Changes::ReadFilter(const Json& params, Listening* listening) const {
  const Json* wanted = FindObject(params, "notifications");
  if (wanted == nullptr) return "params.notifications is missing";
  const auto read = [&](std::string_view name, bool served, bool* into) {
    const Json* value = Find(*wanted, name);
    if (value == nullptr) return true;
    *into = served && *value == Json(true);
    return value->is_boolean();
  };
  const bool resources = server_.Find<Resources>() != nullptr;
  if (!read("toolsListChanged", server_.Find<Tools>() != nullptr, &listening->interest.tools) ||
      !read("promptsListChanged", server_.Find<Prompts>() != nullptr,
            &listening->interest.prompts) ||
      !read("resourcesListChanged", resources, &listening->interest.resources)) {
    return "what to listen for is true or false";
  }
  const Json* tasks = Find(*wanted, "taskIds");
  if (tasks != nullptr && server_.tasks != nullptr) {
    if (const char* why = ReadTasks(*tasks, listening)) return why;
  }
  const Json* uris = Find(*wanted, "resourceSubscriptions");
  if (uris == nullptr) return nullptr;
  const char* why = ReadUris(*uris, listening);
  if (!resources) listening->uris.clear();
  return why;
}

const char* Changes::ReadUris(const Json& uris, Listening* listening) const {
  if (!uris.is_array()) return "resourceSubscriptions is an array";
  if (uris.size() > options_.max_uris) return "too many resourceSubscriptions";
  for (const Json& value : uris) {
    const std::string* uri = AsString(value);
    if (uri == nullptr) return "resourceSubscriptions are URIs";
    if (uri->size() > options_.max_uri_bytes) return "a URI is too long";
    listening->uris.push_back(*uri);
  }
  return nullptr;
}

// Whether they are the caller's is seen when there is something to tell.
const char* Changes::ReadTasks(const Json& tasks, Listening* listening) const {
  if (!tasks.is_array()) return "taskIds is an array";
  if (tasks.size() > options_.max_uris) return "too many taskIds";
  for (const Json& value : tasks) {
    const std::string* task = AsString(value);
    if (task == nullptr || task->size() > kMaxTaskIdBytes) return "taskIds are ids of tasks";
    listening->tasks.push_back(*task);
  }
  return nullptr;
}

bool Changes::IsFull(const Listening& listening) const {
  if (listenings_.size() >= options_.max_listens) return true;
  const auto same_caller = [&](const std::shared_ptr<Listening>& other) {
    if (listening.channel || other->channel) return listening.channel == other->channel;
    return !listening.call.principal.empty() && listening.call.principal == other->call.principal;
  };
  const auto count = std::count_if(listenings_.begin(), listenings_.end(), same_caller);
  return static_cast<std::size_t>(count) >= options_.max_listens_per_caller;
}

// U-02: before anything else, with what will be told.
void Changes::Acknowledge() {
  if (!bus_.listening()) return;
  for (const auto& listening : listenings_) {
    if (listening->acknowledged || listening->cancelled) continue;
    listening->acknowledged = true;
    Json honoured = EmptyObject();
    if (listening->interest.tools) honoured["toolsListChanged"] = true;
    if (listening->interest.prompts) honoured["promptsListChanged"] = true;
    if (listening->interest.resources) honoured["resourcesListChanged"] = true;
    for (const std::string& uri : listening->uris) {
      honoured["resourceSubscriptions"].push_back(uri);
    }
    for (const std::string& task : listening->tasks) honoured["taskIds"].push_back(task);
    std::string members = "\"notifications\":";
    const bool valid = AppendJson(honoured, &members);
    MCPS_CHECK(valid);  // it was read from JSON
    server_.engine.NotifySubscriber(listening->call.id, "notifications/subscriptions/acknowledged",
                                    members, server_.effects);
    // What it may have missed until now.
    for (const std::string& task : listening->tasks) server_.tasks->Tell(listening->call, task);
  }
}

void Changes::Heard(const Change& change) {
  const bool anything = change.kind == Change::Kind::kAnything;
  if (anything || change.kind == Change::Kind::kSession) subscriptions_.Reload(change.uri);
  if (change.kind != Change::Kind::kSession) TellSoon(change);
}

void Changes::TellSoon(const Change& change) {
  if (std::find(untold_.begin(), untold_.end(), change) != untold_.end()) return;
  untold_.push_back(change);
  if (untold_.size() > kMaxUntold) untold_ = {Change{Change::Kind::kAnything, {}}};
  if (tell_at_ != kNever) return;
  if (server_.now < quiet_until_) {
    tell_at_ = quiet_until_;
  } else {
    Tell();
  }
}

void Changes::Tell() {
  Forget();
  for (const auto& listening : listenings_) {
    if (!listening->acknowledged) continue;
    ForEachNews(untold_, listening->interest, listening->uris,
                [&](std::string_view method, std::string_view members) {
                  server_.engine.NotifySubscriber(listening->call.id, method, members,
                                                  server_.effects);
                });
    for (const std::string& task : listening->tasks) {
      if (HasTaskChanged(untold_, task)) server_.tasks->Tell(listening->call, task);
    }
  }
  if (!listenings_.empty()) subscriptions_.Forget();
  subscriptions_.Tell(untold_);
  untold_.clear();
  tell_at_ = kNever;
  quiet_until_ = server_.now + options_.pause;
}

void Changes::Forget() {
  const auto gone = [](const std::shared_ptr<Listening>& listening) {
    return listening->cancelled;
  };
  listenings_.erase(std::remove_if(listenings_.begin(), listenings_.end(), gone),
                    listenings_.end());
  if (listenings_.empty()) subscriptions_.Forget();
  if (listenings_.empty() && subscriptions_.empty()) bus_.StopListening();
}

void Changes::HandleReply(int step, const Running& call, StoreReply& reply) {
  const bool goes_on = ChangeBus::GoesOnAfter(step);
  if (goes_on) Forget();
  bus_.HandleReply(step, call, reply);
  if (goes_on) Acknowledge();
  SetDeadline();
}

void Changes::HandleDeadline() {
  if (tell_at_ <= server_.now) Tell();
  if (bus_.deadline() <= server_.now) bus_.HandleDeadline();
  SetDeadline();
}

void Changes::SetDeadline() { deadline = std::min(tell_at_, bus_.deadline()); }

// U-07: whoever listens is told that it is over, and may listen elsewhere.
void Changes::HandleStop() {
  stopping_ = true;
  Forget();
  for (const auto& listening : std::exchange(listenings_, {})) {
    server_.Close(listening->call.id);
    server_.engine.EndSubscription(listening->call.id, server_.effects);
  }
  bus_.StopListening();
}

}  // namespace mcp_session

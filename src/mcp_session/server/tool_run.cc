// The way of one tool call: load the state it works on, run the handler, save the state, answer.
//
//   kLoad   the state is on its way from the store (kSession, kHandle)
//   kList   the caller's handles are (kList)
//   kSave   the handler has answered; its changes are on their way to the store. A conflict
//           brings the newer state, and the handler runs again on that.
// The store may answer late or not at all; then the call fails with an error that says outage,
// never with one that says the state is gone.
#include <array>
#include <utility>

#include "mcp_session/base/check.h"
#include "mcp_session/base/random_name.h"
#include "mcp_session/json/access.h"
#include "mcp_session/json/parse.h"
#include "mcp_session/json/write.h"
#include "mcp_session/server/tools.h"
#include "mcp_session/store/rules.h"

namespace mcp_session {
namespace {

using Kind = StateUse::Kind;

constexpr int kMaxRuns = 5;
constexpr std::string_view kStateTag = "H1";  // before the JSON of a record (docs/formats.md)
constexpr std::string_view kSessionStateKind = "state";

// Session state is one record per session; it lives as long as the session may.
RecordKey KeyOf(const StateUse& use, std::string_view owner, std::string_view handle) {
  if (use.kind == Kind::kSession) return RecordKey{owner, kSessionStateKind, "state"};
  return RecordKey{owner, use.handle_kind, handle};
}

std::string StateOwner(const StateUse& use, std::string_view principal, std::string_view session) {
  // A session's own state is the session's, whoever it belongs to.
  if (use.kind == Kind::kSession) return OwnerOf({}, session);
  return OwnerOf(principal, session);
}

std::string StateOwner(const StateUse& use, const Call& call) {
  return StateOwner(use, call.principal, call.session);
}

// What a reader of records takes (Adopt); a handler may nest deeper.
bool NestsTooDeep(const Json& value, std::size_t levels_left) {
  if (value.is_structured() && levels_left == 0) return true;
  if (const auto* members = value.get_ptr<const Json::object_t*>()) {
    for (const auto& member : *members) {
      if (NestsTooDeep(member.second, levels_left - 1)) return true;
    }
  } else if (const auto* elements = value.get_ptr<const Json::array_t*>()) {
    for (const Json& element : *elements) {
      if (NestsTooDeep(element, levels_left - 1)) return true;
    }
  }
  return false;
}

bool IsHandleOf(std::string_view handle, std::string_view kind) {
  if (handle.size() <= kind.size() + 1 || handle.size() > 128) return false;
  return handle.substr(0, kind.size()) == kind && handle[kind.size()] == '_';
}

}  // namespace

StoreTicket Tools::Await(const Running& call, Step step) { return server_.Await(call, this, step); }

std::string Tools::MintHandle(std::string_view kind) {
  return std::string(kind) + "_" + RandomName<16>(server_.entropy);  // 128 bits (S-23)
}

void Tools::Start(Call call) {
  const CallId id = call.id;
  const auto refuse = [&](const char* why) {
    server_.engine.Fail(id, ErrorCode::kInvalidParams, why, server_.effects);
  };
  const std::string* name = FindString(call.params, "name");
  if (name == nullptr) return refuse("params.name is missing");
  std::shared_ptr<const RegisteredTool> tool = FindTool(*name);
  if (tool == nullptr) return refuse("unknown tool");
  Json arguments = Take(call.params, "arguments");
  if (arguments.is_null()) arguments = EmptyObject();
  if (!arguments.is_object()) return refuse("params.arguments is no object");
  ReadAhead ahead = std::move(call.ahead);
  const Running running =
      std::make_shared<ToolCall::State>(server_.weak_from_this(), *this, std::move(call));
  Of(running).tool = std::move(tool);
  Of(running).arguments = std::move(arguments);
  server_.Open(running);
  if (server_.tasks != nullptr && server_.tasks->Begins(running)) return;
  Load(running, std::move(ahead));
}

void Tools::Load(const Running& call, ReadAhead ahead) {
  const StateUse& use = Of(call).tool->tool.state;
  switch (use.kind) {
    case Kind::kNone:
      return Run(call);
    case Kind::kNewHandle:
      Of(call).handle = MintHandle(use.handle_kind);
      return Run(call);
    case Kind::kList:
      if (!StateOwner(use, call->call).empty()) return LoadList(call, {});
      return Answer(call, ToolResult::Error("There is no list for anonymous callers without a "
                                            "session: only the handles themselves lead back."));
    case Kind::kSession:
      if (!call->call.session.empty()) break;
      return Answer(call, ToolResult::Error("This tool keeps its state in a session, and this "
                                            "request belongs to none."));
    case Kind::kHandle: {
      const std::string* handle = FindString(Of(call).arguments, use.argument);
      if (handle == nullptr) {
        std::string text = "the argument ";
        text += use.argument;
        text += " is missing: it must be a handle (";
        text += use.handle_kind;
        text += "_...)";
        return Answer(call, ToolResult::Error(std::move(text)));
      }
      if (!IsHandleOf(*handle, use.handle_kind)) return TellGone(call);
      Of(call).handle = *handle;
      break;
    }
  }
  if (ahead.reply != nullptr && ahead.reader == Of(call).tool) return Loaded(call, *ahead.reply);
  const std::string owner = StateOwner(use, call->call);
  server_.store.Submit(Await(call, kLoad), store::Get{KeyOf(use, owner, Of(call).handle)},
                       server_.now);
}

// The store is asked before anybody has looked whether the session is there and whose it is: what
// is not the caller's is not found under these keys.
std::optional<ReadsAhead::FirstRecord> Tools::FirstRecordOf(const std::string& principal,
                                                            const std::string& session,
                                                            const Json& params,
                                                            std::string* owner) const {
  const std::string* name = FindString(params, "name");
  std::shared_ptr<const RegisteredTool> tool = name != nullptr ? FindTool(*name) : nullptr;
  if (tool == nullptr) return std::nullopt;
  const StateUse& use = tool->tool.state;
  std::string_view handle;
  if (use.kind == Kind::kHandle) {
    const Json* arguments = FindObject(params, "arguments");
    const std::string* given = arguments ? FindString(*arguments, use.argument) : nullptr;
    if (given == nullptr || !IsHandleOf(*given, use.handle_kind)) return std::nullopt;
    handle = *given;
  } else if (use.kind != Kind::kSession) {
    return std::nullopt;
  }
  *owner = StateOwner(use, principal, session);
  const RecordKey key = KeyOf(use, *owner, handle);
  return ReadsAhead::FirstRecord{key, std::move(tool)};
}

void Tools::LoadList(const Running& call, std::string_view cursor) {
  const StateUse& use = Of(call).tool->tool.state;
  const std::string owner = StateOwner(use, call->call);
  server_.store.Submit(Await(call, kList), store::List{owner, use.handle_kind, cursor, 1000},
                       server_.now);
}

// The state as the record has it; false if the record is damaged.
bool Tools::Adopt(const Running& call, const Record& record) {
  const std::string_view data = *record.data;
  if (data.substr(0, kStateTag.size()) != kStateTag) return false;
  // The store has its own limit of size; what it keeps must be readable, whatever a peer may send.
  Limits limits;
  limits.max_message_bytes = limits.max_json_values = data.size();
  Result<Json> value = ParseJson(data.substr(kStateTag.size()), limits);
  if (!value || !value->is_object()) return false;
  Of(call).value = std::move(*value);
  Of(call).stored = record.data;
  Of(call).version = record.version;
  return true;
}

void Tools::Run(const Running& call) {
  ++Of(call).runs;
  call->running = true;
  const HandlerRun handler{[](const void* running) {
                             const auto& tool_call = *static_cast<const Running*>(running);
                             Of(tool_call).tool->handler(ToolCall(tool_call));
                           },
                           &call};
  const bool failed = !server_.Run(handler);
  if (!call->running) return;
  if (!failed) {
    if (server_.tasks != nullptr) server_.tasks->Lasts(call);
    return;
  }
  call->running = false;
  Answer(call, ToolResult::Error("the tool failed"));
}

// The same call once more. Copies that the handler kept of the old one do nothing any more.
Feature::Running Tools::Renew(const Running& call) {
  Running again =
      std::make_shared<ToolCall::State>(server_.weak_from_this(), *this, std::move(call->call));
  again->arguments = std::move(call->arguments);
  again->asking = std::move(call->asking);
  Of(again).tool = Of(call).tool;
  server_.Open(again);
  return again;
}

// On the state as it is by now, which somebody else may have changed while the client was asked.
void Tools::RunAgain(const Running& call) { Load(Renew(call)); }

// On the state that `call` has by now.
void Tools::RunOnNewer(const Running& call) {
  if (Of(call).runs >= kMaxRuns) {
    return Answer(call, ToolResult::Error("too many calls change this at once; try again"));
  }
  const Running again = Renew(call);
  if (again->asking != nullptr) again->asking->StartOver();
  Of(again).value = std::move(Of(call).value);
  Of(again).stored = std::move(Of(call).stored);
  Of(again).version = Of(call).version;
  Of(again).handle = Of(call).handle;
  Of(again).runs = Of(call).runs;
  Run(again);
}

void Tools::Save(const Running& call) {
  const StateUse& use = Of(call).tool->tool.state;
  const bool has_state =
      use.kind == Kind::kSession || use.kind == Kind::kNewHandle || use.kind == Kind::kHandle;
  if (!has_state || Of(call).result.is_error) return Answer(call, Of(call).result);
  const std::string owner = StateOwner(use, call->call);
  const RecordKey key = KeyOf(use, owner, Of(call).handle);
  if (Of(call).end_handle) {
    return server_.store.Submit(Await(call, kSave), store::Remove{key}, server_.now);
  }
  std::string data(kStateTag);
  if (!Of(call).value.is_object() || NestsTooDeep(Of(call).value, Limits().max_json_depth) ||
      !AppendJson(Of(call).value, &data)) {
    return Fail(call, ErrorCode::kInternal);
  }
  if (Of(call).stored != nullptr && *Of(call).stored == data) return Answer(call, Of(call).result);
  if (Of(call).version) {
    return server_.store.Submit(Await(call, kSave),
                                store::Put{key, std::move(data), Of(call).version}, server_.now);
  }
  Lifetime lifetime = use.lifetime;
  if (use.kind == Kind::kSession) {
    if (Of(call).value.empty()) return Answer(call, Of(call).result);  // nothing to keep yet
    lifetime = Lifetime{std::nullopt,
                        server_.engine.options().session_lifetime.max_life.value_or(kMaxLifetime)};
  } else if (owner.empty()) {
    lifetime = Lifetime{std::nullopt, use.anonymous_ttl};
  }
  server_.store.Submit(Await(call, kSave), store::Create{key, std::move(data), lifetime},
                       server_.now);
}

void Tools::CheckResult(ToolCall::State& call) const {
  if (call.tool->output == nullptr || call.result.is_error) return;
  const std::vector<std::string> problems = call.tool->output->Check(call.result.structured);
  if (problems.empty()) return;
  if (server_.on_bad_result) server_.on_bad_result(call.tool->tool.name, problems.front());
  call.result = ToolResult::Error("the tool failed: its result is not what it should be");
}

void Tools::HandleAnswer(const Running& call) {
  CheckResult(Of(call));
  Save(call);
}

void Tools::HandleReply(int step, const Running& call, StoreReply& reply) {
  switch (step) {
    case kLoad:
      return Loaded(call, reply);
    case kList:
      return Listed(call, reply);
    default:
      return Saved(call, reply);
  }
}

void Tools::Loaded(const Running& call, StoreReply& reply) {
  const bool absent = IsAbsent(reply.error);
  if (absent && Of(call).tool->tool.state.kind == Kind::kHandle) return TellGone(call);
  if (reply.error && !absent) return Fail(call, *reply.error);
  if (!absent && !Adopt(call, reply.record)) return Fail(call, ErrorCode::kCorrupt);
  if (Of(call).runs > 0) return RunOnNewer(call);
  Run(call);
}

void Tools::Listed(const Running& call, StoreReply& reply) {
  if (reply.error) return Fail(call, *reply.error);
  for (Record& record : reply.listed) {
    Of(call).handles.push_back(HandleInfo{std::move(record.id), record.expires_in});
  }
  if (!reply.cursor.empty()) return LoadList(call, reply.cursor);
  Run(call);
}

void Tools::Saved(const Running& call, StoreReply& reply) {
  const StateUse& use = Of(call).tool->tool.state;
  if (!reply.error) return Answer(call, Of(call).result);
  switch (*reply.error) {
    case ErrorCode::kConflict:
      if (!Adopt(call, reply.record)) return Fail(call, ErrorCode::kCorrupt);
      return RunOnNewer(call);
    case ErrorCode::kExists:  // the session's state was made by another call meanwhile
      if (use.kind != Kind::kSession) return Fail(call, ErrorCode::kInternal);
      return Load(call);
    case ErrorCode::kNotFound:
    case ErrorCode::kExpired:
      if (use.kind == Kind::kHandle) return TellGone(call);
      Of(call).value = EmptyObject();
      Of(call).stored = nullptr;
      Of(call).version.reset();
      return RunOnNewer(call);
    case ErrorCode::kCapacity:
      return Answer(call, ToolResult::Error("There is no room for more state: end what is no "
                                            "longer needed, or try again later."));
    case ErrorCode::kTooLarge:
      return Answer(call, ToolResult::Error("The state has become too large to be kept."));
    default:
      return Fail(call, *reply.error);
  }
}

void Tools::Answer(const Running& call, const ToolResult& result) {
  std::string members = "\"content\":";
  bool valid = AppendJson(result.content, &members);
  if (!result.structured.is_null() &&
      (call->call.era() == Era::kStateless || result.structured.is_object())) {  // F-04
    members += ",\"structuredContent\":";
    valid = AppendJson(result.structured, &members) && valid;
  }
  if (result.is_error) members += ",\"isError\":true";
  if (!valid) return Fail(call, ErrorCode::kInternal);
  server_.Close(call->call.id);
  server_.engine.Answer(call->call.id, members, {}, server_.effects);
}

void Tools::Fail(const Running& call, ErrorCode code) {
  std::string_view message = "the tool failed";
  if (code == ErrorCode::kUnavailable) message = "the state store is unavailable";
  if (code == ErrorCode::kMisconfigured) message = "the state store refuses this server";
  if (code == ErrorCode::kCorrupt) message = "the state cannot be read";
  server_.Close(call->call.id);
  server_.engine.Fail(call->call.id, code, message, server_.effects);
}

// A handle that was never there, is somebody else's, or has ended (S-24).
void Tools::TellGone(const Running& call) {
  const std::string& kind = Of(call).tool->tool.state.handle_kind;
  std::string text = "This ";
  text += kind;
  text += " does not exist or has ended.";
  for (const auto& tool : tools_) {
    const StateUse& use = tool->tool.state;
    if (use.kind == Kind::kNewHandle && use.handle_kind == kind) {
      text += " Call ";
      text += tool->tool.name;
      text += " for a new one.";
    }
  }
  Answer(call, ToolResult::Error(std::move(text)));
}

}  // namespace mcp_session

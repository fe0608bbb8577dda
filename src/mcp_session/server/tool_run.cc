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

#include "mcp_session/base/base64.h"
#include "mcp_session/base/check.h"
#include "mcp_session/json/access.h"
#include "mcp_session/json/parse.h"
#include "mcp_session/json/write.h"
#include "mcp_session/server/server_state.h"

namespace mcp_session {
namespace {

using Kind = StateUse::Kind;

constexpr int kMaxRuns = 5;
constexpr std::string_view kStateTag = "H1";  // before the JSON of a record (docs/formats.md)
constexpr std::string_view kSessionStateKind = "state";

// Session state is one record per session; it lives as long as the session may.
RecordKey KeyOf(const StateUse& use, const std::string& owner, const std::string& handle) {
  if (use.kind == Kind::kSession) return RecordKey{owner, kSessionStateKind, "state"};
  return RecordKey{owner, use.handle_kind, handle};
}

std::string StateOwner(const StateUse& use, const Call& call) {
  // A session's own state is the session's, whoever it belongs to.
  if (use.kind == Kind::kSession) return OwnerOf({}, call.session);
  return OwnerOf(call.principal, call.session);
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

StoreTicket McpServer::State::Await(Running call, Step step) {
  return StoreTicket{waits_.Insert(Wait{std::move(call), step}) * 2 + 1};
}

std::string McpServer::State::MintHandle(std::string_view kind) {
  std::array<std::uint8_t, 16> bytes;  // 128 bits: 22 characters (S-23)
  entropy_.Fill(bytes);
  return std::string(kind) + "_" + EncodeBase64Url(bytes);
}

void McpServer::State::Start(Call call) {
  const CallId id = call.id;
  const auto refuse = [&](const char* why) {
    engine_.Fail(id, ErrorCode::kInvalidParams, why, effects_);
  };
  const std::string* name = FindString(call.params, "name");
  if (name == nullptr) return refuse("params.name is missing");
  std::shared_ptr<const RegisteredTool> tool = FindTool(*name);
  if (tool == nullptr) return refuse("unknown tool");
  Json arguments = Take(call.params, "arguments");
  if (arguments.is_null()) arguments = EmptyObject();
  if (!arguments.is_object()) return refuse("params.arguments is no object");
  const Running running =
      std::make_shared<ToolCall::State>(weak_from_this(), std::move(tool), std::move(call));
  running->arguments = std::move(arguments);
  open_.Insert(id.number, running);
  Load(running);
}

void McpServer::State::Load(const Running& call) {
  const StateUse& use = call->tool->tool.state;
  switch (use.kind) {
    case Kind::kNone:
      return Run(call);
    case Kind::kNewHandle:
      call->handle = MintHandle(use.handle_kind);
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
      const std::string* handle = FindString(call->arguments, use.argument);
      if (handle == nullptr) {
        return Answer(call, ToolResult::Error("the argument " + use.argument +
                                              " is missing: it must be a handle (" +
                                              use.handle_kind + "_...)"));
      }
      if (!IsHandleOf(*handle, use.handle_kind)) return TellGone(call);
      call->handle = *handle;
      break;
    }
  }
  const std::string owner = StateOwner(use, call->call);
  store.Submit(Await(call, Step::kLoad), store::Get{KeyOf(use, owner, call->handle)}, now_);
}

void McpServer::State::LoadList(const Running& call, std::string_view cursor) {
  const StateUse& use = call->tool->tool.state;
  const std::string owner = StateOwner(use, call->call);
  store.Submit(Await(call, Step::kList), store::List{owner, use.handle_kind, cursor, 1000}, now_);
}

// The state as the record has it; false if the record is damaged.
bool McpServer::State::Adopt(const Running& call, const Record& record) {
  const std::string_view data = *record.data;
  if (data.substr(0, kStateTag.size()) != kStateTag) return false;
  // The store has its own limit of size; what it keeps must be readable, whatever a peer may send.
  Limits limits;
  limits.max_message_bytes = limits.max_json_values = data.size();
  Result<Json> value = ParseJson(data.substr(kStateTag.size()), limits);
  if (!value || !value->is_object()) return false;
  call->value = std::move(*value);
  call->stored = record.data;
  call->version = record.version;
  return true;
}

void McpServer::State::Run(const Running& call) {
  ++call->runs;
  call->running = true;
  const ToolHandler& handler = call->tool->handler;
  if (guard) {
    guard(handler, ToolCall(call));
  } else {
    handler(ToolCall(call));
  }
}

// On the state that `call` has by now, as if it were the first time: copies that the handler kept
// of the old call do nothing any more.
void McpServer::State::RunAgain(const Running& call) {
  if (call->runs >= kMaxRuns) {
    return Answer(call, ToolResult::Error("too many calls change this at once; try again"));
  }
  const Running again =
      std::make_shared<ToolCall::State>(weak_from_this(), call->tool, std::move(call->call));
  again->arguments = std::move(call->arguments);
  again->value = std::move(call->value);
  again->stored = std::move(call->stored);
  again->version = call->version;
  again->handle = call->handle;
  again->runs = call->runs;
  open_.Insert(again->call.id.number, again);
  Run(again);
}

void McpServer::State::Save(const Running& call) {
  const StateUse& use = call->tool->tool.state;
  const bool has_state =
      use.kind == Kind::kSession || use.kind == Kind::kNewHandle || use.kind == Kind::kHandle;
  if (!has_state || call->result.is_error) return Answer(call, call->result);
  const std::string owner = StateOwner(use, call->call);
  const RecordKey key = KeyOf(use, owner, call->handle);
  if (call->end_handle) {
    return store.Submit(Await(call, Step::kSave), store::Remove{key}, now_);
  }
  std::string data(kStateTag);
  if (!call->value.is_object() || NestsTooDeep(call->value, Limits().max_json_depth) ||
      !AppendJson(call->value, &data)) {
    return Fail(call, ErrorCode::kInternal);
  }
  if (call->stored != nullptr && *call->stored == data) return Answer(call, call->result);
  if (call->version) {
    return store.Submit(Await(call, Step::kSave), store::Put{key, std::move(data), call->version},
                        now_);
  }
  Lifetime lifetime = use.lifetime;
  if (use.kind == Kind::kSession) {
    if (call->value.empty()) return Answer(call, call->result);  // nothing to keep yet
    lifetime =
        Lifetime{std::nullopt, engine_.options().session_lifetime.max_life.value_or(kMaxLifetime)};
  } else if (owner.empty()) {
    lifetime = Lifetime{std::nullopt, use.anonymous_ttl};
  }
  store.Submit(Await(call, Step::kSave), store::Create{key, std::move(data), lifetime}, now_);
}

void McpServer::State::HandleToolReply(StoreReply reply) {
  std::optional<Wait> wait = waits_.Take(reply.ticket.number / 2);
  if (!wait || (wait->call != nullptr && wait->call->cancelled)) return;
  switch (wait->step) {
    case Step::kLoad:
      return Loaded(wait->call, reply);
    case Step::kList:
      return Listed(wait->call, reply);
    case Step::kSave:
      return Saved(wait->call, reply);
    case Step::kForget:
      return;  // what is left expires by itself
  }
}

void McpServer::State::Loaded(const Running& call, StoreReply& reply) {
  const bool absent =
      reply.error == ErrorCode::kNotFound || reply.error == ErrorCode::kExpired;
  if (absent && call->tool->tool.state.kind == Kind::kHandle) return TellGone(call);
  if (reply.error && !absent) return Fail(call, *reply.error);
  if (!absent && !Adopt(call, reply.record)) return Fail(call, ErrorCode::kCorrupt);
  if (call->runs > 0) return RunAgain(call);
  Run(call);
}

void McpServer::State::Listed(const Running& call, StoreReply& reply) {
  if (reply.error) return Fail(call, *reply.error);
  for (Record& record : reply.listed) {
    call->handles.push_back(HandleInfo{std::move(record.id), record.expires_in});
  }
  if (!reply.cursor.empty()) return LoadList(call, reply.cursor);
  Run(call);
}

void McpServer::State::Saved(const Running& call, StoreReply& reply) {
  const StateUse& use = call->tool->tool.state;
  if (!reply.error) return Answer(call, call->result);
  switch (*reply.error) {
    case ErrorCode::kConflict:
      if (!Adopt(call, reply.record)) return Fail(call, ErrorCode::kCorrupt);
      return RunAgain(call);
    case ErrorCode::kExists:  // the session's state was made by another call meanwhile
      if (use.kind != Kind::kSession) return Fail(call, ErrorCode::kInternal);
      return Load(call);
    case ErrorCode::kNotFound:
    case ErrorCode::kExpired:
      if (use.kind == Kind::kHandle) return TellGone(call);
      call->value = EmptyObject();
      call->stored = nullptr;
      call->version.reset();
      return RunAgain(call);
    case ErrorCode::kCapacity:
      return Answer(call, ToolResult::Error("There is no room for more state: end what is no "
                                            "longer needed, or try again later."));
    case ErrorCode::kTooLarge:
      return Answer(call, ToolResult::Error("The state has become too large to be kept."));
    default:
      return Fail(call, *reply.error);
  }
}

void McpServer::State::Answer(const Running& call, const ToolResult& result) {
  std::string members = "\"content\":";
  bool valid = AppendJson(result.content, &members);
  if (!result.structured.is_null()) {
    members += ",\"structuredContent\":";
    valid = AppendJson(result.structured, &members) && valid;
  }
  if (result.is_error) members += ",\"isError\":true";
  if (!valid) return Fail(call, ErrorCode::kInternal);
  open_.Erase(call->call.id.number);
  engine_.Answer(call->call.id, members, {}, effects_);
}

void McpServer::State::Fail(const Running& call, ErrorCode code) {
  std::string_view message = "the tool failed";
  if (code == ErrorCode::kUnavailable) message = "the state store is unavailable";
  if (code == ErrorCode::kMisconfigured) message = "the state store refuses this server";
  if (code == ErrorCode::kCorrupt) message = "the state cannot be read";
  open_.Erase(call->call.id.number);
  engine_.Fail(call->call.id, code, message, effects_);
}

// A handle that was never there, is somebody else's, or has ended (S-24).
void McpServer::State::TellGone(const Running& call) {
  const std::string& kind = call->tool->tool.state.handle_kind;
  std::string text = "This " + kind + " does not exist or has ended.";
  for (const auto& tool : tools_) {
    const StateUse& use = tool->tool.state;
    if (use.kind == Kind::kNewHandle && use.handle_kind == kind) {
      text += " Call " + tool->tool.name + " for a new one.";
    }
  }
  Answer(call, ToolResult::Error(std::move(text)));
}

void McpServer::State::Forget(const SessionEnded& ended) {
  // What a principal owns outlives its sessions; the session's own state does not.
  const std::string owner = OwnerOf({}, ended.session);
  store.Submit(Await(nullptr, Step::kForget), store::RemoveOwned{owner}, now_);
}

}  // namespace mcp_session

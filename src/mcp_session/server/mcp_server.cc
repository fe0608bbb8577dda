#include "mcp_session/server/mcp_server.h"

#include <algorithm>
#include <utility>

#include "mcp_session/base/check.h"
#include "mcp_session/json/access.h"
#include "mcp_session/json/write.h"
#include "mcp_session/server/server_state.h"
#include "mcp_session/server/tool_state.h"

namespace mcp_session {
namespace {

bool IsToolName(std::string_view name) {  // F-02
  return !name.empty() && name.size() <= 128 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
}

// A handle's kind is also the prefix of its id and part of a key in the store, where two kinds are
// the server's own: sessions, and what tools keep in them.
bool IsHandleKind(std::string_view kind) {
  return kind != "session" && kind != "state" && !kind.empty() && kind.size() <= 32 &&
         std::all_of(kind.begin(), kind.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
         });
}

std::string InWords(Millis time) {
  const auto counted = [](std::int64_t n, const char* unit) {
    return std::to_string(n) + " " + unit + (n == 1 ? "" : "s");
  };
  const std::int64_t seconds = time.count / 1000;
  if (seconds >= 172'800 && seconds % 86'400 == 0) return counted(seconds / 86'400, "day");
  if (seconds >= 3'600 && seconds % 3'600 == 0) return counted(seconds / 3'600, "hour");
  if (seconds >= 60 && seconds % 60 == 0) return counted(seconds / 60, "minute");
  return counted(seconds, "second");
}

// What a model has to know of the handle that a tool makes (spec S-24).
std::string RetentionRule(const StateUse& use) {
  std::string rule = "Returns a handle (" + use.handle_kind + "_...) that later calls take.";
  if (use.lifetime.idle_ttl) {
    rule += " It ends when unused for " + InWords(*use.lifetime.idle_ttl);
    rule += use.lifetime.max_life ? ", after " + InWords(*use.lifetime.max_life) + " at the latest."
                                  : ".";
  } else if (use.lifetime.max_life) {
    rule += " It ends after " + InWords(*use.lifetime.max_life) + ".";
  }
  rule +=
      " For anonymous callers without a session it ends after " + InWords(use.anonymous_ttl) + ".";
  return rule;
}

Json Describe(const Tool& tool) {
  Json described = EmptyObject();
  described["name"] = tool.name;
  if (!tool.title.empty()) described["title"] = tool.title;
  std::string description = tool.description;
  if (tool.state.kind == StateUse::Kind::kNewHandle) {
    if (!description.empty()) description += ' ';
    description += RetentionRule(tool.state);
  }
  if (!description.empty()) described["description"] = std::move(description);
  Json& schema = described["inputSchema"];
  schema = tool.input_schema;
  if (schema.is_null()) schema["type"] = "object";
  if (!tool.output_schema.is_null()) described["outputSchema"] = tool.output_schema;
  if (!tool.annotations.is_null()) described["annotations"] = tool.annotations;
  return described;
}

const char* WhyNoTool(const Tool& tool) {
  using Kind = StateUse::Kind;
  if (!IsToolName(tool.name)) return "a tool's name is 1 to 128 of A-Z a-z 0-9 _ . -";
  const std::string* type = FindString(tool.input_schema, "type");
  if (!tool.input_schema.is_null() && (type == nullptr || *type != "object")) {
    return "an input schema's type is \"object\"";
  }
  const Kind kind = tool.state.kind;
  if (kind == Kind::kNone || kind == Kind::kSession) return nullptr;
  if (!IsHandleKind(tool.state.handle_kind))
    return "a handle's kind is 1 to 32 of a-z 0-9 _, but not session or state";
  if (kind == Kind::kNewHandle && tool.state.anonymous_ttl <= Millis{0}) {
    return "anonymous_ttl must be positive";
  }
  if (kind != Kind::kHandle) return nullptr;
  const Json* properties = FindObject(tool.input_schema, "properties");
  if (properties == nullptr || FindObject(*properties, tool.state.argument) == nullptr) {
    return "the input schema lacks the property that names the handle";
  }
  return nullptr;
}

Json Capabilities() {
  Json capabilities = EmptyObject();
  capabilities["tools"] = EmptyObject();
  return capabilities;
}

}  // namespace

McpServer::State::State(ServerOptions options, SessionStore& store_in, Entropy& entropy)
    : store(store_in),
      engine_(std::move(options), Capabilities(), store_in, entropy),
      entropy_(entropy) {}

Result<void> McpServer::State::Register(Tool tool, ToolHandler handler) {
  const auto refuse = [](const char* why) {
    return Failure(ErrorCode::kInvalidArgument, Blame::kCaller, why);
  };
  if (const char* why = WhyNoTool(tool)) return refuse(why);
  if (FindTool(tool.name)) return refuse("a tool of this name is registered");
  std::string text = tools_text_.empty() ? "" : ",";
  if (!AppendJson(Describe(tool), &text)) return refuse("the tool's texts are not UTF-8");
  tools_text_ += text;
  tools_.push_back(
      std::make_shared<const RegisteredTool>(RegisteredTool{std::move(tool), std::move(handler)}));
  return {};
}

std::shared_ptr<const RegisteredTool> McpServer::State::FindTool(std::string_view name) const {
  for (const auto& tool : tools_) {
    if (tool->tool.name == name) return tool;
  }
  return nullptr;
}

// --- turns ---

void McpServer::State::Handle(const Event& event, Instant now, Effects* effects) {
  MCPS_CHECK(effects_ == nullptr);  // a handler called Handle
  now_ = now;
  effects_ = effects;
  woken_ = false;
  for (Effect& effect : effects_outside_) effects->push_back(std::move(effect));
  effects_outside_.clear();
  std::vector<Running> replied;
  replied.swap(replied_outside_);
  for (Running& call : replied) Replied(std::move(call));
  if (store.NextDeadline() <= now) store.Tick(now);
  engine_.Handle(event, now, effects, &news_);
  Settle();
  effects_ = nullptr;
}

// Engine and store feed each other until neither has anything to say.
void McpServer::State::Settle() {
  std::vector<EngineNews> news;
  std::vector<StoreReply> replies;
  for (;;) {
    news.swap(news_);
    for (EngineNews& item : news) HandleNews(std::move(item));
    news.clear();
    store.Drain(&replies);
    for (StoreReply& reply : replies) {
      if (reply.ticket.number % 2 == 0) {
        engine_.HandleReply(std::move(reply), now_, effects_, &news_);
      } else {
        HandleToolReply(std::move(reply));
      }
    }
    if (replies.empty() && news_.empty()) return;
    replies.clear();
  }
}

void McpServer::State::HandleNews(EngineNews news) {
  if (auto* started = std::get_if<CallStarted>(&news)) {
    Call& call = started->call;
    if (call.method == "tools/call") return Start(std::move(call));
    if (call.method == "tools/list") return ListTools(call);
    engine_.Fail(call.id, ErrorCode::kMethodNotFound, "unknown method", effects_);
  } else if (const auto* cancelled = std::get_if<CallCancelled>(&news)) {
    Cancel(cancelled->id);
  } else {
    Forget(std::get<SessionEnded>(news));
  }
}

void McpServer::State::ListTools(const Call& call) {
  if (Find(call.params, "cursor") != nullptr) {  // there is one page; nobody was given a cursor
    return engine_.Fail(call.id, ErrorCode::kInvalidParams, "unknown cursor", effects_);
  }
  std::string members = "\"tools\":[" + tools_text_ + "]";
  if (call.era() == Era::kStateless) members += ",\"ttlMs\":60000,\"cacheScope\":\"public\"";
  engine_.Answer(call.id, members, {}, effects_);
}

void McpServer::State::Cancel(CallId id) {
  const std::weak_ptr<ToolCall::State>* found = open_.Find(id.number);
  if (found == nullptr) return;
  if (const Running call = found->lock()) {
    call->cancelled = true;
    call->running = false;
  }
  open_.Erase(id.number);
}

// --- what handlers do ---

// Where effects go: to the turn, or, outside of one, to the next.
Effects* McpServer::State::Out() { return effects_ != nullptr ? effects_ : &effects_outside_; }

// Last of all that is done outside of a turn: the host may begin one before this returns.
void McpServer::State::Wake() {
  if (effects_ != nullptr || woken_) return;
  if (effects_outside_.empty() && replied_outside_.empty()) return;
  woken_ = true;
  if (wake) wake();
}

void McpServer::State::StoreReady() {
  if (effects_ != nullptr || woken_) return;  // this turn drains it, or the next that is coming
  woken_ = true;
  if (wake) wake();
}

void McpServer::State::Replied(Running call) {
  if (effects_ != nullptr) return Save(call);
  replied_outside_.push_back(std::move(call));
  Wake();
}

void McpServer::State::Progressed(const ToolCall::State& call, double progress,
                                  std::optional<double> total, std::string_view message) {
  engine_.Progress(call.call.id, progress, total, message, Out());
  Wake();
}

void McpServer::State::Dropped(const ToolCall::State& call) {
  open_.Erase(call.call.id.number);
  engine_.Fail(call.call.id, ErrorCode::kInternal, "the tool gave no answer", Out());
  Wake();
}

// --- the public face ---

McpServer::McpServer(ServerOptions options, SessionStore& store, Entropy& entropy)
    : state_(std::make_shared<State>(std::move(options), store, entropy)) {
  store.OnReady([weak = std::weak_ptr<State>(state_)] {
    if (const auto state = weak.lock()) state->StoreReady();
  });
}

McpServer::~McpServer() { state_->store.OnReady(nullptr); }

Result<void> McpServer::Register(Tool tool, ToolHandler handler) {
  return state_->Register(std::move(tool), std::move(handler));
}

void McpServer::Handle(const Event& event, Instant now, Effects* effects) {
  state_->Handle(event, now, effects);
}

Instant McpServer::NextDeadline() const { return state_->store.NextDeadline(); }

std::size_t McpServer::open_calls() const { return state_->open_calls(); }

void McpServer::OnWake(std::function<void()> wake) { state_->wake = std::move(wake); }

void McpServer::GuardHandlers(HandlerGuard guard) { state_->guard = std::move(guard); }

}  // namespace mcp_session

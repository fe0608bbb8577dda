#include "mcp_session/server/tool.h"

#include <utility>

#include "mcp_session/base/check.h"
#include "mcp_session/json/access.h"
#include "mcp_session/json/write.h"
#include "mcp_session/server/server_state.h"
#include "mcp_session/server/tool_state.h"

namespace mcp_session {
namespace {

Json TextBlock(std::string text) {
  Json block = EmptyObject();
  block["type"] = "text";
  block["text"] = std::move(text);
  return block;
}

tl::unexpected<Error> BadArgument(std::string_view name, const char* what) {
  return Failure(ErrorCode::kInvalidParams, Blame::kPeer,
                 "the argument " + std::string(name) + what);
}

}  // namespace

ToolResult ToolResult::Text(std::string text) {
  ToolResult result;
  result.content.push_back(TextBlock(std::move(text)));
  return result;
}

ToolResult ToolResult::Structured(Json value) {
  std::string text;
  if (!AppendJson(value, &text)) return Error("the tool made a value that has no JSON form");
  ToolResult result = Text(std::move(text));
  result.structured = std::move(value);
  return result;
}

ToolResult ToolResult::Error(std::string text) {
  ToolResult result = Text(std::move(text));
  result.is_error = true;
  return result;
}

StateUse UsesSession() {
  StateUse use;
  use.kind = StateUse::Kind::kSession;
  return use;
}

StateUse MakesHandle(std::string kind) {
  StateUse use;
  use.kind = StateUse::Kind::kNewHandle;
  use.handle_kind = std::move(kind);
  return use;
}

StateUse TakesHandle(std::string kind) {
  StateUse use;
  use.kind = StateUse::Kind::kHandle;
  use.argument = kind;
  use.handle_kind = std::move(kind);
  return use;
}

StateUse ListsHandles(std::string kind) {
  StateUse use;
  use.kind = StateUse::Kind::kList;
  use.handle_kind = std::move(kind);
  return use;
}

ToolCall::State::State(std::weak_ptr<McpServer::State> server_in,
                       std::shared_ptr<const RegisteredTool> tool_in, Call call_in)
    : server(std::move(server_in)), tool(std::move(tool_in)), call(std::move(call_in)) {}

ToolCall::State::~State() {
  if (!running) return;
  if (const auto alive = server.lock()) alive->Dropped(*this);
}

ToolCall::ToolCall(std::shared_ptr<State> state) : state_(std::move(state)) {}

const Json& ToolCall::arguments() const { return state_->arguments; }

Result<std::string> ToolCall::StringArgument(std::string_view name) const {
  const Json* value = Find(state_->arguments, name);
  if (value == nullptr) return BadArgument(name, " is missing");
  const std::string* text = AsString(*value);
  if (text == nullptr) return BadArgument(name, " must be a string");
  return *text;
}

Result<std::int64_t> ToolCall::IntegerArgument(std::string_view name) const {
  const Json* value = Find(state_->arguments, name);
  if (value == nullptr) return BadArgument(name, " is missing");
  const auto number = AsInteger(*value);
  if (!number) return BadArgument(name, " must be a whole number");
  return *number;
}

Json& ToolCall::state() {
  using Kind = StateUse::Kind;
  const Kind kind = state_->tool->tool.state.kind;
  MCPS_CHECK(kind == Kind::kSession || kind == Kind::kNewHandle || kind == Kind::kHandle);
  return state_->value;
}

const std::string& ToolCall::handle() const { return state_->handle; }
const std::vector<HandleInfo>& ToolCall::handles() const { return state_->handles; }
void ToolCall::EndHandle() { state_->end_handle = true; }

void ToolCall::Progress(double progress, std::optional<double> total, std::string_view message) {
  if (!state_->running || state_->cancelled) return;
  if (const auto server = state_->server.lock()) {
    server->Progressed(*state_, progress, total, message);
  }
}

void ToolCall::Reply(ToolResult result) {
  if (!state_->running) return;
  state_->running = false;
  state_->replied = true;
  state_->result = std::move(result);
  if (const auto server = state_->server.lock()) server->Replied(state_);
}

bool ToolCall::cancelled() const { return state_->cancelled; }
Era ToolCall::era() const { return state_->call.era(); }
const std::string& ToolCall::principal() const { return state_->call.principal; }
CallId ToolCall::id() const { return state_->call.id; }

}  // namespace mcp_session

#include "mcp_session/server/tool.h"

#include <utility>

#include "mcp_session/base/check.h"
#include "mcp_session/json/access.h"
#include "mcp_session/json/write.h"
#include "mcp_session/server/content.h"
#include "mcp_session/server/tools.h"

namespace mcp_session {
namespace {

tl::unexpected<Error> BadArgument(std::string_view name, const char* what) {
  return Failure(ErrorCode::kInvalidParams, Blame::kPeer,
                 "the argument " + std::string(name) + what);
}

}  // namespace

ToolResult ToolResult::Text(std::string text) {
  ToolResult result;
  result.content.push_back(TextContent(std::move(text)));
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

ToolCall::ToolCall(std::shared_ptr<HandlerCall::State> state) : AskingCall(std::move(state)) {}

ToolCall::State& ToolCall::own() const { return static_cast<State&>(*state_); }

const Json& ToolCall::arguments() const { return own().arguments; }

Result<std::string> ToolCall::StringArgument(std::string_view name) const {
  const Json* value = Find(own().arguments, name);
  if (value == nullptr) return BadArgument(name, " is missing");
  const std::string* text = AsString(*value);
  if (text == nullptr) return BadArgument(name, " must be a string");
  return *text;
}

Result<std::int64_t> ToolCall::IntegerArgument(std::string_view name) const {
  const Json* value = Find(own().arguments, name);
  if (value == nullptr) return BadArgument(name, " is missing");
  const auto number = AsInteger(*value);
  if (!number) return BadArgument(name, " must be a whole number");
  return *number;
}

Json& ToolCall::state() {
  using Kind = StateUse::Kind;
  const Kind kind = own().tool->tool.state.kind;
  MCPS_CHECK(kind == Kind::kSession || kind == Kind::kNewHandle || kind == Kind::kHandle);
  return own().value;
}

const std::string& ToolCall::handle() const { return own().handle; }
const std::vector<HandleInfo>& ToolCall::handles() const { return own().handles; }
void ToolCall::EndHandle() { own().end_handle = true; }

void ToolCall::Reply(ToolResult result) {
  if (!state_->running) return;
  own().result = std::move(result);
  Answered();
}

}  // namespace mcp_session

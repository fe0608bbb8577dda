#include "mcp_session/server/tool_checks.h"

#include <algorithm>
#include <utility>

#include "mcp_session/base/check.h"
#include "mcp_session/json/access.h"
#include "mcp_session/json/write.h"
#include "mcp_session/server/client_capabilities.h"
#include "mcp_session/server/listing.h"
#include "mcp_session/server/tools.h"

namespace mcp_session {

Result<void> McpServer::Register(Tool tool, ToolHandler handler, const ToolDecoration& decoration) {
  const Json& required = decoration.required_capabilities;
  std::string text;
  if (!required.is_null() && (!required.is_object() || !AppendJson(required, &text))) {
    return Failure(ErrorCode::kInvalidArgument, Blame::kCaller,
                   "the capabilities that a tool requires are an object");
  }
  const bool may_last = decoration.task.support != TaskUse::Support::kNever;
  if (may_last && state_->tasks == nullptr) {
    return Failure(ErrorCode::kInvalidArgument, Blame::kCaller, "this server serves no tasks");
  }
  MCPS_TRY(auto marked, FindMarkedArguments(tool.input_schema));
  const std::string name = tool.name;
  ToolCheck check{name, required, std::move(marked)};
  auto* checks = state_->Find<ToolChecks>();
  std::shared_ptr<const CompiledSchema> output;
  if (checks != nullptr && checks->validator != nullptr) {
    if (!tool.input_schema.is_null()) {
      MCPS_TRY(check.arguments, checks->validator->Compile(tool.input_schema));
    }
    if (!tool.output_schema.is_null()) {
      MCPS_TRY(output, checks->validator->Compile(tool.output_schema));
    }
  }
  Json described = DescribeTool(tool);
  AddMember("icons", decoration.icons, &described);
  AddMember("_meta", decoration.meta, &described);
  Result<void> added =
      state_->Register<Tools>(std::move(tool), std::move(handler), described, std::move(output));
  if (added && may_last) state_->tasks->Add(name, decoration.task);
  const bool checked = !required.is_null() || !check.marked.empty() || check.arguments != nullptr;
  if (!added || !checked) return added;
  if (checks == nullptr) {
    auto made = std::make_unique<ToolChecks>(*state_);
    checks = made.get();
    state_->AddFirst(std::move(made));
  }
  checks->Add(std::move(check));
  return added;
}

bool McpServer::RemoveTool(std::string_view name) {
  if (auto* checks = state_->Find<ToolChecks>()) checks->Remove(name);
  if (state_->tasks != nullptr) state_->tasks->Remove(name);
  auto* tools = state_->Find<Tools>();
  return tools != nullptr && tools->Remove(name);
}

void ToolChecks::Remove(std::string_view tool) {
  const auto of_tool = [&](const ToolCheck& check) { return check.tool == tool; };
  checks_.erase(std::remove_if(checks_.begin(), checks_.end(), of_tool), checks_.end());
}

void McpServer::CheckArgumentsWith(const SchemaValidator& validator, BadResult on_bad_result) {
  MCPS_CHECK(state_->Find<ToolChecks>() == nullptr && state_->Find<Tools>() == nullptr);
  state_->AddFirst(std::make_unique<ToolChecks>(*state_, &validator));
  state_->on_bad_result = std::move(on_bad_result);
}

const ToolCheck* ToolChecks::FindCheck(const Call& call) const {
  if (call.method != "tools/call") return nullptr;
  const std::string* name = FindString(call.params, "name");
  for (const ToolCheck& check : checks_) {
    if (name != nullptr && check.tool == *name) return &check;
  }
  return nullptr;
}

bool ToolChecks::HandleCall(Call& call) {
  const ToolCheck* check = FindCheck(call);
  if (check == nullptr) return false;
  if (const auto headers = CheckHeaders(call, *check); !headers) {
    server_.engine.Fail(call.id, headers.error().code, headers.error().message, server_.effects);
    return true;
  }
  const Json* arguments = Find(call.params, "arguments");
  if (arguments != nullptr && !arguments->is_null() && !arguments->is_object()) {
    return false;  // Tools says what is wrong with the params, which goes first
  }
  const Json& required = check->required_capabilities;
  if (!required.is_null() && !HasCapabilities(ClientCapabilities(call), required)) {
    RefuseForCapabilities(server_, call, required);
    return true;
  }
  return check->arguments != nullptr && FindsFault(call, *check->arguments);
}

// Whether the arguments are not what `schema` says; then that is answered.
bool ToolChecks::FindsFault(const Call& call, const CompiledSchema& schema) {
  const Json* arguments = FindObject(call.params, "arguments");
  const std::vector<std::string> problems =
      schema.Check(arguments != nullptr ? *arguments : EmptyObject());
  if (problems.empty()) return false;
  std::string text = "The arguments do not match the tool's schema.";
  for (const std::string& problem : problems) text += '\n' + problem;
  AnswerToolError(server_, call.id, std::move(text));
  return true;
}

// Channels have no headers, and in the handshake era none of these.
Result<void> ToolChecks::CheckHeaders(const Call& call, const ToolCheck& check) const {
  const auto* http = std::get_if<event::HttpRequested>(server_.event);
  if (http == nullptr || call.era() != Era::kStateless) return {};
  const Json none;
  const Json* arguments = Find(call.params, "arguments");
  return CheckParamHeaders(check.marked, arguments != nullptr ? *arguments : none, http->request);
}

void ToolChecks::HandleAnswer(const Running&) { MCPS_CHECK(false); }  // it has no handlers

}  // namespace mcp_session

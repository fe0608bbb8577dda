#include "mcp_session/server/tools.h"

#include <algorithm>
#include <utility>

#include "mcp_session/json/access.h"
#include "mcp_session/json/write.h"
#include "mcp_session/server/listing.h"

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

void AppendInWords(Millis time, std::string* out) {
  std::int64_t count = time.count / 1000;
  const char* unit = " second";
  if (count >= 172'800 && count % 86'400 == 0) {
    count /= 86'400;
    unit = " day";
  } else if (count >= 3'600 && count % 3'600 == 0) {
    count /= 3'600;
    unit = " hour";
  } else if (count >= 60 && count % 60 == 0) {
    count /= 60;
    unit = " minute";
  }
  AppendInteger(count, out);
  *out += unit;
  if (count != 1) *out += 's';
}

// What a model has to know of the handle that a tool makes (spec S-24).
void AppendRetentionRule(const StateUse& use, std::string* out) {
  *out += "Returns a handle (";
  *out += use.handle_kind;
  *out += "_...) that later calls take.";
  if (use.lifetime.idle_ttl) {
    *out += " It ends when unused for ";
    AppendInWords(*use.lifetime.idle_ttl, out);
    if (use.lifetime.max_life) {
      *out += ", after ";
      AppendInWords(*use.lifetime.max_life, out);
      *out += " at the latest";
    }
    *out += '.';
  } else if (use.lifetime.max_life) {
    *out += " It ends after ";
    AppendInWords(*use.lifetime.max_life, out);
    *out += '.';
  }
  *out += " For anonymous callers without a session it ends after ";
  AppendInWords(use.anonymous_ttl, out);
  *out += '.';
}

const char* WhyNoTool(const Tool& tool) {
  using Kind = StateUse::Kind;
  if (!IsToolName(tool.name)) return "a tool's name is 1 to 128 of A-Z a-z 0-9 _ . -";
  for (const Json* schema : {&tool.input_schema, &tool.output_schema}) {  // F-01, F-04
    const std::string* type = FindString(*schema, "type");
    if (!schema->is_null() && (type == nullptr || *type != "object")) {
      return "a schema's type is \"object\"";
    }
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

}  // namespace

Json DescribeTool(const Tool& tool) {
  Json described = EmptyObject();
  described["name"] = tool.name;
  if (!tool.title.empty()) described["title"] = tool.title;
  std::string description = tool.description;
  if (tool.state.kind == StateUse::Kind::kNewHandle) {
    if (!description.empty()) description += ' ';
    AppendRetentionRule(tool.state, &description);
  }
  if (!description.empty()) described["description"] = std::move(description);
  Json& schema = described["inputSchema"];
  schema = tool.input_schema;
  if (schema.is_null()) schema["type"] = "object";
  if (!tool.output_schema.is_null()) described["outputSchema"] = tool.output_schema;
  if (!tool.annotations.is_null()) described["annotations"] = tool.annotations;
  return described;
}

void AnswerToolError(McpServer::State& server, CallId id, std::string text) {
  std::string members = "\"content\":";
  if (!AppendJson(ToolResult::Error(std::move(text)).content, &members)) {
    return server.engine.Fail(id, ErrorCode::kInternal, "no JSON came of it", server.effects);
  }
  members += ",\"isError\":true";
  server.engine.Answer(id, members, {}, server.effects);
}

Result<void> McpServer::RegisterPlain(Tool tool, ToolHandler handler) {
  const Json described = DescribeTool(tool);
  return state_->Register<Tools>(std::move(tool), std::move(handler), described);
}

Result<void> Tools::Register(Tool tool, ToolHandler handler, const Json& described,
                             std::shared_ptr<const CompiledSchema> output) {
  if (const char* why = WhyNoTool(tool)) return Refuse(why);
  if (FindTool(tool.name)) return Refuse("a tool of this name is registered");
  std::string text;
  if (!AppendJson(described, &text)) return Refuse("the tool's texts are not UTF-8");
  listed_.push_back(std::move(text));
  tools_.push_back(std::make_shared<const RegisteredTool>(
      RegisteredTool{std::move(tool), std::move(handler), std::move(output)}));
  return {};
}

bool Tools::Remove(std::string_view name) {
  const auto is_it = [name](const auto& tool) { return tool->tool.name == name; };
  return RemoveListed(is_it, &tools_, &listed_);
}

std::shared_ptr<const RegisteredTool> Tools::FindTool(std::string_view name) const {
  for (const auto& tool : tools_) {
    if (tool->tool.name == name) return tool;
  }
  return nullptr;
}

bool Tools::HandleCall(Call& call) {
  if (call.method == "tools/call") {
    Start(std::move(call));
  } else if (call.method == "tools/list") {
    ListTools(call);
  } else {
    return false;
  }
  return true;
}

void Tools::ListTools(const Call& call) {
  if (Find(call.params, "cursor") != nullptr) {  // there is one page; nobody was given a cursor
    return server_.engine.Fail(call.id, ErrorCode::kInvalidParams, "unknown cursor",
                               server_.effects);
  }
  std::string members = "\"tools\":[";
  for (std::size_t i = 0; i < listed_.size(); ++i) {
    if (i != 0) members += ',';
    members += listed_[i];
  }
  members += ']';
  if (call.era() == Era::kStateless) members += ",\"ttlMs\":60000,\"cacheScope\":\"public\"";
  server_.engine.Answer(call.id, members, {}, server_.effects);
}

}  // namespace mcp_session

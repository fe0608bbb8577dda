#include "mcp_session/server/client_capabilities.h"

#include <string>
#include <utility>

#include "mcp_session/base/check.h"
#include "mcp_session/json/access.h"
#include "mcp_session/json/parse.h"
#include "mcp_session/json/write.h"
#include "mcp_session/protocol/classify.h"
#include "mcp_session/server/server_state.h"
#include "mcp_session/server/tools.h"
#include "mcp_session/session/session_record.h"

namespace mcp_session {
namespace {

constexpr std::string_view kElicitation = "elicitation";

bool Covers(const Json& declared, const Json& required) {
  const auto* members = required.get_ptr<const Json::object_t*>();
  if (members == nullptr) return declared == required;
  if (!declared.is_object()) return false;
  for (const auto& [name, value] : *members) {
    const Json* found = Find(declared, name);
    if (found == nullptr || !Covers(*found, value)) return false;
  }
  return true;
}

Json WithModes(Json capabilities) {
  Json* elicitation = Find(capabilities, kElicitation);
  if (elicitation != nullptr && elicitation->is_object() && elicitation->empty()) {
    (*elicitation)["form"] = EmptyObject();
  }
  return capabilities;
}

}  // namespace

Json ClientCapabilities(const Call& call) {
  const Json* declared = nullptr;
  Json client;
  if (call.era() == Era::kStateless) {
    const Json* meta = FindObject(call.params, "_meta");
    if (meta != nullptr) declared = FindObject(*meta, kMetaClientCapabilities);
  } else if (call.record != nullptr) {
    const std::string_view text = ClientOf(*call.record);
    Limits limits;  // it was parsed before it became part of the record
    limits.max_message_bytes = limits.max_json_values = text.size();
    Result<Json> parsed = ParseJson(text, limits);
    if (parsed) client = std::move(*parsed);
    declared = FindObject(client, "capabilities");
  }
  return declared != nullptr ? *declared : EmptyObject();
}

bool HasCapabilities(const Json& declared, const Json& required) {
  return Covers(WithModes(declared), WithModes(required));
}

// The number for it belongs to the stateless era (S-07); in the other it is for the model to read.
void RefuseForCapabilities(McpServer::State& server, const Call& call, const Json& required) {
  const bool tool = call.method == "tools/call";
  if (call.era() == Era::kStateless) {
    RpcError error;
    error.code = JsonRpcNumber(ErrorCode::kMissingCapability);
    error.message = tool ? "the client did not declare what this tool needs"
                         : "the client did not declare what this needs";
    error.data = EmptyObject();
    (*error.data)["requiredCapabilities"] = required;
    return server.engine.Fail(call.id, error, HttpStatus(ErrorCode::kMissingCapability),
                              server.effects);
  }
  if (!tool) {
    return server.engine.Fail(call.id, ErrorCode::kInvalidRequest,
                              "the client did not declare what this needs", server.effects);
  }
  std::string text = "This tool needs a client that can do more: ";
  const bool valid = AppendJson(required, &text);
  MCPS_CHECK(valid);
  AnswerToolError(server, call.id, std::move(text));
}

Json HandlerCall::client_capabilities() const { return ClientCapabilities(state_->call); }

}  // namespace mcp_session

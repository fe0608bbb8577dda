#include "mcp_session/server/client_capabilities.h"

#include <string>
#include <utility>

#include "mcp_session/json/access.h"
#include "mcp_session/json/parse.h"
#include "mcp_session/protocol/classify.h"
#include "mcp_session/server/feature.h"
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

Json HandlerCall::client_capabilities() const { return ClientCapabilities(state_->call); }

}  // namespace mcp_session

#include "mcp_session/client/form.h"

#include <string>
#include <utility>

#include "mcp_session/json/access.h"

namespace mcp_session {
namespace {

Json Acting(const char* action) {
  Json result = EmptyObject();
  result["action"] = std::string(action);
  return result;
}

}  // namespace

Json AcceptForm(const Json& params, Json content) {
  if (!content.is_object()) content = EmptyObject();
  const Json* schema = FindObject(params, "requestedSchema");
  const Json* properties = schema ? FindObject(*schema, "properties") : nullptr;
  if (properties != nullptr) {
    for (const auto& [name, property] : *properties->get_ptr<const Json::object_t*>()) {
      const Json* usual = Find(property, "default");
      if (usual != nullptr && Find(content, name) == nullptr) content[name] = *usual;
    }
  }
  Json result = Acting("accept");
  result["content"] = std::move(content);
  return result;
}

Json DeclineForm() { return Acting("decline"); }
Json CancelForm() { return Acting("cancel"); }

}  // namespace mcp_session

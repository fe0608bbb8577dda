#include "mcp_session/client/tool_catalog.h"

#include <algorithm>
#include <optional>

#include "mcp_session/json/access.h"
#include "mcp_session/json/write.h"
#include "mcp_session/protocol/http.h"

namespace mcp_session {
namespace {

bool MayBeRepeated(const Json& tool) {
  const Json* hints = FindObject(tool, "annotations");
  return hints != nullptr &&
         (FindBool(*hints, "readOnlyHint") == true || FindBool(*hints, "idempotentHint") == true);
}

// As it goes into a header; nullopt for what no header is made of.
std::optional<std::string> HeaderText(const Json& value) {
  if (const std::string* text = AsString(value)) return EncodeHeaderValue(*text);
  if (value.is_boolean()) return value == Json(true) ? "true" : "false";
  const auto number = AsInteger(value);
  if (!number) return std::nullopt;
  std::string text;
  AppendInteger(*number, &text);
  return text;
}

}  // namespace

void ToolCatalog::Forget() {
  entries_.clear();
  dropped_.clear();
}

void ToolCatalog::Learn(Json* tools, bool over_http) {
  Forget();
  auto& all = *tools->get_ptr<Json::array_t*>();
  for (std::size_t i = 0; i < all.size();) {
    const std::string name = StringOrEmpty(all[i], "name");
    Entry entry{name, MayBeRepeated(all[i]), {}};
    const Json* schema = FindObject(all[i], "inputSchema");
    if (over_http && schema != nullptr) {
      auto marked = FindMarkedArguments(*schema);
      if (!marked) {
        dropped_.push_back({name, std::move(marked.error().message)});
        all.erase(all.begin() + static_cast<std::ptrdiff_t>(i));
        continue;
      }
      entry.marked = std::move(*marked);
    }
    if (entry.repeatable || !entry.marked.empty()) entries_.push_back(std::move(entry));
    ++i;
  }
  std::sort(entries_.begin(), entries_.end(),
            [](const Entry& a, const Entry& b) { return a.name < b.name; });
}

const ToolCatalog::Entry* ToolCatalog::Find(std::string_view tool) const {
  const auto found =
      std::lower_bound(entries_.begin(), entries_.end(), tool,
                       [](const Entry& entry, std::string_view name) { return entry.name < name; });
  return found != entries_.end() && found->name == tool ? &*found : nullptr;
}

bool ToolCatalog::IsRepeatable(std::string_view tool) const {
  const Entry* entry = Find(tool);
  return entry != nullptr && entry->repeatable;
}

std::vector<std::pair<std::string, std::string>> ToolCatalog::HeadersOf(
    std::string_view tool, const Json& arguments) const {
  std::vector<std::pair<std::string, std::string>> headers;
  const Entry* entry = Find(tool);
  if (entry == nullptr) return headers;
  for (const MarkedArgument& marked : entry->marked) {
    const Json* value = FindMarked(arguments, marked);
    auto text = value ? HeaderText(*value) : std::nullopt;
    if (text) headers.emplace_back("Mcp-Param-" + marked.header, std::move(*text));
  }
  return headers;
}

}  // namespace mcp_session

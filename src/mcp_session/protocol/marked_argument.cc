#include "mcp_session/protocol/marked_argument.h"

#include <cstdint>
#include <string_view>

#include "mcp_session/json/access.h"
#include "mcp_session/protocol/http.h"

namespace mcp_session {
namespace {

constexpr std::string_view kMark = "x-mcp-header";

// Keywords whose members are named by the schema's author, and those whose value is no schema.
bool HoldsNames(std::string_view keyword) {
  return keyword == "properties" || keyword == "patternProperties" || keyword == "$defs" ||
         keyword == "definitions" || keyword == "dependentSchemas";
}
bool HoldsData(std::string_view keyword) {
  return keyword == "default" || keyword == "const" || keyword == "enum" || keyword == "examples";
}

enum class Look : std::uint8_t {
  kHere,      // at a schema and all below
  kRoot,      // at a schema but for its properties
  kBelow,     // the same, and its own mark is where it may be
  kAtValues,  // at the members of an object, whatever their names
};

// Whether there is a mark that `properties` alone do not lead to. Nesting is bounded by ParseJson.
bool HasStray(const Json& value, Look look) {
  if (const auto* items = value.get_ptr<const Json::array_t*>()) {
    for (const Json& item : *items) {
      if (HasStray(item, Look::kHere)) return true;
    }
    return false;
  }
  const auto* members = value.get_ptr<const Json::object_t*>();
  if (members == nullptr) return false;
  for (const auto& [name, member] : *members) {
    if (look == Look::kAtValues) {
      if (HasStray(member, Look::kHere)) return true;
      continue;
    }
    if (name == kMark && look != Look::kBelow) return true;
    if (name == kMark || HoldsData(name)) continue;
    if (name == "properties" && look != Look::kHere) continue;
    if (HasStray(member, HoldsNames(name) ? Look::kAtValues : Look::kHere)) return true;
  }
  return false;
}

const char* WhyNoMark(const Json& property, const std::string* header,
                      const std::vector<MarkedArgument>& others) {
  if (header == nullptr || !IsHeaderName(*header)) return "x-mcp-header is no name of a header";
  const std::string* type = FindString(property, "type");
  if (type == nullptr || (*type != "string" && *type != "integer" && *type != "boolean")) {
    return "x-mcp-header is for a string, an integer or a boolean";
  }
  for (const MarkedArgument& other : others) {
    if (EqualIgnoringCase(other.header, *header)) return "x-mcp-header names a header twice";
  }
  return nullptr;
}

// Appends the marked properties of `schema`, which is at `path`; nullptr, or what is wrong.
const char* Collect(const Json& schema, std::vector<std::string>* path,
                    std::vector<MarkedArgument>* found) {
  if (HasStray(schema, path->empty() ? Look::kRoot : Look::kBelow)) {
    return "x-mcp-header is where no properties lead";
  }
  const Json* properties = FindObject(schema, "properties");
  if (properties == nullptr) return nullptr;
  for (const auto& [name, property] : *properties->get_ptr<const Json::object_t*>()) {
    path->push_back(name);
    if (const Json* mark = Find(property, "x-mcp-header")) {
      const std::string* header = AsString(*mark);
      if (const char* why = WhyNoMark(property, header, *found)) return why;
      found->push_back({*path, *header});
    }
    if (const char* why = Collect(property, path, found)) return why;
    path->pop_back();
  }
  return nullptr;
}

}  // namespace

Result<std::vector<MarkedArgument>> FindMarkedArguments(const Json& input_schema) {
  std::vector<MarkedArgument> found;
  std::vector<std::string> path;
  if (const char* why = Collect(input_schema, &path, &found)) {
    return Failure(ErrorCode::kInvalidArgument, Blame::kCaller, why);
  }
  return found;
}

const Json* FindMarked(const Json& arguments, const MarkedArgument& marked) {
  const Json* value = &arguments;
  for (const std::string& name : marked.path) {
    value = Find(*value, name);
    if (value == nullptr || value->is_null()) return nullptr;
  }
  return value;
}

}  // namespace mcp_session

#include "mcp_session/server/param_headers.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "mcp_session/json/access.h"
#include "mcp_session/json/parse.h"

namespace mcp_session {
namespace {

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

// Null if it is absent or null.
const Json* FindArgument(const Json& arguments, const std::vector<std::string>& path) {
  const Json* value = &arguments;
  for (const std::string& name : path) {
    value = Find(*value, name);
    if (value == nullptr || value->is_null()) return nullptr;
  }
  return value;
}

bool Says(const std::string& text, const Json& value) {
  if (const std::string* expected = AsString(value)) return text == *expected;
  if (value.is_boolean()) return text == (value == Json(true) ? "true" : "false");
  const auto expected = AsInteger(value);
  if (!expected) return false;
  const Result<Json> number = ParseJson(text);
  return number && AsInteger(*number) == expected;
}

// nullptr, or what is wrong with the header.
const char* WhyNoMatch(const std::string& header, const Json* value, const HttpRequest& http) {
  bool sent = false;
  for (const auto& [name, text] : http.params()) {
    if (!EqualIgnoringCase(name, header)) continue;
    sent = true;
    const Result<std::string> decoded = DecodeHeaderValue(text);
    if (!decoded) return " is malformed";
    if (value == nullptr || !Says(*decoded, *value)) return " differs from the body";
  }
  return sent || value == nullptr ? nullptr : " is missing";
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

Result<void> CheckParamHeaders(const std::vector<MarkedArgument>& marked, const Json& arguments,
                               const HttpRequest& http) {
  for (const MarkedArgument& argument : marked) {
    const Json* value = FindArgument(arguments, argument.path);
    if (const char* why = WhyNoMatch(argument.header, value, http)) {
      return Failure(ErrorCode::kHeaderMismatch, Blame::kPeer,
                     "Mcp-Param-" + argument.header + why);
    }
  }
  return {};
}

}  // namespace mcp_session

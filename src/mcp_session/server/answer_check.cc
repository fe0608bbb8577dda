#include "mcp_session/server/answer_check.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "mcp_session/json/access.h"

namespace mcp_session {
namespace {

using Kind = Question::Kind;

// Code points; the text is UTF-8, as ParseJson has checked.
std::int64_t LengthOf(const std::string& text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

// Whether `size` is within the two bounds of `schema`, where there are any.
bool IsWithin(double size, const Json& schema, const char* least, const char* most) {
  const auto minimum = FindNumber(schema, least);
  const auto maximum = FindNumber(schema, most);
  return (!minimum || size >= *minimum) && (!maximum || size <= *maximum);
}

// Whether `value` is in the enum, oneOf or anyOf of `schema`; true if it has none.
bool IsOneOf(const Json& value, const Json& schema) {
  if (const Json* values = FindArray(schema, "enum")) {
    return std::find(values->begin(), values->end(), value) != values->end();
  }
  const Json* titled = FindArray(schema, "oneOf");
  if (titled == nullptr) titled = FindArray(schema, "anyOf");
  if (titled == nullptr) return true;
  return std::any_of(titled->begin(), titled->end(), [&](const Json& one) {
    const Json* constant = Find(one, "const");
    return constant != nullptr && *constant == value;
  });
}

// Whether `schema` admits the member `name` of `content`, which is `value`.
bool Admits(const Json& schema, const Json& content, std::string_view name, const Json& value) {
  const std::string type = StringOrEmpty(schema, "type");
  if (type == "string") {
    const std::string* text = AsString(value);
    return text != nullptr && IsOneOf(value, schema) &&
           IsWithin(static_cast<double>(LengthOf(*text)), schema, "minLength", "maxLength");
  }
  if (type == "boolean") return value.is_boolean();
  if (type == "array") {
    const Json* items = Find(schema, "items");
    return value.is_array() && items != nullptr &&
           IsWithin(static_cast<double>(value.size()), schema, "minItems", "maxItems") &&
           std::all_of(value.begin(), value.end(),
                       [&](const Json& item) { return item.is_string() && IsOneOf(item, *items); });
  }
  const auto number = FindNumber(content, name);
  if (!number || (type == "integer" && !AsInteger(value))) return false;
  return IsWithin(*number, schema, "minimum", "maximum");
}

// The fields of an accepted form; null if they are not what was asked for.
Json CheckedFields(const Json& schema, const Json* content) {
  Json fields = EmptyObject();
  const Json* properties = FindObject(schema, "properties");
  if (content == nullptr || properties == nullptr) return nullptr;
  for (const auto& [name, property] : *properties->get_ptr<const Json::object_t*>()) {
    const Json* value = Find(*content, name);
    if (value == nullptr) continue;
    if (!Admits(property, *content, name, *value)) return nullptr;
    fields[name] = *value;
  }
  if (const Json* required = FindArray(schema, "required")) {
    for (const Json& name : *required) {
      if (Find(fields, *AsString(name)) == nullptr) return nullptr;
    }
  }
  return fields;
}

Json CheckedElicitation(const Question& question, const Json& answer) {
  const std::string action = StringOrEmpty(answer, "action");
  if (action != "accept" && action != "decline" && action != "cancel") return nullptr;
  Json checked = EmptyObject();
  checked["action"] = action;
  if (question.kind == Kind::kUrl || action != "accept") return checked;
  Json fields =
      CheckedFields(*Find(question.params, "requestedSchema"), FindObject(answer, "content"));
  if (fields.is_null()) return nullptr;
  checked["content"] = std::move(fields);
  return checked;
}

bool IsContent(const Json& block) { return FindString(block, "type") != nullptr; }

Json CheckedSampling(const Json& answer) {
  const std::string role = StringOrEmpty(answer, "role");
  const Json* content = Find(answer, "content");
  const std::string* model = FindString(answer, "model");
  if ((role != "assistant" && role != "user") || content == nullptr || model == nullptr) {
    return nullptr;
  }
  const bool valid = content->is_array() ? std::all_of(content->begin(), content->end(), IsContent)
                                         : IsContent(*content);
  if (!valid) return nullptr;
  Json checked = EmptyObject();
  checked["role"] = role;
  checked["content"] = *content;
  checked["model"] = *model;
  if (const std::string* reason = FindString(answer, "stopReason")) checked["stopReason"] = *reason;
  return checked;
}

Json CheckedRoots(const Json& answer) {
  const Json* roots = FindArray(answer, "roots");
  if (roots == nullptr) return nullptr;
  Json checked = EmptyObject();
  Json& list = checked["roots"] = EmptyArray();
  for (const Json& root : *roots) {
    const std::string uri = StringOrEmpty(root, "uri");
    if (uri.rfind("file://", 0) != 0) return nullptr;
    Json one = EmptyObject();
    one["uri"] = uri;
    if (const std::string* name = FindString(root, "name")) one["name"] = *name;
    list.push_back(std::move(one));
  }
  return checked;
}

}  // namespace

std::string_view MethodOf(const Question& question) {
  if (question.kind == Kind::kSampling) return "sampling/createMessage";
  return question.kind == Kind::kRoots ? "roots/list" : "elicitation/create";
}

Json CapabilitiesFor(const Question& question) {
  Json needed = EmptyObject();
  if (question.kind == Kind::kForm) {
    needed["elicitation"]["form"] = EmptyObject();
  } else if (question.kind == Kind::kUrl) {
    needed["elicitation"]["url"] = EmptyObject();
  } else if (question.kind == Kind::kRoots) {
    needed["roots"] = EmptyObject();
  } else {
    Json& sampling = needed["sampling"] = EmptyObject();
    const bool has_tools =
        Find(question.params, "tools") != nullptr || Find(question.params, "toolChoice") != nullptr;
    if (has_tools) sampling["tools"] = EmptyObject();
    const std::string context = StringOrEmpty(question.params, "includeContext");
    if (!context.empty() && context != "none") sampling["context"] = EmptyObject();
  }
  return needed;
}

Json CheckedAnswer(const Question& question, const Json& answer) {
  if (!answer.is_object()) return nullptr;
  if (question.kind == Kind::kSampling) return CheckedSampling(answer);
  if (question.kind == Kind::kRoots) return CheckedRoots(answer);
  return CheckedElicitation(question, answer);
}

}  // namespace mcp_session

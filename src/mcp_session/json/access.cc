#include "mcp_session/json/access.h"

#include <utility>

namespace mcp_session {

const Json* Find(const Json& object, std::string_view name) {
  const auto* members = object.get_ptr<const Json::object_t*>();
  if (members == nullptr) return nullptr;
  for (const auto& member : *members) {
    if (member.first == name) return &member.second;
  }
  return nullptr;
}

Json* Find(Json& object, std::string_view name) {
  return const_cast<Json*>(Find(std::as_const(object), name));
}

const std::string* AsString(const Json& value) { return value.get_ptr<const std::string*>(); }

std::optional<std::int64_t> AsInteger(const Json& value) {
  if (const auto* u = value.get_ptr<const Json::number_unsigned_t*>()) {
    if (*u > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
    return static_cast<std::int64_t>(*u);
  }
  if (const auto* i = value.get_ptr<const Json::number_integer_t*>()) return *i;
  if (const auto* d = value.get_ptr<const Json::number_float_t*>()) {
    constexpr double kLimit = 9223372036854775808.0;  // 2^63
    if (*d >= -kLimit && *d < kLimit) {
      const auto whole = static_cast<std::int64_t>(*d);
      if (static_cast<double>(whole) == *d) return whole;
    }
  }
  return std::nullopt;
}

const std::string* FindString(const Json& object, std::string_view name) {
  const Json* member = Find(object, name);
  return member ? AsString(*member) : nullptr;
}

std::string StringOrEmpty(const Json& object, std::string_view name) {
  const std::string* text = FindString(object, name);
  return text ? *text : std::string();
}

const Json* FindObject(const Json& object, std::string_view name) {
  const Json* member = Find(object, name);
  return member && member->is_object() ? member : nullptr;
}

const Json* FindArray(const Json& object, std::string_view name) {
  const Json* member = Find(object, name);
  return member && member->is_array() ? member : nullptr;
}

std::optional<bool> FindBool(const Json& object, std::string_view name) {
  const Json* member = Find(object, name);
  const bool* value = member ? member->get_ptr<const Json::boolean_t*>() : nullptr;
  return value ? std::optional<bool>(*value) : std::nullopt;
}

std::optional<std::int64_t> FindInteger(const Json& object, std::string_view name) {
  const Json* member = Find(object, name);
  return member ? AsInteger(*member) : std::nullopt;
}

std::optional<double> FindNumber(const Json& object, std::string_view name) {
  const Json* member = Find(object, name);
  if (member == nullptr) return std::nullopt;
  if (const auto* d = member->get_ptr<const Json::number_float_t*>()) return *d;
  if (const auto* u = member->get_ptr<const Json::number_unsigned_t*>()) {
    return static_cast<double>(*u);
  }
  if (const auto* i = member->get_ptr<const Json::number_integer_t*>()) {
    return static_cast<double>(*i);
  }
  return std::nullopt;
}

Json Take(Json& object, std::string_view name) {
  Json* member = Find(object, name);
  return member ? std::exchange(*member, Json()) : Json();
}

}  // namespace mcp_session

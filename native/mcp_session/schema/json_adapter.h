// Json as valijson sees values: its own adapter for nlohmann's JSON is for another order of
// members, takes 1.0 for no integer, and lets a value cost any time. Private to this folder.
#ifndef MCP_SESSION_SCHEMA_JSON_ADAPTER_H_
#define MCP_SESSION_SCHEMA_JSON_ADAPTER_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <valijson/internal/adapter.hpp>
#include <valijson/internal/basic_adapter.hpp>
#include <valijson/internal/frozen_value.hpp>

#include "mcp_session/json/json.h"

namespace mcp_session {

// What may still be spent on looks at values: each costs as much as valijson's copy of the path is
// long. The one that is one too many throws OutOfSteps.
struct OutOfSteps {};
struct Steps {
  std::int64_t left = 0;
};

class JsonAdapter;
class JsonElements;
class JsonMembers;

// A value and the steps that looks at it use up; null: they cost nothing.
class JsonRef {
 public:
  JsonRef() : JsonRef(Nothing(), nullptr) {}
  JsonRef(const Json& value, Steps* steps, std::size_t depth = 0)
      : value_(&value), steps_(steps), depth_(depth) {
    Pay(1 + depth);
  }

  const Json& operator*() const { return *value_; }
  const Json* operator->() const { return value_; }
  JsonRef Part(const Json& part) const { return JsonRef(part, steps_, depth_ + 1); }

  void Pay(std::size_t steps) const {
    if (steps_ == nullptr) return;
    steps_->left -= static_cast<std::int64_t>(steps);
    if (steps_->left < 0) throw OutOfSteps{};
  }

 private:
  static const Json& Nothing() {
    static const Json nothing = EmptyObject();
    return nothing;
  }

  const Json* value_;
  Steps* steps_;
  std::size_t depth_;
};

class JsonArray {
 public:
  using const_iterator = JsonElements;
  using iterator = JsonElements;

  JsonArray() = default;
  explicit JsonArray(JsonRef array) : array_(array) {}

  JsonElements begin() const;
  JsonElements end() const;
  std::size_t size() const { return array_->is_array() ? array_->size() : 0; }

 private:
  JsonRef array_;
};

class JsonObject {
 public:
  using const_iterator = JsonMembers;
  using iterator = JsonMembers;

  JsonObject() = default;
  explicit JsonObject(JsonRef object) : object_(object) {}

  JsonMembers begin() const;
  JsonMembers end() const;
  JsonMembers find(const std::string& name) const;
  std::size_t size() const { return object_->size(); }

 private:
  JsonRef object_;
};

class JsonFrozen final : public valijson::adapters::FrozenValue {
 public:
  explicit JsonFrozen(Json value) : value_(std::move(value)) {}
  FrozenValue* clone() const override { return new JsonFrozen(value_); }
  bool equalTo(const valijson::adapters::Adapter& other, bool strict) const override;

 private:
  Json value_;
};

class JsonValue {
 public:
  JsonValue() = default;
  explicit JsonValue(JsonRef value) : value_(value) {}

  static bool hasStrictTypes() { return true; }
  valijson::adapters::FrozenValue* freeze() const { return new JsonFrozen(*value_); }

  opt::optional<JsonArray> getArrayOptional() const {
    return isArray() ? opt::make_optional(JsonArray(value_)) : opt::optional<JsonArray>();
  }
  opt::optional<JsonObject> getObjectOptional() const {
    return isObject() ? opt::make_optional(JsonObject(value_)) : opt::optional<JsonObject>();
  }
  bool getArraySize(std::size_t& result) const {
    if (isArray()) result = value_->size();
    return isArray();
  }
  bool getObjectSize(std::size_t& result) const {
    if (isObject()) result = value_->size();
    return isObject();
  }
  bool getBool(bool& result) const {
    if (isBool()) result = value_->get<bool>();
    return isBool();
  }
  bool getDouble(double& result) const {
    if (isDouble()) result = value_->get<double>();
    return isDouble();
  }
  bool getInteger(std::int64_t& result) const {
    if (isInteger()) result = value_->get<std::int64_t>();
    return isInteger();
  }
  bool getString(std::string& result) const {
    if (!isString()) return false;
    result = value_->get_ref<const std::string&>();
    value_.Pay(result.size() / 64);
    return true;
  }

  bool isArray() const { return value_->is_array(); }
  bool isBool() const { return value_->is_boolean(); }
  bool isNull() const { return value_->is_null(); }
  bool isNumber() const { return value_->is_number(); }
  bool isObject() const { return value_->is_object(); }
  bool isString() const { return value_->is_string(); }
  // 1.0 is an integer since draft 6; what 64 bits do not hold is told apart as a double.
  bool isInteger() const {
    if (value_->is_number_unsigned()) return value_->get<std::uint64_t>() <= INT64_MAX;
    if (!value_->is_number_float()) return value_->is_number_integer();
    const double number = value_->get<double>();
    return std::trunc(number) == number && std::fabs(number) <= 9'007'199'254'740'992.0;
  }
  bool isDouble() const { return value_->is_number() && !isInteger(); }

 private:
  JsonRef value_;
};

class JsonAdapter final
    : public valijson::adapters::BasicAdapter<
          JsonAdapter, JsonArray, std::pair<std::string, JsonAdapter>, JsonObject, JsonValue> {
 public:
  explicit JsonAdapter(JsonRef value) : BasicAdapter(JsonValue(value)) {}
  // What valijson makes of a document that it fetched, which it never does here.
  explicit JsonAdapter(const Json& value) : JsonAdapter(JsonRef(value, nullptr)) {}
};

// What both iterators have in common.
template <typename Iterator, typename Value>
class JsonIterator {
 public:
  using iterator_category = std::bidirectional_iterator_tag;
  using value_type = Value;
  using difference_type = std::ptrdiff_t;
  using pointer = Value*;
  using reference = Value&;

  JsonIterator(JsonRef of, Json::const_iterator at) : of_(of), at_(at) {}

  valijson::adapters::DerefProxy<Value> operator->() const {
    return valijson::adapters::DerefProxy<Value>(*static_cast<const Iterator&>(*this));
  }
  bool operator==(const Iterator& other) const { return at_ == other.at_; }
  bool operator!=(const Iterator& other) const { return at_ != other.at_; }
  Iterator& operator++() {
    ++at_;
    return static_cast<Iterator&>(*this);
  }
  Iterator& operator--() {
    --at_;
    return static_cast<Iterator&>(*this);
  }
  Iterator operator++(int) {
    const Iterator before = static_cast<const Iterator&>(*this);
    ++at_;
    return before;
  }

 protected:
  JsonRef of_;
  Json::const_iterator at_;
};

class JsonElements : public JsonIterator<JsonElements, JsonAdapter> {
 public:
  using JsonIterator::JsonIterator;
  JsonAdapter operator*() const { return JsonAdapter(of_.Part(*at_)); }
  void advance(std::ptrdiff_t n) { at_ += n; }
};

class JsonMembers : public JsonIterator<JsonMembers, std::pair<std::string, JsonAdapter>> {
 public:
  using JsonIterator::JsonIterator;
  std::pair<std::string, JsonAdapter> operator*() const {
    of_.Pay(at_.key().size() / 64);
    return {at_.key(), JsonAdapter(of_.Part(at_.value()))};
  }
};

inline JsonElements JsonArray::begin() const { return {array_, array_->cbegin()}; }
inline JsonElements JsonArray::end() const { return {array_, array_->cend()}; }
inline JsonMembers JsonObject::begin() const { return {object_, object_->cbegin()}; }
inline JsonMembers JsonObject::end() const { return {object_, object_->cend()}; }
inline JsonMembers JsonObject::find(const std::string& name) const {
  object_.Pay(object_->size() / 8);  // one after the other
  return {object_, object_->find(name)};
}

inline bool JsonFrozen::equalTo(const valijson::adapters::Adapter& other, bool strict) const {
  return JsonAdapter(value_).equalTo(other, strict);
}

}  // namespace mcp_session

namespace valijson::adapters {
template <>
struct AdapterTraits<mcp_session::JsonAdapter> {
  using DocumentType = mcp_session::Json;
  static std::string adapterName() { return "JsonAdapter"; }
};
}  // namespace valijson::adapters

#endif  // MCP_SESSION_SCHEMA_JSON_ADAPTER_H_

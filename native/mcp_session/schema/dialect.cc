#include "mcp_session/schema/dialect.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "mcp_session/json/access.h"
#include "mcp_session/schema/own_rules.h"

namespace mcp_session {
namespace {

constexpr std::size_t kMaxDepth = 64;

template <std::size_t N>
bool IsOneOf(std::string_view name, const std::array<std::string_view, N>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool IsKnownDialect(std::string_view uri) {  // J-14
  if (!uri.empty() && uri.back() == '#') uri.remove_suffix(1);
  constexpr std::array<std::string_view, 6> kDialects = {
      "https://json-schema.org/draft/2020-12/schema",
      "https://json-schema.org/draft/2019-09/schema",
      "http://json-schema.org/draft-07/schema",
      "https://json-schema.org/draft-07/schema",
      "http://json-schema.org/draft-06/schema",
      "https://json-schema.org/draft-06/schema"};
  return IsOneOf(uri, kDialects);
}

// Keywords with one schema, with a list of them, and with schemas by name. The first group of each
// looks at the same value as the schema around it, the second at a part of it.
constexpr std::array<std::string_view, 4> kSameValue = {"not", "if", "then", "else"};
constexpr std::array<std::string_view, 5> kPart = {
    "items", "additionalItems", "additionalProperties", "contains", "propertyNames"};
constexpr std::array<std::string_view, 3> kSameValueLists = {"allOf", "anyOf", "oneOf"};
constexpr std::array<std::string_view, 2> kPartLists = {"items", "prefixItems"};
constexpr std::array<std::string_view, 5> kMaps = {"properties", "$defs", "definitions",
                                                   "dependentSchemas", "dependencies"};
// Values that only look like schemas.
constexpr std::array<std::string_view, 4> kValues = {"const", "enum", "default", "examples"};
// Taken as they are.
constexpr std::array<std::string_view, 12> kPlain = {
    "type",     "enum",     "const",         "minimum",       "maximum",     "exclusiveMinimum",
    "minItems", "maxItems", "minProperties", "maxProperties", "uniqueItems", "exclusiveMaximum"};

class Translation {
 public:
  explicit Translation(const Json& root) : root_(root) {}

  Result<Json> Run() {
    Result<Json> translated = Schema(root_, kMaxDepth);
    if (!translated) return translated;
    if (auto followed = FollowFrom(root_); !followed) return tl::make_unexpected(followed.error());
    return translated;
  }

 private:
  static tl::unexpected<Error> Refuse(std::string why) {
    return Failure(ErrorCode::kInvalidArgument, Blame::kCaller, "the schema: " + std::move(why));
  }

  Result<Json> Schema(const Json& schema, std::size_t levels) {
    if (schema.is_boolean()) return schema;
    const auto* members = schema.get_ptr<const Json::object_t*>();
    if (members == nullptr) return Refuse("a schema is an object or a boolean");
    if (levels == 0) return Refuse("it is nested too deep");
    Json out = EmptyObject();
    for (const auto& [name, value] : *members) {
      const Result<void> taken = Member(name, value, levels - 1, &out);
      if (!taken) return tl::make_unexpected(taken.error());
    }
    return Arrange(schema, std::move(out));
  }

  Result<void> Member(const std::string& name, const Json& value, std::size_t levels, Json* out) {
    const auto keep = [&](Result<Json> translated) -> Result<void> {
      if (!translated) return tl::make_unexpected(translated.error());
      (*out)[name] = std::move(*translated);
      return {};
    };
    if (name == "$schema") {
      const std::string* uri = AsString(value);
      if (uri == nullptr || !IsKnownDialect(*uri)) return Refuse("its $schema is not known");
      return {};
    }
    if (name == "$ref") return keep(Reference(value));
    if (name == "patternProperties" || name == "$dynamicRef" || name == "$recursiveRef") {
      return Refuse(name + " cannot be checked");
    }
    if (value.is_array() && (IsOneOf(name, kSameValueLists) || IsOneOf(name, kPartLists))) {
      return keep(List(value, levels));
    }
    if (IsOneOf(name, kSameValue) || IsOneOf(name, kPart)) return keep(Schema(value, levels));
    if (IsOneOf(name, kMaps)) return keep(Map(value, levels));
    if (IsOneOf(name, kPlain)) {
      (*out)[name] = value;
    } else if (IsOwnRule(name)) {
      (*out)[OwnRuleName(name)] = value;
    } else if (name == "required" && !(value.is_array() && value.empty())) {
      (*out)[name] = value;
    }
    return {};  // the rest says nothing that is checked
  }

  // Keywords that work together, or are called otherwise in draft 7.
  static Result<Json> Arrange(const Json& schema, Json out) {
    if (const Json* reference = Find(out, "$ref"); reference != nullptr && out.size() > 1) {
      Json wrapped = EmptyObject();  // draft 7 would not look at its siblings
      wrapped["$ref"] = *reference;
      Json::array_t all;
      if (Json* others = Find(out, "allOf")) all = std::move(*others->get_ptr<Json::array_t*>());
      all.push_back(std::move(wrapped));
      out["allOf"] = std::move(all);
      out.erase("$ref");
    }
    if (const Json* first = Find(out, "prefixItems")) {
      Json prefix = *first;
      if (const Json* rest = Find(out, "items")) {
        Json others = *rest;
        out["additionalItems"] = std::move(others);
      }
      out["items"] = std::move(prefix);
    }
    if (FindInteger(schema, "minContains") == 0) out.erase("contains");
    const Json* required = FindObject(schema, "dependentRequired");
    const Json* schemas = Find(out, "dependentSchemas");
    if (required != nullptr && schemas != nullptr) {
      return Refuse("dependentRequired and dependentSchemas cannot be checked together");
    }
    if (const Json* named = required != nullptr ? required : schemas) {
      Json dependencies = *named;
      out["dependencies"] = std::move(dependencies);
    }
    return out;
  }

  Result<Json> List(const Json& schemas, std::size_t levels) {
    Json out = EmptyArray();
    for (const Json& schema : schemas) {
      MCPS_TRY(Json translated, Schema(schema, levels));
      out.push_back(std::move(translated));
    }
    return out;
  }

  Result<Json> Map(const Json& schemas, std::size_t levels) {
    const auto* members = schemas.get_ptr<const Json::object_t*>();
    if (members == nullptr) return Refuse("subschemas that have names are in an object");
    Json out = EmptyObject();
    for (const auto& [name, schema] : *members) {
      if (schema.is_array()) {  // dependencies of draft 7 may be names
        out[name] = schema;
        continue;
      }
      MCPS_TRY(Json translated, Schema(schema, levels));
      out[name] = std::move(translated);
    }
    return out;
  }

  // As a pointer into this document.
  Result<Json> Reference(const Json& value) const {
    const std::string* text = AsString(value);
    if (text == nullptr) return Refuse("a $ref is a string");
    if (text->empty() || text->front() != '#') {
      return Refuse("a $ref must lead to somewhere in it; nothing is fetched");
    }
    if (*text == "#" || (*text)[1] == '/') return *text;
    std::string path = "#";
    if (FindAnchor(root_, text->substr(1), kMaxDepth, &path)) return path;
    return Refuse("a $ref leads to an $anchor that is not there");
  }

  // Whether `anchor` is somewhere in `value`, and then its way from there.
  static bool FindAnchor(const Json& value, const std::string& anchor, std::size_t levels,
                         std::string* path) {
    const auto* members = value.get_ptr<const Json::object_t*>();
    if (members == nullptr || levels == 0) return false;
    if (StringOrEmpty(value, "$anchor") == anchor) return true;
    for (const auto& [name, member] : *members) {
      const std::size_t before = path->size();
      *path += '/' + Escaped(name);
      if (FindAnchor(member, anchor, levels - 1, path)) return true;
      path->resize(before);
    }
    return false;
  }

  static std::string Escaped(const std::string& name) {  // RFC 6901, and % of a URI
    std::string out;
    for (const char c : name) {
      if (c == '~') {
        out += "~0";
      } else if (c == '/') {
        out += "~1";
      } else if (c == '%') {
        out += "%25";
      } else {
        out += c;
      }
    }
    return out;
  }

  // --- $ref in circles ---

  // Refuses what would be checked against the same value for ever.
  Result<void> FollowFrom(const Json& schema) {
    Result<void> followed = Follow(schema);
    if (const auto* members = schema.get_ptr<const Json::object_t*>()) {
      for (const auto& [name, member] : *members) {
        if (followed && !IsOneOf(name, kValues)) followed = FollowFrom(member);
      }
    } else if (const auto* elements = schema.get_ptr<const Json::array_t*>()) {
      for (const Json& element : *elements) {
        if (followed) followed = FollowFrom(element);
      }
    }
    return followed;
  }

  Result<void> Follow(const Json& schema) {
    if (!schema.is_object()) return {};
    const auto [at, first] = on_the_way_.try_emplace(&schema, true);
    if (!first) {
      return at->second ? Result<void>(Refuse("a $ref leads back to itself")) : Result<void>();
    }
    Result<void> followed;
    const auto follow = [&](const Json* next) {
      if (followed && next != nullptr) followed = Follow(*next);
    };
    const auto follow_all = [&](const Json* list) {
      if (list == nullptr) return;
      for (const Json& next : *list) follow(&next);
    };
    for (const std::string_view name : kSameValue) follow(Find(schema, name));
    for (const std::string_view name : kSameValueLists) follow_all(FindArray(schema, name));
    follow_all(FindObject(schema, "dependentSchemas"));
    follow_all(FindObject(schema, "dependencies"));
    if (FindString(schema, "$ref") != nullptr) {
      MCPS_TRY(const Json reference, Reference(*Find(schema, "$ref")));
      const Json* next = Resolve(*AsString(reference));
      if (next == nullptr) return Refuse("a $ref leads nowhere");
      follow(next);
    }
    if (!followed) return followed;
    on_the_way_[&schema] = false;
    return {};
  }

  const Json* Resolve(std::string_view pointer) const {
    const Json* at = &root_;
    pointer.remove_prefix(1);
    while (!pointer.empty()) {
      pointer.remove_prefix(1);
      const std::size_t end = std::min(pointer.find('/'), pointer.size());
      const std::string_view token = pointer.substr(0, end);
      pointer.remove_prefix(end);
      at = Step(*at, token);
      if (at == nullptr) return nullptr;
    }
    return at;
  }

  static const Json* Step(const Json& from, std::string_view token) {
    if (const auto* members = from.get_ptr<const Json::object_t*>()) {
      for (const auto& [name, member] : *members) {
        if (Escaped(name) == token) return &member;
      }
    } else if (const auto* elements = from.get_ptr<const Json::array_t*>()) {
      for (std::size_t i = 0; i < elements->size(); ++i) {
        if (std::to_string(i) == token) return &(*elements)[i];
      }
    }
    return nullptr;
  }

  const Json& root_;
  std::map<const Json*, bool> on_the_way_;  // false: it was followed to all its ends
};

}  // namespace

Result<Json> ToKnownDialect(const Json& schema) { return Translation(schema).Run(); }

}  // namespace mcp_session

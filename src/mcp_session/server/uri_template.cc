#include "mcp_session/server/uri_template.h"

#include <algorithm>
#include <utility>

#include "mcp_session/base/percent.h"
#include "mcp_session/json/write.h"

namespace mcp_session {
namespace {

tl::unexpected<Error> Refuse(const char* why) {
  return Failure(ErrorCode::kInvalidArgument, Blame::kCaller, why);
}

bool IsVariableName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

bool IsText(std::string_view text) {
  std::string written;
  return AppendJsonString(text, &written);  // not so if it is no UTF-8
}

}  // namespace

Result<UriTemplate> UriTemplate::Parse(std::string_view text) {
  UriTemplate parsed;
  std::string* literal = &parsed.before_;
  while (!text.empty()) {
    const std::size_t open = text.find_first_of("{}");
    *literal += text.substr(0, open);
    if (open == std::string_view::npos) break;
    const std::size_t close = text.find('}');
    if (text[open] == '}' || close == std::string_view::npos) return Refuse("a brace is alone");
    std::string_view name = text.substr(open + 1, close - open - 1);
    const bool reserved = name.substr(0, 1) == "+";
    if (reserved) name.remove_prefix(1);
    if (!IsVariableName(name)) return Refuse("a variable is {name} or {+name}");
    if (parsed.HasVariable(name)) return Refuse("a variable is there twice");
    if (!parsed.variables_.empty()) {
      if (parsed.variables_.back().reserved) return Refuse("{+name} is not the last variable");
      if (literal->empty()) return Refuse("there is nothing between two variables");
    }
    parsed.variables_.push_back(Variable{std::string(name), reserved, {}});
    literal = &parsed.variables_.back().after;
    text.remove_prefix(close + 1);
  }
  if (parsed.variables_.empty()) return Refuse("a template has a variable");
  return parsed;
}

// All variables but the last stand for the same set of characters, so the shortest text for each
// finds a match if there is one.
std::optional<Json> UriTemplate::Match(std::string_view uri) const {
  if (uri.substr(0, before_.size()) != before_) return std::nullopt;
  uri.remove_prefix(before_.size());
  Json values = EmptyObject();
  for (const Variable& variable : variables_) {
    if (uri.empty()) return std::nullopt;
    const std::string& after = variable.after;
    std::size_t end = uri.size();
    if (&variable != &variables_.back()) {
      end = uri.find(after, 1);
      if (end == std::string_view::npos) return std::nullopt;
    } else {
      if (end <= after.size() || uri.substr(end - after.size()) != after) return std::nullopt;
      end -= after.size();
    }
    const std::string_view value = uri.substr(0, end);
    if (!variable.reserved && value.find_first_of("/?#") != std::string_view::npos) {
      return std::nullopt;
    }
    std::optional<std::string> decoded = PercentDecode(value);
    if (!decoded || !IsText(*decoded)) return std::nullopt;
    values[variable.name] = std::move(*decoded);
    uri.remove_prefix(end + after.size());
  }
  return values;
}

bool UriTemplate::HasVariable(std::string_view name) const {
  return std::any_of(variables_.begin(), variables_.end(),
                     [&](const Variable& variable) { return variable.name == name; });
}

}  // namespace mcp_session

#include "mcp_session/server/param_headers.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "mcp_session/json/access.h"
#include "mcp_session/json/parse.h"

namespace mcp_session {
namespace {

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

Result<void> CheckParamHeaders(const std::vector<MarkedArgument>& marked, const Json& arguments,
                               const HttpRequest& http) {
  for (const MarkedArgument& argument : marked) {
    const Json* value = FindMarked(arguments, argument);
    if (const char* why = WhyNoMatch(argument.header, value, http)) {
      return Failure(ErrorCode::kHeaderMismatch, Blame::kPeer,
                     "Mcp-Param-" + argument.header + why);
    }
  }
  return {};
}

}  // namespace mcp_session

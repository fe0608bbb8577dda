#include "mcp_session/auth/bearer.h"

#include <algorithm>

#include "mcp_session/auth/authenticator.h"
#include "mcp_session/protocol/http.h"

namespace mcp_session {
namespace {

constexpr std::string_view kScheme = "Bearer";

bool IsTokenCharacter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~' || c == '+' || c == '/';
}

}  // namespace

bool IsBearerToken(std::string_view text) {
  if (text.size() > kMaxTokenBytes) return false;
  while (text.ends_with('=')) text.remove_suffix(1);
  return !text.empty() && std::all_of(text.begin(), text.end(), IsTokenCharacter);
}

Bearer ParseBearer(std::string_view header) {
  if (!EqualIgnoringCase(header.substr(0, kScheme.size()), kScheme)) return {};
  header.remove_prefix(kScheme.size());
  if (header.empty()) return {BearerForm::kMalformed, {}};
  if (header.front() != ' ') return {};  // "Bearers", somebody else's scheme
  while (header.starts_with(' ')) header.remove_prefix(1);
  while (header.ends_with(' ') || header.ends_with('\t')) header.remove_suffix(1);
  if (!IsBearerToken(header)) return {BearerForm::kMalformed, {}};
  return {BearerForm::kToken, header};
}

}  // namespace mcp_session

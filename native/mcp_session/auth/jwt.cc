#include "mcp_session/auth/jwt.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "mcp_session/auth/authenticator.h"
#include "mcp_session/base/base64.h"
#include "mcp_session/json/access.h"
#include "mcp_session/json/parse.h"

namespace mcp_session {
namespace {

constexpr std::size_t kMaxAudiences = 32;
constexpr std::size_t kMaxScopes = 256;
constexpr double kMaxDate = 1e12;  // some 30,000 years

auto Malformed() { return Failure(ErrorCode::kPeer, Blame::kPeer, "the token is malformed"); }

Result<Json> DecodeObject(std::string_view part) {
  Limits limits;
  limits.max_message_bytes = kMaxTokenBytes;
  limits.max_json_depth = 16;
  limits.max_json_values = 1000;
  const std::optional<std::string> text = DecodeBase64Url(part);
  if (!text) return Malformed();
  Result<Json> json = ParseJson(*text, limits);
  if (!json || !json->is_object()) return Malformed();
  return json;
}

void AppendWords(std::string_view text, std::vector<std::string>* words) {
  while (!text.empty() && words->size() < kMaxScopes) {
    const std::string_view word = text.substr(0, text.find(' '));
    if (!word.empty()) words->emplace_back(word);
    text.remove_prefix(std::min(word.size() + 1, text.size()));
  }
}

// A claim that is a text or a list of texts.
bool ReadTexts(const Json& claims, std::string_view name, std::size_t limit,
               std::vector<std::string>* texts) {
  const Json* claim = Find(claims, name);
  if (claim == nullptr) return true;
  if (const std::string* one = AsString(*claim)) {
    texts->push_back(*one);
    return true;
  }
  if (!claim->is_array() || claim->size() > limit) return false;
  for (const Json& element : *claim) {
    const std::string* text = AsString(element);
    if (text == nullptr) return false;
    texts->push_back(*text);
  }
  return true;
}

// Dates may have fractions.
bool ReadDate(const Json& claims, std::string_view name, std::optional<std::int64_t>* date) {
  if (Find(claims, name) == nullptr) return true;
  const std::optional<double> number = FindNumber(claims, name);
  if (!number || !(*number >= 0 && *number <= kMaxDate)) return false;
  *date = static_cast<std::int64_t>(std::floor(*number));
  return true;
}

bool ReadClaims(const Json& claims, Jwt* jwt) {
  jwt->issuer = StringOrEmpty(claims, "iss");
  jwt->subject = StringOrEmpty(claims, "sub");
  AppendWords(StringOrEmpty(claims, "scope"), &jwt->scopes);
  std::vector<std::string> scp;
  if (!ReadTexts(claims, "scp", kMaxScopes, &scp)) return false;
  for (const std::string& text : scp) AppendWords(text, &jwt->scopes);
  return ReadTexts(claims, "aud", kMaxAudiences, &jwt->audiences) &&
         ReadDate(claims, "exp", &jwt->expires_at) && ReadDate(claims, "nbf", &jwt->not_before);
}

}  // namespace

Result<Jwt> ParseJwt(std::string_view token) {
  if (token.size() > kMaxTokenBytes) return Malformed();
  const std::size_t first = token.find('.');
  const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos) return Malformed();
  MCPS_TRY(const Json header, DecodeObject(token.substr(0, first)));
  MCPS_TRY(const Json claims, DecodeObject(token.substr(first + 1, second - first - 1)));
  std::optional<std::string> signature = DecodeBase64Url(token.substr(second + 1));
  const auto algorithm = ParseSignatureAlgorithm(StringOrEmpty(header, "alg"));
  if (!signature || signature->empty() || !algorithm || Find(header, "crit") != nullptr) {
    return Malformed();
  }
  Jwt jwt;
  jwt.algorithm = *algorithm;
  jwt.key_id = StringOrEmpty(header, "kid");
  jwt.signed_text = token.substr(0, second);
  jwt.signature = std::move(*signature);
  if (!ReadClaims(claims, &jwt)) return Malformed();
  return jwt;
}

bool Admits(const JwtRules& rules, const Jwt& jwt, std::int64_t now) {
  const auto contains = [](const auto& list, const auto& element) {
    return std::find(list.begin(), list.end(), element) != list.end();
  };
  if (!contains(rules.algorithms, jwt.algorithm)) return false;
  if (jwt.issuer != rules.issuer || jwt.subject.empty()) return false;
  const bool for_us =
      std::any_of(jwt.audiences.begin(), jwt.audiences.end(),
                  [&](const std::string& audience) { return contains(rules.audiences, audience); });
  if (!for_us || !jwt.expires_at) return false;
  if (now >= *jwt.expires_at + rules.leeway_seconds) return false;
  return !jwt.not_before || now + rules.leeway_seconds >= *jwt.not_before;
}

}  // namespace mcp_session

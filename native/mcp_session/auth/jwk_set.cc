#include "mcp_session/auth/jwk_set.h"

#include <algorithm>
#include <utility>

#include "mcp_session/json/access.h"
#include "mcp_session/json/parse.h"

namespace mcp_session {
namespace {

// A token that names no key is tried with so many.
constexpr std::size_t kMaxCandidates = 4;

bool IsForSignatures(const Json& jwk) {
  const std::string use = StringOrEmpty(jwk, "use");
  if (!use.empty() && use != "sig") return false;
  const Json* operations = FindArray(jwk, "key_ops");
  if (operations == nullptr) return true;
  return std::any_of(operations->begin(), operations->end(), [](const Json& operation) {
    const std::string* name = AsString(operation);
    return name != nullptr && *name == "verify";
  });
}

}  // namespace

Result<JwkSet> JwkSet::Parse(std::string_view text) {
  const auto failure = [](const char* why) { return Failure(ErrorCode::kPeer, Blame::kPeer, why); };
  Limits limits;
  limits.max_message_bytes = kMaxJwksBytes;
  limits.max_json_values = 10'000;
  const Result<Json> json = ParseJson(text, limits);
  const Json* keys = json ? FindArray(*json, "keys") : nullptr;
  if (keys == nullptr) return failure("what came is no key set");
  JwkSet set;
  for (const Json& jwk : *keys) {
    if (set.keys_.size() == kMaxJwks) break;
    if (!IsForSignatures(jwk)) continue;
    const std::string name = StringOrEmpty(jwk, "alg");
    const std::optional<SignatureAlgorithm> algorithm = ParseSignatureAlgorithm(name);
    if (!name.empty() && !algorithm) continue;
    std::optional<PublicKey> key = PublicKey::FromJwk(jwk);
    if (!key) continue;
    set.keys_.push_back({StringOrEmpty(jwk, "kid"), algorithm, std::move(*key)});
  }
  if (set.keys_.empty()) return failure("no key in the key set can be used");
  return set;
}

std::vector<const JwkSet::Key*> JwkSet::Candidates(std::string_view id,
                                                   SignatureAlgorithm algorithm) const {
  std::vector<const Key*> found;
  for (const Key& key : keys_) {
    if (!id.empty() && key.id != id) continue;
    if (!key.key.Fits(algorithm) || (key.algorithm && *key.algorithm != algorithm)) continue;
    found.push_back(&key);
    if (found.size() == kMaxCandidates) break;
  }
  return found;
}

}  // namespace mcp_session

// The public keys of an issuer of tokens: a JSON Web Key Set (RFC 7517).
#ifndef MCP_SESSION_AUTH_JWK_SET_H_
#define MCP_SESSION_AUTH_JWK_SET_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/auth/signature.h"
#include "mcp_session/base/result.h"

namespace mcp_session {

inline constexpr std::size_t kMaxJwksBytes = 256u << 10;
inline constexpr std::size_t kMaxJwks = 100;

class JwkSet {
 public:
  // Keys that are not for signatures, or of a kind that we do not know, are left out, and those
  // after the first hundred. kPeer: it is no key set, or there is no key in it that we could use.
  static Result<JwkSet> Parse(std::string_view text);

  struct Key {
    std::string id;                               // kid; may be empty
    std::optional<SignatureAlgorithm> algorithm;  // the only one it may be used with
    PublicKey key;
  };
  // The keys that may have made a signature; `id` is what the token says, maybe nothing.
  std::vector<const Key*> Candidates(std::string_view id, SignatureAlgorithm algorithm) const;

 private:
  std::vector<Key> keys_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_AUTH_JWK_SET_H_

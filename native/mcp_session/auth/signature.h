// Public keys and the signatures that JSON Web Tokens have (RFC 7518, 8037). OpenSSL does the
// arithmetic.
#ifndef MCP_SESSION_AUTH_SIGNATURE_H_
#define MCP_SESSION_AUTH_SIGNATURE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "mcp_session/json/json.h"

// NOLINTNEXTLINE(readability-identifier-naming): OpenSSL's
struct evp_pkey_st;

namespace mcp_session {

// All there are. What needs a shared secret (HS256, ...) and "none" are not among them, so no token
// can name them.
enum class SignatureAlgorithm : std::uint8_t {
  kRs256,
  kRs384,
  kRs512,
  kPs256,
  kPs384,
  kPs512,
  kEs256,
  kEs384,
  kEdDsa,  // Ed25519
};
std::optional<SignatureAlgorithm> ParseSignatureAlgorithm(std::string_view name);

class PublicKey {
 public:
  // Of a JSON Web Key: RSA of 2048 to 8192 bits, EC on P-256 or P-384, OKP Ed25519. Nothing if it
  // is of another kind, malformed, or a point that is not on its curve.
  static std::optional<PublicKey> FromJwk(const Json& jwk);

  // Whether signatures of `algorithm` can be of this key: the key decides, not the token.
  bool Fits(SignatureAlgorithm algorithm) const;
  // False as well if it does not fit.
  bool Verifies(SignatureAlgorithm algorithm, std::string_view message,
                std::string_view signature) const;

 private:
  enum class Kind : std::uint8_t { kRsa, kP256, kP384, kEd25519 };
  PublicKey(Kind kind, std::shared_ptr<evp_pkey_st> key);
  static Kind KindFor(SignatureAlgorithm algorithm);

  Kind kind_;
  std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_AUTH_SIGNATURE_H_

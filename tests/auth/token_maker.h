// An issuer of tokens for tests: makes keys, publishes them, signs.
#ifndef TESTS_AUTH_TOKEN_MAKER_H_
#define TESTS_AUTH_TOKEN_MAKER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

// NOLINTNEXTLINE(readability-identifier-naming): OpenSSL's
struct evp_pkey_st;

namespace mcp_session {

class SigningKey {
 public:
  // For "RS256", "PS256", "ES256", "ES384", "EdDSA", and their longer kin. "HS256" signs with
  // `secret`, "none" not at all.
  explicit SigningKey(std::string algorithm, std::string id, std::string secret = {});

  const std::string& algorithm() const { return algorithm_; }
  // The public half as a JSON Web Key.
  std::string Jwk() const;
  // A token. `claims` is JSON text; `header_rest` is more members of the header, with a comma
  // first.
  std::string Sign(std::string_view claims, std::string_view header_rest = {}) const;
  // The same with any header.
  std::string SignWith(std::string_view header, std::string_view claims) const;
  // Another algorithm with the same key: RS256 and PS256 are of one kind.
  SigningKey As(std::string algorithm) const;

 private:
  std::string SignBytes(std::string_view text) const;

  std::string algorithm_;
  std::string id_;
  std::string secret_;
  std::shared_ptr<evp_pkey_st> key_;
};

// A key set of the keys' public halves.
std::string KeySet(std::initializer_list<const SigningKey*> keys);

// Claims of alice for one hour from `now`, in seconds since 1970, as the tests' servers want them;
// `rest` is more members, with a comma first.
std::string ClaimsOf(std::string_view subject, std::int64_t now, std::string_view rest = {});
inline constexpr std::string_view kTestIssuer = "https://issuer.example";
inline constexpr std::string_view kTestAudience = "https://mcp.example/mcp";

// A certificate for localhost and 127.0.0.1 that is signed by itself, and its key, as PEM.
struct TestCertificate {
  std::string certificate;
  std::string key;
};
TestCertificate MakeTestCertificate(std::string_view name = "localhost");

}  // namespace mcp_session

#endif  // TESTS_AUTH_TOKEN_MAKER_H_

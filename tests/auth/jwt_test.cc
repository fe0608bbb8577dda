// Tokens and key sets, with keys and signatures that OpenSSL made.
#include "mcp_session/auth/jwt.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "mcp_session/auth/authenticator.h"
#include "mcp_session/auth/bearer.h"
#include "mcp_session/auth/jwk_set.h"
#include "tests/auth/token_maker.h"

namespace mcp_session {
namespace {

constexpr std::int64_t kNow = 1'800'000'000;

bool Verifies(const JwkSet& set, const std::string& token) {
  const Result<Jwt> jwt = ParseJwt(token);
  if (!jwt) return false;
  for (const JwkSet::Key* key : set.Candidates(jwt->key_id, jwt->algorithm)) {
    if (key->key.Verifies(jwt->algorithm, jwt->signed_text, jwt->signature)) return true;
  }
  return false;
}

TEST(JwtSignature, VerifiesEveryAlgorithm) {
  for (const char* algorithm :
       {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"}) {
    const SigningKey key(algorithm, "k");
    const SigningKey other(algorithm, "k");
    const auto set = JwkSet::Parse(KeySet({&key}));
    ASSERT_TRUE(set.has_value()) << algorithm;
    const std::string token = key.Sign(ClaimsOf("alice", kNow));
    EXPECT_TRUE(Verifies(*set, token)) << algorithm;
    EXPECT_FALSE(Verifies(*set, other.Sign(ClaimsOf("alice", kNow)))) << algorithm;
    // Somebody else's claims under the same signature.
    const std::string changed = key.Sign(ClaimsOf("mallory", kNow));
    EXPECT_FALSE(
        Verifies(*set, changed.substr(0, changed.rfind('.')) + token.substr(token.rfind('.'))))
        << algorithm;
  }
}

// The attacks of RFC 8725, section 2.1.
TEST(JwtSignature, TakesNoSecretAndNothingUnsigned) {
  const SigningKey rsa("RS256", "k");
  const auto set = JwkSet::Parse(KeySet({&rsa}));
  ASSERT_TRUE(set.has_value());
  // An HMAC whose secret is what everybody knows: the public key.
  const SigningKey forged("HS256", "k", rsa.Jwk());
  EXPECT_FALSE(ParseJwt(forged.Sign(ClaimsOf("alice", kNow))).has_value());
  const SigningKey unsigned_key("none", "k");
  EXPECT_FALSE(ParseJwt(unsigned_key.Sign(ClaimsOf("alice", kNow))).has_value());
  for (const char* name : {"nOnE", "None", "", "rs256", "HS512", "A256KW"}) {
    EXPECT_FALSE(
        ParseJwt(rsa.SignWith(R"({"alg":")" + std::string(name) + R"("})", ClaimsOf("alice", kNow)))
            .has_value())
        << name;
  }
}

TEST(JwtSignature, KeepsAKeyToItsKindAndAlgorithm) {
  const SigningKey rsa("RS256", "k");
  const SigningKey ec("ES256", "k");
  const std::string claims = ClaimsOf("alice", kNow);
  const auto both = JwkSet::Parse(KeySet({&rsa, &ec}));
  ASSERT_TRUE(both.has_value());
  EXPECT_TRUE(Verifies(*both, ec.Sign(claims)));
  EXPECT_TRUE(Verifies(*both, rsa.As("PS256").Sign(claims)));
  // A key that names its algorithm is for no other.
  std::string jwk = rsa.Jwk();
  jwk.insert(1, R"("alg":"RS256",)");
  const auto named = JwkSet::Parse(R"({"keys":[)" + jwk + "]}");
  ASSERT_TRUE(named.has_value());
  EXPECT_TRUE(Verifies(*named, rsa.Sign(claims)));
  EXPECT_FALSE(Verifies(*named, rsa.As("PS256").Sign(claims)));
}

TEST(JwkSet, LeavesOutWhatItCannotUse) {
  const SigningKey key("ES256", "k");
  std::string encryption = key.Jwk();
  encryption.replace(encryption.find("\"sig\""), 5, "\"enc\"");
  std::string off_curve = key.Jwk();
  off_curve.replace(off_curve.find("\"x\":\"") + 5, 4, "AAAA");
  for (const std::string& bad :
       {encryption, off_curve, std::string(R"({"kty":"oct","k":"c2VjcmV0"})"),
        std::string(R"({"kty":"RSA","n":"AQAB","e":"AQAB"})"),  // of 17 bits
        std::string(R"({"kty":"EC","crv":"P-256","x":"AA","y":"AA"})"),
        std::string(R"({"kty":"OKP","crv":"Ed25519","x":"AA"})"),
        std::string(R"({"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"})"), std::string("7"),
        std::string(R"({"kty":"RSA"})"), std::string("null")}) {
    EXPECT_FALSE(JwkSet::Parse(R"({"keys":[)" + bad + "]}").has_value()) << bad;
    EXPECT_TRUE(JwkSet::Parse(R"({"keys":[)" + bad + "," + key.Jwk() + "]}").has_value()) << bad;
  }
  for (const char* text : {"", "{}", "[]", R"({"keys":{}})", R"({"keys":[]})", "{\"keys\":["}) {
    EXPECT_FALSE(JwkSet::Parse(text).has_value()) << text;
  }
  EXPECT_FALSE(JwkSet::Parse(std::string(kMaxJwksBytes + 1, ' ')).has_value());
}

TEST(JwkSet, TakesNoHugeKeys) {
  const std::string huge = R"({"keys":[{"kty":"RSA","e":"AQAB","n":")" + std::string(1399, 'y') +
                           'x' + R"("}]})";  // 8400 bits
  EXPECT_FALSE(JwkSet::Parse(huge).has_value());
}

TEST(JwkSet, KeepsAHundredKeys) {
  const SigningKey key("EdDSA", "k");
  const SigningKey last("EdDSA", "last");
  const auto with = [&](std::size_t others) {
    std::string set = R"({"keys":[)";
    for (std::size_t i = 0; i < others; ++i) set += key.Jwk() + ",";
    return *JwkSet::Parse(set + last.Jwk() + "]}");
  };
  EXPECT_EQ(with(kMaxJwks - 1).Candidates("last", SignatureAlgorithm::kEdDsa).size(), 1u);
  EXPECT_EQ(with(kMaxJwks).Candidates("last", SignatureAlgorithm::kEdDsa).size(), 0u);
}

TEST(Jwt, ReadsItsClaims) {
  const SigningKey key("EdDSA", "k");
  const auto jwt = ParseJwt(key.Sign(
      R"({"iss":"i","sub":"s","aud":["a","b"],"exp":12.9,"nbf":7,"scope":"x  y","scp":["z"]})"));
  ASSERT_TRUE(jwt.has_value());
  EXPECT_EQ(jwt->key_id, "k");
  EXPECT_EQ(jwt->issuer, "i");
  EXPECT_EQ(jwt->subject, "s");
  EXPECT_EQ(jwt->audiences, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(jwt->scopes, (std::vector<std::string>{"x", "y", "z"}));
  EXPECT_EQ(jwt->expires_at, 12);
  EXPECT_EQ(jwt->not_before, 7);
}

TEST(Jwt, RefusesWhatIsMalformed) {
  const SigningKey key("EdDSA", "k");
  const std::string good = key.Sign("{}");
  ASSERT_TRUE(ParseJwt(good).has_value());
  const std::string header = R"({"alg":"EdDSA")";
  for (const std::string& bad : {std::string(),
                                 std::string("."),
                                 std::string(".."),
                                 std::string("a.b.c"),
                                 good.substr(0, good.rfind('.')),
                                 good.substr(0, good.rfind('.') + 1),
                                 good + ".",
                                 good + "=",
                                 good + "." + good,
                                 key.SignWith("{", "{}"),
                                 key.SignWith("[]", "{}"),
                                 key.SignWith(header + "}", "[]"),
                                 key.SignWith(header + "}", "1"),
                                 key.SignWith(header + R"(,"crit":["exp"],"exp":1})", "{}"),
                                 key.SignWith(header + R"(,"alg":"EdDSA"})", "{}"),
                                 key.Sign(R"({"exp":"soon"})"),
                                 key.Sign(R"({"exp":1e300})"),
                                 key.Sign(R"({"exp":-1})"),
                                 key.Sign(R"({"nbf":[]})"),
                                 key.Sign(R"({"aud":7})"),
                                 key.Sign(R"({"aud":["a",7]})"),
                                 key.Sign(R"({"scp":[[]]})"),
                                 key.Sign(R"({"sub":"a","sub":"b"})")}) {
    EXPECT_FALSE(ParseJwt(bad).has_value()) << bad;
  }
  std::string long_one = key.Sign(R"({"x":")" + std::string(kMaxTokenBytes, 'x') + "\"}");
  EXPECT_FALSE(ParseJwt(long_one).has_value());
  // Long as base64 only.
  EXPECT_FALSE(ParseJwt(key.Sign(R"({"x":")" + std::string(7000, 'x') + "\"}")).has_value());
}

TEST(Jwt, IsAdmittedByItsClaims) {
  const JwtRules rules{"i", {"a", "b"}, {SignatureAlgorithm::kEdDsa}, 60};
  Jwt good;
  good.algorithm = SignatureAlgorithm::kEdDsa;
  good.issuer = "i";
  good.subject = "s";
  good.audiences = {"x", "b"};
  good.expires_at = kNow + 10;
  EXPECT_TRUE(Admits(rules, good, kNow));
  const struct {
    const char* what;
    void (*change)(Jwt&);
    bool admitted;
  } rows[] = {
      {"expired within the leeway", [](Jwt& jwt) { jwt.expires_at = kNow - 59; }, true},
      {"expired", [](Jwt& jwt) { jwt.expires_at = kNow - 60; }, false},
      {"without an end", [](Jwt& jwt) { jwt.expires_at.reset(); }, false},
      {"to come within the leeway", [](Jwt& jwt) { jwt.not_before = kNow + 60; }, true},
      {"to come", [](Jwt& jwt) { jwt.not_before = kNow + 61; }, false},
      {"another issuer", [](Jwt& jwt) { jwt.issuer = "i2"; }, false},
      {"no issuer", [](Jwt& jwt) { jwt.issuer.clear(); }, false},
      {"for somebody else", [](Jwt& jwt) { jwt.audiences = {"x"}; }, false},
      {"for nobody", [](Jwt& jwt) { jwt.audiences.clear(); }, false},
      {"of nobody", [](Jwt& jwt) { jwt.subject.clear(); }, false},
      {"an algorithm that was not asked for",
       [](Jwt& jwt) { jwt.algorithm = SignatureAlgorithm::kRs256; }, false},
  };
  for (const auto& row : rows) {
    Jwt jwt = good;
    row.change(jwt);
    EXPECT_EQ(Admits(rules, jwt, kNow), row.admitted) << row.what;
  }
}

TEST(Bearer, IsReadFromItsHeader) {
  const struct {
    std::string header;
    BearerForm form;
    std::string token;
  } rows[] = {
      {"", BearerForm::kNone, ""},
      {"Basic YTpi", BearerForm::kNone, ""},
      {"Bearers abc", BearerForm::kNone, ""},
      {"Bearer abc", BearerForm::kToken, "abc"},
      {"bearer abc", BearerForm::kToken, "abc"},
      {"BEARER   a.b-c_d~e+f/g==  ", BearerForm::kToken, "a.b-c_d~e+f/g=="},
      {"Bearer", BearerForm::kMalformed, ""},
      {"Bearer ", BearerForm::kMalformed, ""},
      {"Bearer a b", BearerForm::kMalformed, ""},
      {"Bearer a,b", BearerForm::kMalformed, ""},
      {"Bearer =", BearerForm::kMalformed, ""},
      {"Bearer \"abc\"", BearerForm::kMalformed, ""},
      {"Bearer a\x80", BearerForm::kMalformed, ""},
      {"Bearer " + std::string(kMaxTokenBytes, 'x'), BearerForm::kToken,
       std::string(kMaxTokenBytes, 'x')},
      {"Bearer " + std::string(kMaxTokenBytes + 1, 'x'), BearerForm::kMalformed, ""},
  };
  for (const auto& row : rows) {
    const Bearer bearer = ParseBearer(row.header);
    EXPECT_EQ(bearer.form, row.form) << row.header;
    EXPECT_EQ(bearer.token, row.token) << row.header;
  }
}

}  // namespace
}  // namespace mcp_session

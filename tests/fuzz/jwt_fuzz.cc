// Tokens and key sets from elsewhere: malformed, or understood in one way only.
#include <cstddef>
#include <cstdint>
#include <string>

#include "mcp_session/auth/bearer.h"
#include "mcp_session/auth/jwk_set.h"
#include "mcp_session/auth/jwt.h"
#include "mcp_session/base/base64.h"
#include "mcp_session/base/check.h"

using namespace mcp_session;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const Bearer bearer = ParseBearer(text);
  MCPS_CHECK((bearer.form == BearerForm::kToken) == !bearer.token.empty());
  (void)JwkSet::Parse(text);

  const JwtRules rules{"https://issuer.example",
                       {"https://mcp.example/mcp"},
                       {SignatureAlgorithm::kEdDsa, SignatureAlgorithm::kRs256}};
  // As it is, and as the claims of a token that is otherwise well-formed.
  const std::string header = R"({"alg":"EdDSA"})";
  const auto url = [](const std::string& bytes) {
    return EncodeBase64Url({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  };
  for (const std::string& token :
       {text, url(header) + "." + url(text) + ".AAAA", url(text) + "." + url("{}") + ".AAAA"}) {
    const Result<Jwt> jwt = ParseJwt(token);
    if (!jwt) {
      MCPS_CHECK(jwt.error().message == "the token is malformed");
      continue;
    }
    MCPS_CHECK(!jwt->signature.empty());
    MCPS_CHECK(token.starts_with(jwt->signed_text + "."));
    if (Admits(rules, *jwt, 1'800'000'000)) {
      MCPS_CHECK(!jwt->subject.empty() && *jwt->expires_at > 1'799'999'900);
    }
  }
  return 0;
}

#include "mcp_session/auth/signature.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <string>
#include <utility>

#include "mcp_session/base/base64.h"
#include "mcp_session/json/access.h"

namespace mcp_session {
namespace {

constexpr int kMinRsaBits = 2048;
constexpr int kMaxRsaBits = 8192;  // larger ones would take too long
constexpr std::size_t kMaxExponentBytes = 8;
constexpr std::size_t kEd25519Bytes = 32;

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using BigNumber = std::unique_ptr<BIGNUM, Deleter<BN_free>>;
using ParamBuilder = std::unique_ptr<OSSL_PARAM_BLD, Deleter<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Deleter<OSSL_PARAM_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Deleter<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;
using EcSignature = std::unique_ptr<ECDSA_SIG, Deleter<ECDSA_SIG_free>>;

// What goes wrong with a peer's key or signature is not for OpenSSL's queue of errors.
struct ErrorsCleared {
  ~ErrorsCleared() { ERR_clear_error(); }
};

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

BigNumber ToNumber(std::string_view big_endian) {
  return BigNumber(BN_bin2bn(Bytes(big_endian), static_cast<int>(big_endian.size()), nullptr));
}

// A member of a key that is base64url, decoded; empty if there is none.
std::string Member(const Json& jwk, std::string_view name) {
  const std::string* text = FindString(jwk, name);
  return text == nullptr ? std::string() : DecodeBase64Url(*text).value_or(std::string());
}

std::shared_ptr<EVP_PKEY> FromParams(const char* type, OSSL_PARAM_BLD* builder) {
  const Params params(OSSL_PARAM_BLD_to_param(builder));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (params == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) <= 0 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) <= 0) {
    return nullptr;
  }
  return {key, EVP_PKEY_free};
}

std::shared_ptr<EVP_PKEY> RsaKey(const Json& jwk) {
  const std::string modulus = Member(jwk, "n");
  const std::string exponent = Member(jwk, "e");
  if (modulus.size() > kMaxRsaBits / 8 || exponent.empty() || exponent.size() > kMaxExponentBytes) {
    return nullptr;
  }
  const BigNumber n = ToNumber(modulus);
  const BigNumber e = ToNumber(exponent);
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  if (n == nullptr || e == nullptr || builder == nullptr || BN_num_bits(n.get()) < kMinRsaBits ||
      BN_is_odd(n.get()) == 0 || BN_is_odd(e.get()) == 0 || BN_is_one(e.get()) == 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 0 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) == 0) {
    return nullptr;
  }
  return FromParams("RSA", builder.get());
}

std::shared_ptr<EVP_PKEY> EcKey(const Json& jwk, const char* group, std::size_t coordinate_bytes) {
  const std::string x = Member(jwk, "x");
  const std::string y = Member(jwk, "y");
  if (x.size() != coordinate_bytes || y.size() != coordinate_bytes) return nullptr;
  const std::string point = '\x04' + x + y;  // uncompressed
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  if (builder == nullptr ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, group, 0) == 0 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) == 0) {
    return nullptr;
  }
  return FromParams("EC", builder.get());
}

std::shared_ptr<EVP_PKEY> Ed25519Key(const Json& jwk) {
  const std::string x = Member(jwk, "x");
  if (x.size() != kEd25519Bytes) return nullptr;
  return {EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, Bytes(x), x.size()),
          EVP_PKEY_free};
}

struct Scheme {
  const EVP_MD* digest;  // null: the algorithm has its own
  bool pss = false;
  std::size_t ec_bytes = 0;  // of r and of s; 0: no ECDSA
};

Scheme SchemeOf(SignatureAlgorithm algorithm) {
  switch (algorithm) {
    case SignatureAlgorithm::kRs256:
      return {EVP_sha256()};
    case SignatureAlgorithm::kRs384:
      return {EVP_sha384()};
    case SignatureAlgorithm::kRs512:
      return {EVP_sha512()};
    case SignatureAlgorithm::kPs256:
      return {EVP_sha256(), true};
    case SignatureAlgorithm::kPs384:
      return {EVP_sha384(), true};
    case SignatureAlgorithm::kPs512:
      return {EVP_sha512(), true};
    case SignatureAlgorithm::kEs256:
      return {EVP_sha256(), false, 32};
    case SignatureAlgorithm::kEs384:
      return {EVP_sha384(), false, 48};
    case SignatureAlgorithm::kEdDsa:
      break;
  }
  return {nullptr};
}

// JOSE writes r and s one after the other, OpenSSL reads them as DER.
std::string ToDer(std::string_view signature, std::size_t bytes) {
  if (signature.size() != 2 * bytes) return {};
  const EcSignature both(ECDSA_SIG_new());
  BigNumber r = ToNumber(signature.substr(0, bytes));
  BigNumber s = ToNumber(signature.substr(bytes));
  if (both == nullptr || r == nullptr || s == nullptr ||
      ECDSA_SIG_set0(both.get(), r.get(), s.get()) == 0) {
    return {};
  }
  (void)r.release();  // they are the signature's now
  (void)s.release();
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(both.get(), &der);
  if (size <= 0) return {};
  const std::unique_ptr<unsigned char, void (*)(unsigned char*)> owner(
      der, [](unsigned char* bytes_of_der) { OPENSSL_free(bytes_of_der); });
  return {reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)};
}

}  // namespace

std::optional<SignatureAlgorithm> ParseSignatureAlgorithm(std::string_view name) {
  constexpr std::pair<std::string_view, SignatureAlgorithm> kNames[] = {
      {"RS256", SignatureAlgorithm::kRs256}, {"RS384", SignatureAlgorithm::kRs384},
      {"RS512", SignatureAlgorithm::kRs512}, {"PS256", SignatureAlgorithm::kPs256},
      {"PS384", SignatureAlgorithm::kPs384}, {"PS512", SignatureAlgorithm::kPs512},
      {"ES256", SignatureAlgorithm::kEs256}, {"ES384", SignatureAlgorithm::kEs384},
      {"EdDSA", SignatureAlgorithm::kEdDsa},
  };
  for (const auto& [known, algorithm] : kNames) {
    if (known == name) return algorithm;
  }
  return std::nullopt;
}

PublicKey::PublicKey(Kind kind, std::shared_ptr<evp_pkey_st> key)
    : kind_(kind), key_(std::move(key)) {}

std::optional<PublicKey> PublicKey::FromJwk(const Json& jwk) {
  const ErrorsCleared cleared;
  const std::string type = StringOrEmpty(jwk, "kty");
  const std::string curve = StringOrEmpty(jwk, "crv");
  Kind kind = Kind::kRsa;
  std::shared_ptr<EVP_PKEY> key;
  if (type == "RSA") {
    key = RsaKey(jwk);
  } else if (type == "EC" && curve == "P-256") {
    kind = Kind::kP256;
    key = EcKey(jwk, "P-256", 32);
  } else if (type == "EC" && curve == "P-384") {
    kind = Kind::kP384;
    key = EcKey(jwk, "P-384", 48);
  } else if (type == "OKP" && curve == "Ed25519") {
    kind = Kind::kEd25519;
    key = Ed25519Key(jwk);
  }
  if (key == nullptr) return std::nullopt;
  return PublicKey(kind, std::move(key));
}

PublicKey::Kind PublicKey::KindFor(SignatureAlgorithm algorithm) {
  switch (algorithm) {
    case SignatureAlgorithm::kEs256:
      return Kind::kP256;
    case SignatureAlgorithm::kEs384:
      return Kind::kP384;
    case SignatureAlgorithm::kEdDsa:
      return Kind::kEd25519;
    default:
      return Kind::kRsa;
  }
}

bool PublicKey::Fits(SignatureAlgorithm algorithm) const { return kind_ == KindFor(algorithm); }

bool PublicKey::Verifies(SignatureAlgorithm algorithm, std::string_view message,
                         std::string_view signature) const {
  if (!Fits(algorithm)) return false;
  const ErrorsCleared cleared;
  const Scheme scheme = SchemeOf(algorithm);
  const std::string der = scheme.ec_bytes > 0 ? ToDer(signature, scheme.ec_bytes) : std::string();
  if (scheme.ec_bytes > 0) signature = der;
  if (signature.empty()) return false;
  const DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* padding = nullptr;  // the context's
  if (context == nullptr ||
      EVP_DigestVerifyInit(context.get(), &padding, scheme.digest, nullptr, key_.get()) <= 0) {
    return false;
  }
  if (scheme.pss && (EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING) <= 0 ||
                     EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, RSA_PSS_SALTLEN_DIGEST) <= 0)) {
    return false;
  }
  return EVP_DigestVerify(context.get(), Bytes(signature), signature.size(), Bytes(message),
                          message.size()) == 1;
}

}  // namespace mcp_session

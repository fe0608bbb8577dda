#include "tests/auth/token_maker.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <cstdlib>
#include <utility>
#include <vector>

#include "mcp_session/base/base64.h"

namespace mcp_session {
namespace {

std::string Url(std::string_view bytes) {
  return EncodeBase64Url({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

void Check(bool good) {
  if (!good) std::abort();
}

std::string Number(EVP_PKEY* key, const char* name, std::size_t size = 0) {
  BIGNUM* number = nullptr;
  Check(EVP_PKEY_get_bn_param(key, name, &number) == 1);
  if (size == 0) size = static_cast<std::size_t>(BN_num_bytes(number));
  std::string bytes(size, '\0');
  Check(BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()),
                     static_cast<int>(size)) >= 0);
  BN_free(number);
  return bytes;
}

EVP_PKEY* Generate(const std::string& algorithm) {
  if (algorithm.starts_with("RS") || algorithm.starts_with("PS")) return EVP_RSA_gen(2048);
  if (algorithm == "ES256") return EVP_EC_gen("P-256");
  if (algorithm == "ES384") return EVP_EC_gen("P-384");
  if (algorithm == "EdDSA") return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  return nullptr;
}

const EVP_MD* DigestOf(const std::string& algorithm) {
  if (algorithm.ends_with("384")) return EVP_sha384();
  if (algorithm.ends_with("512")) return EVP_sha512();
  return algorithm.ends_with("256") ? EVP_sha256() : nullptr;
}

std::string FromDer(const std::string& der, std::size_t size) {
  const unsigned char* at = Bytes(der);
  ECDSA_SIG* both = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
  Check(both != nullptr);
  std::string bytes(2 * size, '\0');
  auto* out = reinterpret_cast<unsigned char*>(bytes.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(both), out, static_cast<int>(size));
  BN_bn2binpad(ECDSA_SIG_get0_s(both), out + size, static_cast<int>(size));
  ECDSA_SIG_free(both);
  return bytes;
}

std::string TakePem(BIO* bio) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  std::string pem(text, static_cast<std::size_t>(size));
  BIO_free(bio);
  return pem;
}

}  // namespace

SigningKey::SigningKey(std::string algorithm, std::string id, std::string secret)
    : algorithm_(std::move(algorithm)), id_(std::move(id)), secret_(std::move(secret)) {
  if (EVP_PKEY* key = Generate(algorithm_)) key_ = {key, EVP_PKEY_free};
}

SigningKey SigningKey::As(std::string algorithm) const {
  SigningKey other = *this;
  other.algorithm_ = std::move(algorithm);
  return other;
}

std::string SigningKey::Jwk() const {
  std::string jwk = R"({"kid":")" + id_ + R"(","use":"sig",)";
  EVP_PKEY* key = key_.get();
  const std::size_t size = algorithm_ == "ES384" ? 48 : 32;
  if (algorithm_.starts_with("ES")) {
    return jwk + R"("kty":"EC","crv":"P-)" + algorithm_.substr(2) + R"(","x":")" +
           Url(Number(key, OSSL_PKEY_PARAM_EC_PUB_X, size)) + R"(","y":")" +
           Url(Number(key, OSSL_PKEY_PARAM_EC_PUB_Y, size)) + "\"}";
  }
  if (algorithm_ == "EdDSA") {
    std::string x(32, '\0');
    std::size_t bytes = x.size();
    Check(EVP_PKEY_get_raw_public_key(key, reinterpret_cast<unsigned char*>(x.data()), &bytes) ==
          1);
    return jwk + R"("kty":"OKP","crv":"Ed25519","x":")" + Url(x) + "\"}";
  }
  return jwk + R"("kty":"RSA","n":")" + Url(Number(key, OSSL_PKEY_PARAM_RSA_N)) + R"(","e":")" +
         Url(Number(key, OSSL_PKEY_PARAM_RSA_E)) + "\"}";
}

std::string SigningKey::SignBytes(std::string_view text) const {
  std::string signature(1024, '\0');
  auto* out = reinterpret_cast<unsigned char*>(signature.data());
  if (algorithm_ == "none") return {};
  if (algorithm_.starts_with("HS")) {
    unsigned size = 0;
    HMAC(DigestOf(algorithm_), secret_.data(), static_cast<int>(secret_.size()), Bytes(text),
         text.size(), out, &size);
    return signature.substr(0, size);
  }
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_PKEY_CTX* padding = nullptr;
  Check(EVP_DigestSignInit(context, &padding, DigestOf(algorithm_), nullptr, key_.get()) == 1);
  if (algorithm_.starts_with("PS")) {
    EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, RSA_PSS_SALTLEN_DIGEST);
  }
  std::size_t size = signature.size();
  Check(EVP_DigestSign(context, out, &size, Bytes(text), text.size()) == 1);
  EVP_MD_CTX_free(context);
  signature.resize(size);
  if (!algorithm_.starts_with("ES")) return signature;
  return FromDer(signature, algorithm_ == "ES384" ? 48 : 32);
}

std::string SigningKey::SignWith(std::string_view header, std::string_view claims) const {
  const std::string text = Url(header) + "." + Url(claims);
  return text + "." + Url(SignBytes(text));
}

std::string SigningKey::Sign(std::string_view claims, std::string_view header_rest) const {
  std::string header = R"({"alg":")" + algorithm_ + R"(","typ":"at+jwt")";
  if (!id_.empty()) header += R"(,"kid":")" + id_ + "\"";
  return SignWith(header + std::string(header_rest) + "}", claims);
}

std::string KeySet(std::initializer_list<const SigningKey*> keys) {
  std::string set = R"({"keys":[)";
  for (const SigningKey* key : keys) {
    if (set.back() == '}') set += ',';
    set += key->Jwk();
  }
  return set + "]}";
}

std::string ClaimsOf(std::string_view subject, std::int64_t now, std::string_view rest) {
  return R"({"iss":")" + std::string(kTestIssuer) + R"(","aud":")" + std::string(kTestAudience) +
         R"(","sub":")" + std::string(subject) + R"(","iat":)" + std::to_string(now) +
         R"(,"exp":)" + std::to_string(now + 3600) + std::string(rest) + "}";
}

TestCertificate MakeTestCertificate(std::string_view name) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600L * 24);
  X509_set_pubkey(certificate, key);
  X509_NAME* subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, Bytes(name),
                             static_cast<int>(name.size()), -1, 0);
  X509_set_issuer_name(certificate, subject);
  const std::string names = "DNS:" + std::string(name) + ",IP:127.0.0.1";
  for (const auto& [id, value] : {std::pair<int, const char*>{NID_subject_alt_name, names.c_str()},
                                  {NID_basic_constraints, "critical,CA:TRUE"}}) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, id, value);
    Check(extension != nullptr);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }
  Check(X509_sign(certificate, key, EVP_sha256()) > 0);
  TestCertificate made;
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, certificate);
  made.certificate = TakePem(bio);
  bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  made.key = TakePem(bio);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return made;
}

}  // namespace mcp_session

#include "mcp_session/stored/stored_key.h"

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>

#include "mcp_session/base/base64.h"
#include "mcp_session/base/check.h"

namespace mcp_session {
namespace {

// To look for the algorithm, as OpenSSL 3 does in each one-shot call, takes longer than to run it.
void Sha256(std::string_view bytes, std::uint8_t* digest) {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  thread_local const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(),
                                                                                EVP_MD_CTX_free);
  MCPS_CHECK(algorithm != nullptr && context != nullptr &&
             EVP_DigestInit_ex2(context.get(), algorithm, nullptr) == 1 &&
             EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1 &&
             EVP_DigestFinal_ex(context.get(), digest, nullptr) == 1);
}

std::string Tag(std::string_view purpose, std::initializer_list<std::string_view> parts) {
  std::string bytes;
  std::size_t size = purpose.size();
  for (const std::string_view part : parts) size += sizeof(std::uint32_t) + part.size();
  bytes.reserve(size);
  bytes = purpose;
  for (const std::string_view part : parts) {
    const auto length = static_cast<std::uint32_t>(part.size());
    const auto byte = [length](int shift) { return static_cast<char>(length >> shift & 0xff); };
    const char prefix[] = {byte(24), byte(16), byte(8), byte(0)};
    bytes.append(prefix, sizeof(prefix));
    bytes += part;
  }
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest{};
  Sha256(bytes, digest.data());
  return EncodeBase64Url(std::span(digest).first(16));
}

}  // namespace

std::string OwnerTag(std::string_view owner) {
  return owner.empty() ? std::string() : Tag("owner", {owner});
}

StoredKey MakeStoredKey(const RecordKey& key) {
  return {OwnerTag(key.owner), Tag("record", {key.owner, key.kind, key.id})};
}

}  // namespace mcp_session

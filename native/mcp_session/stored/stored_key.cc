#include "mcp_session/stored/stored_key.h"

// What OpenSSL 3 wants to be used instead allocates for each digest, and takes longer than to run
// it.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>

#include "mcp_session/base/base64.h"
#include "mcp_session/base/check.h"

namespace mcp_session {
namespace {

std::string Tag(std::string_view purpose, std::initializer_list<std::string_view> parts) {
  SHA256_CTX context;
  const auto add = [&context](const void* bytes, std::size_t size) {
    MCPS_CHECK(SHA256_Update(&context, bytes, size) == 1);
  };
  MCPS_CHECK(SHA256_Init(&context) == 1);
  add(purpose.data(), purpose.size());
  for (const std::string_view part : parts) {
    const auto length = static_cast<std::uint32_t>(part.size());
    const auto byte = [length](int shift) { return static_cast<std::uint8_t>(length >> shift); };
    const std::array<std::uint8_t, 4> bytes = {byte(24), byte(16), byte(8), byte(0)};
    add(bytes.data(), bytes.size());
    add(part.data(), part.size());
  }
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
  MCPS_CHECK(SHA256_Final(digest.data(), &context) == 1);
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

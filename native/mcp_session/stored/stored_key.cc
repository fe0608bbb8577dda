#include "mcp_session/stored/stored_key.h"

#include <openssl/sha.h>

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>

#include "mcp_session/base/base64.h"

namespace mcp_session {
namespace {

std::string Tag(std::string_view purpose, std::initializer_list<std::string_view> parts) {
  std::string bytes(purpose);
  for (const std::string_view part : parts) {
    const auto size = static_cast<std::uint32_t>(part.size());
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(size >> shift & 0xff);
    bytes += part;
  }
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
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

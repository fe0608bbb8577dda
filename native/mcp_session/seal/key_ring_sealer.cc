// A token is base64url, without padding, of
//   1 byte   1, the version of this format
//   4 bytes  the key's id
//   12 bytes the nonce
//   n bytes  8 bytes of the time it was sealed (milliseconds, big-endian) and the state, encrypted
//   16 bytes the tag
// Authenticated with it are the 17 bytes before, and what it is bound to.
#include "mcp_session/seal/key_ring_sealer.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <span>
#include <utility>

#include "mcp_session/base/base64.h"
#include "mcp_session/base/check.h"

namespace mcp_session {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kIdBytes = 4;
constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kHeadBytes = 1 + kIdBytes + kNonceBytes;
constexpr std::size_t kTimeBytes = 8;
constexpr std::size_t kTagBytes = 16;
// How far the clocks of two nodes may be apart.
constexpr std::int64_t kClockSkewMillis = 60'000;

using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;
using Bytes = std::vector<std::uint8_t>;

const std::uint8_t* BytesOf(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

std::int64_t SystemMillis() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::optional<int> HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

std::optional<StateKey> ParseKey(std::string_view digits) {
  StateKey key{};
  if (digits.size() != key.size() * 2) return std::nullopt;
  for (std::size_t at = 0; at < digits.size(); ++at) {
    const auto digit = HexDigit(digits[at]);
    if (!digit) return std::nullopt;
    key[at / 2] = static_cast<std::uint8_t>(key[at / 2] << 4 | *digit);
  }
  return key;
}

}  // namespace

Result<std::vector<StateKey>> ParseStateKeys(std::string_view text) {
  constexpr std::string_view kBetween = ", \t\r\n";
  const auto refuse = [](const char* why) {
    return Failure(ErrorCode::kInvalidArgument, Blame::kCaller, why);
  };
  std::vector<StateKey> keys;
  for (std::size_t from = 0;;) {
    from = text.find_first_not_of(kBetween, from);
    if (from == text.npos) break;
    const std::size_t to = std::min(text.find_first_of(kBetween, from), text.size());
    const auto key = ParseKey(text.substr(from, to - from));
    if (!key) return refuse("a state key is 64 hexadecimal digits");
    if (std::find(keys.begin(), keys.end(), *key) != keys.end()) {
      return refuse("a state key is there twice");
    }
    keys.push_back(*key);
    from = to;
  }
  if (keys.empty()) return refuse("there is no state key");
  return keys;
}

StateKey MakeStateKey(Entropy& entropy) {
  StateKey key;
  entropy.Fill(key);
  return key;
}

KeyRingSealer::KeyRingSealer(std::vector<StateKey> keys, Entropy& entropy)
    : KeyRingSealer(std::move(keys), entropy, Options{}) {}

KeyRingSealer::KeyRingSealer(std::vector<StateKey> keys, Entropy& entropy, Options options)
    : entropy_(entropy), options_(std::move(options)) {
  MCPS_CHECK(!keys.empty());
  if (!options_.now) options_.now = SystemMillis;
  for (StateKey& bytes : keys) {
    constexpr std::string_view kWhat = "mcp-session state key id";
    std::string named(kWhat);
    named.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest;
    SHA256(BytesOf(named), named.size(), digest.data());
    Key& key = keys_.emplace_back();
    std::copy_n(digest.begin(), kIdBytes, key.id.begin());
    key.bytes = bytes;
    OPENSSL_cleanse(named.data(), named.size());
    OPENSSL_cleanse(bytes.data(), bytes.size());
  }
}

KeyRingSealer::~KeyRingSealer() {
  for (Key& key : keys_) OPENSSL_cleanse(key.bytes.data(), key.bytes.size());
}

std::string KeyRingSealer::Seal(std::string_view state, std::string_view bound_to) {
  const Key& key = keys_.front();
  Bytes token(kHeadBytes + kTimeBytes + state.size() + kTagBytes);
  token[0] = kVersion;
  std::copy(key.id.begin(), key.id.end(), token.begin() + 1);
  const std::span<std::uint8_t> nonce(token.data() + 1 + kIdBytes, kNonceBytes);
  entropy_.Fill(nonce);

  Bytes plain(kTimeBytes);
  auto millis = static_cast<std::uint64_t>(options_.now());
  for (std::size_t at = kTimeBytes; at-- > 0; millis >>= 8) {
    plain[at] = static_cast<std::uint8_t>(millis & 0xFF);
  }
  plain.insert(plain.end(), state.begin(), state.end());

  const Context context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  std::uint8_t* out = token.data() + kHeadBytes;
  int length = 0;
  const bool sealed =
      context != nullptr &&
      EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.bytes.data(),
                         nonce.data()) == 1 &&
      EVP_EncryptUpdate(context.get(), nullptr, &length, token.data(), kHeadBytes) == 1 &&
      EVP_EncryptUpdate(context.get(), nullptr, &length, BytesOf(bound_to),
                        static_cast<int>(bound_to.size())) == 1 &&
      EVP_EncryptUpdate(context.get(), out, &length, plain.data(),
                        static_cast<int>(plain.size())) == 1 &&
      EVP_EncryptFinal_ex(context.get(), out + plain.size(), &length) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, out + plain.size()) == 1;
  MCPS_CHECK(sealed);  // memory, or an OpenSSL without AES
  return EncodeBase64Url(token);
}

std::optional<std::string> KeyRingSealer::Open(std::string_view token, std::string_view bound_to) {
  const std::optional<std::string> decoded = DecodeBase64Url(token);
  if (!decoded || decoded->size() < kHeadBytes + kTimeBytes + kTagBytes) return std::nullopt;
  const std::uint8_t* in = BytesOf(*decoded);
  if (in[0] != kVersion) return std::nullopt;
  const auto key = std::find_if(keys_.begin(), keys_.end(), [&](const Key& one) {
    return std::equal(one.id.begin(), one.id.end(), in + 1);
  });
  if (key == keys_.end()) return std::nullopt;

  std::string plain(decoded->size() - kHeadBytes - kTagBytes, '\0');
  auto* out = reinterpret_cast<std::uint8_t*>(plain.data());
  const Context context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  std::array<std::uint8_t, kTagBytes> tag;
  std::copy_n(in + decoded->size() - kTagBytes, kTagBytes, tag.begin());
  int length = 0;
  const bool opened =
      context != nullptr &&
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key->bytes.data(),
                         in + 1 + kIdBytes) == 1 &&
      EVP_DecryptUpdate(context.get(), nullptr, &length, in, kHeadBytes) == 1 &&
      EVP_DecryptUpdate(context.get(), nullptr, &length, BytesOf(bound_to),
                        static_cast<int>(bound_to.size())) == 1 &&
      EVP_DecryptUpdate(context.get(), out, &length, in + kHeadBytes,
                        static_cast<int>(plain.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(context.get(), out + plain.size(), &length) == 1;
  if (!opened) return std::nullopt;

  std::uint64_t millis = 0;
  for (std::size_t at = 0; at < kTimeBytes; ++at) millis = millis << 8 | out[at];
  const std::int64_t age = options_.now() - static_cast<std::int64_t>(millis);
  if (age >= options_.lifetime.count || age < -kClockSkewMillis) return std::nullopt;
  plain.erase(0, kTimeBytes);
  return plain;
}

}  // namespace mcp_session

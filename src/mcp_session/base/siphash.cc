#include "mcp_session/base/siphash.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

namespace mcp_session {
namespace {

// Eight bytes, the lowest first.
std::uint64_t LoadWord(const void* bytes) {
  std::uint64_t word;
  std::memcpy(&word, bytes, sizeof word);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

struct SipState {
  std::uint64_t v0, v1, v2, v3;

  void Round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }

  void Absorb(std::uint64_t word) {
    v3 ^= word;
    Round();
    v0 ^= word;
  }
};

}  // namespace

SipKey MakeSipKey(Entropy& entropy) {
  std::array<std::uint8_t, 16> bytes{};
  entropy.Fill(bytes);
  return SipKey{LoadWord(bytes.data()), LoadWord(bytes.data() + 8)};
}

std::uint64_t SipHash13(const SipKey& key, std::uint64_t prefix, std::string_view bytes) {
  SipState state{key.k0 ^ 0x736f6d6570736575, key.k1 ^ 0x646f72616e646f6d,
                 key.k0 ^ 0x6c7967656e657261, key.k1 ^ 0x7465646279746573};
  state.Absorb(prefix);
  const char* at = bytes.data();
  for (std::size_t words = bytes.size() / 8; words > 0; --words, at += 8) {
    state.Absorb(LoadWord(at));
  }
  // The last word: what is left, and in its top byte the length of all, modulo 256.
  std::uint64_t last = static_cast<std::uint64_t>(bytes.size() + sizeof prefix) << 56;
  const std::size_t rest = bytes.size() % 8;
  if (rest != 0 && bytes.size() >= 8) {
    last |= LoadWord(at + rest - 8) >> (64 - 8 * rest);
  } else {
    for (std::size_t i = 0; i < rest; ++i) {
      last |= std::uint64_t{static_cast<std::uint8_t>(at[i])} << (8 * i);
    }
  }
  state.Absorb(last);
  state.v2 ^= 0xff;
  for (int i = 0; i < 3; ++i) state.Round();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

}  // namespace mcp_session

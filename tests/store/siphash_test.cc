#include "mcp_session/base/siphash.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "tests/support/counting_entropy.h"

namespace mcp_session {
namespace {

constexpr SipKey kKey{0x0706050403020100, 0x0f0e0d0c0b0a0908};

struct Vector {
  std::size_t size;  // of the message after the prefix
  std::uint64_t hash;
};

// The message is 0, 1, 2, ... with the first eight bytes as the prefix. From an implementation
// that agrees with CPython's siphash13 and with the vectors of the SipHash paper.
constexpr Vector kVectors[] = {
    {0, 0x369095118d299a8e},  {1, 0x25a48eb36c063de4},   {2, 0x79de85ee92ff097f},
    {3, 0x70c118c1f94dc352},  {4, 0x78a384b157b4d9a2},   {5, 0x306f760c1229ffa7},
    {6, 0x605aa111c0f95d34},  {7, 0xd320d86d2a519956},   {8, 0xcc4fdd1a7d908b66},
    {9, 0x9cf2689063dbd80c},  {10, 0x8ffc389cb473e63e},  {11, 0xf21f9de58d297d1c},
    {12, 0xc0dc2f46a6cce040}, {13, 0xb992abfe2b45f844},  {14, 0x7ffe7b9ba320872e},
    {15, 0x525a0e7fdae6c123}, {16, 0xf464aeb267349c8c},  {17, 0x45cd5928705b0979},
    {49, 0x23f8d852fdb71513}, {255, 0x32a9a86921d2a10c}, {256, 0xc8fedcc289a35d66},
};

TEST(SipHash13, AgreesWithTheVectors) {
  for (const auto& [size, hash] : kVectors) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(i + 8));
    EXPECT_EQ(SipHash13(kKey, 0x0706050403020100, bytes), hash) << size;
  }
}

TEST(SipHash13, DependsOnEveryBitOfTheKeyAndThePrefix) {
  const std::uint64_t hash = SipHash13(kKey, 0, "session");
  for (int bit = 0; bit < 64; ++bit) {
    const std::uint64_t flip = std::uint64_t{1} << bit;
    EXPECT_NE(SipHash13({kKey.k0 ^ flip, kKey.k1}, 0, "session"), hash) << bit;
    EXPECT_NE(SipHash13({kKey.k0, kKey.k1 ^ flip}, 0, "session"), hash) << bit;
    EXPECT_NE(SipHash13(kKey, flip, "session"), hash) << bit;
  }
}

TEST(SipKey, IsSixteenBytesOfEntropy) {
  CountingEntropy entropy;
  const SipKey key = MakeSipKey(entropy);
  EXPECT_EQ(key.k0, kKey.k0);
  EXPECT_EQ(key.k1, kKey.k1);
  std::uint8_t next[1];
  entropy.Fill(next);
  EXPECT_EQ(next[0], 16);
}

}  // namespace
}  // namespace mcp_session

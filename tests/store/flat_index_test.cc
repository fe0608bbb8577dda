#include "mcp_session/store/flat_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "tests/support/counting_entropy.h"

namespace mcp_session {
namespace {

struct Slot {
  std::uint64_t hash = 0;
  int value = 0;  // 0: unused

  bool used() const { return value != 0; }
};

using Index = FlatIndex<Slot>;

std::size_t FindValue(const Index& index, std::uint64_t hash, int value) {
  return index.Find(hash, [value](const Slot& slot) { return slot.value == value; });
}

// Every value is found by its hash, and nothing else is in the table.
void ExpectHolds(const Index& index, const std::map<int, std::uint64_t>& hash_of) {
  ASSERT_EQ(index.size(), hash_of.size());
  for (const auto& [value, hash] : hash_of) {
    const std::size_t at = FindValue(index, hash, value);
    ASSERT_NE(at, Index::kNone) << value;
    ASSERT_EQ(index[at].value, value);
  }
  std::size_t used = 0;
  for (std::size_t at = 0; at < index.capacity(); ++at) used += index[at].used() ? 1 : 0;
  ASSERT_EQ(used, hash_of.size());
}

// Erases `at` and checks what Erase promises about who moved.
void EraseChecked(Index& index, std::size_t at) {
  std::vector<int> before;
  for (std::size_t i = 0; i < index.capacity(); ++i) before.push_back(index[i].value);
  const std::size_t hole = index.Erase(at);
  EXPECT_FALSE(index[hole].used());
  const auto distance = [&](std::size_t to) {
    return (to + index.capacity() - at) % index.capacity();
  };
  for (std::size_t i = 0; i < index.capacity(); ++i) {
    const bool between = distance(i) <= distance(hole);
    EXPECT_TRUE(between || index[i].value == before[i]) << "slot " << i << " moved";
  }
}

struct HashRule {
  const char* name;
  std::function<std::uint64_t(std::uint64_t random)> hash;
};

class FlatIndexChurn : public testing::TestWithParam<HashRule> {};

TEST_P(FlatIndexChurn, FindsWhatIsThereAndNothingElse) {
  SeededEntropy random(1);
  Index index;
  std::map<int, std::uint64_t> hash_of;
  for (int i = 1; i <= 4000; ++i) {
    // Grows to some 200, is emptied, and grows again.
    const bool growing = i / 500 % 2 == 0;
    if (hash_of.empty() || random.Below(10) < (growing ? 7u : 3u)) {
      const std::uint64_t hash = GetParam().hash(random.Next());
      const std::size_t at = index.Insert({hash, i});
      ASSERT_EQ(index[at].value, i);
      hash_of[i] = hash;
    } else {
      const auto victim = std::next(hash_of.begin(), random.Below(hash_of.size()));
      ASSERT_NO_FATAL_FAILURE(EraseChecked(index, FindValue(index, victim->second, victim->first)));
      ASSERT_EQ(FindValue(index, victim->second, victim->first), Index::kNone);
      hash_of.erase(victim);
    }
    if (i % 100 == 0) index.Shrink();
    if (i % 10 != 0) continue;
    ASSERT_NO_FATAL_FAILURE(ExpectHolds(index, hash_of));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Hashes, FlatIndexChurn,
    testing::Values(HashRule{"Random", [](std::uint64_t random) { return random; }},
                    HashRule{"AllEqual", [](std::uint64_t) { return std::uint64_t{5}; }},
                    HashRule{"AllAtTheEnd", [](std::uint64_t) { return ~std::uint64_t{0}; }},
                    HashRule{"AroundTheEnd",
                             [](std::uint64_t random) { return (random % 7 - 3) << 56; }},
                    HashRule{"SameHighBits", [](std::uint64_t random) { return random >> 32; }},
                    HashRule{"ThreeHomes", [](std::uint64_t random) { return random % 3 << 59; }}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(FlatIndex, AnEmptyOneFindsNothing) {
  const Index index;
  EXPECT_EQ(FindValue(index, 0, 1), Index::kNone);
  EXPECT_EQ(index.size(), 0u);
}

TEST(FlatIndex, AHashAloneIsNotAMatch) {
  Index index;
  index.Insert({7, 1});
  EXPECT_EQ(FindValue(index, 7, 2), Index::kNone);
  EXPECT_EQ(FindValue(index, 8, 1), Index::kNone);
}

TEST(FlatIndex, ItSaysWhatTheNextInsertCosts) {
  Index index;
  for (int i = 1; i < 5000; ++i) {
    const std::size_t promised = index.MemoryUse() + index.GrowthOfInsert();
    index.Insert({static_cast<std::uint64_t>(i) * 0x9e3779b97f4a7c15, i});
    ASSERT_EQ(index.MemoryUse(), promised) << i;
    ASSERT_LE(index.size() * 8, index.capacity() * 7) << i;
  }
}

TEST(FlatIndex, ItShrinksToWhatItWas) {
  Index index;
  const std::size_t empty = index.MemoryUse();
  for (int i = 1; i <= 1000; ++i) index.Insert({static_cast<std::uint64_t>(i), i});
  const std::size_t full = index.MemoryUse();
  index.Shrink();
  EXPECT_EQ(index.MemoryUse(), full);
  for (int i = 1; i <= 990; ++i) index.Erase(FindValue(index, i, i));
  index.Shrink();
  EXPECT_LT(index.MemoryUse(), full / 16);
  for (int i = 991; i <= 1000; ++i) EXPECT_NE(FindValue(index, i, i), Index::kNone);
  for (int i = 991; i <= 1000; ++i) index.Erase(FindValue(index, i, i));
  index.Shrink();
  EXPECT_EQ(index.MemoryUse(), empty);
}

}  // namespace
}  // namespace mcp_session

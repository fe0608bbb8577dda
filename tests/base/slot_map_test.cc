#include "mcp_session/base/slot_map.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>

namespace mcp_session {
namespace {

TEST(SlotMap, FindsWhatWasInserted) {
  SlotMap<int> map;
  const auto one = map.Insert(1);
  const auto two = map.Insert(2);
  EXPECT_EQ(*map.Find(one), 1);
  EXPECT_EQ(*map.Find(two), 2);
  EXPECT_EQ(map.size(), 2u);
  EXPECT_EQ(map.Find(0), nullptr);
}

TEST(SlotMap, AnOldNumberNeverFindsANewValue) {
  SlotMap<int> map;
  const auto old = map.Insert(1);
  EXPECT_EQ(map.Take(old), 1);
  const auto fresh = map.Insert(2);  // in the same slot
  EXPECT_NE(old, fresh);
  EXPECT_EQ(map.Find(old), nullptr);
  EXPECT_EQ(map.Take(old), std::nullopt);
  EXPECT_EQ(*map.Find(fresh), 2);
}

TEST(SlotMap, NumbersDifferAcrossReuse) {
  SlotMap<int> map;
  std::set<std::uint64_t> seen;
  for (int round = 0; round < 100; ++round) {
    const auto a = map.Insert(round);
    const auto b = map.Insert(round);
    EXPECT_TRUE(seen.insert(a).second);
    EXPECT_TRUE(seen.insert(b).second);
    map.Take(a);
    map.Take(b);
  }
  EXPECT_EQ(map.size(), 0u);
}

TEST(SlotMap, TakesMoveOnlyValuesAndVisitsTheRest) {
  SlotMap<std::unique_ptr<int>> map;
  const auto one = map.Insert(std::make_unique<int>(1));
  const auto two = map.Insert(std::make_unique<int>(2));
  EXPECT_EQ(**map.Take(one), 1);
  int sum = 0;
  map.ForEach([&](std::uint64_t number, std::unique_ptr<int>& value) {
    EXPECT_EQ(number, two);
    sum += *value;
  });
  EXPECT_EQ(sum, 2);
}

}  // namespace
}  // namespace mcp_session

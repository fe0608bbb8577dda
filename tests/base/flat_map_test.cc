#include "mcp_session/base/flat_map.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace mcp_session {
namespace {

TEST(FlatMap, FindsReplacesAndErases) {
  FlatMap<std::string> map;
  EXPECT_EQ(map.Find(7), nullptr);
  map.Insert(7, "seven");
  map.Insert(3, "three");
  EXPECT_EQ(map.Insert(7, "SEVEN"), "SEVEN");
  EXPECT_EQ(map.size(), 2u);
  EXPECT_EQ(*map.Find(3), "three");
  map.Erase(3);
  map.Erase(3);
  EXPECT_EQ(map.Find(3), nullptr);
  EXPECT_EQ(*map.Find(7), "SEVEN");
}

TEST(FlatMap, BehavesLikeAMap) {
  FlatMap<int> map;
  std::map<std::uint64_t, int> model;
  std::uint64_t state = 1;
  for (int step = 0; step < 20'000; ++step) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const std::uint64_t key = state >> 58;
    if ((state >> 40) % 3 == 0) {
      map.Erase(key);
      model.erase(key);
    } else {
      map.Insert(key, step);
      model[key] = step;
    }
    ASSERT_EQ(map.size(), model.size());
    for (std::uint64_t k = 0; k < 64; k += 9) {
      const auto found = model.find(k);
      ASSERT_EQ(map.Find(k) != nullptr, found != model.end());
      if (found != model.end()) {
        ASSERT_EQ(*map.Find(k), found->second);
      }
    }
  }
}

}  // namespace
}  // namespace mcp_session

#include "mcp_session/json/access.h"

#include <gtest/gtest.h>

#include <cstdint>

#include "mcp_session/json/parse.h"

namespace mcp_session {
namespace {

Json Parse(const char* text) {
  Result<Json> value = ParseJson(text);
  EXPECT_TRUE(value) << text;
  return value ? *value : Json();
}

TEST(Access, FindsMembersOfThatTypeOnly) {
  const Json object = Parse(R"({"s":"text","i":7,"d":2.5,"b":true,"o":{},"a":[],"n":null})");
  EXPECT_EQ(*FindString(object, "s"), "text");
  EXPECT_EQ(FindInteger(object, "i"), 7);
  EXPECT_EQ(FindNumber(object, "d"), 2.5);
  EXPECT_EQ(FindBool(object, "b"), true);
  EXPECT_NE(FindObject(object, "o"), nullptr);
  EXPECT_NE(FindArray(object, "a"), nullptr);
  EXPECT_NE(Find(object, "n"), nullptr);

  EXPECT_EQ(FindString(object, "i"), nullptr);
  EXPECT_EQ(StringOrEmpty(object, "s"), "text");
  EXPECT_EQ(StringOrEmpty(object, "i"), "");
  EXPECT_EQ(StringOrEmpty(object, "absent"), "");
  EXPECT_EQ(FindInteger(object, "s"), std::nullopt);
  EXPECT_EQ(FindNumber(object, "s"), std::nullopt);
  EXPECT_EQ(FindBool(object, "i"), std::nullopt);
  EXPECT_EQ(FindObject(object, "a"), nullptr);
  EXPECT_EQ(FindArray(object, "o"), nullptr);
  EXPECT_EQ(Find(object, "x"), nullptr);
}

TEST(Access, FindsNothingInWhatIsNoObject) {
  for (const char* text : {"null", "[1]", "\"s\"", "5", "true"}) {
    EXPECT_EQ(Find(Parse(text), "s"), nullptr) << text;
  }
}

TEST(Access, TakesWholeNumbersFor64BitsOnly) {
  const Json numbers = Parse(
      R"({"max":9223372036854775807,"min":-9223372036854775808,"over":9223372036854775808,)"
      R"("whole":3.0,"part":3.5,"big":1e300,"edge":9223372036854775808.0,"low":-1e300})");
  EXPECT_EQ(FindInteger(numbers, "max"), INT64_MAX);
  EXPECT_EQ(FindInteger(numbers, "min"), INT64_MIN);
  EXPECT_EQ(FindInteger(numbers, "whole"), 3);
  for (const char* name : {"over", "part", "big", "edge", "low"}) {
    EXPECT_EQ(FindInteger(numbers, name), std::nullopt) << name;
  }
}

TEST(Access, TakeMovesTheMemberOut) {
  Json object = Parse(R"({"a":{"b":1},"c":2})");
  EXPECT_EQ(Take(object, "a"), Parse(R"({"b":1})"));
  EXPECT_TRUE(Find(object, "a")->is_null());
  EXPECT_TRUE(Take(object, "x").is_null());
}

}  // namespace
}  // namespace mcp_session

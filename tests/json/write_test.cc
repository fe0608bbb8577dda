#include "mcp_session/json/write.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>

namespace mcp_session {
namespace {

std::string Write(const Json& value) {
  std::string out;
  return AppendJson(value, &out) ? out : "no JSON form";
}

TEST(AppendJson, EscapesWhatMustBeAndNothingElse) {
  EXPECT_EQ(Write(std::string("\"\\/\b\f\n\r\t\x01\x1f\x7f")),
            "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"");
  EXPECT_EQ(Write(std::string("a\0b", 3)), "\"a\\u0000b\"");
  EXPECT_EQ(Write("K\xc3\xb6ln \xe2\x82\xac \xf0\x9f\x98\x80"),
            "\"K\xc3\xb6ln \xe2\x82\xac \xf0\x9f\x98\x80\"");
}

TEST(AppendJson, RefusesWhatIsNotUtf8) {
  for (const char* text : {"\xff", "\x80", "a\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80",
                           "\xf0\x80\x80\xaf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82"}) {
    EXPECT_EQ(Write(text), "no JSON form");
    EXPECT_EQ(Write(Json::object({{text, 1}})), "no JSON form");
  }
}

TEST(AppendJson, LeavesTheTextAloneWhenItFails) {
  std::string out = "before";
  EXPECT_FALSE(AppendJson(Json::array({1, 2, "\xff"}), &out));
  EXPECT_EQ(out, "before");
  EXPECT_FALSE(AppendJsonString("\xff", &out));
  EXPECT_EQ(out, "before");
}

TEST(AppendJson, RefusesNumbersThatJsonLacks) {
  EXPECT_EQ(Write(std::numeric_limits<double>::quiet_NaN()), "no JSON form");
  EXPECT_EQ(Write(std::numeric_limits<double>::infinity()), "no JSON form");
  EXPECT_EQ(Write(-std::numeric_limits<double>::infinity()), "no JSON form");
}

TEST(AppendJson, WritesDoublesThatReadBackTheSame) {
  EXPECT_EQ(Write(0.1), "0.1");
  EXPECT_EQ(Write(95.5), "95.5");
  EXPECT_EQ(Write(-0.0), "-0.0");
  EXPECT_EQ(Write(1e21), "1e+21");
  for (const double value : {1.0 / 3, 5e-324, 1.7976931348623157e308, 123456.789, -2.5e-7}) {
    EXPECT_EQ(std::strtod(Write(value).c_str(), nullptr), value);
  }
}

TEST(AppendJson, WritesNestedValues) {
  EXPECT_EQ(Write(Json{{"b", {1, -2, nullptr}}, {"a", Json::object()}, {"c", Json::array()}}),
            R"({"b":[1,-2,null],"a":{},"c":[]})");
}

}  // namespace
}  // namespace mcp_session

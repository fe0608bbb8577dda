#include "mcp_session/json/parse.h"

#include <gtest/gtest.h>

#include <string>

#include "mcp_session/json/write.h"

namespace mcp_session {
namespace {

// The value as it is written again, or the error's message.
std::string Reparse(std::string_view text, const Limits& limits = {}) {
  const Result<Json> value = ParseJson(text, limits);
  if (!value) return "error: " + value.error().message;
  std::string out;
  EXPECT_TRUE(AppendJson(*value, &out));
  return out;
}

ErrorCode CodeOf(std::string_view text, const Limits& limits = {}) {
  const Result<Json> value = ParseJson(text, limits);
  return value ? ErrorCode::kInternal : value.error().code;
}

std::string Nested(int depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(ParseJson, KeepsMembersInTheirOrder) {
  EXPECT_EQ(Reparse(R"({"z":1,"a":{"y":[],"b":{}},"m":[1,"two",null,true,false]})"),
            R"({"z":1,"a":{"y":[],"b":{}},"m":[1,"two",null,true,false]})");
}

TEST(ParseJson, KeepsIntegersOf64Bits) {
  EXPECT_EQ(Reparse("[9223372036854775807,-9223372036854775808,18446744073709551615]"),
            "[9223372036854775807,-9223372036854775808,18446744073709551615]");
}

TEST(ParseJson, ReadsScalarsAtTheTop) {
  EXPECT_EQ(Reparse(" 12 "), "12");
  EXPECT_EQ(Reparse("\"x\""), "\"x\"");
  EXPECT_EQ(Reparse("null"), "null");
}

TEST(ParseJson, RefusesWhatIsNotJson) {
  for (const char* text : {"", " ", "{", "[1,]", "{\"a\":1,}", "{a:1}", "'a'", "nul", "1 2", "[1]x",
                           "01", "+1", ".5", "1.", "NaN", "Infinity", "-", "\"\t\"", "\"\\x\"",
                           "// c\n1", "{\"a\" 1}", "1e999", "-1e999"}) {
    EXPECT_EQ(CodeOf(text), ErrorCode::kParseError) << text;
  }
}

// Spec J-01.
TEST(ParseJson, RefusesWhatIsNotUtf8) {
  for (const char* text : {"\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"",
                           "\"\xe2\x82\"", "\"\\ud800\"", "\"\\udc00\\ud800\"", "\xef\xbb\xbf{}"}) {
    EXPECT_EQ(CodeOf(text), ErrorCode::kParseError) << text;
  }
  EXPECT_EQ(Reparse("\"\\ud83d\\ude00\""), "\"\xf0\x9f\x98\x80\"");
}

TEST(ParseJson, RefusesAMemberNamedTwice) {
  EXPECT_EQ(Reparse(R"({"a":1,"b":2,"a":3})"), "error: a member is named twice");
  EXPECT_EQ(Reparse(R"([{"x":{"a":1,"a":1}}])"), "error: a member is named twice");
  std::string many = "{";
  for (int i = 0; i < 100; ++i) many += "\"m" + std::to_string(i) + "\":0,";
  EXPECT_EQ(CodeOf(many + "\"m100\":0}"), ErrorCode::kInternal);  // none: it was read
  EXPECT_EQ(Reparse(many + "\"m57\":0}"), "error: a member is named twice");
}

TEST(ParseJson, BoundsTheDepth) {
  Limits limits;
  limits.max_json_depth = 5;
  EXPECT_EQ(Reparse(Nested(5), limits), Nested(5));
  EXPECT_EQ(Reparse(Nested(6), limits), "error: nested too deep");
  EXPECT_EQ(Reparse(R"({"a":{"a":{"a":{"a":{"a":1}}}}})", limits),
            R"({"a":{"a":{"a":{"a":{"a":1}}}}})");
  EXPECT_EQ(Reparse(R"({"a":{"a":{"a":{"a":{"a":{}}}}}})", limits), "error: nested too deep");
}

TEST(ParseJson, AMillionBracketsAreAnErrorAndNoCrash) {
  EXPECT_EQ(Reparse(std::string(1'000'000, '[')), "error: nested too deep");
  std::string members;
  for (int i = 0; i < 100'000; ++i) members += "{\"a\":";
  EXPECT_EQ(Reparse(members), "error: nested too deep");
}

TEST(ParseJson, BoundsTheNumberOfValues) {
  Limits limits;
  limits.max_json_values = 4;
  EXPECT_EQ(Reparse("[1,2,3]", limits), "[1,2,3]");
  EXPECT_EQ(Reparse("[1,2,3,4]", limits), "error: too many values");
  EXPECT_EQ(Reparse("[[],[],[]]", limits), "[[],[],[]]");
  EXPECT_EQ(Reparse("[[],[],[],[]]", limits), "error: too many values");
}

TEST(ParseJson, BoundsTheSize) {
  Limits limits;
  limits.max_message_bytes = 6;
  EXPECT_EQ(Reparse("\"1234\"", limits), "\"1234\"");
  EXPECT_EQ(CodeOf("\"12345\"", limits), ErrorCode::kTooLarge);
}

}  // namespace
}  // namespace mcp_session

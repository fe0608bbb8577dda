#include "mcp_session/base/decimal.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace mcp_session {
namespace {

TEST(ParseDecimal, TakesDigitsOf63Bits) {
  EXPECT_EQ(ParseDecimal("0"), 0);
  EXPECT_EQ(ParseDecimal("0012"), 12);
  EXPECT_EQ(ParseDecimal("9223372036854775807"), INT64_MAX);
}

TEST(ParseDecimal, TakesNothingElse) {
  for (const char* text : {"", " 1", "1 ", "+1", "-1", "1.0", "1e3", "0x10", "\xd9\xa1",
                           "9223372036854775808", "99999999999999999999"}) {
    EXPECT_EQ(ParseDecimal(text), std::nullopt) << text;
  }
}

TEST(AppendDecimal, WritesAllDigits) {
  std::string out = "n=";
  AppendDecimal(0, &out);
  out += ' ';
  AppendDecimal(1050, &out);
  out += ' ';
  AppendDecimal(UINT64_MAX, &out);
  EXPECT_EQ(out, "n=0 1050 18446744073709551615");
}

}  // namespace
}  // namespace mcp_session

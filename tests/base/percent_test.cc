#include "mcp_session/base/percent.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace mcp_session {
namespace {

TEST(PercentDecode, TakesWhatIsNotEncodedAsItIs) {
  EXPECT_EQ(PercentDecode(""), "");
  EXPECT_EQ(PercentDecode("a+b/c?d#e"), "a+b/c?d#e");
}

TEST(PercentDecode, TakesAnyByteInDigitsOfBothCases) {
  EXPECT_EQ(PercentDecode("%2F%2f%25"), "//%");
  EXPECT_EQ(PercentDecode("a%00b"), std::string("a\0b", 3));
  EXPECT_EQ(PercentDecode("%c3%A9%ff"), "\xc3\xa9\xff");
  EXPECT_EQ(PercentDecode("%2525"), "%25") << "once, not twice";
}

TEST(PercentDecode, RefusesWhatIsCutShortOrNoDigits) {
  for (const char* text : {"%", "a%", "%4", "a%4", "%4g", "%g4", "%%41", "% 41", "%-1", "%+1"}) {
    EXPECT_EQ(PercentDecode(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace mcp_session

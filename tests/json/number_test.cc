#include "mcp_session/json/number.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace mcp_session {
namespace {

// The C library rounds right as well (in the C locale), so it is what to agree with, bit by bit.
void ExpectLikeTheCLibrary(const std::string& text) {
  const auto got = ParseDouble(text);
  const double expected = std::strtod(text.c_str(), nullptr);
  if (std::isinf(expected)) {
    EXPECT_EQ(got, std::nullopt) << text;
    return;
  }
  ASSERT_TRUE(got) << text;
  EXPECT_EQ(std::memcmp(&*got, &expected, sizeof expected), 0) << text << " read as " << *got;
}

double FromBits(std::uint64_t bits) {
  double value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

std::uint64_t Next(std::uint64_t* state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

TEST(ParseDouble, AtTheEdges) {
  for (const char* text :
       {"0", "-0", "0.0", "-0e5", "1e308", "1.7976931348623157e308", "1.7976931348623158e308",
        "1.7976931348623159e308", "4.9e-324", "2.4703282292062327e-324", "2.4703282292062328e-324",
        "2.225073858507201e-308", "2.2250738585072011e-308", "2.2250738585072014e-308",
        "9007199254740993", "9007199254740992.5", "1e-400", "1e-99999999999999", "1e99999999999",
        "0e99999999999", "123456789012345678901234567890", "1e23", "8.5e22", "5e-324", "3e-324",
        "0.1e-323", "1E+5", "-1e-5"}) {
    ExpectLikeTheCLibrary(text);
  }
  ExpectLikeTheCLibrary("0." + std::string(2000, '0') + "1e2000");
  ExpectLikeTheCLibrary(std::string(2000, '1') + "e-1990");
}

TEST(ParseDouble, OfAnyDouble) {
  std::uint64_t state = 88172645463325252u;
  for (int i = 0; i < 20'000; ++i) {
    const double value = FromBits(Next(&state));
    if (!std::isfinite(value)) continue;
    char text[64];
    std::snprintf(text, sizeof text, "%.*e", static_cast<int>(Next(&state) % 20 + 1), value);
    ExpectLikeTheCLibrary(text);
  }
}

// Halfway between two doubles, and a hair to either side of that.
TEST(ParseDouble, HalfwayGoesToEven) {
  std::uint64_t state = 1234567;
  for (int i = 0; i < 300; ++i) {
    // An odd 54-bit integer is halfway between two neighbours; powers of two move it around.
    const std::uint64_t odd = (Next(&state) >> 11) | (std::uint64_t{1} << 53) | 1;
    std::string digits = std::to_string(odd);
    ExpectLikeTheCLibrary(digits);
    ExpectLikeTheCLibrary(digits + ".0000000000000000000000000000001");
    ExpectLikeTheCLibrary(digits + "." + std::string(900, '0') + "1");
    ExpectLikeTheCLibrary(std::to_string(odd - 1) + "." + std::string(900, '9'));
  }
}

}  // namespace
}  // namespace mcp_session

#include "mcp_session/json/number.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

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
  for (const char* text : {"0",
                           "-0",
                           "0.0",
                           "-0e5",
                           "1e308",
                           "1.7976931348623157e308",
                           "1.7976931348623158e308",
                           "1.7976931348623159e308",
                           "4.9e-324",
                           "2.4703282292062327e-324",
                           "2.4703282292062328e-324",
                           "2.225073858507201e-308",
                           "2.2250738585072011e-308",
                           "2.2250738585072014e-308",
                           "9007199254740993",
                           "9007199254740992.5",
                           "1e-400",
                           "1e-99999999999999",
                           "1e99999999999",
                           "0e99999999999",
                           "123456789012345678901234567890",
                           "1e23",
                           "8.5e22",
                           "5e-324",
                           "3e-324",
                           "0.1e-323",
                           "1E+5",
                           "-1e-5"}) {
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

std::string Written(double value) {
  std::string out;
  AppendDouble(value, &out);
  return out;
}

TEST(AppendDouble, HasOneFormForEachMagnitude) {
  for (const auto& [value, text] : std::vector<std::pair<double, std::string>>{
           {0.0, "0.0"},
           {-0.0, "-0.0"},
           {1.0, "1.0"},
           {-1500.0, "-1500.0"},
           {95.5, "95.5"},
           {0.1, "0.1"},
           {0.001, "0.001"},
           {0.00025, "0.00025"},
           {0.000025, "2.5e-05"},
           {123456789012345.0, "123456789012345.0"},
           {999999999999999.9, "999999999999999.9"},
           {1e15, "1e+15"},
           {1234567890123456.0, "1.234567890123456e+15"},
           {9007199254740993.0, "9.007199254740992e+15"},
           {1e21, "1e+21"},
           {1e22, "1e+22"},
           {1e23, "1e+23"},
           {1e100, "1e+100"},
           {1e-100, "1e-100"},
           {0.3, "0.3"},
           {0.1 + 0.2, "0.30000000000000004"},
           {1.0 / 3, "0.3333333333333333"},
           {2.0 / 3, "0.6666666666666666"},
           {99999999999999999.0, "1e+17"},
           {5e-324, "5e-324"},
           {2.2250738585072014e-308, "2.2250738585072014e-308"},
           {2.225073858507201e-308, "2.225073858507201e-308"},
           {1.7976931348623157e308, "1.7976931348623157e+308"},
       }) {
    EXPECT_EQ(Written(value), text);
  }
}

// The C library knows how many digits a double needs.
void ExpectShortest(double value) {
  const std::string text = Written(value);
  EXPECT_EQ(std::strtod(text.c_str(), nullptr), value) << text;
  std::size_t written = 0;
  bool begun = false;
  for (const char c : text.substr(0, text.find('e'))) {
    begun = begun || (c >= '1' && c <= '9');
    if (begun && c != '.') ++written;
  }
  char shortest[64];
  int digits = 1;
  for (; digits <= 17; ++digits) {
    std::snprintf(shortest, sizeof shortest, "%.*e", digits - 1, value);
    if (std::strtod(shortest, nullptr) == value) break;
  }
  if (text.ends_with(".0")) return;  // a whole number has zeros at the end, for their place
  EXPECT_EQ(written, static_cast<std::size_t>(digits)) << text << ' ' << shortest;
}

TEST(AppendDouble, IsTheShortestThatReadsBackTheSame) {
  std::uint64_t state = 123456789123456789u;
  for (int i = 0; i < 20'000; ++i) {
    const double any = FromBits(Next(&state));
    if (std::isfinite(any) && any != 0) ExpectShortest(any);
    const double fraction = static_cast<double>(Next(&state) >> 11) / 9007199254740992.0;
    ExpectShortest(fraction * 1000);
    const double cents = static_cast<double>(Next(&state) % 10'000'000) / 100;
    ExpectShortest(cents);
  }
}

}  // namespace
}  // namespace mcp_session

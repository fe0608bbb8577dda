#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/system/clock.h"
#include "mcp_session/system/entropy.h"
#include "mcp_session/system/log.h"

namespace mcp_session {
namespace {

TEST(SystemEntropy, FillsAllOfIt) {
  SystemEntropy entropy;
  std::set<std::array<std::uint8_t, 16>> drawn;
  for (int i = 0; i < 100; ++i) {
    std::array<std::uint8_t, 16> bytes{};
    entropy.Fill(bytes);
    drawn.insert(bytes);
  }
  EXPECT_EQ(drawn.size(), 100u);
  // Each half of so many bytes lacks one of the 256 values less than once in 10^60 runs.
  std::vector<std::uint8_t> many(2 * 40'000);
  entropy.Fill(many);
  EXPECT_EQ(std::set<std::uint8_t>(many.begin(), many.begin() + 40'000).size(), 256u);
  EXPECT_EQ(std::set<std::uint8_t>(many.begin() + 40'000, many.end()).size(), 256u);
  entropy.Fill({});
}

TEST(MonotonicClock, NeverGoesBack) {
  Instant last = MonotonicNow();
  for (int i = 0; i < 1000; ++i) {
    const Instant now = MonotonicNow();
    EXPECT_GE(now, last);
    last = now;
  }
}

TEST(MonotonicClock, TurnsIntoTheTimeOfTimers) {
  const Instant now = MonotonicNow();
  EXPECT_LE(ToSteadyTime(now), std::chrono::steady_clock::now());
  EXPECT_GT(ToSteadyTime(now + Seconds(10)), std::chrono::steady_clock::now());
  EXPECT_EQ(ToSteadyTime(kNever), std::chrono::steady_clock::time_point::max());
}

TEST(Redact, ShowsSixCharactersOfWhatCouldBeSecret) {
  const struct {
    std::string_view text, shown;
  } rows[] = {
      {"", ""},
      {"file not found: a/b.txt", "file not found: a/b.txt"},
      {"session Zk3vQe0mT9cJrA2yXw8LhA.", "session Zk3vQe...."},
      {"basket_Zk3vQe0mT9cJrA2yXw8LhA", "basket..."},
      {"Authorization: Bearer aaaaaaaaaaaaaaa1", "Authorization: Bearer aaaaaa..."},
      {"internationalization", "internationalization"},  // a word
      {"InternationalOrganization", "Intern..."},
      {"two\nlines\tand\x7f", "two?lines?and?"},
      {"caf\xc3\xa9", "caf\xc3\xa9"},
  };
  for (const auto& row : rows) EXPECT_EQ(Redact(row.text), row.shown);
}

TEST(Redact, KeepsToTwoHundredBytes) {
  std::string words;
  for (int i = 0; i < 100; ++i) words += "word ";
  EXPECT_EQ(Redact(words), words.substr(0, 200) + "...");
  EXPECT_EQ(Redact(words.substr(0, 200)), words.substr(0, 200));
  EXPECT_EQ(Redact(std::string(300, 'a')), std::string(200, 'a') + "...");
}

}  // namespace
}  // namespace mcp_session

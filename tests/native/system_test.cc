#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <thread>
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

// A pipe takes a line of this length in pieces.
TEST(Log, WritesWholeLinesFromSeveralThreads) {
  constexpr int kThreads = 4, kLines = 20;
  constexpr std::size_t kLength = 100'000;
  std::array<int, 2> pipe_ends{};
  ASSERT_EQ(pipe(pipe_ends.data()), 0);
  const int before = dup(STDERR_FILENO);
  dup2(pipe_ends[1], STDERR_FILENO);
  close(pipe_ends[1]);
  std::string written;
  std::thread reader([&] {
    std::array<char, 4096> piece{};
    for (ssize_t n = 0; (n = read(pipe_ends[0], piece.data(), piece.size())) > 0;) {
      written.append(piece.data(), static_cast<std::size_t>(n));
    }
  });
  std::vector<std::thread> writers;
  for (int i = 0; i < kThreads; ++i) {
    writers.emplace_back([i] {
      const std::string line(kLength, static_cast<char>('a' + i));
      for (int j = 0; j < kLines; ++j) LogLine(line);
    });
  }
  for (std::thread& writer : writers) writer.join();
  dup2(before, STDERR_FILENO);
  close(before);
  reader.join();
  close(pipe_ends[0]);
  constexpr std::string_view kBefore = "mcp-session: ";
  std::size_t lines = 0;
  for (std::size_t at = 0; at < written.size(); ++lines) {
    const std::string_view line(written.data() + at, written.find('\n', at) - at);
    ASSERT_EQ(line.size(), kBefore.size() + kLength);
    EXPECT_EQ(line.substr(kBefore.size()), std::string(kLength, line.back()));
    at += line.size() + 1;
  }
  EXPECT_EQ(lines, std::size_t{kThreads} * kLines);
}

}  // namespace
}  // namespace mcp_session

// Runs a fuzzer without libFuzzer, so that every build of every compiler and every sanitizer has
// run it: the files of its corpus, then what a seeded source of trouble makes of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/support/counting_entropy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace mcp_session {
namespace {

constexpr int kRounds = 4000;
constexpr std::size_t kMaxSize = 4096;

std::string current;  // for whoever has to find out why it aborted

void ShowCurrent(int) {
  std::fprintf(stderr, "the input, in hexadecimal: ");
  for (const char c : current) std::fprintf(stderr, "%02x", static_cast<unsigned char>(c));
  std::fprintf(stderr, "\n");
  std::signal(SIGABRT, SIG_DFL);
  std::abort();
}

std::vector<std::string> ReadCorpus() {
  std::vector<std::string> inputs;
  std::vector<std::filesystem::path> paths;
  for (const auto& file : std::filesystem::directory_iterator(FUZZ_CORPUS)) {
    paths.push_back(file.path());
  }
  std::sort(paths.begin(), paths.end());
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return inputs;
}

// One change of the kinds that break parsers.
void Change(std::string* input, const std::vector<std::string>& corpus, SeededEntropy& random) {
  const std::size_t at = random.Below(input->size() + 1);
  const std::size_t length = std::min<std::size_t>(random.Below(16) + 1, input->size() - at);
  switch (random.Below(7)) {
    case 0:  // a bit
      if (at < input->size()) (*input)[at] ^= static_cast<char>(1u << random.Below(8));
      break;
    case 1:  // any byte
      input->insert(at, 1, static_cast<char>(random.Next()));
      break;
    case 2:  // a byte that means something to somebody
      input->insert(at, 1, "\r\n\0\"\\{}[]:,-+$*0195e%&@/"[random.Below(25)]);
      break;
    case 3:
      input->erase(at, length);
      break;
    case 4:
      input->insert(at, input->substr(at, length));
      break;
    case 5:
      input->resize(at);
      break;
    default: {  // the end of another
      const std::string& other = corpus[random.Below(corpus.size())];
      input->replace(at, std::string::npos, other.substr(random.Below(other.size() + 1)));
    }
  }
  if (input->size() > kMaxSize) input->resize(kMaxSize);
}

void RunOne(const std::string& input) {
  current = input;
  EXPECT_EQ(
      LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size()), 0);
}

TEST(Fuzz, NothingAborts) {
  std::signal(SIGABRT, ShowCurrent);
  const std::vector<std::string> corpus = ReadCorpus();
  ASSERT_FALSE(corpus.empty());
  RunOne("");
  for (const std::string& input : corpus) RunOne(input);
  SeededEntropy random(1);
  for (int round = 0; round < kRounds; ++round) {
    std::string input = corpus[random.Below(corpus.size())];
    for (std::uint64_t changes = random.Below(6) + 1; changes > 0; --changes) {
      Change(&input, corpus, random);
    }
    RunOne(input);
  }
  std::signal(SIGABRT, SIG_DFL);
}

}  // namespace
}  // namespace mcp_session

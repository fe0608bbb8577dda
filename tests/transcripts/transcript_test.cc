// Plays every transcript, one test each. With --update the files are rewritten to say what
// happened: bazel run //tests/transcripts:transcript_test -- --update
#include "tests/transcripts/transcript.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "tests/transcripts/stage.h"

namespace mcp_session {
namespace {

bool update = false;

// The tests' own list of files, made by Bazel.
constexpr const char* kNames[] = {
#include "tests/transcripts/names.inc"
};

std::string PathOf(const std::string& name) { return "tests/transcripts/" + name + ".txt"; }

std::string Join(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + '\n';
  return text;
}

class TranscriptTest : public testing::TestWithParam<const char*> {};

TEST_P(TranscriptTest, Plays) {
  const std::string path = PathOf(GetParam());
  std::ifstream file(path, std::ios::binary);
  ASSERT_TRUE(file) << path;
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const Result<Transcript> transcript = ParseTranscript(text);
  ASSERT_TRUE(transcript) << path << ":" << transcript.error().message;
  ASSERT_FALSE(transcript->steps.empty());
  Stage stage(*transcript);
  std::vector<std::vector<std::string>> actual;
  for (const TranscriptStep& step : transcript->steps) {
    actual.push_back(stage.Play(step));
    if (update) continue;
    ASSERT_EQ(Join(step.expected), Join(actual.back()))
        << "after line " << step.line << " of " << path;
  }
  const char* workspace = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  if (!update) return;
  ASSERT_NE(workspace, nullptr) << "--update is for bazel run";
  std::ofstream(std::string(workspace) + "/" + path, std::ios::binary)
      << UpdateTranscript(text, *transcript, actual);
}

INSTANTIATE_TEST_SUITE_P(All, TranscriptTest, testing::ValuesIn(kNames),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace mcp_session

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--update") mcp_session::update = true;
  }
  return RUN_ALL_TESTS();
}

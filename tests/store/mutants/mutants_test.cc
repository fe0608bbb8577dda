// Every seeded bug makes a test of the contract fail; the output says which. The one argument is
// the program that runs the contract (mutant_suite.cc).
#include <gtest/gtest.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include "tests/store/mutants/mutant_store.h"

namespace mcp_session {
namespace {

std::string suite_program;

struct SuiteRun {
  bool has_ended = false;
  int code = -1;
  std::string first_failure;  // the test that found the bug
  std::string output;
};

// Runs the tests of the contract that `filter` lets pass, until one fails.
SuiteRun RunTests(const std::string& mutant, const std::string& filter) {
  // Without the environment: what Bazel and googletest tell this test is not meant for the other.
  const std::string command = "env -i STORE_MUTANT=" + mutant + " '" + suite_program +
                              "' --gtest_filter='" + filter +
                              "' --gtest_fail_fast --gtest_color=no 2>&1";
  SuiteRun run;
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return run;
  char buffer[4096];
  while (std::fgets(buffer, sizeof buffer, pipe) != nullptr) run.output += buffer;
  const int status = pclose(pipe);
  run.has_ended = WIFEXITED(status);
  run.code = WEXITSTATUS(status);
  const std::size_t at = run.output.find("[  FAILED  ] Mutant/Store");
  if (at != std::string::npos) {
    const std::size_t name = run.output.find('.', at) + 1;
    run.first_failure = run.output.substr(name, run.output.find('/', name) - name);
  }
  return run;
}

// Runs the contract, the one test last that takes longer than all others.
SuiteRun RunSuite(const std::string& mutant) {
  const std::string longest = "*NoSequenceOfCommandsRevivesARecord*";
  const SuiteRun run = RunTests(mutant, "-" + longest);
  return run.has_ended && run.code == 0 ? RunTests(mutant, longest) : run;
}

class Mutants : public testing::TestWithParam<std::string> {};

TEST_P(Mutants, AreFound) {
  const SuiteRun run = RunSuite(GetParam());
  EXPECT_TRUE(run.has_ended) << run.output;
  EXPECT_EQ(run.code, 1) << "no test of the contract failed";
  EXPECT_FALSE(run.first_failure.empty()) << run.output;
  std::cout << GetParam() << " is found by " << run.first_failure << std::endl;
}

std::vector<std::string> Names(const std::vector<NamedBug>& bugs) {
  std::vector<std::string> names;
  for (const NamedBug& bug : bugs) names.push_back(bug.name);
  return names;
}

std::string NameOf(const testing::TestParamInfo<std::string>& info) { return info.param; }

INSTANTIATE_TEST_SUITE_P(Records, Mutants, testing::ValuesIn(Names(BugsInRecords())), NameOf);
INSTANTIATE_TEST_SUITE_P(Extras, Mutants, testing::ValuesIn(Names(BugsInExtras())), NameOf);

TEST(NoMutant, IsFound) {
  const SuiteRun run = RunSuite("none");
  EXPECT_TRUE(run.has_ended);
  EXPECT_EQ(run.code, 0) << run.output;
}

}  // namespace
}  // namespace mcp_session

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc != 2) {
    std::cerr << "usage: mutants_test PROGRAM\n";
    return 2;
  }
  mcp_session::suite_program = argv[1];
  return RUN_ALL_TESTS();
}

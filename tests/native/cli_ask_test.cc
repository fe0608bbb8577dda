// mcp-session tools and call, asking a server that is the program too.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "tests/native/test_process.h"
#include "tests/support/temp_file.h"

namespace mcp_session {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string UrlOf(const TestProgram& program) {
  return "http://localhost:" + std::to_string(program.port()) + "/mcp";
}

TEST(CliAsk, ListsTools) {
  TestProgram program;
  const Finished listed = RunToEnd({"tools", UrlOf(program)});
  EXPECT_EQ(listed.code, 0) << listed.errors;
  EXPECT_THAT(listed.output, HasSubstr("\nadd_item                "));
  EXPECT_EQ(listed.errors, "");
  const Finished json = RunToEnd({"tools", UrlOf(program), "--json"});
  EXPECT_THAT(json.output, HasSubstr(R"("tools":[{"name":"create_basket")"));
}

TEST(CliAsk, CallsTools) {
  TestProgram program;
  const std::string slow = R"({"to":3,"delay_ms":1})";
  const Finished called = RunToEnd({"call", UrlOf(program), "slow_count", slow});
  EXPECT_EQ(called.code, 0) << called.errors;
  EXPECT_EQ(called.output, "{\"counted_to\":3}\n");
  const Finished json = RunToEnd({"call", "--json", UrlOf(program), "slow_count", slow});
  EXPECT_THAT(json.output, HasSubstr(R"("structuredContent":{"counted_to":3})"));
}

TEST(CliAsk, FailsWithTheToolAndTheServer) {
  TestProgram program;
  const Finished bad = RunToEnd({"call", UrlOf(program), "slow_count", R"({"to":"x"})"});
  EXPECT_EQ(bad.code, 1);
  EXPECT_NE(bad.output, "");
  const Finished none = RunToEnd({"call", UrlOf(program), "nothing"});
  EXPECT_EQ(none.code, 1);
  EXPECT_THAT(none.errors, StartsWith("mcp-session: the server answered with an error: "));
  const Finished text = RunToEnd({"call", UrlOf(program), "count", "[1]"});
  EXPECT_EQ(text.code, 2);
  EXPECT_EQ(text.errors, "mcp-session: the arguments of a tool are a JSON object\n");
  const Finished url = RunToEnd({"tools", "localhost"});
  EXPECT_EQ(url.code, 2);
  EXPECT_EQ(url.errors, "mcp-session: the server's URL is http://HOST/PATH or https://HOST/PATH\n");
  EXPECT_EQ(RunToEnd({"tools"}).code, 2);
  EXPECT_EQ(RunToEnd({"call", UrlOf(program)}).code, 2);
}

TEST(CliAsk, SendsATokenFromAFile) {
  const std::string tokens = WriteFile("ask_tokens", "alice s3cret-token-of-alice\n");
  const std::string token = WriteFile("ask_token", "s3cret-token-of-alice\n");
  TestProgram program({"--tokens", tokens});
  EXPECT_EQ(RunToEnd({"tools", UrlOf(program), "--token-file", token}).code, 0);
  const Finished refused = RunToEnd({"tools", UrlOf(program)});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.errors, HasSubstr("the server wants authorization"));
}

TEST(CliAsk, RunsServers) {
  const char* elsewhere = std::getenv("MCP_SESSION_PROGRAM");
  const std::string program = elsewhere != nullptr ? elsewhere : "native/mcp-session";
  const Finished listed = RunToEnd({"tools", "stdio:" + program + " serve --stdio --store memory"});
  EXPECT_EQ(listed.code, 0) << listed.errors;
  EXPECT_THAT(listed.output, HasSubstr("add_item"));
}

}  // namespace
}  // namespace mcp_session

// Clients of servers that are children of the test: the program, and shells that behave badly.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <string>
#include <vector>

#include "mcp_session/client_host/blocking_client.h"
#include "mcp_session/json/access.h"
#include "mcp_session/stdio/child_link.h"

namespace mcp_session {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

std::string Program() {
  const char* elsewhere = std::getenv("MCP_SESSION_PROGRAM");
  return elsewhere != nullptr ? elsewhere : "native/mcp-session";
}

ChildLinkOptions Serve() {
  return {.command = {Program(), "serve", "--stdio", "--store", "memory"}};
}

ChildLinkOptions Shell(const std::string& script) {
  return {.command = {"sh", "-c", script}, .exit_time = Millis{200}};
}

ClientOptions About(std::optional<Era> era = std::nullopt) {
  ClientOptions options;
  options.name = "probe";
  options.era = era;
  options.probe_timeout = Seconds(20);
  return options;
}

std::unique_ptr<BlockingClient> Connect(ChildLinkOptions link, ClientOptions options = About()) {
  signal(SIGPIPE, SIG_IGN);
  auto client = BlockingClient::Make(
      [link](boost::asio::io_context& loop) { return MakeChildLink(loop, link); },
      std::move(options));
  EXPECT_TRUE(client) << client.error().message;
  return client ? std::move(*client) : nullptr;
}

std::string CodeOf(const ClientResult<Json>& result) {
  return result ? "" : std::string(CodeName(result.error().error.code));
}

// What a shell needs to answer the request in $line as a handshake-era server would initialize.
const char* const kAnswer = R"(
answer() {
  id=${line#*'"id":'}; id=${id%%[!0-9]*}
  printf '{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":"2025-11-25"}}\n' "$id"
}
)";

// Such a server, with commands before and after.
std::string Speaking(const std::string& first, const std::string& rest = "") {
  return kAnswer + first + R"(
while read -r line; do
  case "$line" in *'"id"'*) answer;; esac
done
)" + rest;
}

TEST(StdioClient, CallsToolsInBothEras) {
  for (const Era era : {Era::kHandshake, Era::kStateless}) {
    const auto client = Connect(Serve(), About(era));
    const auto tools = client->ListTools();
    ASSERT_TRUE(tools) << tools.error().error.message;
    EXPECT_GT(FindArray(*tools, "tools")->size(), 3u);
    ASSERT_TRUE(client->session());
    EXPECT_EQ(client->session()->era, era);
    EXPECT_EQ(CodeOf(client->CallTool("nothing")), "INVALID_PARAMS");
  }
}

TEST(StdioClient, FindsOutTheEra) {
  const auto client = Connect(Serve());
  const auto opened = client->Open();
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->era, Era::kStateless);
}

TEST(StdioClient, StartsAServerAgainThatEndsAtTheProbe) {  // section 13
  const std::string marker = testing::TempDir() + "probed_once";
  std::remove(marker.c_str());
  const auto client = Connect(Shell(
      Speaking("if [ ! -e " + marker + " ]; then read -r l; touch " + marker + "; exit 1; fi")));
  const auto opened = client->Open();
  ASSERT_TRUE(opened) << opened.error().error.message;
  EXPECT_EQ(opened->era, Era::kHandshake);
  EXPECT_TRUE(client->Ping());
}

TEST(StdioClient, StartsACrashedServerAgain) {  // T-05
  const auto dying =
      Connect(Shell(kAnswer +
                    std::string("read -r line; answer; read -r initialized; read -r call; exit 7")),
              About(Era::kHandshake));
  EXPECT_EQ(CodeOf(dying->CallTool("x")), "TRANSPORT");
  EXPECT_EQ(dying->session(), std::nullopt);
  // Another run of it, in which the call is the first.
  EXPECT_EQ(CodeOf(dying->CallTool("x")), "TRANSPORT");
  EXPECT_TRUE(dying->Open());
}

TEST(StdioClient, SaysThatThereIsNoServer) {
  const auto client = Connect({.command = {"/no/such/program"}});
  const auto opened = client->Open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().error.code, ErrorCode::kMisconfigured);
  EXPECT_EQ(opened.error().error.message, "cannot run the server: No such file or directory");
  EXPECT_EQ(CodeOf(client->ListTools()), "MISCONFIGURED");
  boost::asio::io_context loop;
  EXPECT_EQ(MakeChildLink(loop, {}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(MakeChildLink(loop, {.command = {std::string("a\0b", 3)}}).error().code,
            ErrorCode::kInvalidArgument);
}

TEST(StdioClient, DrainsStderr) {  // T-01, T-06
  std::mutex mutex;
  std::vector<std::string> lines;
  ChildLinkOptions options = Shell(
      Speaking("i=0; while [ $i -lt 3000 ]; do echo \"line $i of many on stderr, and it is a "
               "long one so that a pipe is soon full\" >&2; i=$((i+1)); done; echo \"$KEY\" >&2"));
  options.environment = {{"KEY", "from the environment"}};
  options.on_stderr = [&](std::string_view line) {
    const std::lock_guard guard(mutex);
    lines.emplace_back(line);
  };
  {
    const auto client = Connect(options, About(Era::kHandshake));
    ASSERT_TRUE(client->Open());
  }
  EXPECT_EQ(lines.size(), 3001u);
  EXPECT_THAT(lines, Contains("from the environment"));
}

TEST(StdioClient, ReadsALastLineWithoutAnEnd) {
  const auto client = Connect(Shell(R"(read -r line; printf '{"jsonrpc":"2.0","id":1,"result":)"
                                    R"({"protocolVersion":"2025-11-25"}}')"),
                              About(Era::kHandshake));
  EXPECT_TRUE(client->Open());
}

TEST(StdioClient, GivesUpALineThatIsTooLong) {
  ChildLinkOptions options = Shell("read -r line; head -c 100000 /dev/zero; sleep 100");
  options.max_message_bytes = 50'000;
  const auto client = Connect(options, About(Era::kHandshake));
  const auto opened = client->Open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().error.code, ErrorCode::kTransport);
}

// How long Close takes, in milliseconds.
std::int64_t CloseTime(const std::string& script, int exit_millis) {
  ChildLinkOptions options = Shell(script);
  options.exit_time = Millis{exit_millis};
  const auto client = Connect(options, About(Era::kHandshake));
  EXPECT_TRUE(client->Open());
  const auto begin = std::chrono::steady_clock::now();
  client->Close();
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                               begin)
      .count();
}

TEST(StdioClient, EndsAServerStepByStep) {  // T-02
  const std::string marker = testing::TempDir() + "terminated";
  std::remove(marker.c_str());
  EXPECT_LT(CloseTime(Speaking(""), 30'000), 30'000) << "at the end of its input";
  const std::string lingering = "trap 'touch " + marker + "; exit' TERM\n";
  const std::int64_t asked = CloseTime(Speaking(lingering, "while :; do sleep 0.01; done"), 300);
  EXPECT_GE(asked, 300) << "it had time to end by itself";
  EXPECT_EQ(std::remove(marker.c_str()), 0) << "SIGTERM came";
  const std::int64_t killed =
      CloseTime(Speaking("trap '' TERM\n", "while :; do sleep 0.01; done"), 300);
  EXPECT_GE(killed, 600) << "and after SIGTERM";
}

}  // namespace
}  // namespace mcp_session

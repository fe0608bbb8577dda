// The program's options by flag, environment and file; its log; and how it drains.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/native/test_client.h"
#include "tests/native/test_process.h"
#include "tests/support/temp_file.h"

namespace mcp_session {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

// Set for as long as it is in scope; what is started meanwhile has it.
class InEnvironment {
 public:
  InEnvironment(const char* name, const std::string& value) : name_(name) {
    setenv(name, value.c_str(), 1);
  }
  ~InEnvironment() { unsetenv(name_); }
  InEnvironment(const InEnvironment&) = delete;
  InEnvironment& operator=(const InEnvironment&) = delete;

 private:
  const char* name_;
};

int StatusFrom(std::uint16_t port, std::string_view origin) {
  TestClient client(port);
  std::string request = StatelessCall("create_basket");
  request.insert(request.find("\r\n") + 2, "Origin: " + std::string(origin) + "\r\n");
  return client.Exchange(request).status;
}

std::string Get(std::string_view path) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
}

TEST(CliSettings, ComeFromTheEnvironment) {
  const InEnvironment origins("MCP_SESSION_ALLOW_ORIGIN", "https://a.example,https://b.example");
  const InEnvironment tokens("MCP_SESSION_TOKENS", WriteFile("t", "alice 0123456789abcdef"));
  const InEnvironment flag("MCP_SESSION_PROTECT_METRICS", "true");
  TestProgram program;
  TestClient client(program.port());
  EXPECT_EQ(client.Exchange(Get("/metrics")).status, 401);
  EXPECT_EQ(StatusFrom(program.port(), "https://a.example"), 401);
  EXPECT_EQ(StatusFrom(program.port(), "https://b.example"), 401);
  EXPECT_EQ(StatusFrom(program.port(), "https://c.example"), 403);
}

TEST(CliSettings, ComeFromAFile) {
  const std::string path =
      WriteFile("settings.toml",
                "# who may call\n"
                "allow-origin = [\"https://a.example\", \"https://b.example\"]\n"
                "rate-limit = 1\n"
                "rate-burst=2\n"
                "\n"
                "[serve]\n"
                "protect-metrics = true\n"
                "tokens = \"" +
                    WriteFile("t", "alice 0123456789abcdef") + "\"\n");
  for (const bool named_in_environment : {false, true}) {
    const InEnvironment named("MCP_SESSION_CONFIG", named_in_environment ? path : "");
    std::vector<std::string> arguments;
    if (!named_in_environment) arguments = {"--config", path};
    TestProgram program(arguments);
    TestClient client(program.port());
    EXPECT_EQ(client.Exchange(Get("/metrics")).status, 401);
    EXPECT_EQ(StatusFrom(program.port(), "https://b.example"), 401);
    EXPECT_EQ(StatusFrom(program.port(), "https://c.example"), 403);
  }
}

TEST(CliSettings, GoInThisOrder) {
  const std::string path = WriteFile("order.toml",
                                     "allow-origin = \"https://file.example\"\n"
                                     "log-format = json\n");
  const auto admitted = [](const std::vector<std::string>& arguments) {
    TestProgram program(arguments);
    std::string admitted;
    for (const char* who : {"file", "environment", "flag"}) {
      const std::string origin = std::string("https://") + who + ".example";
      if (StatusFrom(program.port(), origin) == 200) admitted += who;
    }
    return admitted;
  };
  EXPECT_EQ(admitted({"--config", path}), "file");
  const InEnvironment origin("MCP_SESSION_ALLOW_ORIGIN", "https://environment.example");
  EXPECT_EQ(admitted({"--config", path}), "environment");
  EXPECT_EQ(admitted({"--config", path, "--allow-origin", "https://flag.example"}), "flag");
}

TEST(CliSettings, AreCheckedWhereverTheyComeFrom) {
  const auto complaint = [](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"serve", "--store", "memory"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Finished finished = RunToEnd(arguments);
    EXPECT_EQ(finished.code, 2);
    return finished.errors;
  };
  {
    const InEnvironment port("MCP_SESSION_PORT", "x");
    EXPECT_THAT(complaint({}), HasSubstr("--port: must be a number from 0 to 65535"));
  }
  EXPECT_THAT(complaint({"--config", "/no/such/file"}), HasSubstr("--config: the file cannot"));
  EXPECT_THAT(complaint({"--config", WriteFile("a", "prot = 1\n")}),
              HasSubstr("--config: unknown option prot"));
  EXPECT_THAT(complaint({"--config", WriteFile("b", "[check]\nport = 1\n")}),
              HasSubstr("--config: unknown option check.port"));
  EXPECT_THAT(complaint({"--config", WriteFile("c", "config = x\n")}),
              HasSubstr("--config: unknown option config"));
  EXPECT_THAT(complaint({"--config", WriteFile("d", "port = 70000\n")}),
              HasSubstr("--port: must be a number from 0 to 65535"));
  EXPECT_THAT(complaint({"--log-format", "xml"}), HasSubstr("must be text or json"));
}

TEST(CliSettings, TellNoSecretInHelp) {
  const InEnvironment store("MCP_SESSION_STORE", "redis://:s3cretpassword@localhost");
  const Finished help = RunToEnd({"serve", "--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_THAT(help.output, Not(HasSubstr("s3cret")));
  EXPECT_THAT(help.output, HasSubstr("MCP_SESSION_PORT for --port"));
}

TEST(CliLog, IsAnObjectALineIfAsked) {
  TestProgram program({"--host", "0.0.0.0", "--log-format", "json"});
  program.Signal(SIGTERM);
  EXPECT_EQ(program.Wait(), 0);
  EXPECT_THAT(
      program.AllErrors(),
      MatchesRegex(
          "\\{\"time\":\"[0-9]+-[0-9][0-9]-[0-9][0-9]T[0-9:]+\\.[0-9][0-9][0-9]Z\","
          "\"level\":\"warning\",\"event\":\"unreachable\",\"message\":\"listening on every "
          "address, but answering only to the loopback names: admit others with "
          "--allow-host\"\\}\n"));
}

// What a client that streams sees of the end: the end of its stream, not a broken connection.
TEST(CliDrain, EndsStreamsWhenTheTimeIsOver) {
  TestProgram program({"--drain-timeout", "1"});
  TestClient client(program.port());
  ASSERT_TRUE(client.Send(
      StatelessCall("slow_count", R"({"to":100,"delay_ms":100})", R"(,"progressToken":1)")));
  EXPECT_EQ(client.ReceiveHead().status, 200);
  program.Signal(SIGTERM);
  EXPECT_THAT(client.ReceiveUntil("\r\n0\r\n\r\n"), Not(HasSubstr("counted_to")));
  EXPECT_TRUE(client.Ended());
  client.Close();
  EXPECT_EQ(program.Wait(), 0);
}

// A request that is under way when the end begins still gets its answer.
TEST(CliDrain, IsNotReadyAnyMore) {
  TestProgram program;
  TestClient busy(program.port());
  ASSERT_TRUE(busy.Send(StatelessCall("slow_count", R"({"to":3,"delay_ms":300})")));
  TestClient probe(program.port());
  EXPECT_EQ(probe.Exchange(Get("/readyz")).status, 200);
  TestClient idle(program.port());
  EXPECT_EQ(idle.Exchange(Get("/readyz")).status, 200);
  ASSERT_TRUE(probe.Send("GET /readyz HTTP/1.1\r\n"));    // has begun
  EXPECT_EQ(idle.Exchange(Get("/healthz")).status, 200);  // and has been read
  program.Signal(SIGTERM);
  EXPECT_TRUE(idle.Ended());
  ASSERT_TRUE(probe.Send("Host: localhost\r\n\r\n"));
  const TestResponse answer = probe.Receive();
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.body, "{\"status\":\"stopping\"}\n");
  EXPECT_THAT(busy.Receive().body, HasSubstr(R"({"counted_to":3})"));
}

}  // namespace
}  // namespace mcp_session

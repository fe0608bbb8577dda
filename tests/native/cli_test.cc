// The program: its command line, what it prints, and how it ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/native/test_client.h"
#include "tests/native/test_process.h"

namespace mcp_session {

void PrintTo(const Finished& finished, std::ostream* out) {
  *out << finished.code << "\nstdout: " << finished.output << "\nstderr: " << finished.errors;
}

namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

constexpr std::string_view kHealthCheck = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

TEST(Cli, TellsItsVersion) {
  EXPECT_EQ(RunToEnd({"--version"}), (Finished{0, "mcp-session 0.1.0\n", ""}));
}

TEST(Cli, HelpNamesEveryOption) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--help"}, {"serve", "--help"}}) {
    const Finished help = RunToEnd(arguments);
    EXPECT_EQ(help.code, 0);
    EXPECT_EQ(help.errors, "");
    for (const char* option : {"--host",
                               "--port",
                               "--store",
                               "--on-unavailable",
                               "--degrade",
                               "--prefix",
                               "--verbose",
                               "--stdio",
                               "--allow-host",
                               "--allow-origin",
                               "--max-records",
                               "--max-memory",
                               "--well-known",
                               "redis://localhost:6379",
                               "--connect-timeout",
                               "--command-timeout",
                               "synchronous=full",
                               "--config",
                               "--log-format",
                               "--drain-timeout",
                               "--tls-cert",
                               "--tls-key",
                               "--tls-client-ca",
                               "--tokens",
                               "--jwks",
                               "--jwks-ca",
                               "--issuer",
                               "--resource",
                               "--audience",
                               "--authorization-server",
                               "--require-scope",
                               "--protect-metrics",
                               "--rate-limit",
                               "--rate-burst",
                               "--max-open-requests",
                               "--max-streams"}) {
      EXPECT_THAT(help.output, HasSubstr(option));
    }
  }
}

TEST(Cli, SaysInOneLineWhatIsWrongWithTheCommandLine) {
  const struct {
    std::vector<std::string> arguments;
    std::string complaint;
  } rows[] = {
      {{}, "there must be a command: mcp-session serve (see mcp-session --help)"},
      {{"bake"}, "unknown argument bake (see mcp-session --help)"},
      {{"serve", "cake"}, "unknown argument cake (see mcp-session --help)"},
      {{"serve", "--bogus"}, "unknown option --bogus (see mcp-session --help)"},
      {{"serve", "--bogus\nx"}, "unknown option --bogus x (see mcp-session --help)"},
      {{"serve", "--port", "x"},
       "--port: must be a number from 0 to 65535 (see mcp-session --help)"},
      {{"serve", "--port", "65536"},
       "--port: must be a number from 0 to 65535 (see mcp-session --help)"},
      {{"serve", "--port"}, "--port: 1 required PORT missing (see mcp-session --help)"},
      {{"serve", "--on-unavailable", "panic"},
       "--on-unavailable: must be fallback or fail (see mcp-session --help)"},
      {{"serve", "--max-records", "0"},
       "--max-records: must be a number from 1 to 1000000000 (see mcp-session --help)"},
      {{"serve", "--command-timeout", "1s"},
       "--command-timeout: must be a number from 1 to 1000000000 (see mcp-session --help)"},
      {{"serve", "--degrade", "all"}, "--degrade: must be local (see mcp-session --help)"},
      {{"serve", "--store", "redis://localhost", "--prefix", "a b"},
       "--store: redis: the prefix is not 1 to 64 of A-Za-z0-9:._-"},
      {{"serve", "--store", "redis://user:secret@localhost:99999"},
       "--store: the port must be from 1 to 65535"},
      {{"serve", "--store", "gopher://localhost"},
       "--store: a store is memory, or a URL that begins with redis:, rediss:, "
       "redis+sentinel:, redis+cluster:, unix: or file:"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(RunToEnd(row.arguments), (Finished{2, "", "mcp-session: " + row.complaint + "\n"}));
  }
}

// What the answer to a request of a session is.
std::string Ask(TestClient& client, const std::string& session, const std::string& request) {
  return client
      .Exchange(Post(R"({"jsonrpc":"2.0","id":1,"method":)" + request + "}",
                     "MCP-Protocol-Version: 2025-11-25\r\nMcp-Session-Id: " + session + "\r\n"))
      .body;
}

TEST(Cli, ServesAShelf) {
  TestProgram program;
  TestClient client(program.port());
  const std::string session = Initialize(client);
  const auto ask = [&](const char* request) { return Ask(client, session, request); };
  EXPECT_THAT(ask(R"("resources/read","params":{"uri":"demo://shelf"})"),
              HasSubstr(R"({\"item\":\"apple\",)"));
  EXPECT_THAT(ask(R"("resources/read","params":{"uri":"demo://shelf/milk"})"),
              HasSubstr(R"("text":"{\"item\":\"milk\",\"cents\":110,\"about\":\"One litre.\"}")"));
  EXPECT_THAT(ask(R"("resources/read","params":{"uri":"demo://shelf/gold"})"),
              HasSubstr(R"("data":{"uri":"demo://shelf/gold"})"));
  EXPECT_THAT(ask(R"("completion/complete","params":{"ref":{"type":"ref/resource",)"
                  R"("uri":"demo://shelf/{item}"},"argument":{"name":"item","value":"b"}})"),
              HasSubstr(R"("values":["bread","butter"])"));
  EXPECT_THAT(ask(R"("prompts/get","params":{"name":"plan_shopping","arguments":{"meal":"soup"}})"),
              HasSubstr("what soup needs"));
}

TEST(Cli, ServesOnAFreePort) {
  TestProgram program;
  EXPECT_THAT(program.first_line(),
              MatchesRegex("mcp-session listening on http://127\\.0\\.0\\.1:[0-9]+/mcp\n"));
  TestClient client(program.port());
  const std::string session = Initialize(client);
  EXPECT_NE(session, "");
  EXPECT_THAT(client.Exchange(SessionCall(session, "count", R"({"by":2})")).body,
              HasSubstr(R"("structuredContent":{"count":2})"));
  EXPECT_THAT(client.Exchange(SessionCall(session, "count")).body, HasSubstr(R"({"count":3})"));
  TestResponse page = client.Exchange("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.headers["content-type"], "text/html; charset=utf-8");
  program.Signal(SIGTERM);
  EXPECT_EQ(program.Wait(), 0);
  EXPECT_EQ(program.AllErrors(), "");
}

TEST(Cli, ServesOnIpv6) {
  TestProgram program({"--host", "::1"});
  if (program.port() == 0) GTEST_SKIP() << "no IPv6 here";
  EXPECT_THAT(program.first_line(),
              MatchesRegex("mcp-session listening on http://\\[::1\\]:[0-9]+/mcp\n"));
  TestClient client(program.port(), 0, "::1");
  EXPECT_EQ(client.Exchange("GET /healthz HTTP/1.1\r\nHost: [::1]\r\n\r\n").status, 200);
}

TEST(Cli, FinishesACallAfterSigterm) {
  for (const int signal : {SIGTERM, SIGINT}) {
    TestProgram program;
    TestClient client(program.port());
    ASSERT_TRUE(client.Send(
        StatelessCall("slow_count", R"({"to":3,"delay_ms":50})", R"(,"progressToken":1)")));
    EXPECT_EQ(client.ReceiveHead().status, 200);  // it has begun
    program.Signal(signal);
    EXPECT_THAT(client.ReceiveUntil("0\r\n\r\n"), HasSubstr(R"({"counted_to":3})"));
    EXPECT_TRUE(client.Ended());
    client.Close();
    EXPECT_EQ(program.Wait(), 0);
  }
}

TEST(Cli, EndsAtOnceAtTheSecondSignal) {
  TestProgram program;
  TestClient client(program.port());
  ASSERT_TRUE(client.Send(StatelessCall("slow_count", R"({"to":100,"delay_ms":2000})")));
  TestClient other(program.port());
  EXPECT_EQ(other.Exchange(kHealthCheck).status, 200);
  program.Signal(SIGINT);
  EXPECT_TRUE(other.Ended());  // the first one has arrived
  program.Signal(SIGINT);
  EXPECT_TRUE(client.Ended());
  EXPECT_EQ(program.Wait(), 0);
}

// Leaves `program` so many descriptors.
void LimitDescriptors(const TestProgram& program, rlim_t descriptors) {
  const rlimit limit{descriptors, descriptors};
  ASSERT_EQ(prlimit(program.id(), RLIMIT_NOFILE, &limit, nullptr), 0);
}

TEST(Cli, ClosesIdleConnectionsWhenDescriptorsRunOut) {
  TestProgram program;
  LimitDescriptors(program, 32);
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 60; ++i) {
    clients.push_back(std::make_unique<TestClient>(program.port()));
    ASSERT_EQ(clients.back()->Exchange(kHealthCheck).status, 200) << i;
  }
  EXPECT_TRUE(clients.front()->Ended());
}

TEST(Cli, GoesOnWhenThereAreDescriptorsAgain) {
  TestProgram program;
  LimitDescriptors(program, 32);
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 60; ++i) {
    clients.push_back(std::make_unique<TestClient>(program.port()));  // and says nothing
  }
  ASSERT_TRUE(clients.back()->Send(kHealthCheck));
  EXPECT_FALSE(clients.back()->Readable(50));
  clients.erase(clients.begin(), clients.begin() + 40);
  EXPECT_EQ(clients.back()->Receive().status, 200);
}

TEST(Cli, SaysThatThePortIsInUse) {
  TestProgram first;
  const std::string port = std::to_string(first.port());
  EXPECT_EQ(
      RunToEnd({"serve", "--store", "memory", "--port", port}),
      (Finished{1, "",
                "mcp-session: cannot listen on 127.0.0.1:" + port + ": the port is in use\n"}));
}

TEST(Cli, SaysThatTheHostIsUnknown) {
  EXPECT_EQ(RunToEnd({"serve", "--store", "memory", "--host", "no such host"}),
            (Finished{2, "", "mcp-session: no such host: no such host\n"}));
}

TEST(Cli, AnswersToTheHostsAndOriginsItIsTold) {
  TestProgram program({"--allow-host", "mcp.example", "--allow-host", "other.example",
                       "--allow-origin", "https://app.example"});
  TestClient client(program.port());
  const auto status = [&](std::string_view host, std::string_view origin) {
    std::string request = StatelessCall("create_basket");
    request.replace(request.find("localhost"), 9, host);
    if (!origin.empty()) {
      request.insert(request.find("\r\n") + 2, "Origin: " + std::string(origin) + "\r\n");
    }
    return client.Exchange(request).status;
  };
  EXPECT_EQ(status("mcp.example", ""), 200);
  EXPECT_EQ(status("other.example:8808", ""), 200);
  EXPECT_EQ(status("127.0.0.1", "http://localhost:3000"), 200);
  EXPECT_EQ(status("localhost", "https://app.example"), 200);
  EXPECT_EQ(status("evil.example", ""), 403);
  EXPECT_EQ(status("localhost", "https://evil.example"), 403);
}

TEST(Cli, WarnsThatNobodyElseIsAnswered) {
  TestProgram program({"--host", "0.0.0.0"});
  program.Signal(SIGTERM);
  EXPECT_EQ(program.Wait(), 0);
  EXPECT_EQ(program.AllErrors(),
            "mcp-session: listening on every address, but answering only to the loopback "
            "names: admit others with --allow-host\n");
}

TEST(CliStdio, SpeaksOneMessagePerLine) {
  TestProcess process({"serve", "--stdio", "--store", "memory"});
  ASSERT_TRUE(process.Write(
      R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25",)"
      R"("capabilities":{},"clientInfo":{"name":"test","version":"1"}}})"
      "\n"
      R"({"jsonrpc":"2.0","method":"notifications/initialized"})"
      "\n"));
  EXPECT_THAT(process.ReadLine(), HasSubstr(R"("protocolVersion":"2025-11-25")"));
  ASSERT_TRUE(process.Write(R"({"jsonrpc":"2.0","id":1,"method":"ping"})"
                            "\n"));
  EXPECT_EQ(process.ReadLine(), R"({"jsonrpc":"2.0","id":1,"result":{}})"
                                "\n");
  ASSERT_TRUE(process.Write(R"({"jsonrpc":"2.0","id":2,"method":"tools/call","params":)"
                            R"({"name":"count","arguments":{"by":7}}})"
                            "\n"));
  EXPECT_THAT(process.ReadLine(), HasSubstr(R"({"count":7})"));
  process.CloseInput();
  EXPECT_EQ(process.Wait(), 0);
  EXPECT_EQ(process.RestOfOutput(), "");
  EXPECT_EQ(process.AllErrors(), "");
}

TEST(CliStdio, AnswersWhatIsRunningAtTheEndOfTheInput) {
  TestProcess process({"serve", "--stdio", "--store", "memory"});
  ASSERT_TRUE(process.Write(
      R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"slow_count",)"
      R"("arguments":{"to":3,"delay_ms":20},"_meta":{"progressToken":"p",)"
      R"("io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
      R"("io.modelcontextprotocol/clientCapabilities":{}}}})"));  // not even a line break
  process.CloseInput();
  for (int i = 1; i <= 3; ++i) EXPECT_THAT(process.ReadLine(), HasSubstr("notifications/progress"));
  EXPECT_THAT(process.ReadLine(), HasSubstr(R"({"counted_to":3})"));
  EXPECT_EQ(process.RestOfOutput(), "");
  EXPECT_EQ(process.Wait(), 0);
}

TEST(CliStdio, EndsAtSigterm) {
  TestProcess process({"serve", "--stdio", "--store", "memory"});
  ASSERT_TRUE(process.Write(R"({"jsonrpc":"2.0","id":1,"method":"ping"})"
                            "\n"));
  EXPECT_NE(process.ReadLine(), "");
  process.Signal(SIGTERM);
  EXPECT_EQ(process.Wait(), 0);
}

TEST(CliStdio, EndsWhenNobodyReads) {
  TestProcess process({"serve", "--stdio", "--store", "memory"});
  process.CloseOutput();
  process.Write(R"({"jsonrpc":"2.0","id":1,"method":"ping"})"
                "\n");
  EXPECT_EQ(process.Wait(), 0);
}

}  // namespace
}  // namespace mcp_session

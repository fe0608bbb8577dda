// HttpServer over real sockets: pages of other origins, and limits of one caller.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "mcp_session/auth/static_token_authenticator.h"
#include "tests/native/test_client.h"
#include "tests/native/test_server.h"

namespace mcp_session {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Of another port of this machine, which LoopbackHosts admits.
constexpr std::string_view kPage = "http://localhost:3000";

std::string With(std::string request, const std::string& lines) {
  return request.insert(request.find("\r\n") + 2, lines);
}
std::string From(std::string_view origin, std::string request) {
  return With(std::move(request), "Origin: " + std::string(origin) + "\r\n");
}

std::string Echo() { return StatelessCall("echo", R"({"text":"hello"})"); }

std::string Preflight(std::string_view path, std::string_view origin,
                      std::string_view headers = "content-type,mcp-session-id") {
  return "OPTIONS " + std::string(path) +
         " HTTP/1.1\r\nHost: localhost\r\nOrigin: " + std::string(origin) +
         "\r\nAccess-Control-Request-Method: POST\r\n" +
         "Access-Control-Request-Headers: " + std::string(headers) + "\r\n\r\n";
}

TestResponse Ask(const TestServer& server, const std::string& request) {
  TestClient client(server.port());
  return client.Exchange(request);
}

void ExpectReadable(TestResponse answer) {
  EXPECT_EQ(answer.headers["access-control-allow-origin"], kPage);
  EXPECT_THAT(answer.headers["access-control-expose-headers"], HasSubstr("Mcp-Session-Id"));
  EXPECT_THAT(answer.headers["access-control-expose-headers"], HasSubstr("WWW-Authenticate"));
  EXPECT_EQ(answer.headers["vary"], "Origin");
  EXPECT_EQ(answer.headers.count("access-control-allow-credentials"), 0u);
}

// S-49
TEST(HttpCors, AnswersPreflights) {
  TestServer server;
  TestResponse answer =
      Ask(server, Preflight("/mcp", kPage, "x-other, mcp-param-Region,mcp-param-a b"));
  EXPECT_EQ(answer.status, 204);
  ExpectReadable(answer);
  EXPECT_EQ(answer.headers["access-control-allow-methods"], "GET, POST, DELETE");
  const std::string& headers = answer.headers["access-control-allow-headers"];
  for (const char* name :
       {"Authorization", "Content-Type", "Accept", "Last-Event-ID", "Mcp-Session-Id",
        "MCP-Protocol-Version", "Mcp-Method", "Mcp-Name", "mcp-param-Region"}) {
    EXPECT_THAT(headers, HasSubstr(name));
  }
  EXPECT_THAT(headers, Not(HasSubstr("x-other")));
  EXPECT_THAT(headers, Not(HasSubstr("a b")));
  EXPECT_NE(answer.headers["access-control-max-age"], "");
}

TEST(HttpCors, RefusesPreflightsOfOthers) {
  TestServer server;
  TestResponse answer = Ask(server, Preflight("/mcp", "https://evil.example"));
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(answer.headers.count("access-control-allow-origin"), 0u);
  std::string rebound = Preflight("/mcp", kPage);
  rebound.replace(rebound.find("Host: localhost"), 15, "Host: evil.test");
  EXPECT_EQ(Ask(server, rebound).status, 403);
  EXPECT_EQ(Ask(server, Preflight("/nothing", kPage)).status, 404);
}

TEST(HttpCors, LetsPagesReadAnswersOfEveryKind) {
  TestServer server;
  TestResponse good = Ask(server, From(kPage, Echo()));
  EXPECT_EQ(good.status, 200);
  ExpectReadable(good);
  const TestResponse unknown =
      Ask(server, From(kPage, Post(R"({"jsonrpc":"2.0","id":1,"method":"ping"})",
                                   "MCP-Protocol-Version: 2025-11-25\r\nMcp-Session-Id: x\r\n")));
  EXPECT_EQ(unknown.status, 404);
  ExpectReadable(unknown);
  const TestResponse bad = Ask(server, From(kPage, Post("{")));
  EXPECT_EQ(bad.status, 400);
  ExpectReadable(bad);
  const TestResponse large =
      Ask(server, From(kPage,
                       "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
                       "99999999\r\n\r\n"));
  EXPECT_EQ(large.status, 413);
  ExpectReadable(large);
}

TEST(HttpCors, LetsPagesReadStreams) {
  TestServer server;
  TestClient client(server.port());
  ASSERT_TRUE(client.Send(From(kPage, StatelessCall("hold", "{}", R"(,"progressToken":"p")"))));
  ASSERT_TRUE(server.Eventually([&] { return !server.held().empty(); }));
  server.OnLoop([&] { server.held()[0].Progress(1); });
  const TestResponse head = client.ReceiveHead();
  EXPECT_EQ(head.status, 200);
  ExpectReadable(head);
  ASSERT_TRUE(server.Release(0));
}

TEST(HttpCors, IsForEachRequestByItself) {
  TestServer server;
  TestClient client(server.port());
  ExpectReadable(client.Exchange(From(kPage, Echo())));
  EXPECT_EQ(client.Exchange(Echo()).headers.count("access-control-allow-origin"), 0u);
  TestResponse refused = client.Exchange(From("https://evil.example", Echo()));
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.headers.count("access-control-allow-origin"), 0u);
  TestResponse page = client.Exchange(From(kPage, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"));
  EXPECT_EQ(page.headers.count("access-control-allow-origin"), 0u);
}

TEST(HttpCors, ShowsEverybodyWhereTokensAreToBeHad) {
  const std::vector<StaticToken> known = {{"alice", "alice-0123456789", {}}};
  StaticTokenAuthenticator tokens(known);
  HttpServerOptions options;
  options.auth.authenticator = &tokens;
  options.auth.authorization_servers = {"https://issuer.example"};
  TestServer server(options);
  // A preflight has no token, nor needs one.
  EXPECT_EQ(Ask(server, Preflight("/mcp", kPage)).status, 204);
  TestResponse refused = Ask(server, From(kPage, Echo()));
  EXPECT_EQ(refused.status, 401);
  ExpectReadable(refused);
  const std::string document = "/.well-known/oauth-protected-resource/mcp";
  EXPECT_EQ(Ask(server, Preflight(document, "https://anywhere.example")).status, 204);
  TestResponse shown = Ask(server, From("https://anywhere.example", "GET " + document +
                                                                        " HTTP/1.1\r\n"
                                                                        "Host: localhost\r\n\r\n"));
  EXPECT_EQ(shown.status, 200);
  EXPECT_EQ(shown.headers["access-control-allow-origin"], "*");
}

TEST(HttpCallerLimits, SayWhenToComeBack) {
  HttpServerOptions options;
  options.caller_limits = {.requests_per_second = 0.001, .burst = 2};
  TestServer server(options);
  TestClient client(server.port());
  EXPECT_EQ(client.Exchange(Echo()).status, 200);
  EXPECT_EQ(client.Exchange(Echo()).status, 200);
  TestResponse refused = client.Exchange(From(kPage, Echo()));
  EXPECT_EQ(refused.status, 429);
  EXPECT_GE(std::stoi(refused.headers["retry-after"]), 900);
  EXPECT_THAT(refused.body, HasSubstr(R"("code":-32000)"));
  ExpectReadable(refused);
  EXPECT_EQ(Ask(server, Echo()).status, 429);  // another connection is no other caller
  EXPECT_EQ(client.Exchange("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").status, 200);
}

TEST(HttpCallerLimits, CountByName) {
  const std::vector<StaticToken> known = {{"alice", "alice-0123456789", {}},
                                          {"alice", "alice-9876543210", {}},
                                          {"bob", "bob-0123456789ab", {}}};
  StaticTokenAuthenticator tokens(known);
  HttpServerOptions options;
  options.auth.authenticator = &tokens;
  options.caller_limits = {.requests_per_second = 0.001, .burst = 1};
  TestServer server(options);
  const auto status = [&](const std::string& token) {
    return Ask(server, With(Echo(), "Authorization: Bearer " + token + "\r\n")).status;
  };
  EXPECT_EQ(status("alice-0123456789"), 200);
  EXPECT_EQ(status("alice-9876543210"), 429);
  EXPECT_EQ(status("bob-0123456789ab"), 200);
}

TEST(HttpCallerLimits, CountStreamsByThemselves) {
  HttpServerOptions options;
  options.caller_limits.max_streams = 1;
  TestServer server(options);
  TestClient client(server.port());
  const auto get = [](const std::string& session) {
    return "GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n"
           "MCP-Protocol-Version: 2025-11-25\r\nMcp-Session-Id: " +
           session + "\r\n\r\n";
  };
  const std::string one = Initialize(client);
  const std::string two = Initialize(client);
  TestClient first(server.port());
  ASSERT_TRUE(first.Send(get(one)));
  EXPECT_EQ(first.ReceiveHead().status, 200);
  EXPECT_EQ(Ask(server, get(two)).status, 429);
  EXPECT_EQ(client.Exchange(Echo()).status, 200);
  first.Close();
  // Its end is seen soon.
  int status = 429;
  for (int i = 0; i < 1000 && status == 429; ++i) {
    TestClient again(server.port());
    ASSERT_TRUE(again.Send(get(two)));
    status = again.ReceiveHead().status;
  }
  EXPECT_EQ(status, 200);
}

TEST(HttpCallerLimits, CountWhatIsOpen) {
  HttpServerOptions options;
  options.caller_limits.max_open = 2;
  TestServer server(options);
  TestClient first(server.port());
  TestClient second(server.port());
  ASSERT_TRUE(first.Send(StatelessCall("hold")));
  ASSERT_TRUE(second.Send(StatelessCall("hold")));
  ASSERT_TRUE(server.Eventually([&] { return server.held().size() == 2; }));
  EXPECT_EQ(Ask(server, Echo()).status, 429);
  ASSERT_TRUE(server.Release(0));
  EXPECT_TRUE(first.Readable(10'000));
  EXPECT_EQ(Ask(server, Echo()).status, 200);
  // One that goes is counted no more, either.
  TestClient third(server.port());
  ASSERT_TRUE(third.Send(StatelessCall("hold")));
  ASSERT_TRUE(server.Eventually([&] { return server.held().size() == 3; }));
  EXPECT_EQ(Ask(server, Echo()).status, 429);
  third.Close();
  ASSERT_TRUE(server.Eventually([&] { return server.held()[2].cancelled(); }));
  EXPECT_EQ(Ask(server, Echo()).status, 200);
}

}  // namespace
}  // namespace mcp_session

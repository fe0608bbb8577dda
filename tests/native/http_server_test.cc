// HttpServer over real sockets: requests and responses. Limits and endings are in
// http_limits_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/native/test_client.h"
#include "tests/native/test_server.h"

namespace mcp_session {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string Echo(std::string_view text) {
  return StatelessCall("echo", R"({"text":")" + std::string(text) + "\"}");
}

// What a peer that asked for progress adds to the _meta of a call.
constexpr std::string_view kStatelessProgress = R"(,"progressToken":"p")";
constexpr std::string_view kSessionProgress = R"("progressToken":"p")";

TEST(HttpServer, AnswersOneRequestAfterAnotherOnAConnection) {
  TestServer server;
  TestClient client(server.port());
  for (const char* text : {"one", "two", "three"}) {
    const TestResponse response = client.Exchange(Echo(text));
    EXPECT_EQ(response.status, 200);
    EXPECT_THAT(response.body, HasSubstr(text));
    EXPECT_EQ(response.headers.count("connection"), 0u);
  }
}

TEST(HttpServer, AnswersPipelinedRequestsInOrder) {
  TestServer server;
  TestClient client(server.port());
  constexpr int kRequests = 200;  // more than are handled in one turn
  std::string requests;
  for (int i = 0; i < kRequests; ++i) requests += Echo("number " + std::to_string(i) + ".");
  ASSERT_TRUE(client.Send(requests));
  for (int i = 0; i < kRequests; ++i) {
    ASSERT_THAT(client.Receive().body, HasSubstr("number " + std::to_string(i) + "."));
  }
}

TEST(HttpServer, KeepsAPipelinedRequestUntilTheOneBeforeIsAnswered) {
  TestServer server;
  TestClient client(server.port());
  ASSERT_TRUE(client.Send(StatelessCall("hold") + Echo("second")));
  ASSERT_TRUE(server.Release(0));
  EXPECT_THAT(client.Receive().body, HasSubstr("released"));
  EXPECT_THAT(client.Receive().body, HasSubstr("second"));
}

TEST(HttpServer, KeepsAPipelinedChunkedRequestThatIsCutAnywhere) {
  const std::string echo = Echo("second");
  const std::size_t end = echo.find("\r\n\r\n") + 4;
  std::string second = echo.substr(0, end);
  const std::size_t length = second.find("Content-Length");
  second.replace(length, second.find("\r\n", length) - length, "Transfer-Encoding: chunked");
  for (const char c : echo.substr(end)) second += "1\r\n" + std::string(1, c) + "\r\n";
  second += "0\r\n\r\n";
  TestServer server;
  for (std::size_t i = 0; i < 20; ++i) {
    TestClient client(server.port());
    const std::size_t cut = i * second.size() / 20;
    ASSERT_TRUE(client.Send(StatelessCall("hold") + second.substr(0, cut)));
    ASSERT_TRUE(server.Release(i));
    EXPECT_THAT(client.Receive().body, HasSubstr("released"));
    ASSERT_TRUE(client.Send(second.substr(cut) + Echo("third")));
    EXPECT_THAT(client.Receive().body, HasSubstr("second")) << "cut at " << cut;
    EXPECT_THAT(client.Receive().body, HasSubstr("third"));
  }
}

TEST(HttpServer, TakesARequestByteByByte) {
  TestServer server;
  TestClient client(server.port());
  for (const char c : Echo("slow")) ASSERT_TRUE(client.Send(std::string_view(&c, 1)));
  EXPECT_THAT(client.Receive().body, HasSubstr("slow"));
}

TEST(HttpServer, TakesAChunkedBody) {
  TestServer server;
  TestClient client(server.port());
  const std::string whole = Echo("chunks");
  const std::size_t end = whole.find("\r\n\r\n") + 4;
  std::string head = whole.substr(0, end);
  const std::size_t length = head.find("Content-Length");
  head.replace(length, head.find("\r\n", length) - length, "Transfer-Encoding: chunked");
  const std::string body = whole.substr(end);
  ASSERT_TRUE(client.Send(head + "5\r\n" + body.substr(0, 5) + "\r\n"));
  char size[16];
  std::snprintf(size, sizeof size, "%zx\r\n", body.size() - 5);
  ASSERT_TRUE(client.Send(size + body.substr(5) + "\r\n0\r\n\r\n" + Echo("after")));
  EXPECT_THAT(client.Receive().body, HasSubstr("chunks"));
  EXPECT_THAT(client.Receive().body, HasSubstr("after"));
}

TEST(HttpServer, SaysContinueToWhoeverWaitsForIt) {
  TestServer server;
  TestClient client(server.port());
  std::string request = Echo("expected");
  request.insert(request.find("\r\n") + 2, "Expect: 100-continue\r\n");
  const std::size_t head = request.find("\r\n\r\n") + 4;
  ASSERT_TRUE(client.Send(request.substr(0, head)));
  EXPECT_EQ(client.ReceiveHead().status, 100);
  ASSERT_TRUE(client.Send(request.substr(head)));
  EXPECT_THAT(client.Receive().body, HasSubstr("expected"));
}

TEST(HttpServer, ClosesWhenAsked) {
  TestServer server;
  TestClient client(server.port());
  std::string request = Echo("last");
  request.insert(request.find("\r\n") + 2, "Connection: close\r\n");
  TestResponse response = client.Exchange(request);
  EXPECT_EQ(response.headers["connection"], "close");
  EXPECT_THAT(response.body, HasSubstr("last"));
  EXPECT_TRUE(client.Ended());
}

TEST(HttpServer, SpeaksToHttp10) {
  TestServer server;
  std::string request = Echo("old");
  request.replace(request.find("HTTP/1.1"), 8, "HTTP/1.0");
  {
    TestClient client(server.port());
    EXPECT_THAT(client.Exchange(request).body, HasSubstr("old"));
    EXPECT_TRUE(client.Ended());
  }
  request.insert(request.find("\r\n") + 2, "Connection: keep-alive\r\n");
  TestClient client(server.port());
  EXPECT_EQ(client.Exchange(request).headers["connection"], "keep-alive");
  EXPECT_THAT(client.Exchange(request).body, HasSubstr("old"));
}

TEST(HttpServer, StreamsToHttp10UntilItCloses) {
  TestServer server;
  TestClient client(server.port());
  std::string request = StatelessCall("hold", "{}", kStatelessProgress);
  request.replace(request.find("HTTP/1.1"), 8, "HTTP/1.0");
  ASSERT_TRUE(client.Send(request));
  ASSERT_TRUE(server.Eventually([&] { return !server.held().empty(); }));
  server.OnLoop([&] { server.held()[0].Progress(1); });
  ASSERT_TRUE(server.Release(0));
  TestResponse response = client.Receive();
  EXPECT_EQ(response.headers.count("transfer-encoding"), 0u);
  EXPECT_THAT(response.body, HasSubstr("notifications/progress"));
  EXPECT_THAT(response.body, HasSubstr("released"));
}

TEST(HttpServer, StreamsProgressAsItComes) {
  TestServer server;
  TestClient client(server.port());
  ASSERT_TRUE(client.Send(StatelessCall("hold", "{}", kStatelessProgress)));
  ASSERT_TRUE(server.Eventually([&] { return !server.held().empty(); }));
  server.OnLoop([&] { server.held()[0].Progress(1, 2, "half"); });
  TestResponse head = client.ReceiveHead();
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers["content-type"], "text/event-stream");
  EXPECT_EQ(head.headers["x-accel-buffering"], "no");
  EXPECT_EQ(head.headers["transfer-encoding"], "chunked");
  EXPECT_THAT(client.ReceiveUntil("\n\n\r\n"), HasSubstr("half"));
  ASSERT_TRUE(server.Release(0));
  EXPECT_THAT(client.ReceiveUntil("\r\n0\r\n\r\n"), HasSubstr("released"));
  EXPECT_THAT(client.Exchange(Echo("and on")).body, HasSubstr("and on"));
}

TEST(HttpServer, KeepsAQuietStreamAlive) {
  HttpServerOptions options;
  options.keep_alive_interval = Millis{20};
  TestServer server(options);
  TestClient client(server.port());
  ASSERT_TRUE(client.Send(StatelessCall("hold", "{}", kStatelessProgress)));
  ASSERT_TRUE(server.Eventually([&] { return !server.held().empty(); }));
  server.OnLoop([&] { server.held()[0].Progress(1); });
  EXPECT_EQ(client.ReceiveHead().status, 200);
  client.ReceiveUntil("\n\n\r\n");
  EXPECT_EQ(client.ReceiveUntil("\n\n\r\n"), "e\r\n: keep-alive\n\n\r\n");
  EXPECT_EQ(client.ReceiveUntil("\n\n\r\n"), "e\r\n: keep-alive\n\n\r\n");
}

TEST(HttpServer, CancelsAStatelessCallWhoseClientGoes) {
  for (const bool streaming : {false, true}) {
    TestServer server;
    TestClient client(server.port());
    ASSERT_TRUE(client.Send(StatelessCall("hold", "{}", kStatelessProgress)));
    ASSERT_TRUE(server.Eventually([&] { return !server.held().empty(); }));
    if (streaming) server.OnLoop([&] { server.held()[0].Progress(1); });
    client.Close();
    EXPECT_TRUE(server.Eventually([&] { return server.held()[0].cancelled(); }));
  }
}

TEST(HttpServer, CancelsAStatelessCallWhoseClientStopsSending) {
  TestServer server;
  TestClient client(server.port());
  ASSERT_TRUE(client.Send(StatelessCall("hold")));
  ASSERT_TRUE(server.Eventually([&] { return !server.held().empty(); }));
  client.CloseSending();
  EXPECT_TRUE(server.Eventually([&] { return server.held()[0].cancelled(); }));
  EXPECT_TRUE(client.Ended());
}

TEST(HttpServer, GoesOnWithACallOfASessionWhoseClientGoes) {
  TestServer server;
  TestClient first(server.port());
  const std::string session = Initialize(first);
  ASSERT_NE(session, "");
  TestClient client(server.port());
  ASSERT_TRUE(client.Send(SessionCall(session, "hold", "{}", kSessionProgress)));
  ASSERT_TRUE(server.Eventually([&] { return !server.held().empty(); }));
  client.Close();
  // Its end has been seen once the server has answered somebody who came later.
  TestClient later(server.port());
  EXPECT_EQ(later.Exchange(Echo("x")).status, 200);
  server.OnLoop([&] { EXPECT_FALSE(server.held()[0].cancelled()); });
  ASSERT_TRUE(server.Release(0));
  EXPECT_EQ(first.Exchange(SessionCall(session, "echo", R"({"text":"x"})")).status, 200);
}

TEST(HttpServer, AnswersForAHandlerThatThrows) {
  testing::internal::CaptureStderr();
  TestResponse response;
  {
    TestServer server;
    TestClient client(server.port());
    response = client.Exchange(StatelessCall("throw"));
  }
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, HasSubstr(R"("isError":true)"));
  EXPECT_THAT(response.body, HasSubstr("the tool failed"));
  EXPECT_THAT(response.body, Not(HasSubstr("basket")));
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "mcp-session: a handler threw: no such thing: basket...\n");
}

TEST(HttpServer, RefusesForeignOriginsAndHosts) {
  TestServer server;
  TestClient client(server.port());
  std::string request = Echo("x");
  request.insert(request.find("\r\n") + 2, "Origin: https://evil.example\r\n");
  EXPECT_EQ(client.Exchange(request).status, 403);
  request = Echo("x");
  request.replace(request.find("localhost"), 9, "evil.example");
  EXPECT_EQ(client.Exchange(request).status, 403);
}

TEST(HttpServer, LeavesOtherMethodsToTheCore) {
  TestServer server;
  TestClient client(server.port());
  for (const char* method : {"PUT", "OPTIONS"}) {
    TestResponse response =
        client.Exchange(std::string(method) + " /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(response.status, 405) << method;
    EXPECT_THAT(response.headers["allow"], HasSubstr("POST")) << method;
  }
  TestResponse head = client.Exchange("HEAD /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(head.status, 405);
  EXPECT_THAT(client.Exchange(Echo("in step")).body, HasSubstr("in step"));
}

HttpServerOptions WithPages() {
  HttpServerOptions options;
  options.pages = {{"/", "text/html; charset=utf-8", "<p>hello"},
                   {"/core.wasm", "application/wasm", std::string_view("\0asm", 4)}};
  return options;
}

TEST(HttpServer, ServesPages) {
  TestServer server(WithPages());
  TestClient client(server.port());
  TestResponse page = client.Exchange("GET /?x=1 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.body, "<p>hello");
  EXPECT_EQ(page.headers["content-type"], "text/html; charset=utf-8");
  EXPECT_EQ(page.headers["x-content-type-options"], "nosniff");
  EXPECT_EQ(page.headers["cache-control"], "no-cache");
  EXPECT_THAT(page.headers["content-security-policy"], StartsWith("default-src 'self'; script-src "
                                                                  "'self' 'wasm-unsafe-eval';"));
  EXPECT_EQ(client.Exchange("GET /core.wasm HTTP/1.1\r\nHost: a\r\n\r\n").body,
            std::string("\0asm", 4));
}

TEST(HttpServer, ServesTheHeadOfPages) {
  TestServer server(WithPages());
  TestClient client(server.port());
  TestResponse head = client.Exchange("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers["content-length"], "8");
  EXPECT_THAT(client.Exchange(Echo("no body came")).body, HasSubstr("no body came"));
}

TEST(HttpServer, SaysWhenAPageHasNotChanged) {
  TestServer server(WithPages());
  TestClient client(server.port());
  const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n";
  const std::string etag = client.Exchange(get + "\r\n").headers["etag"];
  EXPECT_EQ(client.Exchange(get + "if-none-match: " + etag + "\r\n\r\n").status, 304);
  EXPECT_EQ(client.Exchange(get + "If-None-Match: \"other\"\r\n\r\n").status, 200);
}

TEST(HttpServer, TakesNothingElseAtAPage) {
  TestServer server(WithPages());
  TestClient client(server.port());
  TestResponse response =
      client.Exchange("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.headers["allow"], "GET, HEAD");
}

TEST(HttpServer, KnowsNoOtherPaths) {
  TestServer server(WithPages());
  TestClient client(server.port());
  for (const char* path : {"/nothing", "/mcp/", "/MCP", "*", "/../etc/passwd", "/core.wasm/"}) {
    const TestResponse response =
        client.Exchange("GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(response.status, 404) << path;
    EXPECT_EQ(response.body,
              R"({"jsonrpc":"2.0","error":{"code":-32000,"message":"nothing is at this path"}})");
  }
}

TEST(HttpServer, TellsThatItIsThere) {
  TestServer server;
  TestClient client(server.port());
  EXPECT_EQ(client.Exchange("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").body, "ok\n");
}

TEST(HttpServer, ServesWhatIsMadeAnew) {
  int asked = 0;
  HttpServerOptions options;
  options.dynamic_pages = {{"/count",
                            [&] {
                              return HttpAnswer{200, "text/plain", std::to_string(++asked)};
                            }},
                           {"/healthz", [] {
                              return HttpAnswer{503, "application/json", "{}"};
                            }}};
  TestServer server(std::move(options));
  TestClient client(server.port());
  TestResponse first = client.Exchange("GET /count HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.body, "1");
  EXPECT_EQ(first.headers["content-type"], "text/plain");
  EXPECT_EQ(first.headers["cache-control"], "no-store");
  EXPECT_EQ(client.Exchange("GET /count?x=1 HTTP/1.1\r\nHost: a\r\n\r\n").body, "2");
  const TestResponse refused =
      client.Exchange("POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(refused.status, 405);
  const TestResponse health = client.Exchange("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(health.status, 503);
  EXPECT_EQ(health.body, "{}");
}

TEST(HttpServer, NamesNoSoftware) {
  TestServer server;
  TestClient client(server.port());
  const TestResponse response = client.Exchange(Echo("x"));
  EXPECT_EQ(response.headers.count("server"), 0u);
  EXPECT_EQ(response.headers.count("date"), 0u);
}

}  // namespace
}  // namespace mcp_session

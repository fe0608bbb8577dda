// HttpServer over real sockets: what is too large, too slow or too much, and how it ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "mcp_session/store/memory_store.h"
#include "mcp_session/system/entropy.h"
#include "tests/native/test_client.h"
#include "tests/native/test_server.h"

namespace mcp_session {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kProgress = R"(,"progressToken":"p")";

std::string Echo(std::string_view text) {
  return StatelessCall("echo", R"({"text":")" + std::string(text) + "\"}");
}

std::string HealthCheck() { return "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"; }

std::string Announced(std::size_t bytes) {
  return "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
         "Accept: application/json, text/event-stream\r\nContent-Length: " +
         std::to_string(bytes) + "\r\n\r\n";
}

TEST(HttpLimits, RefusesALargeBodyBeforeItComes) {
  HttpServerOptions options;
  options.max_body_bytes = 1000;
  TestServer server(options);
  TestClient client(server.port());
  TestResponse response = client.Exchange(Announced(1001));
  EXPECT_EQ(response.status, 413);
  EXPECT_EQ(response.headers["connection"], "close");
  EXPECT_THAT(response.body, HasSubstr(R"({"jsonrpc":"2.0","error":{"code":-32600,)"));
  EXPECT_TRUE(client.Ended());
  TestClient other(server.port());
  EXPECT_EQ(other.Exchange(Announced(1000) + std::string(1000, ' ')).status, 400);  // no JSON
}

TEST(HttpLimits, RefusesALargeChunkedBodyWhileItComes) {
  HttpServerOptions options;
  options.max_body_bytes = 1000;
  TestServer server(options);
  TestClient client(server.port());
  ASSERT_TRUE(client.Send("POST /mcp HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"));
  const std::string chunk = "64\r\n" + std::string(100, 'x') + "\r\n";
  for (int i = 0; i < 11; ++i) client.Send(chunk);
  EXPECT_EQ(client.Receive().status, 413);
}

TEST(HttpLimits, LetsThePeerReadARefusalThatItTalksOver) {
  HttpServerOptions options;
  options.max_body_bytes = 1000;
  TestServer server(options);
  TestClient client(server.port());
  ASSERT_TRUE(client.Send(Announced(4u << 20)));
  const std::string body(4u << 20, 'x');
  client.Send(body);  // whether or not it is taken, the answer must not be lost
  EXPECT_EQ(client.Receive().status, 413);
}

TEST(HttpLimits, RefusesLargeHeaders) {
  TestServer server;
  TestClient client(server.port());
  TestResponse response =
      client.Exchange("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n");
  EXPECT_EQ(response.status, 431);
  EXPECT_THAT(response.body, HasSubstr(R"("code":-32000)"));
  EXPECT_TRUE(client.Ended());
}

TEST(HttpLimits, RefusesWhatIsNoHttp) {
  TestServer server;
  TestClient client(server.port());
  TestResponse response = client.Exchange("\x16\x03\x01\x02 hello there\r\n\r\n");
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(response.body, HasSubstr(R"("code":-32000)"));
  EXPECT_TRUE(client.Ended());
}

TEST(HttpLimits, RefusesUnknownPathsWithoutWaitingForTheBody) {
  TestServer server;
  TestClient client(server.port());
  EXPECT_EQ(client
                .Exchange("POST /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n"
                          "Expect: 100-continue\r\n\r\n")
                .status,
            404);
  EXPECT_TRUE(client.Ended());
}

TEST(HttpLimits, TiresOfATricklingHead) {
  HttpServerOptions options;
  options.head_time = Millis{150};
  TestServer server(options);
  TestClient client(server.port());
  ASSERT_TRUE(client.Send("POST /mcp HTTP/1.1\r\n"));
  while (!client.Readable(10)) {
    if (!client.Send("X-Trickle: 1\r\n")) break;
  }
  EXPECT_EQ(client.Receive().status, 408);
  EXPECT_TRUE(client.Ended());
}

TEST(HttpLimits, TiresOfATricklingHeadAfterAnotherRequest) {
  HttpServerOptions options;
  options.head_time = Millis{150};
  TestServer server(options);
  TestClient client(server.port());
  EXPECT_EQ(client.Exchange(HealthCheck()).status, 200);
  ASSERT_TRUE(client.Send("POST /mcp HTTP/1.1\r\n"));
  EXPECT_EQ(client.Receive().status, 408);
}

TEST(HttpLimits, ClosesAConnectionThatNeverSpeaks) {
  HttpServerOptions options;
  options.head_time = Millis{50};
  TestServer server(options);
  TestClient client(server.port());
  EXPECT_TRUE(client.Ended());
}

TEST(HttpLimits, TiresOfABodyThatStops) {
  HttpServerOptions options;
  options.body_time = Millis{50};
  TestServer server(options);
  TestClient client(server.port());
  ASSERT_TRUE(client.Send(Announced(100) + "{"));
  EXPECT_EQ(client.Receive().status, 408);
  EXPECT_TRUE(client.Ended());
}

TEST(HttpLimits, ForgetsAPeerThatGoesInTheMiddleOfABody) {
  TestServer server;
  {
    TestClient client(server.port());
    ASSERT_TRUE(client.Send(Announced(100) + "{"));
  }
  TestClient other(server.port());
  EXPECT_EQ(other.Exchange(Echo("x")).status, 200);
}

TEST(HttpLimits, ClosesIdleConnections) {
  HttpServerOptions options;
  options.idle_time = Millis{50};
  TestServer server(options);
  TestClient client(server.port());
  EXPECT_EQ(client.Exchange(HealthCheck()).status, 200);
  EXPECT_TRUE(client.Ended());
}

TEST(HttpLimits, DoesNotCallACallIdle) {
  HttpServerOptions options;
  options.idle_time = options.head_time = options.body_time = Millis{30};
  TestServer server(options);
  TestClient client(server.port());
  ASSERT_TRUE(client.Send(StatelessCall("hold")));
  EXPECT_FALSE(client.Readable(100));
  ASSERT_TRUE(server.Release(0));
  EXPECT_EQ(client.Receive().status, 200);
}

TEST(HttpLimits, CutsOffAReaderThatDoesNotRead) {
  HttpServerOptions options;
  options.max_queued_bytes = 256u << 10;
  TestServer server(options);
  TestClient client(server.port(), 4096);
  ASSERT_TRUE(client.Send(StatelessCall("flood", "{}", kProgress)));
  EXPECT_TRUE(
      server.Eventually([&] { return !server.held().empty() && server.held()[0].cancelled(); }));
}

TEST(HttpLimits, CutsOffAReaderThatStopsInAnAnswer) {
  HttpServerOptions options;
  options.write_time = Millis{50};
  options.max_connections = 1;
  TestServer server(options);
  TestClient client(server.port(), 4096);
  // More than the two kernels take, and nobody reads it.
  ASSERT_TRUE(client.Send(StatelessCall("large", R"({"bytes":16000000})")));
  TestClient next(server.port());
  EXPECT_EQ(next.Exchange(HealthCheck()).status, 200);  // there is room again
}

TEST(HttpLimits, SendsALargeAnswerToAReaderThatReads) {
  HttpServerOptions options;
  options.max_queued_bytes = 1000;
  TestServer server(options);
  TestClient client(server.port());
  ASSERT_TRUE(client.Send(StatelessCall("large", R"({"bytes":4000000})") + Echo("next")));
  EXPECT_GT(client.Receive().body.size(), 4'000'000u);
  EXPECT_THAT(client.Receive().body, HasSubstr("next"));
}

TEST(HttpLimits, MakesRoomByClosingIdleConnections) {
  HttpServerOptions options;
  options.max_connections = 2;
  TestServer server(options);
  TestClient first(server.port());
  EXPECT_EQ(first.Exchange(HealthCheck()).status, 200);
  TestClient second(server.port());
  EXPECT_EQ(second.Exchange(HealthCheck()).status, 200);
  TestClient third(server.port());
  EXPECT_EQ(third.Exchange(HealthCheck()).status, 200);
  EXPECT_TRUE(first.Ended());
  EXPECT_EQ(second.Exchange(HealthCheck()).status, 200);
}

TEST(HttpLimits, LeavesConnectionsWaitingWhileAllAreBusy) {
  HttpServerOptions options;
  options.max_connections = 1;
  TestServer server(options);
  TestClient first(server.port());
  ASSERT_TRUE(first.Send(StatelessCall("hold")));
  ASSERT_TRUE(server.Eventually([&] { return !server.held().empty(); }));
  TestClient second(server.port());
  ASSERT_TRUE(second.Send(HealthCheck()));
  EXPECT_FALSE(second.Readable(50));
  ASSERT_TRUE(server.Release(0));
  EXPECT_EQ(first.Receive().status, 200);
  EXPECT_EQ(second.Receive().status, 200);
}

TEST(HttpLimits, RefusesToReceiveTooMuchAtOnce) {
  HttpServerOptions options;
  options.max_buffered_bytes = 200u << 10;
  TestServer server(options);
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(std::make_unique<TestClient>(server.port()));
    clients.back()->Send(Announced(100'000) + std::string(99'999, ' '));
  }
  std::size_t refused = 0;
  while (!clients[refused]->Readable(5)) refused = (refused + 1) % clients.size();
  EXPECT_EQ(clients[refused]->Receive().status, 503);
  // When they have gone there is room again.
  clients.clear();
  int status = 503;
  while (status == 503) {
    TestClient again(server.port());
    status = again.Exchange(Announced(100'000) + std::string(100'000, ' ')).status;
  }
  EXPECT_EQ(status, 400);  // no JSON
}

TEST(HttpServerStop, LetsACallFinishAndClosesWhatIsIdle) {
  TestServer server;
  TestClient idle(server.port());
  EXPECT_EQ(idle.Exchange(HealthCheck()).status, 200);
  TestClient busy(server.port());
  ASSERT_TRUE(busy.Send(StatelessCall("hold")));
  ASSERT_TRUE(server.Eventually([&] { return !server.held().empty(); }));
  server.Stop();
  EXPECT_TRUE(idle.Ended());
  TestClient late(server.port());
  EXPECT_FALSE(late.Send(HealthCheck()) && late.Receive().status != 0);
  ASSERT_TRUE(server.Release(0));
  TestResponse answer = busy.Receive();
  EXPECT_THAT(answer.body, HasSubstr("released"));
  EXPECT_EQ(answer.headers["connection"], "close");
  EXPECT_TRUE(busy.Ended());
  busy.Close();
  server.Join();
}

TEST(HttpServerStop, LetsGoOfACallAfterTheGracePeriod) {
  HttpServerOptions options;
  options.grace = Millis{50};
  TestServer server(options);
  TestClient client(server.port());
  ASSERT_TRUE(client.Send(StatelessCall("hold")));
  ASSERT_TRUE(server.Eventually([&] { return !server.held().empty(); }));
  server.Stop();
  EXPECT_TRUE(client.Ended());
  server.Join();
  server.OnLoop([&] { EXPECT_TRUE(server.held()[0].cancelled()); });
}

TEST(HttpServerStop, IsNotPatientTwice) {
  HttpServerOptions options;
  options.grace = Hours(1);
  TestServer server(options);
  TestClient client(server.port());
  ASSERT_TRUE(client.Send(StatelessCall("hold")));
  ASSERT_TRUE(server.Eventually([&] { return !server.held().empty(); }));
  server.Stop();
  server.Stop();
  EXPECT_TRUE(client.Ended());
  server.Join();
}

TEST(HttpServerListen, SaysWhatIsWrong) {
  TestServer taken;
  boost::asio::io_context loop;
  SystemEntropy entropy;
  MemorySessionStore store({}, entropy);
  McpServer mcp({}, store, entropy);
  const auto listen = [&](const HttpServerOptions& options) {
    return HttpServer(loop, mcp, options).Listen().error();
  };
  HttpServerOptions options;
  options.port = taken.port();
  EXPECT_EQ(listen(options), (Error{ErrorCode::kTransport, Blame::kEnvironment,
                                    "cannot listen on 127.0.0.1:" + std::to_string(taken.port()) +
                                        ": the port is in use"}));
  options.host = "no such host";
  EXPECT_EQ(listen(options).code, ErrorCode::kInvalidArgument);
  options = {};
  options.endpoint = "mcp";
  EXPECT_EQ(listen(options).code, ErrorCode::kInvalidArgument);
  options = {};
  options.max_connections = 0;
  EXPECT_EQ(listen(options).code, ErrorCode::kInvalidArgument);
  options = {};
  options.idle_time = Millis{0};
  EXPECT_EQ(listen(options).code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace mcp_session

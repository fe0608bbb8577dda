// Clients over HTTP: both faces, real sockets, real TLS.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <filesystem>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "mcp_session/auth/static_token_authenticator.h"
#include "mcp_session/client_host/awaitable_client.h"
#include "mcp_session/client_host/blocking_client.h"
#include "mcp_session/http_client/http_link.h"
#include "mcp_session/json/access.h"
#include "mcp_session/json/parse.h"
#include "tests/auth/token_maker.h"
#include "tests/native/scripted_server.h"
#include "tests/native/test_client.h"
#include "tests/native/test_server.h"
#include "tests/support/temp_file.h"

namespace mcp_session {
namespace {

namespace asio = boost::asio;
using ::testing::HasSubstr;
using ::testing::StartsWith;

ClientOptions About(std::optional<Era> era = std::nullopt) {
  ClientOptions options;
  options.name = "probe";
  options.era = era;
  return options;
}

std::string UrlOf(const TestServer& server, const char* scheme = "http") {
  return std::string(scheme) + "://localhost:" + std::to_string(server.port()) + "/mcp";
}

std::unique_ptr<BlockingClient> Connect(HttpLinkOptions link, ClientOptions options = About(),
                                        ClientHandlers handlers = {}) {
  auto client =
      BlockingClient::Make([link](asio::io_context& loop) { return MakeHttpLink(loop, link); },
                           std::move(options), std::move(handlers));
  EXPECT_TRUE(client) << client.error().message;
  return client ? std::move(*client) : nullptr;
}

Json Text(const char* text) {
  Json arguments = EmptyObject();
  arguments["text"] = text;
  return arguments;
}

std::string Said(const ClientResult<Json>& result) {
  if (!result) return std::string(CodeName(result.error().error.code));
  const Json* content = FindArray(*result, "content");
  return content ? StringOrEmpty((*content)[0], "text") : "no content";
}

std::string Why(const ClientResult<Json>& result) {
  return result ? "none" : result.error().error.message;
}

TEST(HttpClient, CallsToolsInBothEras) {
  TestServer server;
  for (const Era era : {Era::kHandshake, Era::kStateless}) {
    const auto client = Connect({.url = UrlOf(server)}, About(era));
    EXPECT_EQ(client->session(), std::nullopt);
    EXPECT_EQ(Said(client->CallTool("echo", Text("hello"))), "hello");
    ASSERT_TRUE(client->session());
    EXPECT_EQ(client->session()->era, era);
    const auto tools = client->ListTools();
    ASSERT_TRUE(tools);
    EXPECT_EQ(FindArray(*tools, "tools")->size(), 5u);
    EXPECT_EQ(Said(client->CallTool("nothing")), "INVALID_PARAMS");
    client->Close();
    client->Close();
    EXPECT_EQ(Said(client->CallTool("echo", Text("hello"))), "CANCELLED");
  }
}

TEST(HttpClient, FindsOutWhichHeadersAToolWants) {  // S-40
  TestServer server({}, [](McpServer& mcp) {
    Tool tool;
    tool.name = "mark";
    tool.input_schema = *ParseJson(R"({"type":"object","properties":{
        "text":{"type":"string","x-mcp-header":"Text"}}})");
    ASSERT_TRUE(mcp.AddTool(std::move(tool), [](ToolCall& call) {
      return ToolResult::Text(*call.StringArgument("text"));
    }));
  });
  const auto client = Connect({.url = UrlOf(server)}, About(Era::kStateless));
  EXPECT_EQ(Said(client->CallTool("mark", Text("Köln"))), "Köln") << "though nobody listed it";
}

TEST(HttpClient, ManyMayCallAtOnce) {
  TestServer server;
  const auto client = Connect({.url = UrlOf(server)});
  std::vector<std::future<std::string>> calls;
  for (int i = 0; i < 4; ++i) {
    calls.push_back(std::async(std::launch::async, [&] { return Said(client->CallTool("hold")); }));
  }
  EXPECT_EQ(Said(client->CallTool("echo", Text("meanwhile"))), "meanwhile");
  for (std::size_t i = 0; i < 4; ++i) EXPECT_TRUE(server.Release(i));
  for (auto& call : calls) EXPECT_EQ(call.get(), "released");
}

TEST(HttpClient, TellsProgress) {
  TestServer server;
  const auto client = Connect({.url = UrlOf(server)});
  std::promise<std::string> progress;
  CallSettings settings;
  settings.on_progress = [&](const Json& params) { progress.set_value(params.dump()); };
  auto call =
      std::async(std::launch::async, [&] { return Said(client->CallTool("hold", {}, settings)); });
  ASSERT_TRUE(server.Eventually([&] {
    if (server.held().empty()) return false;
    server.held()[0].Progress(1, 3, "one");
    return true;
  }));
  EXPECT_EQ(progress.get_future().get(), R"({"progress":1.0,"total":3.0,"message":"one"})");
  EXPECT_TRUE(server.Release(0));
  EXPECT_EQ(call.get(), "released");
}

TEST(HttpClient, RenewsALostSession) {  // H-30
  TestServer server;
  std::promise<void> lost;
  ClientHandlers handlers;
  handlers.on_session_lost = [&] { lost.set_value(); };
  const auto client = Connect({.url = UrlOf(server)}, About(Era::kHandshake), handlers);
  EXPECT_EQ(Said(client->CallTool("echo", Text("one"))), "one");
  const std::string first = client->session()->session_id;
  TestClient other(server.port());
  const TestResponse ended = other.Exchange(
      "DELETE /mcp HTTP/1.1\r\nHost: localhost\r\nMcp-Session-Id: " + first + "\r\n\r\n");
  ASSERT_EQ(ended.status / 100, 2);
  EXPECT_EQ(Said(client->CallTool("echo", Text("two"))), "two");
  lost.get_future().wait();
  EXPECT_NE(client->session()->session_id, first);
}

TEST(HttpClient, GoesOnInASavedSession) {
  TestServer server;
  std::optional<client_effect::Opened> saved;
  {
    const auto client = Connect({.url = UrlOf(server)}, About(Era::kHandshake));
    ASSERT_TRUE(client->Open());
    saved = client->session();
  }
  ClientOptions options = About();
  options.resume = saved;
  const auto client = Connect({.url = UrlOf(server)}, options);
  EXPECT_EQ(Said(client->CallTool("echo", Text("again"))), "again");
  EXPECT_EQ(client->session()->session_id, saved->session_id);
}

TEST(HttpClient, SaysWhatIsWrongWithTheWay) {
  std::uint16_t port = 0;
  { port = TestServer().port(); }
  const auto nobody = Connect({.url = "http://localhost:" + std::to_string(port) + "/mcp"});
  const auto refused = nobody->CallTool("echo");
  EXPECT_EQ(Said(refused), "TRANSPORT");
  EXPECT_EQ(Why(refused), "cannot connect: connection refused");
  EXPECT_EQ(Why(Connect({.url = "http://no-such-host.invalid/mcp"})->Ping()), "no such host");
}

TEST(HttpClient, RefusesWhatMakesNoSense) {
  asio::io_context loop;
  const auto code = [&](HttpLinkOptions options) {
    const auto link = MakeHttpLink(loop, std::move(options));
    return link ? "" : std::string(CodeName(link.error().code));
  };
  EXPECT_EQ(code({.url = "ftp://localhost"}), "INVALID_ARGUMENT");
  EXPECT_EQ(code({.url = "http://u:p@localhost/"}), "INVALID_ARGUMENT");
  EXPECT_EQ(code({.url = "http://mcp.example/", .token = FixedToken("t")}), "INVALID_ARGUMENT");
  EXPECT_EQ(code({.url = "http://127.0.0.1/", .token = FixedToken("t")}), "");
  EXPECT_EQ(code({.url = "https://mcp.example/", .token = FixedToken("t")}), "");
  EXPECT_EQ(code({.url = "http://localhost/", .headers = {{"x y", "z"}}}), "INVALID_ARGUMENT");
  EXPECT_EQ(code({.url = "http://localhost/", .headers = {{"content-length", "0"}}}),
            "INVALID_ARGUMENT");
  EXPECT_EQ(code({.url = "http://localhost/", .headers = {{"x", "a\r\nb: c"}}}),
            "INVALID_ARGUMENT");
  EXPECT_EQ(code({.url = "https://localhost/", .ca_file = "/no/such"}), "MISCONFIGURED");
}

// --- TLS ---

TEST(HttpClient, TrustsWhomItIsToldTo) {
  const TestCertificate made = MakeTestCertificate("localhost");
  HttpServerOptions options;
  options.tls.certificate_file = WriteFile("client_test.pem", made.certificate);
  options.tls.key_file = WriteFile("client_test.key", made.key);
  const std::string ca = options.tls.certificate_file;
  TestServer server(options);
  const auto trusting = Connect({.url = UrlOf(server, "https"), .ca_file = ca});
  EXPECT_EQ(Said(trusting->CallTool("echo", Text("secret"))), "secret");
  const auto strange = Connect({.url = UrlOf(server, "https")})->CallTool("echo");
  EXPECT_EQ(Said(strange), "TRANSPORT");
  EXPECT_THAT(Why(strange), StartsWith("TLS: certificate verify failed"));
  const auto open = Connect({.url = UrlOf(server, "https"), .verify_server = false});
  EXPECT_EQ(Said(open->CallTool("echo", Text("anybody"))), "anybody");
}

TEST(HttpClient, LooksAtTheNameInACertificate) {
  const TestCertificate made = MakeTestCertificate("other.example");
  HttpServerOptions options;
  options.tls.certificate_file = WriteFile("client_other.pem", made.certificate);
  options.tls.key_file = WriteFile("client_other.key", made.key);
  const std::string ca = options.tls.certificate_file;
  TestServer server(options);
  EXPECT_THAT(Why(Connect({.url = UrlOf(server, "https"), .ca_file = ca})->Ping()),
              StartsWith("TLS: certificate verify failed"));
}

// --- tokens ---

std::vector<StaticToken> Tokens() { return {{"alice", "alice-0123456789", {}}}; }

TEST(HttpClient, SendsItsToken) {  // A-03
  StaticTokenAuthenticator authenticator(Tokens());
  HttpServerOptions options;
  options.auth.authenticator = &authenticator;
  TestServer server(options);
  const auto call = [&](TokenProvider token) {
    return Said(
        Connect({.url = UrlOf(server), .token = std::move(token)})->CallTool("echo", Text("me")));
  };
  EXPECT_EQ(call(FixedToken("alice-0123456789")), "me");
  EXPECT_EQ(call(FixedToken("mallory-01234567")), "FORBIDDEN");
  EXPECT_EQ(call(nullptr), "FORBIDDEN");
  EXPECT_EQ(call(FixedToken("")), "FORBIDDEN");
}

TEST(HttpClient, TriesAnotherTokenOnce) {
  StaticTokenAuthenticator authenticator(Tokens());
  HttpServerOptions options;
  options.auth.authenticator = &authenticator;
  TestServer server(options);
  std::vector<std::string> challenges;
  const auto client =
      Connect({.url = UrlOf(server),
               .token = [&](std::string challenge) -> asio::awaitable<Result<std::string>> {
                 challenges.push_back(challenge);
                 Result<std::string> token =
                     std::string(challenge.empty() ? "old-012345678901" : "alice-0123456789");
                 co_return token;
               }});
  EXPECT_EQ(Said(client->CallTool("echo", Text("me"))), "me");
  ASSERT_EQ(challenges.size(), 4u) << "two requests, each refused once";
  EXPECT_EQ(challenges[0], "");
  EXPECT_THAT(challenges[1], StartsWith("Bearer"));
  const auto never = Connect(
      {.url = UrlOf(server),
       .token = [n = 0](const std::string&) mutable -> asio::awaitable<Result<std::string>> {
         Result<std::string> token = "wrong-0123456789" + std::to_string(++n);
         co_return token;
       }});
  EXPECT_EQ(Said(never->CallTool("echo")), "FORBIDDEN");
  const auto none =
      Connect({.url = UrlOf(server),
               .token = [](const std::string&) -> asio::awaitable<Result<std::string>> {
                 Result<std::string> token =
                     Failure(ErrorCode::kUnavailable, Blame::kEnvironment, "no token today");
                 co_return token;
               }});
  EXPECT_EQ(Why(none->CallTool("echo")), "no token today");
}

// --- answers of other servers ---

ClientOptions GoingOn() {
  ClientOptions options = About();
  options.resume =
      client_effect::Opened{Era::kHandshake, Revision::k2025_11_25, "s1", EmptyObject()};
  return options;
}

// The answer to a client that is going on, whose first request has id 1.
std::string Result1(int id) {
  return R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + R"(,"result":{}})";
}

TEST(HttpClient, UsesConnectionsAgain) {
  int id = 0;
  ScriptedServer server([&](const std::string& request) {
    EXPECT_THAT(request, HasSubstr("Mcp-Session-Id: s1\r\n"));
    EXPECT_THAT(request, HasSubstr("x-key: k\r\n"));
    EXPECT_THAT(request, HasSubstr("User-Agent: mcp-session\r\n"));
    ++id;
    return JsonResponse(Result1(id), 200, id == 3 ? "Connection: close\r\n" : "");
  });
  const auto client = Connect(
      {.url = server.url(), .headers = {{"x-key", "k"}, {"mcp-session-id", "no"}}}, GoingOn());
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(client->Ping()) << i;
  EXPECT_EQ(server.connections(), 2);
}

int Option(int socket, int level, int option) {
  int value = -1;
  socklen_t size = sizeof(value);
  getsockopt(socket, level, option, &value, &size);
  return value;
}

std::uint16_t PortOf(int socket, int (*name)(int, sockaddr*, socklen_t*)) {
  sockaddr_in6 address{};  // the port is where sockaddr_in has it
  socklen_t size = sizeof(address);
  const bool known = name(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0 &&
                     (address.sin6_family == AF_INET || address.sin6_family == AF_INET6);
  return known ? ntohs(address.sin6_port) : 0;
}

TEST(HttpClient, BothEndsAskAfterAPeerThatMayHaveVanished) {
  TestServer server;
  const auto client = Connect({.url = UrlOf(server)});
  EXPECT_EQ(Said(client->CallTool("echo", Text("here"))), "here");
  int ends = 0;
  for (const auto& file : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int socket = std::stoi(file.path().filename());
    const std::uint16_t peer = PortOf(socket, getpeername);
    if (peer == 0 || (peer != server.port() && PortOf(socket, getsockname) != server.port()))
      continue;
    ++ends;
    EXPECT_EQ(Option(socket, SOL_SOCKET, SO_KEEPALIVE), 1);
    EXPECT_EQ(Option(socket, IPPROTO_TCP, TCP_KEEPIDLE), 20);
    EXPECT_EQ(Option(socket, IPPROTO_TCP, TCP_KEEPINTVL), 10);
    EXPECT_EQ(Option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT), 60'000);
  }
  EXPECT_GE(ends, 2);
}

TEST(HttpClient, UsesNoConnectionThatWasClosed) {
  int requests = 0;
  ScriptedServer server([&](const std::string&) { return JsonResponse(Result1(++requests)); },
                        ScriptedServer::After::kClose);
  const auto client = Connect({.url = server.url()}, GoingOn());
  EXPECT_TRUE(client->Ping());
  while (server.closed() == 0) std::this_thread::yield();
  EXPECT_EQ(Why(client->CallTool("x")), "none") << "which is not repeated";
}

TEST(HttpClient, SurvivesAnyAnswer) {
  const struct {
    std::string answer;
    const char* code;
    const char* why;
  } kRows[] = {
      {"", "TRANSPORT", "the connection closed before an answer"},
      {"hello\r\n\r\n", "TRANSPORT", "the connection broke: bad version"},
      {"HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x') + "\r\n\r\n", "TRANSPORT",
       "the head of the answer is too large"},
      {"HTTP/1.1 302 X\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", "TRANSPORT",
       "the server is elsewhere"},
      {"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n", "UNAVAILABLE", "the server is not available"},
      {"HTTP/1.1 100 Continue\r\n\r\n" + JsonResponse("{}"), "PEER", "the answer is no message"},
      {std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), "TRANSPORT",
       "the answer broke off: bad chunk"},
  };
  for (const auto& row : kRows) {
    ScriptedServer server([&](const std::string&) { return row.answer; });
    const auto client = Connect({.url = server.url()}, GoingOn());
    const auto result = client->CallTool("x");
    EXPECT_EQ(Said(result), row.code) << row.answer.substr(0, 60);
    EXPECT_EQ(Why(result), row.why) << row.answer.substr(0, 60);
  }
}

TEST(HttpClient, RefusesAHeadThatIsTooLargeWhateverTheLimit) {
  ScriptedServer server([](const std::string&) {
    return "HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x') + "\r\n\r\n";
  });
  const auto client = Connect({.url = server.url(), .max_header_bytes = 1u << 20}, GoingOn());
  EXPECT_EQ(Why(client->CallTool("x")), "the head of the answer is too large");
}

TEST(HttpClient, SendsAgainWhatReadsWhenTheConnectionBreaks) {
  int requests = 0;
  ScriptedServer server([&](const std::string&) {
    return ++requests == 1 ? std::string() : JsonResponse(Result1(requests));
  });
  const auto client = Connect({.url = server.url()}, GoingOn());
  EXPECT_TRUE(client->Ping());
  EXPECT_EQ(requests, 2);
}

// --- coroutines ---

TEST(HttpClient, ServesCoroutines) {
  using asio::experimental::awaitable_operators::operator||;
  TestServer server;
  asio::io_context loop;
  auto link = MakeHttpLink(loop, {.url = UrlOf(server)});
  ASSERT_TRUE(link);
  AwaitableClient client(loop, std::move(*link), About(Era::kHandshake));
  bool done = false;
  const auto run = [](AwaitableClient& mcp, TestServer& peer, asio::io_context& on,
                      bool& finished) -> asio::awaitable<void> {
    auto opened = co_await mcp.Open();
    EXPECT_TRUE(opened);
    auto echoed = co_await mcp.CallTool("echo", Text("hello"));
    EXPECT_EQ(Said(echoed), "hello");
    asio::steady_timer timer(on, std::chrono::milliseconds(50));
    auto either = co_await (mcp.CallTool("hold") || timer.async_wait(asio::use_awaitable));
    EXPECT_EQ(either.index(), 1u) << "cancelled, and the server told";
    bool told = false;
    for (int i = 0; i < 1000 && !told; ++i) {
      timer.expires_after(std::chrono::milliseconds(10));
      co_await timer.async_wait(asio::use_awaitable);
      peer.OnLoop([&] { told = !peer.held().empty() && peer.held()[0].cancelled(); });
    }
    EXPECT_TRUE(told);
    auto again = co_await mcp.CallTool("echo", Text("again"));
    EXPECT_EQ(Said(again), "again");
    co_await mcp.Close();
    EXPECT_EQ(mcp.session(), std::nullopt);
    auto closed = co_await mcp.ListTools();
    EXPECT_EQ(Said(closed), "CANCELLED");
    finished = true;
  };
  asio::co_spawn(loop, run(client, server, loop, done), asio::detached);
  loop.run_for(std::chrono::seconds(20));
  EXPECT_TRUE(done);
}

TEST(HttpClient, AnswersWhoWaitsWhenItIsDestroyed) {
  TestServer server;
  asio::io_context loop;
  auto link = MakeHttpLink(loop, {.url = UrlOf(server)});
  auto client = std::make_unique<AwaitableClient>(loop, std::move(*link), About());
  std::string said;
  const auto run = [](AwaitableClient& mcp, std::string& answer) -> asio::awaitable<void> {
    auto result = co_await mcp.CallTool("hold");
    answer = Said(result);
  };
  asio::co_spawn(loop, run(*client, said), asio::detached);
  for (int i = 0; i < 400 && said.empty(); ++i) {
    loop.run_one_for(std::chrono::milliseconds(50));
    bool held = false;
    server.OnLoop([&] { held = !server.held().empty(); });
    if (held) client.reset();
  }
  EXPECT_EQ(said, "CANCELLED");
}

}  // namespace
}  // namespace mcp_session

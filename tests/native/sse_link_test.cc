// Clients of servers of 2024-11-05, over HTTP+SSE (H-57).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "mcp_session/base/limits.h"
#include "mcp_session/client_host/blocking_client.h"
#include "mcp_session/http_client/http_link.h"
#include "mcp_session/http_client/url.h"
#include "tests/native/old_server.h"
#include "tests/native/scripted_server.h"

namespace mcp_session {
namespace {

namespace asio = boost::asio;
using ::testing::ElementsAre;

using Requests = std::vector<std::string>;

std::unique_ptr<BlockingClient> Connect(HttpLinkOptions link,
                                        std::optional<Era> era = std::nullopt) {
  ClientOptions options;
  options.name = "probe";
  options.era = era;
  options.request_timeout = Seconds(10);
  auto client = BlockingClient::Make(
      [&](asio::io_context& loop) { return MakeHttpLink(loop, link); }, options);
  EXPECT_TRUE(client);
  return client ? std::move(*client) : nullptr;
}

template <typename T>
std::string Why(const ClientResult<T>& result) {
  if (result) return "none";
  return std::string(CodeName(result.error().error.code)) + ": " + result.error().error.message;
}

TEST(SseLink, FallsBackToAStreamAndPosts) {  // H-57
  for (const int refusal : {400, 404, 405}) {
    OldServer server({.refusal = refusal});
    const auto client = Connect({.url = server.url()});
    EXPECT_EQ(Why(client->CallTool("x")), "none");
    ASSERT_TRUE(client->session());
    EXPECT_EQ(client->session()->revision, Revision::k2024_11_05);
    EXPECT_THAT(server.requests(),
                ElementsAre("POST /mcp", "POST /mcp", "GET /mcp", "POST /messages?session=1",
                            "POST /messages?session=1", "POST /messages?session=1"))
        << "a question for the era, initialize; a stream, initialize, initialized, the call";
    EXPECT_EQ(Why(client->CallTool("x")), "none");
    EXPECT_EQ(server.requests().size(), 7u);
    client->Close();
  }
}

TEST(SseLink, IsNotTriedForOtherReasons) {
  for (const int refusal : {401, 403, 406, 429, 500, 503}) {
    OldServer server({.refusal = refusal});
    EXPECT_NE(Why(Connect({.url = server.url()}, Era::kHandshake)->Open()), "none");
    EXPECT_EQ(server.requests(), Requests{"POST /mcp"}) << refusal;
  }
  OldServer server;
  EXPECT_NE(Why(Connect({.url = server.url()}, Era::kStateless)->Open()), "none");
  EXPECT_EQ(server.requests(), Requests{"POST /mcp"}) << "only the one era was wanted";
  ScriptedServer stateless([](const std::string& request) {
    EXPECT_TRUE(request.starts_with("POST"));
    return JsonResponse(
        R"({"jsonrpc":"2.0","id":1,"error":{"code":-32022,"message":"","data":{"supported":["2099-01-01"]}}})",
        400);
  });
  EXPECT_EQ(Why(Connect({.url = stateless.url()})->Open()),
            "UNSUPPORTED_VERSION: the server speaks no revision that we speak");
}

TEST(SseLink, SaysWhatIsWrongWithTheStream) {
  const std::string html = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n";
  const struct {
    OldServerScript script;
    const char* why;
  } kRows[] = {
      {{.head = "HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n", .first = ""},
       "UNSUPPORTED_VERSION: no endpoint of a revision that we speak"},
      {{.head = html}, "UNSUPPORTED_VERSION: no endpoint of a revision that we speak"},
      {{.first = "event: endpoint\ndata: http://127.0.0.2/messages\n\n"},
       "TRANSPORT: the endpoint is no URL of the server's own origin"},
      {{.first = "event: endpoint\ndata: //127.0.0.1:1/messages\n\n"},
       "TRANSPORT: the endpoint is no URL of the server's own origin"},
      {{.first = "data: {}\n\n"}, "TRANSPORT: the stream does not begin with an endpoint"},
      {{.first = "", .ends = true}, "TRANSPORT: the stream ended"},
      {{.first = ""}, "TRANSPORT: the server named no endpoint in time"},
      {{.first = "data: " + std::string(Limits().max_sse_event_bytes + 10, 'x')},
       "TRANSPORT: the server sent an event that is too large"},
      {{.post_status = 500}, "TRANSPORT: the server refused a message"},
  };
  for (const auto& row : kRows) {
    OldServer server(row.script);
    HttpLinkOptions link{.url = server.url()};
    if (row.script.first.empty()) link.connect_time = link.write_time = Millis{500};
    const auto client = Connect(link);
    EXPECT_EQ(Why(client->Open()), row.why);
    const std::size_t requests = server.requests().size();
    EXPECT_EQ(Why(client->CallTool("x")), row.why) << "again, from the beginning";
    EXPECT_EQ(server.requests().size(), 2 * requests);
  }
}

TEST(SseLink, ABrokenStreamEndsTheSessionAndTheNextCallBeginsOne) {
  std::promise<void> called;
  OldServerScript script;
  bool once = false;
  script.answer = [&](const std::string& message) -> std::string {
    if (message.find("\"id\":") == std::string::npos) return {};
    if (message.find("\"hold\"") != std::string::npos && !std::exchange(once, true)) {
      called.set_value();
      return {};
    }
    const std::size_t id = message.find("\"id\":");
    return "{\"jsonrpc\":\"2.0\"," + message.substr(id, message.find(',', id) - id) +
           R"(,"result":{"protocolVersion":"2024-11-05"}})";
  };
  OldServer server(script);
  const auto client = Connect({.url = server.url()});
  ASSERT_EQ(Why(client->Open()), "none");
  auto held = std::async(std::launch::async, [&] { return Why(client->CallTool("hold")); });
  called.get_future().wait();
  server.Cut();
  EXPECT_EQ(held.get(), "TRANSPORT: the channel is closed") << "it may have been done";
  EXPECT_EQ(client->session(), std::nullopt);
  const std::size_t before = server.requests().size();
  EXPECT_EQ(Why(client->CallTool("hold")), "none");
  const Requests all = server.requests();
  EXPECT_EQ(Requests(all.begin() + static_cast<std::ptrdiff_t>(before), all.end()),
            (Requests{"GET /mcp", "POST /messages?session=1", "POST /messages?session=1",
                      "POST /messages?session=1"}));
}

TEST(SseLink, PostsOneMessageAfterTheOther) {
  OldServer server;
  const auto client = Connect({.url = server.url()}, Era::kHandshake);
  EXPECT_EQ(Why(client->CallTool("x")), "none");
  EXPECT_EQ(server.requests().size(), 5u);
  EXPECT_EQ(server.connections(), 3u) << "all posts are on one, for none is sent before the last "
                                         "one was taken in";
}

TEST(SseLink, AnEventThatIsTooLargeEndsTheSession) {
  OldServerScript script;
  script.answer = [](const std::string& message) -> std::string {
    if (message.find("tools/call") != std::string::npos) {
      return std::string(Limits().max_sse_event_bytes + 10, 'x');
    }
    return message.find("initialize\"") != std::string::npos
               ? R"({"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2024-11-05"}})"
               : "";
  };
  OldServer server(script);
  const auto client = Connect({.url = server.url()}, Era::kHandshake);
  ASSERT_EQ(Why(client->Open()), "none");
  EXPECT_EQ(Why(client->CallTool("x")), "TRANSPORT: the channel is closed");
}

TEST(SseLink, FindsTheEndpointInItsOrigin) {
  const auto found = [](const char* base, const std::string& reference) {
    return ResolveInOrigin(base, reference).value_or("none");
  };
  constexpr char kBase[] = "http://Host:80/a/sse?x=1";
  EXPECT_EQ(found(kBase, "/messages?s=1"), "http://Host:80/messages?s=1");
  EXPECT_EQ(found(kBase, "messages"), "http://Host:80/a/messages");
  EXPECT_EQ(found(kBase, "messages?to=http://x"), "http://Host:80/a/messages?to=http://x");
  EXPECT_EQ(found(kBase, "?s=1"), "http://Host:80/a/sse?s=1");
  EXPECT_EQ(found(kBase, "http://host/m"), "http://host/m") << "80 is the port";
  EXPECT_EQ(found(kBase, "//HOST/m"), "http://HOST/m");
  for (const char* elsewhere :
       {"https://host/m", "http://host:81/m", "http://host.example/m", "//host:81/m", "//other/m",
        "http://u@host/m", "ftp://host/m", "javascript:1", "", "/a b", "/a\r\nb: c"}) {
    EXPECT_EQ(found(kBase, elsewhere), "none") << elsewhere;
  }
  EXPECT_EQ(found(kBase, "/" + std::string(2048, 'a')), "none");
  EXPECT_EQ(found("ftp://host/", "/m"), "none");
  EXPECT_EQ(OriginOf(*ParseHttpUrl("https://[::1]/x")), "https://::1:443");
}

}  // namespace
}  // namespace mcp_session

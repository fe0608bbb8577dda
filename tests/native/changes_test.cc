// What changes on one node reaches those who listen on another: two servers on one Redis.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "mcp_session/factory/create_store.h"
#include "mcp_session/http/server.h"
#include "mcp_session/system/entropy.h"
#include "tests/native/test_client.h"
#include "tests/redis/redis_server.h"

namespace mcp_session {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

constexpr char kChanged[] = R"("method":"notifications/tools/list_changed","params":{"_meta":)"
                            R"({"io.modelcontextprotocol/subscriptionId":9}}})"
                            "\n\n";

// A server of its own, as on another machine. Its tool `change` says that the tools changed.
class Node {
 public:
  explicit Node(const RedisServer& redis) {
    StoreOptions options;
    options.url = "redis://127.0.0.1:" + std::to_string(redis.port());
    options.on_unavailable = OnUnavailable::kFail;
    options.command_timeout = Millis{500};
    Result<CreatedStore> created = CreateSessionStore(options, loop_, entropy_);
    if (!created) std::abort();
    store_ = std::move(created->store);
    server_ = std::make_unique<McpServer>(ServerOptions{}, *store_, entropy_);
    server_->ServeChanges();
    const auto added = server_->AddTool({.name = "change"}, [this](ToolCall&) {
      server_->NotifyToolsChanged();
      return ToolResult::Text("done");
    });
    const auto resource = server_->AddResource(
        {.uri = "x://a", .name = "a"}, [](ResourceCall&) { return ResourceResult::Text("text"); });
    const auto touch = server_->AddTool({.name = "touch"}, [this](ToolCall&) {
      server_->NotifyResourceUpdated("x://a");
      return ToolResult::Text("done");
    });
    HttpServerOptions http;
    http.port = 0;
    host_ = std::make_unique<HttpServer>(loop_, *server_, http);
    const auto address = host_->Listen();
    if (!added || !resource || !touch || !address) std::abort();
    port_ = address->port;
    thread_ = std::thread([this] { host_->Run(); });
  }

  ~Node() {
    Stop();
    Stop();
    thread_.join();
  }

  std::uint16_t port() const { return port_; }
  void Stop() { host_->Stop(); }

  void Change() {
    TestClient client(port_);
    ASSERT_EQ(client.Exchange(StatelessCall("change")).status, 200);
  }

 private:
  boost::asio::io_context loop_;
  SystemEntropy entropy_;
  std::unique_ptr<SessionStore> store_;
  std::unique_ptr<McpServer> server_;
  std::unique_ptr<HttpServer> host_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

// Listens for changes of the tools, and has been acknowledged.
void Listen(TestClient& client) {
  ASSERT_TRUE(client.Send(
      Post(R"({"jsonrpc":"2.0","id":9,"method":"subscriptions/listen","params":)"
           R"({"notifications":{"toolsListChanged":true},)"
           R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
           R"("io.modelcontextprotocol/clientCapabilities":{}}}})",
           "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: subscriptions/listen\r\n")));
  const TestResponse head = client.ReceiveHead();
  ASSERT_EQ(head.status, 200);
  ASSERT_EQ(head.headers.at("content-type"), "text/event-stream");
  ASSERT_THAT(client.ReceiveUntil("\n\n"), HasSubstr("notifications/subscriptions/acknowledged"));
}

TEST(ChangesOnNodes, AChangeReachesAllNodesOnce) {
  const RedisServer redis;
  Node a(redis);
  Node b(redis);
  TestClient at_a(a.port());
  TestClient at_b(b.port());
  Listen(at_a);
  Listen(at_b);
  a.Change();
  EXPECT_THAT(at_a.ReceiveUntil("\n\n"), HasSubstr(kChanged));
  EXPECT_THAT(at_b.ReceiveUntil("\n\n"), HasSubstr(kChanged));
  b.Change();
  EXPECT_THAT(at_a.ReceiveUntil("\n\n"), HasSubstr(kChanged));
  EXPECT_THAT(at_b.ReceiveUntil("\n\n"), HasSubstr(kChanged));
  // Nothing was told twice: next comes the end.
  a.Stop();
  b.Stop();
  EXPECT_THAT(at_a.ReceiveUntil("\n\n"), HasSubstr(R"("id":9,"result":)"));
  EXPECT_THAT(at_b.ReceiveUntil("\n\n"), HasSubstr(R"("id":9,"result":)"));
}

TEST(ChangesOnNodes, ASessionIsToldOnTheNodeWhereItListens) {
  const RedisServer redis;
  Node a(redis);
  Node b(redis);
  TestClient at_a(a.port());
  TestClient at_b(b.port());
  const std::string session = Initialize(at_a);
  const std::string header = "Mcp-Session-Id: " + session + "\r\n";
  ASSERT_TRUE(at_b.Send("GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n" +
                        header + "\r\n"));
  ASSERT_EQ(at_b.ReceiveHead().status, 200);
  at_b.ReceiveUntil("\n\n");  // an event without a message
  const TestResponse subscribed = at_a.Exchange(
      Post(R"({"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"x://a"}})",
           header));
  ASSERT_EQ(subscribed.body, R"({"jsonrpc":"2.0","id":1,"result":{}})");
  ASSERT_EQ(at_a.Exchange(SessionCall(session, "touch")).status, 200);
  EXPECT_THAT(at_b.ReceiveUntil("\n\n"),
              HasSubstr(R"("method":"notifications/resources/updated","params":{"uri":"x://a"})"));
  ASSERT_EQ(at_a.Exchange(SessionCall(session, "change")).status, 200);
  EXPECT_THAT(at_b.ReceiveUntil("\n\n"), HasSubstr("notifications/tools/list_changed"));
}

TEST(ChangesOnNodes, AStopEndsWhatListens) {
  const RedisServer redis;
  Node node(redis);
  TestClient client(node.port());
  Listen(client);
  node.Stop();
  EXPECT_THAT(client.ReceiveUntil("\n\n"),
              HasSubstr(R"("result":{"resultType":"complete","_meta":)"
                        R"({"io.modelcontextprotocol/subscriptionId":9)"));
  EXPECT_THAT(client.ReceiveUntil("0\r\n\r\n"), EndsWith("0\r\n\r\n"));
  EXPECT_TRUE(client.Ended());
}

TEST(ChangesOnNodes, AnOutageOfRedisEndsNothingAndIsMadeUpFor) {
  RedisServer redis;
  Node a(redis);
  Node b(redis);
  TestClient at_a(a.port());
  TestClient at_b(b.port());
  Listen(at_a);
  Listen(at_b);
  redis.Kill();
  a.Change();
  EXPECT_THAT(at_a.ReceiveUntil("\n\n"), HasSubstr(kChanged));
  redis.StartAgain();  // without what it held
  EXPECT_THAT(at_b.ReceiveUntil("\n\n"), HasSubstr(kChanged));
}

}  // namespace
}  // namespace mcp_session

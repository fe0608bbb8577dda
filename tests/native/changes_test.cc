// What changes on one node reaches those who listen on another: two servers on one Redis.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "tests/native/redis_node.h"
#include "tests/native/test_client.h"
#include "tests/redis/redis_server.h"

namespace mcp_session {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

constexpr char kChanged[] = R"("method":"notifications/tools/list_changed","params":{"_meta":)"
                            R"({"io.modelcontextprotocol/subscriptionId":9}}})"
                            "\n\n";

// Its tool `change` says that the tools changed.
class Node : public RedisNode {
 public:
  explicit Node(const RedisServer& redis) : RedisNode(redis, {}, Millis{500}) {
    server().ServeChanges();
    const auto added = server().AddTool({.name = "change"}, [this](ToolCall&) {
      server().NotifyToolsChanged();
      return ToolResult::Text("done");
    });
    const auto resource = server().AddResource(
        {.uri = "x://a", .name = "a"}, [](ResourceCall&) { return ResourceResult::Text("text"); });
    const auto touch = server().AddTool({.name = "touch"}, [this](ToolCall&) {
      server().NotifyResourceUpdated("x://a");
      return ToolResult::Text("done");
    });
    if (!added || !resource || !touch) std::abort();
    Start();
  }

  void Change() {
    TestClient client(port());
    ASSERT_EQ(client.Exchange(StatelessCall("change")).status, 200);
  }
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

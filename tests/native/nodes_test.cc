// Sessions by HTTP on several nodes: servers on one Redis, and clients whose every request may come
// to another of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "mcp_session/json/access.h"
#include "mcp_session/server/content.h"
#include "tests/native/redis_node.h"
#include "tests/native/test_client.h"
#include "tests/redis/redis_server.h"

namespace mcp_session {
namespace {

using testing::HasSubstr;
using testing::Not;

// Asks the user and the model at once.
ToolResult Greet(ToolCall& call) {
  Sampling sampling;
  sampling.AddUser(TextContent("A greeting?"));
  const Json* user = call.Ask("user", Form("Who are you?").Add(TextField{{.name = "name"}}));
  const Json* model = call.Ask("model", Sample(sampling));
  if (user == nullptr || model == nullptr) return {};
  const Json* content = AcceptedContent(*user);
  if (content == nullptr) return ToolResult::Error("nobody");
  return ToolResult::Text(StringOrEmpty(*FindObject(*model, "content"), "text") + ", " +
                          StringOrEmpty(*content, "name"));
}

ServerOptions About() {
  ServerOptions about;
  about.session_lifetime = {Seconds(6), Hours(1)};
  about.node_time = Millis{1500};
  return about;
}

// Its tool `work` reports progress at once and goes on until the test says so; `wait` says nothing
// meanwhile; `greet` asks.
class Node : public RedisNode {
 public:
  explicit Node(const RedisServer& redis) : RedisNode(redis, About()) {
    const auto work = server().AddTool({.name = "work"}, [this](ToolCall call) {
      call.Progress(1);
      calls_.push_back(std::move(call));
    });
    const auto wait = server().AddTool(
        {.name = "wait"}, [this](ToolCall call) { calls_.push_back(std::move(call)); });
    const auto greet = server().AddTool({.name = "greet"}, Greet);
    if (!work || !wait || !greet) std::abort();
    Start();
  }

  // On its loop, with its first call, once there is one.
  void WithCall(const std::function<void(ToolCall&)>& action) {
    ASSERT_TRUE(Eventually([this] { return !calls_.empty(); }));
    Eventually([&] {
      action(calls_.front());
      return true;
    });
  }
};

std::string Get(std::string_view session, std::string_view last_event = {}) {
  std::string request =
      "GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nMcp-Session-Id: ";
  request += session;
  if (!last_event.empty()) {
    request += "\r\nLast-Event-ID: ";
    request += last_event;
  }
  return request + "\r\n\r\n";
}

class NodesTest : public testing::Test {
 protected:
  void SetUp() override {
    for (auto& node : nodes_) node = std::make_unique<Node>(redis_);
    TestClient client(nodes_[2]->port());
    session_ = Initialize(client);
    ASSERT_FALSE(session_.empty());
  }

  // Starts `work` on the first node; the id of the event that came.
  std::string StartWork(TestClient& client) {
    client.Send(SessionCall(session_, "work", "{}", R"("progressToken":"t")"));
    if (client.ReceiveHead().status != 200) return {};
    const std::string events = client.ReceiveUntil("\"progress\":1");
    const std::size_t start = events.rfind("id: ") + 4;
    return events.substr(start, events.find('\n', start) - start);
  }
  void Listen(TestClient& client, std::string_view last_event = {}) {
    ASSERT_TRUE(client.Send(Get(session_, last_event)));
    const TestResponse head = client.ReceiveHead();
    ASSERT_EQ(head.status, 200);
    ASSERT_EQ(head.headers.at("content-type"), "text/event-stream");
  }

  RedisServer redis_;
  std::unique_ptr<Node> nodes_[3];
  std::string session_;
};

TEST_F(NodesTest, AStreamGoesOnWhereItsClientComesBack) {
  auto first = std::make_unique<TestClient>(nodes_[0]->port());
  const std::string id = StartWork(*first);
  ASSERT_FALSE(id.empty());
  first.reset();
  TestClient second(nodes_[1]->port());
  Listen(second, id);
  nodes_[0]->WithCall([](ToolCall& call) { call.Progress(2); });
  EXPECT_THAT(second.ReceiveUntil("\"progress\":2"), HasSubstr("\"progress\":2"));
  nodes_[0]->WithCall([](ToolCall& call) { call.Reply(ToolResult::Text("done")); });
  EXPECT_THAT(second.ReceiveUntil("0\r\n\r\n"), HasSubstr(R"("text":"done")"));
  TestClient third(nodes_[2]->port());  // and again, after the end
  Listen(third, id);
  const std::string replayed = third.ReceiveUntil("0\r\n\r\n");
  EXPECT_THAT(replayed, HasSubstr("\"progress\":2"));
  EXPECT_THAT(replayed, HasSubstr(R"("text":"done")"));
}

TEST_F(NodesTest, ANodeThatIsKilledIsTold) {
  TestClient first(nodes_[0]->port());
  const std::string id = StartWork(first);
  TestClient second(nodes_[1]->port());
  Listen(second, id);
  nodes_[0].reset();
  EXPECT_THAT(second.ReceiveUntil("0\r\n\r\n"),
              HasSubstr(R"("id":1,"error":{"code":-32603,"message":"the server that worked)"));
  TestClient third(nodes_[2]->port());
  Listen(third, id);
  EXPECT_THAT(third.ReceiveUntil("0\r\n\r\n"), HasSubstr("the server that worked"));
}

TEST_F(NodesTest, ACancellationReachesTheNodeThatWorks) {
  TestClient first(nodes_[0]->port());
  StartWork(first);
  TestClient second(nodes_[1]->port());
  const TestResponse answer = second.Exchange(
      Post(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}})",
           "Mcp-Session-Id: " + session_ + "\r\n"));
  EXPECT_EQ(answer.status, 202);
  EXPECT_TRUE(nodes_[0]->CancelledInTime());
}

TEST_F(NodesTest, ASilentCallIsReachedOnceItIsASecondOld) {
  TestClient first(nodes_[0]->port());
  first.Send(SessionCall(session_, "wait"));
  nodes_[0]->WithCall([](ToolCall&) {});
  // Until it arrives: what comes in the first second may be lost.
  const std::string cancel =
      Post(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}})",
           "Mcp-Session-Id: " + session_ + "\r\n");
  TestClient second(nodes_[1]->port());
  for (int i = 0; i < 100 && !first.Readable(100); ++i) second.Exchange(cancel);
  EXPECT_TRUE(nodes_[0]->CancelledInTime());
}

// The id of the request of this method in a stream, as JSON.
std::string IdOfRequest(const std::string& events, const std::string& method) {
  const std::size_t end = events.find(",\"method\":\"" + method + '"');
  const std::size_t start = events.rfind("\"id\":", end);
  if (end == std::string::npos || start == std::string::npos) return {};
  return events.substr(start + 5, end - start - 5);
}

TEST_F(NodesTest, AnswersOfTheClientReachTheHandlerThatAsked) {  // X-04
  TestClient first(nodes_[0]->port());
  session_ = Initialize(first, R"({"elicitation":{"form":{}},"sampling":{}})");
  first.Send(SessionCall(session_, "greet"));
  ASSERT_EQ(first.ReceiveHead().status, 200);
  const std::string asked = first.ReceiveUntil("A greeting?");
  const std::string user = IdOfRequest(asked, "elicitation/create");
  const std::string model = IdOfRequest(asked, "sampling/createMessage");
  ASSERT_THAT(user, Not(testing::IsEmpty())) << asked;
  ASSERT_THAT(model, Not(testing::IsEmpty())) << asked;
  const auto answer = [&](Node& node, const std::string& session, const std::string& id,
                          const std::string& result) {
    TestClient client(node.port());
    return client
        .Exchange(Post("{\"jsonrpc\":\"2.0\",\"id\":" + id + ",\"result\":" + result + '}',
                       "Mcp-Session-Id: " + session + "\r\n"))
        .status;
  };
  const auto name = [](const char* text) {
    return std::string(R"({"action":"accept","content":{"name":")") + text + R"("}})";
  };
  // Somebody who knows the ids but has another session is heard by nobody (H-26).
  TestClient other(nodes_[1]->port());
  EXPECT_EQ(answer(*nodes_[1], Initialize(other), user, name("Mallory")), 202);
  EXPECT_EQ(answer(*nodes_[1], session_, user, name("Ada")), 202);
  EXPECT_EQ(
      answer(*nodes_[2], session_, model,
             R"({"role":"assistant","model":"m","content":{"type":"text","text":"Good day"}})"),
      202);
  EXPECT_THAT(first.ReceiveUntil("0\r\n\r\n"), HasSubstr(R"("text":"Good day, Ada")"));
}

TEST_F(NodesTest, AGetTakesOverFromOneOnAnotherNode) {
  TestClient first(nodes_[0]->port());
  Listen(first);
  TestClient second(nodes_[1]->port());
  Listen(second);
  EXPECT_THAT(first.ReceiveUntil("0\r\n\r\n"), HasSubstr("0\r\n\r\n"));
  EXPECT_THAT(second.ReceiveUntil("data:"), HasSubstr("id: session."));
}

TEST_F(NodesTest, AnEndedSessionEndsItsStreamElsewhere) {
  TestClient first(nodes_[0]->port());
  Listen(first);
  TestClient second(nodes_[1]->port());
  EXPECT_EQ(second
                .Exchange("DELETE /mcp HTTP/1.1\r\nHost: localhost\r\nMcp-Session-Id: " + session_ +
                          "\r\n\r\n")
                .status,
            204);
  EXPECT_THAT(first.ReceiveUntil("0\r\n\r\n"), HasSubstr("0\r\n\r\n"));
  EXPECT_EQ(second.Exchange(Get(session_)).status, 404);
}

TEST_F(NodesTest, AnOutageOfRedisIsNeverToldAsTheEndOfTheSession) {
  TestClient first(nodes_[0]->port());
  const std::string id = StartWork(first);
  TestClient second(nodes_[1]->port());
  Listen(second, id);
  redis_.Kill();
  TestClient third(nodes_[2]->port());
  EXPECT_EQ(third.Exchange(Get(session_, id)).status, 503);
  EXPECT_EQ(third.Exchange(Get(session_)).status, 503);
  nodes_[0]->WithCall([](ToolCall& call) { call.Reply(ToolResult::Text("done")); });
  EXPECT_THAT(first.ReceiveUntil("0\r\n\r\n"), HasSubstr(R"("text":"done")"));
  const std::string ended = second.ReceiveUntil("0\r\n\r\n");
  EXPECT_THAT(ended, Not(HasSubstr("error")));
}

}  // namespace
}  // namespace mcp_session

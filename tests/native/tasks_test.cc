// Tasks on two nodes that share a Redis: each answers for all of them, and none outlives its node
// unnoticed.
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
#include "mcp_session/system/clock.h"
#include "tests/native/redis_node.h"
#include "tests/native/test_client.h"
#include "tests/redis/redis_server.h"

namespace mcp_session {
namespace {

using testing::HasSubstr;

constexpr TaskUse kTask{TaskUse::Support::kOptional};

ToolResult Greet(ToolCall& call) {
  const Json* answer = call.Ask("who", Form("Who are you?").Add(TextField{{.name = "name"}}));
  if (answer == nullptr) return {};
  const Json* content = AcceptedContent(*answer);
  return ToolResult::Text("Hello, " + StringOrEmpty(*content, "name"));
}

ServerOptions About() {
  ServerOptions about;
  about.node_time = Millis{1500};
  return about;
}

// Its tool `work` goes on until the test says so; `greet` asks.
class Node : public RedisNode {
 public:
  explicit Node(const RedisServer& redis) : RedisNode(redis, About()) {
    server().ServeTasks({.unix_millis = UnixMillis});
    const auto work = server().AddTool({.name = "work"},
                                       [this](ToolCall call) { calls_.push_back(std::move(call)); },
                                       {.task = kTask});
    const auto greet = server().AddTool({.name = "greet"}, Greet, {.task = kTask});
    if (!work || !greet) std::abort();
    Start();
  }

  void Answer() {
    ASSERT_TRUE(Eventually([this] {
      if (calls_.empty()) return false;
      calls_.front().Reply(ToolResult::Text("Done."));
      return true;
    }));
  }
};

// The answer of `node` to a request of a client that knows tasks and can be asked.
std::string Ask(const Node& node, const std::string& method, const std::string& params,
                const std::string& name) {
  TestClient client(node.port());
  return client
      .Exchange(Post(R"({"jsonrpc":"2.0","id":1,"method":")" + method + R"(","params":{)" + params +
                         R"(,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
                         R"("io.modelcontextprotocol/clientCapabilities":{"elicitation":{},)"
                         R"("extensions":{"io.modelcontextprotocol/tasks":{}}}}}})",
                     "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: " + method +
                         "\r\nMcp-Name: " + name + "\r\n"))
      .body;
}

std::string Begin(const Node& node, const std::string& tool) {
  const std::string begun = Ask(node, "tools/call", R"("name":")" + tool + '"', tool);
  const std::size_t at = begun.find(R"("taskId":")");
  if (at == std::string::npos) return {};
  return begun.substr(at + 10, begun.find('"', at + 10) - at - 10);
}

std::string Get(const Node& node, const std::string& task) {
  return Ask(node, "tasks/get", R"("taskId":")" + task + '"', task);
}

// Asks until the answer has `what`, for ten seconds; the last one.
std::string GetUntil(const Node& node, const std::string& task, const std::string& what) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  for (;;) {
    std::string got = Get(node, task);
    if (got.find(what) != std::string::npos || std::chrono::steady_clock::now() > end) return got;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

class TasksOnNodes : public testing::Test {
 protected:
  RedisServer redis_;
  std::unique_ptr<Node> one_ = std::make_unique<Node>(redis_);
  std::unique_ptr<Node> two_ = std::make_unique<Node>(redis_);
};

TEST_F(TasksOnNodes, AnyNodeAnswersForATask) {
  const std::string task = Begin(*one_, "work");
  EXPECT_THAT(Get(*two_, task), HasSubstr(R"("status":"working")"));
  one_->Answer();
  EXPECT_THAT(GetUntil(*two_, task, "completed"), HasSubstr(R"("text":"Done.")"));
}

TEST_F(TasksOnNodes, AnotherNodeGoesOnAfterTheAnswers) {
  const std::string task = Begin(*one_, "greet");
  EXPECT_THAT(GetUntil(*two_, task, "input_required"), HasSubstr("1.who"));
  EXPECT_THAT(Ask(*two_, "tasks/update",
                  R"("taskId":")" + task +
                      R"(","inputResponses":{"1.who":{"action":"accept","content":)"
                      R"({"name":"Ann"}}})",
                  task),
              HasSubstr(R"("resultType":"complete")"));
  EXPECT_THAT(GetUntil(*one_, task, "completed"), HasSubstr("Hello, Ann"));
}

TEST_F(TasksOnNodes, ACancellationReachesTheNodeThatWorks) {
  const std::string task = Begin(*one_, "work");
  EXPECT_THAT(Ask(*two_, "tasks/cancel", R"("taskId":")" + task + '"', task),
              HasSubstr(R"("resultType":"complete")"));
  EXPECT_TRUE(one_->CancelledInTime());
  EXPECT_THAT(Get(*one_, task), HasSubstr(R"("status":"cancelled")"));
}

TEST_F(TasksOnNodes, ATaskWhoseNodeIsKilledHasFailed) {
  const std::string task = Begin(*one_, "work");
  EXPECT_THAT(Get(*two_, task), HasSubstr(R"("status":"working")"));
  one_ = nullptr;
  EXPECT_THAT(
      GetUntil(*two_, task, "failed"),
      HasSubstr(R"("error":{"code":-32603,"message":"the server that worked on this task)"));
}

TEST_F(TasksOnNodes, ANodeThatStopsLetsItsTasksFinish) {
  const std::string task = Begin(*one_, "work");
  one_->Stop();
  EXPECT_THAT(Get(*two_, task), HasSubstr(R"("status":"working")"));
  one_->Answer();
  EXPECT_THAT(GetUntil(*two_, task, "completed"), HasSubstr(R"("text":"Done.")"));
}

// Longer than a node that is gone is waited for.
TEST_F(TasksOnNodes, ATaskThatTakesLongIsNotGivenUp) {
  const std::string task = Begin(*one_, "work");
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(3);
  while (std::chrono::steady_clock::now() < end) {
    ASSERT_THAT(Get(*two_, task), HasSubstr(R"("status":"working")"));
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  one_->Answer();
  EXPECT_THAT(GetUntil(*two_, task, "completed"), HasSubstr(R"("text":"Done.")"));
}

TEST_F(TasksOnNodes, AnOutageIsNoEndOfATask) {
  const std::string task = Begin(*one_, "work");
  redis_.Pause();
  TestClient client(two_->port());
  EXPECT_THAT(Get(*two_, task), HasSubstr("the state store is unavailable"));
  redis_.Resume();
  EXPECT_THAT(GetUntil(*two_, task, "working"), HasSubstr(R"("status":"working")"));
  one_->Answer();
  EXPECT_THAT(GetUntil(*two_, task, "completed"), HasSubstr(R"("text":"Done.")"));
}

}  // namespace
}  // namespace mcp_session

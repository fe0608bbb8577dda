// Tasks on two nodes that share a Redis: each answers for all of them, and none outlives its node
// unnoticed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "mcp_session/factory/create_store.h"
#include "mcp_session/http/server.h"
#include "mcp_session/json/access.h"
#include "mcp_session/system/clock.h"
#include "mcp_session/system/entropy.h"
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

// A server as on another machine. Its tool `work` goes on until the test says so; `greet` asks.
class Node {
 public:
  explicit Node(const RedisServer& redis) {
    StoreOptions options;
    options.url = "redis://127.0.0.1:" + std::to_string(redis.port());
    options.on_unavailable = OnUnavailable::kFail;
    options.command_timeout = Seconds(2);
    Result<CreatedStore> created = CreateSessionStore(options, loop_, entropy_);
    if (!created) std::abort();
    store_ = std::move(created->store);
    ServerOptions about;
    about.node_time = Millis{1500};
    server_ = std::make_unique<McpServer>(about, *store_, entropy_);
    server_->ServeTasks({.unix_millis = UnixMillis});
    bool added =
        server_
            ->AddTool({.name = "work"},
                      [this](ToolCall call) { calls_.push_back(std::move(call)); }, {.task = kTask})
            .has_value();
    added = added && server_->AddTool({.name = "greet"}, Greet, {.task = kTask});
    HttpServerOptions http;
    http.port = 0;
    host_ = std::make_unique<HttpServer>(loop_, *server_, http);
    const auto address = host_->Listen();
    if (!added || !address) std::abort();
    port_ = address->port;
    thread_ = std::thread([this] { host_->Run(); });
  }

  // As if it were killed: nothing that it works on is ended.
  ~Node() {
    Stop();
    Stop();
    thread_.join();
  }

  std::uint16_t port() const { return port_; }
  void Stop() { host_->Stop(); }

  void Answer() {
    ASSERT_TRUE(Eventually([this] {
      if (calls_.empty()) return false;
      calls_.front().Reply(ToolResult::Text("Done."));
      return true;
    }));
  }
  bool CancelledInTime() {
    return Eventually([this] { return !calls_.empty() && calls_.front().cancelled(); });
  }

 private:
  // Whether `condition`, asked on the loop, is true within ten seconds.
  bool Eventually(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    for (;;) {
      const auto met = std::make_shared<std::promise<bool>>();
      boost::asio::post(loop_, [met, condition] { met->set_value(condition()); });
      std::future<bool> asked = met->get_future();
      if (asked.wait_until(end) != std::future_status::ready) return false;  // it does not run
      if (asked.get()) return true;
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  boost::asio::io_context loop_;
  SystemEntropy entropy_;
  std::unique_ptr<SessionStore> store_;
  std::vector<ToolCall> calls_;
  std::unique_ptr<McpServer> server_;
  std::unique_ptr<HttpServer> host_;
  std::uint16_t port_ = 0;
  std::thread thread_;
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

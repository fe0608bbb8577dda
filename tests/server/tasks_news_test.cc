// Clients that listen for what becomes of their tasks, on whichever node (K-06).
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/json/access.h"
#include "tests/server/task_node.h"

namespace mcp_session {
namespace {

class TasksNewsTest : public testing::Test {
 protected:
  void SetUp() override {
    for (TaskNode* node : {&one_, &two_}) {
      node->server().ServeChanges();
      ASSERT_TRUE(node->Add("slow", [this](ToolCall call) { calls_.push_back(std::move(call)); }));
    }
  }
  static std::string Begin(TaskNode& node, std::string_view principal = "ann") {
    return node.Call("slow", TaskNode::kKnows, principal).Text("taskId");
  }
  // Of one who listens to `task` only, and has been told how it is.
  static std::uint64_t Listen(TaskNode& node, const std::string& task) {
    EXPECT_EQ(node.Listen(R"("taskIds":[")" + task + "\"]").status, 0);
    const std::uint64_t listener = node.last();
    EXPECT_EQ(node.Heard(listener).size(), 2u);
    return listener;
  }
  // The statuses that a listener was told of since.
  static std::string Told(TaskNode& node, std::uint64_t listener) {
    std::string told;
    for (const Json& message : node.Heard(listener)) {
      if (StringOrEmpty(message, "method") != "notifications/tasks") return message.dump();
      told += StringOrEmpty(*FindObject(message, "params"), "status") + ' ';
    }
    return told;
  }

  TaskWorld world_;
  TaskNode one_{world_};
  TaskNode two_{world_};
  std::vector<ToolCall> calls_;
};

TEST_F(TasksNewsTest, AListenerIsToldHowATaskIsAndWhatBecomesOfIt) {
  const std::string task = Begin(one_);
  EXPECT_EQ(one_.Listen(R"("taskIds":[")" + task + "\"]").status, 0);
  const std::uint64_t listener = one_.last();
  const std::vector<Json> begun = one_.Heard(listener);
  ASSERT_EQ(begun.size(), 2u);
  EXPECT_EQ(begun[0].dump(),
            R"({"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":)"
            R"({"notifications":{"taskIds":[")" +
                task + R"("]},"_meta":{"io.modelcontextprotocol/subscriptionId":1}}})");
  EXPECT_EQ(begun[1].dump(),
            R"({"jsonrpc":"2.0","method":"notifications/tasks","params":{"taskId":")" + task +
                R"(","status":"working","createdAt":"2026-07-28T08:00:00.000Z",)"
                R"("lastUpdatedAt":"2026-07-28T08:00:00.000Z","ttlMs":3600000,)"
                R"("pollIntervalMs":1000,"_meta":{"io.modelcontextprotocol/subscriptionId":1}}})");
  calls_[0].Reply(ToolResult::Text("Done."));
  one_.Wake();
  const std::vector<Json> ended = one_.Heard(listener);
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(FindObject(*FindObject(ended[0], "params"), "result")->dump(),
            R"({"resultType":"complete","content":[{"type":"text","text":"Done."}]})");
}

TEST_F(TasksNewsTest, OnAnotherNodeToo) {
  const std::string task = Begin(one_);
  const std::uint64_t listener = Listen(two_, task);
  calls_[0].Progress(1);  // of which nobody is told
  EXPECT_EQ(calls_[0].Ask("who", Form("Who?").Add(TextField{{.name = "name"}})), nullptr);
  calls_[0].Reply({});
  one_.Wake();
  two_.Pass(Millis{50});
  EXPECT_EQ(Told(two_, listener), "input_required ");
  one_.Cancel(task);
  two_.Pass(Millis{50});
  EXPECT_EQ(Told(two_, listener), "cancelled ");
}

TEST_F(TasksNewsTest, OfATaskWhoseNodeDied) {
  std::string task;
  {
    TaskNode dying(world_);
    ASSERT_TRUE(dying.Add("slow", [this](ToolCall call) { calls_.push_back(std::move(call)); }));
    task = Begin(dying);
  }
  const std::uint64_t listener = Listen(two_, task);
  for (int i = 0; i < 2; ++i) {
    one_.Pass(Seconds(31));
    one_.StatusOf(task);
  }
  two_.Pass(Millis{50});
  EXPECT_EQ(Told(two_, listener), "failed ");
}

TEST_F(TasksNewsTest, NobodyIsToldOfTasksOfOthers) {
  const std::string task = Begin(one_, "bob");
  EXPECT_EQ(one_.Listen(R"("taskIds":[")" + task + "\"]").status, 0);
  const std::uint64_t listener = one_.last();
  EXPECT_EQ(one_.Heard(listener).size(), 1u);
  calls_[0].Reply(ToolResult::Text("Done."));
  one_.Pass(Millis{50});
  EXPECT_EQ(Told(one_, listener), "");
}

TEST_F(TasksNewsTest, NorOfThoseThatWereNotAskedFor) {
  const std::string task = Begin(one_);
  Begin(one_);
  const std::uint64_t listener = Listen(one_, task);
  calls_[1].Reply(ToolResult::Text("Done."));
  one_.Pass(Millis{50});
  EXPECT_EQ(Told(one_, listener), "");
}

TEST_F(TasksNewsTest, WhoMayHaveMissedSomethingIsToldHowItIs) {
  const std::string task = Begin(one_);
  const std::uint64_t listener = Listen(two_, task);
  two_.store().Fail(ErrorCode::kUnavailable);
  two_.Pass(Minutes(1));
  one_.Pass(Minutes(11));  // more than the bus is kept
  calls_[0].Reply(ToolResult::Text("Done."));
  one_.Wake();
  one_.Pass(Minutes(11));
  two_.store().Heal();
  two_.Pass(Seconds(2));
  EXPECT_EQ(Told(two_, listener), "completed ");
}

TEST_F(TasksNewsTest, ClientsThatKnowNoTasksAreRefused) {
  const TaskNode::Answer refused = one_.Listen(R"("taskIds":[])", "{}");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.code(), -32021);
  EXPECT_EQ(one_.Listen(R"("toolsListChanged":true)", "{}").status, 0);
}

TEST_F(TasksNewsTest, WhatIsNoListOfIdsIsRefused) {
  const std::string longest(128, 'x');
  for (const std::string& ids : {std::string("7"), std::string("{}"), std::string("[7]"),
                                 std::string("[null]"), "[\"" + longest + "x\"]"}) {
    EXPECT_EQ(one_.Listen(R"("taskIds":)" + ids).code(), -32602) << ids;
  }
  EXPECT_EQ(one_.Listen(R"("taskIds":[")" + longest + "\"]").status, 0);
  std::string many = "[\"a\"";
  for (int i = 1; i < 100; ++i) many += ",\"a\"";
  EXPECT_EQ(one_.Listen(R"("taskIds":)" + many + ']').status, 0);
  EXPECT_EQ(one_.Listen(R"("taskIds":)" + many + ",\"a\"]").code(), -32602);
}

TEST_F(TasksNewsTest, AServerWithoutTasksHonoursNone) {
  SeededEntropy entropy(1);
  DividedStore::Part part(world_.store);
  McpServer server({}, part, entropy);
  server.ServeChanges();
  const std::string body =
      R"({"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{"notifications":)"
      R"({"taskIds":["x"]},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
      R"("io.modelcontextprotocol/clientCapabilities":{}}}})";
  Effects effects;
  server.Handle(event::ChannelOpened{{1}, {}}, world_.clock.Now(), &effects);
  server.Handle(event::MessageArrived{{1}, body}, world_.clock.Now(), &effects);
  ASSERT_EQ(effects.size(), 1u);
  EXPECT_NE(std::get<effect::Send>(effects[0]).text.find(R"("notifications":{})"),
            std::string::npos);
}

}  // namespace
}  // namespace mcp_session

// Tasks on one node: how they begin, what clients are told of them, and how they end (K-02 to
// K-05).
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/json/access.h"
#include "tests/server/answers.h"
#include "tests/server/server_peer.h"
#include "tests/server/task_node.h"

namespace mcp_session {
namespace {

constexpr TaskUse kKept{TaskUse::Support::kOptional, TaskUse::Start::kWhenKept};
constexpr TaskUse kRequired{TaskUse::Support::kRequired};
constexpr char kIgnorant[] = R"({"elicitation":{"form":{}}})";

std::string TextOf(const Json& result) {
  const Json* content = FindArray(result, "content");
  return content != nullptr && !content->empty() ? StringOrEmpty(content->front(), "text") : "";
}

class TasksTest : public testing::Test {
 protected:
  // A tool whose calls are in calls_ until the test answers them.
  void AddSlow(TaskUse use = {TaskUse::Support::kOptional}) {
    ASSERT_TRUE(node_.Add(
        "slow", [this](ToolCall call) { calls_.push_back(std::move(call)); }, use));
  }
  // The id of a task that has begun.
  std::string Begin(std::string_view principal = "ann") {
    const TaskNode::Answer begun = node_.Call("slow", TaskNode::kKnows, principal);
    EXPECT_EQ(begun.Text("resultType"), "task") << begun.message.dump();
    return begun.Text("taskId");
  }
  std::string ResultText(std::string_view task) {
    const TaskNode::Answer got = node_.Get(task);
    const Json* result = FindObject(got.result, "result");
    return result != nullptr ? TextOf(*result) : got.message.dump();
  }

  TaskWorld world_;
  TaskNode node_{world_};
  std::vector<ToolCall> calls_;
};

// K-02, K-03, K-04
TEST_F(TasksTest, ACallBecomesATask) {
  AddSlow();
  const TaskNode::Answer begun = node_.Call("slow");
  const std::string task = begun.Text("taskId");
  EXPECT_EQ(task.size(), 27u);
  const std::string about = R"("taskId":")" + task +
                            R"(","status":"working",)"
                            R"("createdAt":"2026-07-28T08:00:00.000Z",)"
                            R"("lastUpdatedAt":"2026-07-28T08:00:00.000Z",)"
                            R"("ttlMs":3600000,"pollIntervalMs":1000,)"
                            R"("_meta":{"io.modelcontextprotocol/serverInfo":)"
                            R"({"name":"mcp-session","version":"0.1.0"}}}})";
  EXPECT_EQ(begun.message.dump(),
            R"({"jsonrpc":"2.0","id":1,"result":{"resultType":"task",)" + about);
  EXPECT_EQ(node_.Get(task).message.dump(),
            R"({"jsonrpc":"2.0","id":1,"result":{"resultType":"complete",)" + about);
  ASSERT_EQ(calls_.size(), 1u);
  EXPECT_EQ(FindInteger(calls_[0].arguments(), "a"), 1);
  EXPECT_EQ(calls_[0].principal(), "ann");

  world_.clock.Advance(Millis{61'007});
  calls_[0].Reply(ToolResult::Text("Done."));
  node_.Wake();
  EXPECT_EQ(node_.Get(task).message.dump(),
            R"({"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","taskId":")" + task +
                R"(","status":"completed","createdAt":"2026-07-28T08:00:00.000Z",)"
                R"("lastUpdatedAt":"2026-07-28T08:01:01.007Z","ttlMs":3600000,)"
                R"("pollIntervalMs":1000,"result":{"resultType":"complete",)"
                R"("content":[{"type":"text","text":"Done."}]},)"
                R"("_meta":{"io.modelcontextprotocol/serverInfo":)"
                R"({"name":"mcp-session","version":"0.1.0"}}}})");
}

TEST_F(TasksTest, ATaskIsThereBeforeItsClientIsTold) {
  AddSlow();
  node_.store().Hold();
  EXPECT_EQ(node_.Call("slow").status, 0);
  const std::uint64_t exchange = node_.last();
  for (int step = 0; step < 2; ++step) {  // how many run, and the record of the run
    ASSERT_EQ(node_.store().held(), 1u);
    node_.store().ReleaseAt(0);
    node_.Wake();
    EXPECT_EQ(node_.Of(exchange).status, 0);
  }
  EXPECT_TRUE(calls_.empty());
  node_.store().Release();
  node_.Wake();
  EXPECT_EQ(node_.Of(exchange).Text("resultType"), "task");
  EXPECT_EQ(calls_.size(), 1u);
}

TEST_F(TasksTest, AResultAtOnceIsATaskThatHasEnded) {
  ASSERT_TRUE(node_.Add("quick", [](ToolCall&) { return ToolResult::Text("Done."); }));
  const std::string task = node_.Call("quick").Text("taskId");
  EXPECT_EQ(node_.StatusOf(task), "completed");
  EXPECT_EQ(ResultText(task), "Done.");
}

TEST_F(TasksTest, AFailureOfTheToolIsAResultAndAnErrorIsAFailure) {
  ASSERT_TRUE(node_.Add("fails", [](ToolCall&) { return ToolResult::Error("It broke."); }));
  ASSERT_TRUE(node_.Add("drops", [](ToolCall) {}));
  const TaskNode::Answer failed = node_.Get(node_.Call("fails").Text("taskId"));
  EXPECT_EQ(failed.Text("status"), "completed");
  EXPECT_EQ(FindBool(*FindObject(failed.result, "result"), "isError"), true);
  const TaskNode::Answer dropped = node_.Get(node_.Call("drops").Text("taskId"));
  EXPECT_EQ(dropped.Text("status"), "failed");
  EXPECT_EQ(Find(dropped.result, "result"), nullptr);
  EXPECT_EQ(FindObject(dropped.result, "error")->dump(),
            R"({"code":-32603,"message":"the handler gave no answer"})");
  EXPECT_EQ(dropped.Text("statusMessage"), "the handler gave no answer");
}

TEST_F(TasksTest, ADroppedCallOutsideOfATurnFailsTheTask) {
  AddSlow();
  const std::string task = Begin();
  calls_.clear();
  node_.Wake();
  EXPECT_EQ(node_.StatusOf(task), "failed");
}

// K-02, S-15
TEST_F(TasksTest, ClientsThatKnowNoTasksAreNeverGivenOne) {
  AddSlow();
  ASSERT_TRUE(node_.Add(
      "must", [](ToolCall&) { return ToolResult::Text("Done."); }, kRequired));
  EXPECT_EQ(node_.Call("slow", kIgnorant).status, 0);
  ASSERT_EQ(calls_.size(), 1u);
  calls_[0].Reply(ToolResult::Text("Done."));
  node_.Wake();
  EXPECT_EQ(node_.Of(node_.last()).Text("resultType"), "complete");
  const TaskNode::Answer refused = node_.Call("must", kIgnorant);
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.code(), -32021);
  EXPECT_EQ(FindObject(refused.error, "data")->dump(),
            R"({"requiredCapabilities":{"extensions":{"io.modelcontextprotocol/tasks":{}}}})");
  EXPECT_EQ(node_.Call("must").Text("resultType"), "task");
}

// K-04, K-05
TEST_F(TasksTest, TheirMethodsAreRefusedToo) {
  AddSlow();
  const std::string task = Begin();
  const std::string params = R"("taskId":")" + task + R"(","inputResponses":{})";
  for (const char* method : {"tasks/get", "tasks/update", "tasks/cancel"}) {
    EXPECT_EQ(node_.Ask(method, params, task, kIgnorant).code(), -32021) << method;
  }
  EXPECT_EQ(node_.StatusOf(task), "working");
}

TEST_F(TasksTest, OtherMethodsAndHintsOfEarlierTasksAreUnknown) {
  AddSlow();
  ASSERT_TRUE(node_.server().AddTool({.name = "plain", .description = "A tool."},
                                     [](ToolCall&) { return ToolResult::Text("Done."); }));
  const std::string task = Begin();
  for (const char* method : {"tasks/result", "tasks/list"}) {
    const TaskNode::Answer refused = node_.Ask(method, R"("taskId":")" + task + '"', task);
    EXPECT_EQ(refused.code(), -32601) << method;
    EXPECT_EQ(refused.status, 404) << method;
  }
  EXPECT_EQ(
      node_.Call("plain", TaskNode::kKnows, "ann", R"(,"task":{"ttl":1000})").Text("resultType"),
      "complete");
}

TEST_F(TasksTest, TheyAreToldOfByDiscoverAndNotInSessions) {
  AddSlow();
  const TaskNode::Answer discovered = node_.Ask("server/discover", R"("x":1)", "");
  const Json* capabilities = FindObject(discovered.result, "capabilities");
  EXPECT_EQ(capabilities->dump(),
            R"({"tools":{},"extensions":{"io.modelcontextprotocol/tasks":{}}})");  // J-12
  // K-01: a session is told of none, and has none of their methods.
  ServerPeer peer;
  peer.server().ServeTasks({.unix_millis = [] { return std::int64_t{0}; }});
  ASSERT_TRUE(peer.server().AddTool({.name = "slow"},
                                    [](ToolCall&) { return ToolResult::Text("Done."); },
                                    {.task = {TaskUse::Support::kOptional}}));
  const std::string opened =
      peer.Of(peer.Post(R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":)"
                        R"({"protocolVersion":"2025-11-25","capabilities":{"tasks":{}},)"
                        R"("clientInfo":{"name":"c","version":"1"}}})"))
          .body;
  EXPECT_NE(opened.find(R"("capabilities":{"tools":{}},)"), std::string::npos) << opened;
  const auto session = peer.OpenSession();
  for (const char* method : {"tasks/get", "tasks/result", "tasks/list", "tasks/cancel"}) {
    EXPECT_EQ(peer.Ask(session, method, R"("taskId":"t")"), ErrorOf(-32601, "unknown method"));
  }
  EXPECT_EQ(peer.Ask(session, "tools/call", R"("name":"slow","task":{"ttl":1000})"),
            ResultOf(R"("content":[{"type":"text","text":"Done."}])"));
}

// S-33
TEST_F(TasksTest, AHeaderRepeatsTheTasksId) {
  AddSlow();
  const std::string task = Begin();
  const std::string params = R"("taskId":")" + task + R"(","inputResponses":{})";
  for (const char* method : {"tasks/get", "tasks/update", "tasks/cancel"}) {
    EXPECT_EQ(node_.Ask(method, params, "task_other").code(), -32020) << method;
    EXPECT_EQ(node_.Ask(method, params, task).status, 200) << method;
  }
}

// --- who may see it, and how long ---

TEST_F(TasksTest, WhatIsUnknownExpiredOrForeignIsAllTheSame) {
  AddSlow();
  const std::string task = Begin();
  const TaskNode::Answer unknown = node_.Get("task_AAAAAAAAAAAAAAAAAAAAAA");
  EXPECT_EQ(unknown.code(), -32602);
  EXPECT_EQ(unknown.status, 200);
  const std::string text = unknown.message.dump();
  EXPECT_EQ(node_.Get(task, "bob").message.dump(), text);
  EXPECT_EQ(node_.Get(task, "").message.dump(), text);
  EXPECT_EQ(node_.Update(task, "", "bob").message.dump(), text);
  EXPECT_EQ(node_.Cancel(task, "bob").message.dump(), text);
  EXPECT_EQ(node_.Get("").message.dump(), text);
  EXPECT_EQ(node_.Get(std::string(300, 'x')).message.dump(), text);
  EXPECT_EQ(node_.StatusOf(task), "working");
  node_.Pass(Hours(1));
  EXPECT_EQ(node_.Get(task).message.dump(), text);
  EXPECT_EQ(node_.Cancel(task).message.dump(), text);
}

TEST_F(TasksTest, AnAnonymousTaskIsItsBearers) {
  AddSlow();
  const std::string task = Begin("");
  EXPECT_EQ(node_.Get(task, "").Text("status"), "working");
  EXPECT_EQ(node_.Get(task, "ann").code(), -32602);
}

TEST_F(TasksTest, ATaskIsKeptAllItsTimeAndItsHandlerIsStoppedAfterIt) {
  AddSlow();
  const std::string task = Begin();
  node_.Pass(Millis{Hours(1).count - 1});
  EXPECT_EQ(node_.StatusOf(task), "working");
  EXPECT_FALSE(calls_[0].cancelled());
  node_.Pass(Minutes(1));
  EXPECT_TRUE(calls_[0].cancelled());
  EXPECT_EQ(node_.server().open_calls(), 0u);
}

TEST_F(TasksTest, ParamsThatAreNoneAreRefused) {
  AddSlow();
  const std::string task = Begin();
  for (const char* params : {R"("x":1)", R"("taskId":7)", R"("taskId":null)"}) {
    EXPECT_EQ(node_.Ask("tasks/get", params, "x").code(), -32602) << params;
  }
  for (const char* responses : {"", R"(,"inputResponses":7)", R"(,"inputResponses":[])"}) {
    const std::string params = R"("taskId":")" + task + '"' + responses;
    EXPECT_EQ(node_.Ask("tasks/update", params, task).code(), -32602) << responses;
  }
}

// --- cancellation ---

TEST_F(TasksTest, ACancelledTaskEndsItsHandler) {
  AddSlow();
  const std::string task = Begin();
  EXPECT_EQ(node_.server().open_calls(), 1u);
  const TaskNode::Answer acknowledged = node_.Cancel(task);
  EXPECT_EQ(acknowledged.message.dump(),
            R"({"jsonrpc":"2.0","id":1,"result":{"resultType":"complete",)"
            R"("_meta":{"io.modelcontextprotocol/serverInfo":)"
            R"({"name":"mcp-session","version":"0.1.0"}}}})");
  EXPECT_TRUE(calls_[0].cancelled());
  EXPECT_EQ(node_.server().open_calls(), 0u);
  EXPECT_EQ(node_.StatusOf(task), "cancelled");
  calls_[0].Reply(ToolResult::Text("Done."));
  node_.Wake();
  EXPECT_EQ(node_.StatusOf(task), "cancelled");
  EXPECT_EQ(node_.Cancel(task).Text("resultType"), "complete");
}

TEST_F(TasksTest, WhatHasEndedStaysAsItIs) {
  AddSlow();
  const std::string task = Begin();
  calls_[0].Reply(ToolResult::Text("Done."));
  node_.Wake();
  EXPECT_EQ(node_.Cancel(task).Text("resultType"), "complete");
  EXPECT_EQ(node_.Update(task, R"("x":1)").Text("resultType"), "complete");
  EXPECT_EQ(ResultText(task), "Done.");
}

TEST_F(TasksTest, AClientThatLeavesAfterwardsEndsNothing) {
  AddSlow();
  const std::string task = Begin();
  node_.Leave();
  EXPECT_FALSE(calls_[0].cancelled());
  EXPECT_EQ(node_.StatusOf(task), "working");
}

TEST_F(TasksTest, AClientThatLeavesBeforeItIsToldHasNoTask) {
  AddSlow();
  node_.store().Hold();
  node_.Call("slow");
  node_.Leave();
  node_.store().Release();
  node_.Wake();
  node_.Wake();
  EXPECT_TRUE(calls_.empty());
  EXPECT_EQ(node_.server().open_calls(), 0u);
  EXPECT_EQ(world_.CountRuns(), 0u);
}

// --- calls that are kept ---

TEST_F(TasksTest, AHandlerThatAnswersAtOnceMakesNoTask) {
  ASSERT_TRUE(node_.Add(
      "quick", [](ToolCall&) { return ToolResult::Text("Done."); }, kKept));
  const TaskNode::Answer answered = node_.Call("quick");
  EXPECT_EQ(answered.Text("resultType"), "complete");
  EXPECT_EQ(TextOf(answered.result), "Done.");
}

TEST_F(TasksTest, AHandlerThatKeepsItsCallMakesOne) {
  AddSlow(kKept);
  const std::string task = Begin();
  ASSERT_EQ(calls_.size(), 1u);
  calls_[0].Reply(ToolResult::Text("Done."));
  node_.Wake();
  EXPECT_EQ(ResultText(task), "Done.");
}

TEST_F(TasksTest, AHandlerThatAnswersBeforeItsTaskIsThereAnswersTheCall) {
  AddSlow(kKept);
  node_.store().Hold();
  node_.Call("slow");
  calls_[0].Reply(ToolResult::Text("Done."));
  node_.Wake();
  EXPECT_EQ(TextOf(node_.Of(node_.last()).result), "Done.");
  node_.store().Release();
  for (int i = 0; i < 3; ++i) node_.Wake();
  EXPECT_EQ(node_.server().open_calls(), 0u);
  EXPECT_EQ(world_.CountRuns(), 0u);
}

// --- trouble ---

TEST_F(TasksTest, AnOutageIsToldAsOne) {
  AddSlow();
  const std::string task = Begin();
  node_.store().Fail(ErrorCode::kUnavailable);
  EXPECT_EQ(node_.Call("slow").status, 503);
  EXPECT_EQ(node_.Get(task).status, 503);
  EXPECT_EQ(node_.Update(task, "").status, 503);
  EXPECT_EQ(node_.Cancel(task).status, 503);
  node_.store().Heal();
  EXPECT_EQ(node_.StatusOf(task), "working");
  EXPECT_EQ(calls_.size(), 1u);
}

TEST_F(TasksTest, AResultThatTheStoreDoesNotTakeIsTriedAgain) {
  AddSlow();
  const std::string task = Begin();
  node_.store().Fail(ErrorCode::kUnavailable);
  calls_[0].Reply(ToolResult::Text("Done."));
  node_.Pass(Seconds(5));
  node_.store().Heal();
  EXPECT_EQ(node_.StatusOf(task), "working");
  node_.Pass(Seconds(1));
  EXPECT_EQ(ResultText(task), "Done.");
}

TEST_F(TasksTest, ARunWhoseRecordWasLostIsRemade) {
  AddSlow();
  const std::string task = Begin();
  node_.store().Fail(ErrorCode::kUnavailable);
  node_.Pass(Seconds(40));  // the record has not been touched
  node_.store().Heal();
  node_.Pass(Seconds(10));
  TaskNode other(world_);
  EXPECT_EQ(other.StatusOf(task), "working");
  EXPECT_EQ(other.store().puts(), 0u);  // it was not missed
  calls_[0].Reply(ToolResult::Text("Done."));
  node_.Wake();
  EXPECT_EQ(ResultText(task), "Done.");
}

TEST_F(TasksTest, ADamagedRecordIsNoTask) {
  AddSlow();
  const std::string task = Begin();
  for (const char* data : {"", "T1", "T1{}\n", "T1[]\n", "T2{}\n", "T1{\"status\":\"working\"}\n",
                           R"(T1{"status":"odd","created":1,"updated":1,"ttl":1})"
                           "\n",
                           R"(T1{"status":"working","created":1,"updated":1,"ttl":1,"asked":7})"
                           "\n"}) {
    node_.store().Corrupt(data);
    EXPECT_EQ(node_.Get(task).status, 500) << data;
    EXPECT_EQ(node_.Cancel(task).status, 500) << data;
  }
}

// --- limits ---

TEST_F(TasksTest, OnePrincipalHasAsManyAsItMay) {
  AddSlow();
  for (int i = 0; i < 16; ++i) Begin();
  const TaskNode::Answer refused = node_.Call("slow");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.code(), -32000);
  EXPECT_EQ(node_.Call("slow", TaskNode::kKnows, "bob").Text("resultType"), "task");
  calls_[3].Reply(ToolResult::Text("Done."));
  node_.Wake();
  EXPECT_EQ(node_.Call("slow").Text("resultType"), "task");
}

TEST_F(TasksTest, ANodeHasAsManyAsItMay) {
  TaskNode small(world_, {}, {.max_running = 2});
  std::vector<ToolCall> calls;
  ASSERT_TRUE(small.Add("slow", [&](ToolCall call) { calls.push_back(std::move(call)); }));
  EXPECT_EQ(small.Call("slow", TaskNode::kKnows, "").Text("resultType"), "task");
  EXPECT_EQ(small.Call("slow", TaskNode::kKnows, "").Text("resultType"), "task");
  EXPECT_EQ(small.Call("slow", TaskNode::kKnows, "").status, 429);
  EXPECT_EQ(small.server().open_calls(), 2u);
}

TEST_F(TasksTest, ResultsAreAsLargeAsTheyMayBe) {
  TaskNode small(world_, {}, {.max_result_bytes = 200});
  std::size_t size = 0;
  ASSERT_TRUE(small.Add("go", [&](ToolCall&) { return ToolResult::Text(std::string(size, 'x')); }));
  const std::size_t around =
      std::string(R"({"resultType":"complete","content":[{"type":"text","text":""}]})").size();
  size = 200 - around;
  EXPECT_EQ(small.StatusOf(small.Call("go").Text("taskId")), "completed");
  ++size;
  const TaskNode::Answer failed = small.Get(small.Call("go").Text("taskId"));
  EXPECT_EQ(failed.Text("status"), "failed");
  EXPECT_EQ(failed.Text("statusMessage"), "the result is too large to be kept");
}

TEST_F(TasksTest, AToolIsATasksOnlyWhereTheyAreServed) {
  SeededEntropy entropy(1);
  DividedStore::Part part(world_.store);
  McpServer server({}, part, entropy);
  const Result<void> refused =
      server.AddTool({.name = "go"}, [](ToolCall&) { return ToolResult::Text("Done."); },
                     {.task = {TaskUse::Support::kOptional}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(TasksTest, AToolThatWasTakenAwayIsNone) {
  AddSlow();
  EXPECT_TRUE(node_.server().RemoveTool("slow"));
  EXPECT_EQ(node_.Call("slow").code(), -32602);
}

}  // namespace
}  // namespace mcp_session

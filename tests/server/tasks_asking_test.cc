// Handlers of tasks that ask (K-04, K-05): the task waits for its client, on whichever node the
// answers come.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/json/access.h"
#include "tests/server/memory_sealer.h"
#include "tests/server/task_node.h"

namespace mcp_session {
namespace {

constexpr TaskUse kKept{TaskUse::Support::kOptional, TaskUse::Start::kWhenKept};

Form NameForm() { return Form("Who are you?").Add(TextField{{.name = "name"}}); }

std::string NameOf(const Json& answer) {
  const Json* content = AcceptedContent(answer);
  return content != nullptr ? StringOrEmpty(*content, "name") : "nobody";
}

std::string Named(const std::string& key, const std::string& name) {
  return '"' + key + R"(":{"action":"accept","content":{"name":")" + name + R"("}})";
}

ToolResult Greet(ToolCall& call) {
  const Json* answer = call.Ask("who", NameForm());
  if (answer == nullptr) return {};
  return ToolResult::Text("Hello, " + NameOf(*answer) + "!");
}

ToolResult GreetTwo(ToolCall& call) {
  const Json* one = call.Ask("one", NameForm());
  const Json* two = call.Ask("two", NameForm());
  if (one == nullptr || two == nullptr) return {};
  return ToolResult::Text(NameOf(*one) + " and " + NameOf(*two));
}

// Asks twice, one after the other, and keeps how often it was run.
ToolResult Interview(ToolCall& call) {
  call.kept() = FindInteger(Json{{"n", call.kept()}}, "n").value_or(0) + 1;
  const Json* name = call.Ask("name", NameForm());
  if (name == nullptr) return {};
  const Json* friends = call.Ask("friend", NameForm());
  if (friends == nullptr) return {};
  return ToolResult::Text(NameOf(*name) + " knows " + NameOf(*friends) + ", run " +
                          call.kept().dump());
}

class TasksAskingTest : public testing::Test {
 protected:
  void Add(const char* name, ToolResult (*handler)(ToolCall&)) {
    for (TaskNode* node : {&one_, &two_}) ASSERT_TRUE(node->Add(name, handler));
  }
  std::string Begin(std::string_view tool) {
    const TaskNode::Answer begun = one_.Call(tool);
    EXPECT_EQ(begun.Text("resultType"), "task") << begun.message.dump();
    EXPECT_EQ(Find(begun.result, "inputRequests"), nullptr);
    return begun.Text("taskId");
  }
  static std::string KeysOf(const TaskNode::Answer& got) {
    std::string keys;
    if (const Json* asked = FindObject(got.result, "inputRequests")) {
      for (const auto& [key, request] : *asked->get_ptr<const Json::object_t*>()) keys += key + ' ';
    }
    return keys;
  }
  static std::string ResultText(const TaskNode::Answer& got) {
    const Json* result = FindObject(got.result, "result");
    const Json* content = result != nullptr ? FindArray(*result, "content") : nullptr;
    return content != nullptr ? StringOrEmpty(content->front(), "text") : got.message.dump();
  }

  TaskWorld world_;
  TaskNode one_{world_};
  TaskNode two_{world_};
};

TEST_F(TasksAskingTest, ATaskWaitsForTheAnswer) {
  Add("greet", Greet);
  const std::string task = Begin("greet");
  const TaskNode::Answer asked = one_.Get(task);
  EXPECT_EQ(asked.Text("status"), "input_required");
  EXPECT_EQ(Find(asked.result, "requestState"), nullptr);
  EXPECT_EQ(FindObject(asked.result, "inputRequests")->dump(),
            R"({"1.who":{"method":"elicitation/create","params":{"message":"Who are you?",)"
            R"("requestedSchema":{"type":"object","properties":{"name":{"type":"string"}},)"
            R"("required":["name"]}}}})");
  EXPECT_EQ(one_.server().open_calls(), 0u);
  const TaskNode::Answer acknowledged = one_.Update(task, Named("1.who", "Ann"));
  EXPECT_EQ(acknowledged.Text("resultType"), "complete");
  EXPECT_EQ(Find(acknowledged.result, "taskId"), nullptr);
  EXPECT_EQ(ResultText(one_.Get(task)), "Hello, Ann!");
}

TEST_F(TasksAskingTest, AnotherNodeGoesOnWithIt) {
  Add("greet", Greet);
  const std::string task = Begin("greet");
  EXPECT_EQ(KeysOf(two_.Get(task)), "1.who ");
  EXPECT_EQ(two_.Update(task, Named("1.who", "Ann")).Text("resultType"), "complete");
  EXPECT_EQ(ResultText(one_.Get(task)), "Hello, Ann!");
}

TEST_F(TasksAskingTest, AnswersMayComeOneByOne) {
  Add("greet_two", GreetTwo);
  const std::string task = Begin("greet_two");
  EXPECT_EQ(KeysOf(one_.Get(task)), "1.one 1.two ");
  EXPECT_EQ(two_.Update(task, Named("1.two", "Bob")).Text("resultType"), "complete");
  const TaskNode::Answer half = one_.Get(task);
  EXPECT_EQ(half.Text("status"), "input_required");
  EXPECT_EQ(KeysOf(half), "1.one ");
  EXPECT_EQ(one_.Update(task, Named("1.one", "Ann")).Text("resultType"), "complete");
  EXPECT_EQ(ResultText(two_.Get(task)), "Ann and Bob");
}

TEST_F(TasksAskingTest, EveryRoundHasKeysOfItsOwnAndWhatIsKeptStays) {
  Add("interview", Interview);
  const std::string task = Begin("interview");
  EXPECT_EQ(KeysOf(one_.Get(task)), "1.name ");
  two_.Update(task, Named("1.name", "Ann"));
  EXPECT_EQ(KeysOf(one_.Get(task)), "2.friend ");
  one_.Update(task, Named("1.name", "Eve") + ',' + Named("2.friend", "Bob"));
  EXPECT_EQ(ResultText(one_.Get(task)), "Ann knows Bob, run 3");
}

// Whose question has changed meanwhile.
TEST_F(TasksAskingTest, AKeyIsNeverUsedAgain) {
  int runs = 0;
  ASSERT_TRUE(one_.Add("changes", [&](ToolCall& call) {
    ++runs;
    const Json* answer =
        call.Ask("who", runs == 1 ? NameForm() : Form("Sure?").Add(BooleanField{{.name = "sure"}}));
    return answer != nullptr ? ToolResult::Text("Done.") : ToolResult();
  }));
  const std::string task = Begin("changes");
  EXPECT_EQ(KeysOf(one_.Get(task)), "1.who ");
  one_.Update(task, Named("1.who", "Ann"));
  EXPECT_EQ(KeysOf(one_.Get(task)), "2.who ");
  one_.Update(task, R"("2.who":{"action":"accept","content":{"sure":true}})");
  EXPECT_EQ(ResultText(one_.Get(task)), "Done.");
}

TEST_F(TasksAskingTest, AnswersToWhatIsNotAskedAreIgnored) {
  Add("greet", Greet);
  const std::string task = Begin("greet");
  for (const char* responses : {"", R"("x":{"a":1})", R"("who":7)", R"("1.who2":null)"}) {
    EXPECT_EQ(one_.Update(task, responses).Text("resultType"), "complete") << responses;
  }
  EXPECT_EQ(KeysOf(one_.Get(task)), "1.who ");
}

TEST_F(TasksAskingTest, AnswersThatAreNoneAreRefusedAndNothingIsTaken) {
  Add("greet_two", GreetTwo);
  const std::string task = Begin("greet_two");
  for (const char* wrong : {"7", "null", "{}", "[]", R"({"action":"maybe"})",
                            R"({"action":"accept","content":{"name":7}})"}) {
    const TaskNode::Answer refused =
        one_.Update(task, Named("1.one", "Ann") + R"(,"1.two":)" + wrong);
    EXPECT_EQ(refused.code(), -32602) << wrong;
  }
  EXPECT_EQ(KeysOf(one_.Get(task)), "1.one 1.two ");
}

TEST_F(TasksAskingTest, ARefusalOfTheUserIsAnAnswer) {
  Add("greet", Greet);
  const std::string task = Begin("greet");
  one_.Update(task, R"("1.who":{"action":"decline"})");
  EXPECT_EQ(ResultText(one_.Get(task)), "Hello, nobody!");
}

TEST_F(TasksAskingTest, OneThatWaitsCanBeCancelled) {
  Add("greet", Greet);
  const std::string task = Begin("greet");
  EXPECT_EQ(two_.Cancel(task).Text("resultType"), "complete");
  EXPECT_EQ(one_.StatusOf(task), "cancelled");
  EXPECT_EQ(one_.Update(task, Named("1.who", "Ann")).Text("resultType"), "complete");
  EXPECT_EQ(one_.StatusOf(task), "cancelled");
}

TEST_F(TasksAskingTest, AClientThatCannotBeAskedHasAFailedTask) {
  Add("greet", Greet);
  const TaskNode::Answer begun =
      one_.Call("greet", R"({"extensions":{"io.modelcontextprotocol/tasks":{}}})");
  const TaskNode::Answer failed = one_.Get(begun.Text("taskId"));
  EXPECT_EQ(failed.Text("status"), "failed");
  EXPECT_EQ(FindInteger(*FindObject(failed.result, "error"), "code"), -32021);
}

TEST_F(TasksAskingTest, ThereAreAsManyRoundsAsInACall) {
  ASSERT_TRUE(one_.Add("endless", [](ToolCall& call) {
    for (int i = 0;; ++i) {
      if (call.Ask("q" + std::to_string(i), NameForm()) == nullptr) return ToolResult();
    }
  }));
  const std::string task = Begin("endless");
  for (int round = 1; round <= 8; ++round) {
    const std::string key = std::to_string(round) + ".q" + std::to_string(round - 1);
    ASSERT_EQ(KeysOf(one_.Get(task)), key + ' ');
    one_.Update(task, Named(key, "Ann"));
  }
  EXPECT_EQ(one_.StatusOf(task), "failed");
}

// M-07: what may be sealed for a call is kept with a task.
TEST_F(TasksAskingTest, WhatIsKeptMayBeAsLargeAsAMessage) {
  ServerOptions options;
  options.limits.max_message_bytes = 2000;
  TaskNode small(world_, options);
  std::size_t size = 1000;
  ASSERT_TRUE(small.Add("keeps", [&](ToolCall& call) {
    call.kept() = std::string(size, 'x');
    return call.Ask("who", NameForm()) != nullptr ? ToolResult::Text("Done.") : ToolResult();
  }));
  EXPECT_EQ(small.StatusOf(small.Call("keeps").Text("taskId")), "input_required");
  size = 2000;
  const TaskNode::Answer failed = small.Get(small.Call("keeps").Text("taskId"));
  EXPECT_EQ(failed.Text("status"), "failed");
  EXPECT_EQ(failed.Text("statusMessage"), "what the task keeps is too large");
}

TEST_F(TasksAskingTest, WhatNestsTooDeepCannotBeKept) {
  ASSERT_TRUE(one_.Add("keeps", [](ToolCall& call) {
    for (int i = 0; i < 70; ++i) {
      Json outer = EmptyArray();
      outer.push_back(std::move(call.kept()));
      call.kept() = std::move(outer);
    }
    return call.Ask("who", NameForm()) != nullptr ? ToolResult::Text("Done.") : ToolResult();
  }));
  EXPECT_EQ(one_.StatusOf(Begin("keeps")), "failed");
}

// --- first in the call, then as a task ---

TEST_F(TasksAskingTest, WhatIsAskedBeforeTheTaskIsAskedInTheCall) {
  MemorySealer sealer;
  one_.server().SealStatesWith(sealer);
  std::vector<ToolCall> calls;
  ASSERT_TRUE(one_.Add(
      "greet",
      [&](ToolCall call) {
        const Json* answer = call.Ask("who", NameForm());
        if (answer == nullptr) return call.Reply({});
        calls.push_back(std::move(call));
      },
      kKept));
  const TaskNode::Answer asked = one_.Call("greet");
  EXPECT_EQ(asked.Text("resultType"), "input_required");
  EXPECT_EQ(Find(asked.result, "taskId"), nullptr);
  const TaskNode::Answer begun =
      one_.Call("greet", TaskNode::kKnows, "ann",
                R"(,"inputResponses":{)" + Named("who", "Ann") + R"(},"requestState":")" +
                    asked.Text("requestState") + '"');
  EXPECT_EQ(begun.Text("resultType"), "task");
  EXPECT_EQ(Find(begun.result, "requestState"), nullptr);
  ASSERT_EQ(calls.size(), 1u);
  // It may go on asking; what was answered before is there.
  EXPECT_EQ(calls[0].Ask("friend", NameForm()), nullptr);
  calls[0].Reply({});
  one_.Wake();
  const std::string task = begun.Text("taskId");
  EXPECT_EQ(KeysOf(one_.Get(task)), "2.friend ");
  calls.clear();
  one_.Update(task, Named("2.friend", "Bob"));
  ASSERT_EQ(calls.size(), 1u);
  EXPECT_EQ(NameOf(*calls[0].Ask("who", NameForm())), "Ann");
  calls[0].Reply(ToolResult::Text("Bob is " + NameOf(*calls[0].Ask("friend", NameForm()))));
  one_.Wake();
  EXPECT_EQ(ResultText(one_.Get(task)), "Bob is Bob");
}

// --- trouble ---

TEST_F(TasksAskingTest, TwoThatAnswerAtOnceRunItOnce) {
  int runs = 0;
  for (TaskNode* node : {&one_, &two_}) {
    ASSERT_TRUE(node->Add("greet", [&](ToolCall& call) {
      ++runs;
      return Greet(call);
    }));
  }
  const std::string task = Begin("greet");
  ASSERT_EQ(runs, 1);
  one_.store().Hold();
  EXPECT_EQ(one_.Update(task, Named("1.who", "Ann")).status, 0);
  const std::uint64_t first = one_.last();
  one_.store().ReleaseAt(0);  // it has read the task
  one_.Wake();
  EXPECT_EQ(two_.Update(task, Named("1.who", "Bob")).Text("resultType"), "complete");
  one_.store().Release();
  one_.Wake();
  EXPECT_EQ(one_.Of(first).Text("resultType"), "complete");
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(ResultText(one_.Get(task)), "Hello, Bob!");
  EXPECT_EQ(world_.CountRuns(), 0u);
}

TEST_F(TasksAskingTest, AnAnswerThatConflictsIsTakenAllTheSame) {
  Add("greet_two", GreetTwo);
  const std::string task = Begin("greet_two");
  one_.store().Hold();
  one_.Update(task, Named("1.one", "Ann"));
  one_.store().ReleaseAt(0);
  two_.Update(task, Named("1.two", "Bob"));
  one_.store().Release();
  one_.Wake();
  EXPECT_EQ(ResultText(two_.Get(task)), "Ann and Bob");
}

TEST_F(TasksAskingTest, AnOutageWhileItAsksIsWaitedFor) {
  std::vector<ToolCall> calls;
  ASSERT_TRUE(one_.Add("slow", [&](ToolCall call) { calls.push_back(std::move(call)); }));
  const std::string task = Begin("slow");
  one_.store().Fail(ErrorCode::kUnavailable);
  EXPECT_EQ(calls[0].Ask("who", NameForm()), nullptr);
  calls[0].Reply({});
  one_.Pass(Seconds(3));
  one_.store().Heal();
  one_.Pass(Seconds(1));
  EXPECT_EQ(KeysOf(one_.Get(task)), "1.who ");
}

}  // namespace
}  // namespace mcp_session

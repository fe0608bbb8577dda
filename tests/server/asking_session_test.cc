// Handlers that ask, in sessions: requests to the client while the call stays open (M-10, G-01,
// G-02, G-07).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mcp_session/json/access.h"
#include "mcp_session/json/json.h"
#include "mcp_session/json/parse.h"
#include "mcp_session/server/content.h"
#include "tests/server/memory_sealer.h"
#include "tests/server/server_peer.h"

namespace mcp_session {
namespace {

Form NameForm() { return Form("Who are you?").Add(TextField{{.name = "name"}}); }

std::string NameOf(const Json& answer) {
  const Json* content = AcceptedContent(answer);
  return content != nullptr ? StringOrEmpty(*content, "name") : "nobody";
}

std::string Named(const std::string& name) {
  return R"({"action":"accept","content":{"name":")" + name + R"("}})";
}

ToolResult Greet(ToolCall& call) {
  const Json* answer = call.Ask("name", NameForm());
  return answer != nullptr ? ToolResult::Text("Hello, " + NameOf(*answer) + "!") : ToolResult();
}

class AskingSessionTest : public testing::Test {
 protected:
  using Handler = std::function<ToolResult(ToolCall&)>;

  void AddTool(Handler handler, StateUse state = {}) {
    ASSERT_TRUE(peer_.server().AddTool({.name = "go", .state = std::move(state)},
                                       [this, handler = std::move(handler)](ToolCall& call) {
                                         ++runs_;
                                         return handler(call);
                                       }));
  }

  void Open(const std::string& capabilities =
                R"({"elicitation":{"form":{},"url":{}},"sampling":{},"roots":{}})") {
    const Received& opened = peer_.Of(
        peer_.Post(R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":)"
                   R"("2025-11-25","clientInfo":{"name":"c","version":"1"},"capabilities":)" +
                   capabilities + "}}"));
    session_ = {{"mcp-session-id", opened.headers.at("mcp-session-id")}};
  }

  std::uint64_t Start(const std::string& method = "tools/call",
                      const std::string& params = R"("name":"go")") {
    return peer_.Post(
        R"({"jsonrpc":"2.0","id":1,"method":")" + method + R"(","params":{)" + params + "}}",
        session_);
  }

  // What came on the stream of a call, or as its whole answer.
  std::vector<Json> MessagesOf(std::uint64_t exchange) {
    const Received& received = peer_.Of(exchange);
    std::vector<Json> messages;
    const auto add = [&](std::string_view text) {
      Result<Json> message = ParseJson(text);
      if (message) messages.push_back(std::move(*message));
    };
    if (!received.stream) add(received.body);
    for (std::size_t from = 0; received.stream && from < received.body.size();) {
      const std::size_t end = std::min(received.body.find('\n', from), received.body.size());
      const std::string_view line = std::string_view(received.body).substr(from, end - from);
      if (line.rfind("data: ", 0) == 0) add(line.substr(6));
      from = end + 1;
    }
    return messages;
  }
  // The requests among them, in order.
  std::vector<Json> AskedOn(std::uint64_t exchange) {
    std::vector<Json> asked;
    for (Json& message : MessagesOf(exchange)) {
      const bool request = message.contains("id") && message.contains("method");
      if (request) asked.push_back(std::move(message));
    }
    return asked;
  }
  // The text of the call's result, or all of its error; empty if there is none yet.
  std::string AnswerOf(std::uint64_t exchange) {
    for (const Json& message : MessagesOf(exchange)) {
      if (const Json* error = FindObject(message, "error")) return error->dump();
      const Json* result = FindObject(message, "result");
      if (result == nullptr) continue;
      const Json* content = FindArray(*result, "content");
      return content != nullptr && !content->empty() ? StringOrEmpty(content->front(), "text")
                                                     : result->dump();
    }
    return {};
  }

  int Respond(const Json& request, const std::string& outcome) {
    return peer_
        .Of(peer_.Post(
            R"({"jsonrpc":"2.0","id":)" + Find(request, "id")->dump() + "," + outcome + "}",
            session_))
        .status;
  }
  int Answer(const Json& request, const std::string& result) {
    return Respond(request, R"("result":)" + result);
  }

  ServerPeer peer_;
  ServerPeer::Headers session_;
  int runs_ = 0;
};

TEST_F(AskingSessionTest, AQuestionIsARequestOnTheStreamOfTheCall) {
  AddTool(Greet);
  Open();
  const auto call = Start();
  const auto asked = AskedOn(call);
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(StringOrEmpty(asked[0], "method"), "elicitation/create");
  EXPECT_EQ(Find(asked[0], "params")->dump(),
            R"({"message":"Who are you?","requestedSchema":{"type":"object","properties":)"
            R"({"name":{"type":"string"}},"required":["name"]}})");
  EXPECT_EQ(AnswerOf(call), "");
  EXPECT_EQ(runs_, 1);
  EXPECT_EQ(Answer(asked[0], Named("Ann")), 202);
  EXPECT_EQ(AnswerOf(call), "Hello, Ann!");
  EXPECT_TRUE(peer_.Of(call).ended);
  EXPECT_EQ(runs_, 2);
  EXPECT_EQ(peer_.Of(call).body.find("resultType"), std::string::npos);  // D-05
}

TEST_F(AskingSessionTest, WhatBelongsToStatelessCallsMeansNothing) {
  MemorySealer sealer;
  peer_.server().SealStatesWith(sealer);
  AddTool(Greet);
  Open();
  const auto call =
      Start("tools/call",
            R"("name":"go","requestState":"x","inputResponses":{"name":)" + Named("Eve") + "}");
  EXPECT_EQ(AskedOn(call).size(), 1u);
  EXPECT_EQ(AnswerOf(call), "");
}

TEST_F(AskingSessionTest, OnAChannelToo) {
  AddTool(Greet);
  peer_.Open(1);
  peer_.Send(1, R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":)"
                R"("2025-11-25","clientInfo":{"name":"c","version":"1"},)"
                R"("capabilities":{"elicitation":{}}}})");
  peer_.Send(1, R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"go"}})");
  const Result<Json> asked = ParseJson(peer_.Of(1).messages.back());
  ASSERT_TRUE(asked && asked->contains("method"));
  peer_.Send(1, R"({"jsonrpc":"2.0","id":)" + Find(*asked, "id")->dump() + R"(,"result":)" +
                    Named("Ann") + "}");
  EXPECT_NE(peer_.Of(1).messages.back().find("Hello, Ann!"), std::string::npos);
}

TEST_F(AskingSessionTest, SeveralQuestionsAreAskedTogetherAndAnsweredInAnyOrder) {
  AddTool([](ToolCall& call) {
    const Json* name = call.Ask("name", NameForm());
    const Json* text = call.Ask("text", Sample({}));
    const Json* roots = call.Ask("roots", ListRoots());
    if (name == nullptr || text == nullptr || roots == nullptr) return ToolResult();
    return ToolResult::Text(NameOf(*name) + StringOrEmpty(*text, "model") + roots->dump());
  });
  Open();
  const auto call = Start();
  const auto asked = AskedOn(call);
  ASSERT_EQ(asked.size(), 3u);
  EXPECT_EQ(StringOrEmpty(asked[1], "method"), "sampling/createMessage");
  EXPECT_EQ(StringOrEmpty(asked[2], "method"), "roots/list");
  EXPECT_EQ(Find(asked[2], "params"), nullptr);
  Answer(asked[2], R"({"roots":[]})");
  Answer(asked[0], Named("Ann"));
  EXPECT_EQ(runs_, 1);
  Answer(asked[1], R"({"role":"assistant","content":{"type":"text","text":"t"},"model":"m"})");
  EXPECT_EQ(AnswerOf(call), R"(Annm{"roots":[]})");
  EXPECT_EQ(runs_, 2);
}

TEST_F(AskingSessionTest, RoundsFollowEachOtherAndKeepWhatWasAnswered) {
  AddTool([](ToolCall& call) {
    call.kept() = AsInteger(call.kept()).value_or(0) + 1;
    const Json* name = call.Ask("name", NameForm());
    if (name == nullptr) return ToolResult();
    const Json* more = call.Ask("more", NameForm());
    if (more == nullptr) return ToolResult();
    return ToolResult::Text(NameOf(*name) + NameOf(*more) + call.kept().dump());
  });
  Open();
  const auto call = Start();
  Answer(AskedOn(call).at(0), Named("Ann"));
  ASSERT_EQ(AskedOn(call).size(), 2u);
  Answer(AskedOn(call).at(1), Named("Bob"));
  EXPECT_EQ(AnswerOf(call), "AnnBob3");
}

TEST_F(AskingSessionTest, WhatIsNoAnswerIsAskedAgainEightTimesInAll) {
  AddTool(Greet);
  Open();
  const auto call = Start();
  for (std::size_t round = 0; round < 8; ++round) {
    const auto asked = AskedOn(call);
    ASSERT_EQ(asked.size(), round + 1);
    Answer(asked.back(), R"({"action":"accept","content":{"name":7}})");
  }
  EXPECT_EQ(AnswerOf(call), R"({"code":-32602,"message":"what was asked has not been answered"})");
  EXPECT_TRUE(peer_.Of(call).ended);
}

TEST_F(AskingSessionTest, ARefusingClientEndsTheCall) {
  AddTool([](ToolCall& call) {
    call.Ask("text", Sample({}));
    call.Ask("name", NameForm());
    return ToolResult();
  });
  Open();
  const auto call = Start();
  Respond(AskedOn(call).at(0), R"("error":{"code":-1,"message":"the user said no"})");
  EXPECT_EQ(AnswerOf(call), "The client refused what it was asked: the user said no");
  EXPECT_NE(peer_.Of(call).body.find("\"isError\":true"), std::string::npos);
  EXPECT_TRUE(peer_.Of(call).ended);
  EXPECT_EQ(Answer(AskedOn(call).at(1), Named("Ann")), 202);  // too late
  EXPECT_EQ(runs_, 1);
  EXPECT_EQ(peer_.server().open_calls(), 0u);
}

TEST_F(AskingSessionTest, ASilentClientEndsTheCall) {
  AddTool(Greet);
  Open();
  const auto call = Start();
  peer_.clock().Advance(Minutes(5));
  peer_.Wake();
  EXPECT_EQ(AnswerOf(call), "The client did not answer in time what it was asked.");
  EXPECT_EQ(peer_.server().open_calls(), 0u);
}

TEST_F(AskingSessionTest, ACancelledCallIsNotRunAgain) {
  AddTool(Greet);
  Open();
  const auto call = Start();
  const auto asked = AskedOn(call);
  peer_.Post(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}})",
             session_);
  EXPECT_EQ(Answer(asked.at(0), Named("Ann")), 202);
  EXPECT_EQ(runs_, 1);
  EXPECT_EQ(AnswerOf(call), "");
  EXPECT_EQ(peer_.server().open_calls(), 0u);
}

TEST_F(AskingSessionTest, NothingIsLeftOfACallThatEndedWhileItAsked) {
  auto kept = std::make_shared<int>();
  const std::weak_ptr<int> left = kept;
  ASSERT_TRUE(
      peer_.server().AddTool({.name = "go"}, [kept](ToolCall& call) { return Greet(call); }));
  kept = nullptr;
  Open();
  Start();
  EXPECT_TRUE(peer_.server().RemoveTool("go"));
  EXPECT_FALSE(left.expired());  // the call has it
  peer_.Post(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}})",
             session_);
  EXPECT_TRUE(left.expired());
}

TEST_F(AskingSessionTest, AServerThatEndsMeanwhileLetsGo) {
  AddTool(Greet);
  Open();
  Start();
  peer_.DestroyServer();  // the leak checker sees the rest
}

TEST_F(AskingSessionTest, WhatTheClientDidNotDeclareIsNotAsked) {
  AddTool(Greet);
  ASSERT_TRUE(peer_.server().AddPrompt({.name = "p"}, [](PromptCall& call) {
    call.Ask("name", NameForm());
    return PromptResult();
  }));
  Open(R"({"roots":{}})");
  EXPECT_EQ(AnswerOf(Start()),
            R"(This tool needs a client that can do more: {"elicitation":{"form":{}}})");
  EXPECT_EQ(AnswerOf(Start("prompts/get", R"("name":"p")")),
            R"({"code":-32600,"message":"the client did not declare what this needs"})");
}

// G-04
TEST_F(AskingSessionTest, APageHasAnIdOfItsOwn) {
  AddTool([](ToolCall& call) {
    const Json* answer = call.Ask("page", UrlVisit("Log in.", "https://example.com/login"));
    return answer != nullptr ? ToolResult::Text(answer->dump()) : ToolResult();
  });
  Open();
  const auto call = Start();
  const Json asked = AskedOn(call).at(0);
  EXPECT_EQ(StringOrEmpty(*Find(asked, "params"), "mode"), "url");
  EXPECT_EQ(StringOrEmpty(*Find(asked, "params"), "elicitationId").size(), 22u);
  Answer(asked, R"({"action":"accept"})");
  EXPECT_EQ(AnswerOf(call), R"({"action":"accept"})");
}

TEST_F(AskingSessionTest, PromptsAndResourcesAsk) {
  ASSERT_TRUE(
      peer_.server().AddPrompt({.name = "p", .arguments = {{.name = "a"}}}, [](PromptCall& call) {
        const Json* answer = call.Ask("name", NameForm());
        return answer != nullptr ? PromptResult::Text(call.Argument("a") + NameOf(*answer))
                                 : PromptResult();
      }));
  ASSERT_TRUE(peer_.server().AddResourceTemplate(
      {.uri_template = "x://{v}", .name = "x"}, [](ResourceCall& call) {
        const Json* answer = call.Ask("name", NameForm());
        return answer != nullptr ? ResourceResult::Text(call.Variable("v") + NameOf(*answer))
                                 : ResourceResult();
      }));
  Open();
  const auto prompt = Start("prompts/get", R"("name":"p","arguments":{"a":"for "})");
  Answer(AskedOn(prompt).at(0), Named("Ann"));
  EXPECT_NE(AnswerOf(prompt).find("for Ann"), std::string::npos) << AnswerOf(prompt);
  const auto resource = Start("resources/read", R"("uri":"x://of")");
  Answer(AskedOn(resource).at(0), Named("Bob"));
  EXPECT_NE(AnswerOf(resource).find(R"("text":"ofBob","uri":"x://of")"), std::string::npos)
      << AnswerOf(resource);
  const auto refused = Start("resources/read", R"("uri":"x://of")");
  Respond(AskedOn(refused).at(0), R"("error":{"code":-32602,"message":"no"})");
  EXPECT_EQ(AnswerOf(refused),
            R"({"code":-32603,"message":"The client refused what it was asked: no"})");
}

// While the user thinks, another call changes the state: the run after the answer sees the newer.
TEST_F(AskingSessionTest, TheStateIsLoadedAgainForTheRunWithTheAnswers) {
  AddTool(
      [](ToolCall& call) {
        const Json* answer = call.Ask("name", NameForm());
        if (answer == nullptr) {
          call.state()["lost"] = true;
          return ToolResult();
        }
        call.state()["names"].push_back(NameOf(*answer));
        return ToolResult::Text(call.state().dump());
      },
      UsesSession());
  Open();
  const auto first = Start();
  const auto second = peer_.Post(
      R"({"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"go"}})", session_);
  Answer(AskedOn(second).at(0), Named("Bob"));
  EXPECT_EQ(AnswerOf(second), R"({"names":["Bob"]})");
  Answer(AskedOn(first).at(0), Named("Ann"));
  EXPECT_EQ(AnswerOf(first), R"({"names":["Bob","Ann"]})");
}

TEST_F(AskingSessionTest, AConflictRunsTheHandlerAgainWithTheSameAnswers) {
  AddTool(
      [](ToolCall& call) {
        call.kept() = AsInteger(call.kept()).value_or(0) + 1;
        const Json* answer = call.Ask("name", NameForm());
        if (answer == nullptr) return ToolResult();
        call.state()["name"] = NameOf(*answer) + call.kept().dump();
        return ToolResult::Text(call.state().dump());
      },
      UsesSession());
  Open();
  const auto first = Start();
  Answer(AskedOn(first).at(0), Named("Ann"));
  EXPECT_EQ(AnswerOf(first), R"({"name":"Ann2"})");
  const auto second = Start();
  peer_.store().Interfere(1);
  Answer(AskedOn(second).at(0), Named("Bob"));
  EXPECT_EQ(AnswerOf(second), R"({"name":"Bob2"})");
  EXPECT_EQ(AskedOn(second).size(), 1u);
  EXPECT_EQ(runs_, 5);
}

// The old call of a handler that keeps its calls is over when it runs again.
TEST_F(AskingSessionTest, ACopyOfTheOldRunDoesNothing) {
  std::vector<ToolCall> held;
  ASSERT_TRUE(peer_.server().AddTool({.name = "go"}, [&held](ToolCall call) {
    held.push_back(call);
    const Json* answer = call.Ask("name", NameForm());
    if (answer == nullptr) call.Reply({});
  }));
  Open();
  const auto call = Start();
  Answer(AskedOn(call).at(0), Named("Ann"));
  ASSERT_EQ(held.size(), 2u);
  held[0].Reply(ToolResult::Text("old"));
  EXPECT_EQ(held[0].Ask("other", NameForm()), nullptr);
  EXPECT_EQ(AnswerOf(call), "");
  held[1].Reply(ToolResult::Text("new"));
  peer_.Wake();
  EXPECT_EQ(AnswerOf(call), "new");
}

}  // namespace
}  // namespace mcp_session

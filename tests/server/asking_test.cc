// Handlers that ask, in the stateless era: input_required, and what comes back (M-01 to M-03, M-06
// to M-09).
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "mcp_session/json/access.h"
#include "mcp_session/json/json.h"
#include "mcp_session/json/parse.h"
#include "mcp_session/server/content.h"
#include "tests/server/memory_sealer.h"
#include "tests/server/server_peer.h"

namespace mcp_session {
namespace {

constexpr char kAll[] =
    R"({"elicitation":{"form":{},"url":{}},"sampling":{"tools":{},"context":{}},"roots":{}})";

Form NameForm() { return Form("Who are you?").Add(TextField{{.name = "name"}}); }

std::string NameOf(const Json& answer) {
  const Json* content = AcceptedContent(answer);
  return content != nullptr ? StringOrEmpty(*content, "name") : "nobody";
}

// `response` as inputResponses have it.
std::string Named(const std::string& key, const std::string& name) {
  return '"' + key + R"(":{"action":"accept","content":{"name":")" + name + R"("}})";
}

class AskingTest : public testing::Test {
 protected:
  void AddTool(std::function<ToolResult(ToolCall&)> handler, StateUse state = {}) {
    ASSERT_TRUE(peer_.server().AddTool({.name = "go", .state = std::move(state)},
                                       [this, handler = std::move(handler)](ToolCall& call) {
                                         ++runs_;
                                         return handler(call);
                                       }));
  }
  void Seal() { peer_.server().SealStatesWith(sealer_); }

  // A call of `method` with these params, and what it is answered with.
  const Received& Call(std::string_view method, std::string_view name, std::string params,
                       std::string_view capabilities = kAll, std::string_view principal = {}) {
    std::string body = R"({"jsonrpc":"2.0","id":1,"method":")" + std::string(method);
    body += R"(","params":{)" + std::move(params);
    body += R"(,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
            R"("io.modelcontextprotocol/clientCapabilities":)";
    body += std::string(capabilities) + "}}}";
    return peer_.Of(peer_.Post(body,
                               {{"mcp-protocol-version", "2026-07-28"},
                                {"mcp-method", std::string(method)},
                                {"mcp-name", std::string(name)}},
                               principal));
  }
  // The result or error of a call of the tool, with the inside of inputResponses.
  Json Go(const std::string& responses = {}, const std::string& state = {},
          std::string_view capabilities = kAll) {
    return Parsed(Call("tools/call", "go", ParamsOf(responses, state), capabilities));
  }
  static std::string ParamsOf(const std::string& responses, const std::string& state) {
    std::string params = R"("name":"go","arguments":{"a":1,"b":[{"x":1,"y":2}]})";
    if (!responses.empty()) params += R"(,"inputResponses":{)" + responses + '}';
    if (!state.empty()) params += R"(,"requestState":")" + state + '"';
    return params;
  }
  static Json Parsed(const Received& received) {
    Result<Json> message = ParseJson(received.body);
    EXPECT_TRUE(message) << received.body;
    if (!message) return nullptr;
    Json result = Take(*message, "result");
    return result.is_null() ? Take(*message, "error") : result;
  }
  static std::string TextOf(const Json& result) {
    const Json* content = FindArray(result, "content");
    return content != nullptr && !content->empty() ? StringOrEmpty(content->front(), "text")
                                                   : result.dump();
  }
  static std::string StateOf(const Json& result) { return StringOrEmpty(result, "requestState"); }
  static Json Asked(const Json& result) {
    EXPECT_EQ(StringOrEmpty(result, "resultType"), "input_required") << result.dump();
    const Json* requests = FindObject(result, "inputRequests");
    return requests != nullptr ? *requests : Json();
  }
  static std::int64_t CodeOf(const Json& error) { return FindInteger(error, "code").value_or(0); }

  ServerPeer peer_;
  MemorySealer sealer_;
  int runs_ = 0;
};

ToolResult Greet(ToolCall& call) {
  const Json* answer = call.Ask("user_name", NameForm());
  if (answer == nullptr) return {};
  return ToolResult::Text("Hello, " + NameOf(*answer) + "!");
}

TEST_F(AskingTest, AQuestionIsTheResultAndTheAnswerBringsTheNext) {
  AddTool(Greet);
  const Received& asked = Call("tools/call", "go", ParamsOf("", ""));
  EXPECT_EQ(asked.status, 200);
  EXPECT_EQ(asked.body,
            R"({"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","inputRequests":)"
            R"({"user_name":{"method":"elicitation/create","params":{"message":"Who are you?",)"
            R"("requestedSchema":{"type":"object","properties":{"name":{"type":"string"}},)"
            R"("required":["name"]}}}},"_meta":{"io.modelcontextprotocol/serverInfo":)"
            R"({"name":"mcp-session","version":"0.1.0"}}}})");
  const Json greeted = Go(Named("user_name", "Ann"));
  EXPECT_EQ(StringOrEmpty(greeted, "resultType"), "complete");
  EXPECT_EQ(TextOf(greeted), "Hello, Ann!");
  EXPECT_EQ(peer_.server().open_calls(), 0u);
}

TEST_F(AskingTest, ARefusalIsAnAnswer) {
  AddTool(Greet);
  EXPECT_EQ(TextOf(Go(R"("user_name":{"action":"decline"})")), "Hello, nobody!");
  EXPECT_EQ(TextOf(Go(R"("user_name":{"action":"cancel"})")), "Hello, nobody!");
}

// M-08
TEST_F(AskingTest, WhatIsNoAnswerIsAskedAgain) {
  AddTool(Greet);
  for (const char* wrong :
       {R"("other":{"action":"accept","content":{"name":"Ann"}})", R"("user_name":null)",
        R"("user_name":7)", R"("user_name":[])", R"("user_name":{})",
        R"("user_name":{"action":"maybe"})", R"("user_name":{"action":"accept"})",
        R"("user_name":{"action":"accept","content":{}})",
        R"("user_name":{"action":"accept","content":{"name":7}})",
        R"("user_name":{"action":"accept","content":[]})"}) {
    EXPECT_TRUE(Asked(Go(wrong)).contains("user_name")) << wrong;
  }
  for (const char* wrong : {"null", "7", "[]", "\"x\""}) {
    const Json result =
        Parsed(Call("tools/call", "go", R"("name":"go","inputResponses":)" + std::string(wrong)));
    EXPECT_TRUE(Asked(result).contains("user_name")) << wrong;
  }
}

TEST_F(AskingTest, AnswersThatNobodyAskedForAreIgnored) {
  AddTool(Greet);
  EXPECT_EQ(TextOf(Go(R"("more":7,)" + Named("user_name", "Ann") + R"(,"z":{"action":"x"})")),
            "Hello, Ann!");
}

TEST_F(AskingTest, OnlyTheFieldsOfTheFormReachTheHandler) {
  AddTool([](ToolCall& call) {
    const Json* answer = call.Ask("k", NameForm());
    return answer != nullptr ? ToolResult::Text(answer->dump()) : ToolResult();
  });
  EXPECT_EQ(TextOf(Go(R"("k":{"action":"accept","content":{"z":1,"name":"Ann"},"w":2})")),
            R"({"action":"accept","content":{"name":"Ann"}})");
  EXPECT_EQ(TextOf(Go(R"("k":{"action":"decline","content":{"name":"Ann"}})")),
            R"({"action":"decline"})");
}

TEST_F(AskingTest, SeveralQuestionsOfARunAreAskedTogether) {
  AddTool([](ToolCall& call) {
    const Json* name = call.Ask("name", NameForm());
    Sampling haiku{.max_tokens = 50};
    haiku.AddUser(TextContent("A haiku."));
    const Json* text = call.Ask("haiku", Sample(haiku));
    const Json* roots = call.Ask("roots", ListRoots());
    if (name == nullptr || text == nullptr || roots == nullptr) return ToolResult();
    return ToolResult::Text(NameOf(*name) + text->dump() + roots->dump());
  });
  Seal();
  const Json first = Go();
  EXPECT_EQ(
      Asked(first).dump(),
      R"({"name":{"method":"elicitation/create","params":{"message":"Who are you?",)"
      R"("requestedSchema":{"type":"object","properties":{"name":{"type":"string"}},)"
      R"("required":["name"]}}},"haiku":{"method":"sampling/createMessage","params":{"messages":)"
      R"([{"role":"user","content":{"type":"text","text":"A haiku."}}],"maxTokens":50}},)"
      R"("roots":{"method":"roots/list"}})");
  // One of them is wrong: it alone is asked again, and the others are not lost.
  const std::string haiku =
      R"("haiku":{"role":"assistant","content":{"type":"text","text":"Old pond"},"model":"m"})";
  const Json second =
      Go(Named("name", "Ann") + "," + haiku + R"(,"roots":{"roots":[{}]})", StateOf(first));
  EXPECT_EQ(Asked(second).dump(), R"({"roots":{"method":"roots/list"}})");
  EXPECT_NE(StateOf(first), StateOf(second));
  EXPECT_EQ(TextOf(Go(R"("roots":{"roots":[{"uri":"file:///a","name":"A"}]})", StateOf(second))),
            R"(Ann{"role":"assistant","content":{"type":"text","text":"Old pond"},"model":"m"})"
            R"({"roots":[{"uri":"file:///a","name":"A"}]})");
}

// --- several rounds (M-09) ---

ToolResult NameThenColour(ToolCall& call) {
  const Json* name = call.Ask("name", NameForm());
  if (name == nullptr) return {};
  const Json* colour = call.Ask(
      "colour", Form("Which colour?").Add(ChoiceField{{.name = "c"}, {{"red"}, {"blue"}}}));
  if (colour == nullptr) return {};
  const Json* content = AcceptedContent(*colour);
  return ToolResult::Text(NameOf(*name) + (content ? StringOrEmpty(*content, "c") : "-"));
}

TEST_F(AskingTest, AnswersOfEarlierRoundsAreCarriedAlong) {
  AddTool(NameThenColour);
  Seal();
  const Json first = Go();
  const Json second = Go(Named("name", "Ann"), StateOf(first));
  EXPECT_FALSE(Asked(second).contains("name"));
  EXPECT_TRUE(Asked(second).contains("colour"));
  EXPECT_EQ(TextOf(Go(R"("colour":{"action":"accept","content":{"c":"red"}})", StateOf(second))),
            "Annred");
}

TEST_F(AskingTest, AnAnswerThatWasTakenIsNotReplaced) {
  AddTool(NameThenColour);
  Seal();
  const Json second = Go(Named("name", "Ann"), StateOf(Go()));
  EXPECT_EQ(TextOf(Go(R"("colour":{"action":"decline"},)" + Named("name", "Eve"), StateOf(second))),
            "Ann-");
}

TEST_F(AskingTest, AnAnswerThatFitsNoMoreIsAskedForAgain) {
  std::int64_t longest = 10;
  AddTool([&longest](ToolCall& call) {
    const Json* name =
        call.Ask("name", Form("Who?").Add(TextField{{.name = "name"}, {}, {}, longest}));
    const Json* more = call.Ask("more", NameForm());
    if (name == nullptr || more == nullptr) return ToolResult();
    return ToolResult::Text(NameOf(*name) + NameOf(*more));
  });
  Seal();
  const Json second = Go(Named("name", "Annabel"), StateOf(Go()));
  EXPECT_FALSE(Asked(second).contains("name"));
  longest = 3;
  const Json third = Go(Named("more", "Bob"), StateOf(second));
  EXPECT_TRUE(Asked(third).contains("name"));
  EXPECT_EQ(TextOf(Go(Named("name", "Ann"), StateOf(third))), "AnnBob");
}

TEST_F(AskingTest, WhatIsKeptIsThereInTheNextRun) {
  AddTool([](ToolCall& call) {
    const auto runs = AsInteger(call.kept()).value_or(0) + 1;
    call.kept() = runs;
    const Json* answer = call.Ask("q" + std::to_string(runs), NameForm());
    return runs < 3 || answer != nullptr ? ToolResult::Text(std::to_string(runs)) : ToolResult();
  });
  Seal();
  const Json first = Go();
  const Json second = Go("", StateOf(first));
  const Json third = Go(Named("q3", "Ann"), StateOf(second));
  EXPECT_TRUE(Asked(second).contains("q2"));
  EXPECT_EQ(TextOf(third), "3");
}

TEST_F(AskingTest, WithoutASealerNothingIsKept) {
  AddTool(NameThenColour);
  EXPECT_EQ(StateOf(Go()), "");
  const Json failed = Go(Named("name", "Ann"));
  EXPECT_EQ(CodeOf(failed), -32603);
  // And nothing is believed that says it was.
  const Json asked = Parsed(
      Call("tools/call", "go",
           R"("name":"go","requestState":{"round":1,"answers":{)" + Named("name", "Eve") + "}}"));
  EXPECT_TRUE(Asked(asked).contains("name"));
}

TEST_F(AskingTest, ThereAreEightRounds) {
  AddTool(Greet);
  Seal();
  Json result = Go();
  for (int round = 1; round < 8; ++round) {
    EXPECT_TRUE(Asked(result).contains("user_name")) << round;
    result = Go(R"("user_name":7)", StateOf(result));
  }
  const std::string last = StateOf(result);
  EXPECT_EQ(TextOf(Go(Named("user_name", "Ann"), last)), "Hello, Ann!");
  EXPECT_EQ(CodeOf(Go(R"("user_name":7)", last)), -32602);
}

TEST_F(AskingTest, WhatIsKeptHasALimit) {
  std::size_t size = 0;
  AddTool([&size](ToolCall& call) {
    call.kept() = std::string(size, 'x');
    return call.Ask("k", NameForm()) != nullptr ? ToolResult::Text("done") : ToolResult();
  });
  Seal();
  const std::size_t rest = std::string(R"({"round":1,"answers":{},"kept":""})").size();
  size = Limits().max_request_state_bytes - rest;
  EXPECT_NE(StateOf(Go()), "");
  ++size;
  EXPECT_EQ(CodeOf(Go()), -32603);
}

TEST_F(AskingTest, WhatCannotBeReadBackIsNotKept) {
  AddTool([](ToolCall& call) {
    for (int depth = 0; depth < 80; ++depth) {
      Json outer = EmptyArray();
      outer.push_back(std::move(call.kept()));
      call.kept() = std::move(outer);
    }
    return call.Ask("k", NameForm()) != nullptr ? ToolResult::Text("done") : ToolResult();
  });
  Seal();
  EXPECT_EQ(CodeOf(Go()), -32603);
}

// --- requestState is hostile (M-06, M-07) ---

TEST_F(AskingTest, AStateThatCannotBeOpenedIsRefusedBeforeTheHandler) {
  AddTool(Greet);
  Seal();
  const std::string state = StateOf(Go());
  runs_ = 0;
  for (const std::string& wrong : {state + "x", std::string("x"), std::string(400'000, 'x')}) {
    const Received& refused = Call("tools/call", "go", ParamsOf(Named("user_name", "Ann"), wrong));
    EXPECT_EQ(refused.status, 200);
    EXPECT_EQ(refused.body, R"({"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":)"
                            R"("requestState cannot be used"}})");
  }
  for (const char* wrong : {"{}", "null", "7", "[]", "\"\""}) {
    EXPECT_EQ(CodeOf(Parsed(
                  Call("tools/call", "go", R"("name":"go","requestState":)" + std::string(wrong)))),
              -32602)
        << wrong;
  }
  EXPECT_EQ(runs_, 0);
  EXPECT_EQ(TextOf(Go(Named("user_name", "Ann"), state)), "Hello, Ann!");
}

TEST_F(AskingTest, AStateThatIsNoObjectIsRefused) {
  AddTool(Greet);
  Seal();
  Go();
  for (const char* inside : {"", "7", "[]", "{", "null"}) {
    EXPECT_EQ(CodeOf(Go("", sealer_.Forge(inside))), -32602) << inside;
  }
  EXPECT_TRUE(Asked(Go("", sealer_.Forge("{}"))).contains("user_name"));
}

TEST_F(AskingTest, AStateIsOfOneCallerOneMethodOneNameAndItsArguments) {
  AddTool(Greet);
  ASSERT_TRUE(peer_.server().AddTool({.name = "other"}, Greet));
  ASSERT_TRUE(peer_.server().AddPrompt({.name = "go"}, [](PromptCall& call) {
    const Json* answer = call.Ask("user_name", NameForm());
    return answer != nullptr ? PromptResult::Text("Hello") : PromptResult();
  }));
  Seal();
  const std::string state =
      StateOf(Parsed(Call("tools/call", "go", ParamsOf("", ""), kAll, "ann")));
  const std::string more =
      R"(,"inputResponses":{)" + Named("user_name", "Ann") + R"(},"requestState":")" + state + '"';
  const std::string arguments = R"("arguments":{"a":1,"b":[{"x":1,"y":2}]})";
  const auto code = [&](const char* method, const char* name, const std::string& params,
                        const char* principal) {
    return CodeOf(Parsed(Call(method, name, params + more, kAll, principal)));
  };
  const std::string go = R"("name":"go",)" + arguments;
  EXPECT_EQ(code("tools/call", "go", go, "eve"), -32602);
  EXPECT_EQ(code("tools/call", "go", go, ""), -32602);
  EXPECT_EQ(code("prompts/get", "go", R"("name":"go")", "ann"), -32602);
  EXPECT_EQ(code("tools/call", "other", R"("name":"other",)" + arguments, "ann"), -32602);
  EXPECT_EQ(
      code("tools/call", "go", R"("name":"go","arguments":{"a":2,"b":[{"x":1,"y":2}]})", "ann"),
      -32602);
  EXPECT_EQ(code("tools/call", "go", R"("name":"go","arguments":{"a":1})", "ann"), -32602);
  EXPECT_EQ(code("tools/call", "go", R"("name":"go")", "ann"), -32602);
  EXPECT_EQ(code("tools/call", "go", go, "ann"), 0);

  // The method, where all else is the same.
  const Json asked = Parsed(Call("tools/call", "go", R"("name":"go")"));
  const std::string again = R"("name":"go","requestState":")" + StateOf(asked) + '"';
  EXPECT_EQ(CodeOf(Parsed(Call("prompts/get", "go", again))), -32602);
  EXPECT_EQ(CodeOf(Parsed(Call("tools/call", "go", again))), 0);
}

TEST_F(AskingTest, TheOrderOfMembersIsNoPartOfTheArguments) {
  AddTool(Greet);
  Seal();
  const std::string state = StateOf(Go());
  EXPECT_EQ(TextOf(Parsed(Call("tools/call", "go",
                               R"("requestState":")" + state + R"(","inputResponses":{)" +
                                   Named("user_name", "Ann") +
                                   R"(},"arguments":{"b":[{"y":2,"x":1}],"a":1},"name":"go")"))),
            "Hello, Ann!");
}

TEST_F(AskingTest, NoArgumentsAreEmptyArguments) {
  AddTool(Greet);
  Seal();
  for (const char* arguments : {"", R"("arguments":{},)", R"("arguments":null,)"}) {
    const std::string name = arguments + std::string(R"("name":"go")");
    const std::string state = StateOf(Parsed(Call("tools/call", "go", name)));
    EXPECT_EQ(TextOf(Parsed(Call("tools/call", "go",
                                 name + R"(,"requestState":")" + state + R"(","inputResponses":{)" +
                                     Named("user_name", "Ann") + '}'))),
              "Hello, Ann!")
        << arguments;
  }
}

// --- what a client can be asked (M-03) ---

TEST_F(AskingTest, WhatTheClientDidNotDeclareIsNotAsked) {
  AddTool([](ToolCall& call) {
    call.Ask("name", NameForm());
    call.Ask("page", UrlVisit("Log in.", "https://example.com/"));
    call.Ask("roots", ListRoots());
    Sampling sampling;
    sampling.tools = EmptyArray();
    call.Ask("text", Sample(sampling));
    return ToolResult();
  });
  const Received& refused = Call("tools/call", "go", R"("name":"go")", R"({"roots":{}})");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.body,
            R"({"jsonrpc":"2.0","id":1,"error":{"code":-32021,"message":"the client did not )"
            R"(declare what this tool needs","data":{"requiredCapabilities":{"elicitation":)"
            R"({"form":{},"url":{}},"sampling":{"tools":{}}}}}})");
  const Json asked = Asked(Go());
  EXPECT_EQ(asked.size(), 4u);
  EXPECT_EQ(Find(asked, "page")->dump(),  // G-04: of this era, without an elicitationId
            R"({"method":"elicitation/create","params":{"mode":"url","message":"Log in.",)"
            R"("url":"https://example.com/"}})");
  EXPECT_EQ(CodeOf(Go("", "", R"({"elicitation":{},"sampling":{"tools":{}},"roots":{}})")), -32021);
  EXPECT_EQ(CodeOf(Go("", "", R"({"elicitation":{"url":{}},"sampling":{"tools":{}},"roots":{}})")),
            -32021);
  EXPECT_EQ(CodeOf(Go("", "", R"({"elicitation":{"form":{},"url":{}},"sampling":{},"roots":{}})")),
            -32021);
}

TEST_F(AskingTest, AHandlerCanLookWhatItCanAsk) {
  AddTool([](ToolCall& call) {
    const Question name = NameForm();
    const Question text = Sample({});
    if (call.CanAsk(name)) call.Ask("name", name);
    if (call.CanAsk(text)) call.Ask("text", text);
    return ToolResult::Text("nothing asked");
  });
  EXPECT_TRUE(Asked(Go("", "", R"({"sampling":{}})")).contains("text"));
  EXPECT_TRUE(Asked(Go("", "", R"({"elicitation":{}})")).contains("name"));
  EXPECT_EQ(TextOf(Go("", "", "{}")), "nothing asked");
}

TEST_F(AskingTest, ContextIsDeclaredToo) {
  AddTool([](ToolCall& call) {
    Sampling sampling;
    sampling.include_context = "allServers";
    call.Ask("text", Sample(sampling));
    return ToolResult();
  });
  EXPECT_EQ(CodeOf(Go("", "", R"({"sampling":{}})")), -32021);
  EXPECT_EQ(Asked(Go("", "", R"({"sampling":{"context":{}}})")).size(), 1u);
}

// --- where one may ask ---

TEST_F(AskingTest, PromptsAsk) {
  ASSERT_TRUE(peer_.server().AddPrompt({.name = "p"}, [](PromptCall& call) {
    const Json* answer = call.Ask("context", NameForm());
    return answer != nullptr ? PromptResult::Text("For " + NameOf(*answer)) : PromptResult();
  }));
  Seal();
  const Json asked = Parsed(Call("prompts/get", "p", R"("name":"p")"));
  EXPECT_TRUE(Asked(asked).contains("context"));
  const Received& got = Call("prompts/get", "p",
                             R"("name":"p","inputResponses":{)" + Named("context", "Ann") +
                                 R"(},"requestState":")" + StateOf(asked) + '"');
  EXPECT_NE(got.body.find("For Ann"), std::string::npos) << got.body;
  const Received& refused = Call("prompts/get", "p", R"("name":"p")", "{}");
  EXPECT_EQ(refused.status, 400);
  EXPECT_NE(refused.body.find("did not declare what this needs"), std::string::npos);
}

TEST_F(AskingTest, ResourcesAsk) {
  ASSERT_TRUE(peer_.server().AddResource(
      {.uri = "x://r", .name = "r", .cache = {.ttl = Seconds(5)}}, [](ResourceCall& call) {
        const Json* answer = call.Ask("who", NameForm());
        return answer != nullptr ? ResourceResult::Text("For " + NameOf(*answer))
                                 : ResourceResult();
      }));
  Seal();
  const Received& first = Call("resources/read", "x://r", R"("uri":"x://r")");
  EXPECT_EQ(first.body.find("ttlMs"), std::string::npos);  // F-11
  const Json asked = Parsed(first);
  EXPECT_TRUE(Asked(asked).contains("who"));
  const Received& got = Call("resources/read", "x://r",
                             R"("uri":"x://r","inputResponses":{)" + Named("who", "Ann") +
                                 R"(},"requestState":")" + StateOf(asked) + '"');
  EXPECT_NE(got.body.find("For Ann"), std::string::npos) << got.body;
}

TEST_F(AskingTest, AHandlerThatAnswersLaterAsks) {
  std::optional<ToolCall> held;
  ASSERT_TRUE(peer_.server().AddTool({.name = "go"},
                                     [&held](ToolCall call) { held.emplace(std::move(call)); }));
  const auto exchange = peer_.Post(
      R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"go","_meta":)"
      R"({"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
      R"("io.modelcontextprotocol/clientCapabilities":{"roots":{}}}}})",
      {{"mcp-protocol-version", "2026-07-28"}, {"mcp-method", "tools/call"}, {"mcp-name", "go"}});
  EXPECT_EQ(held->Ask("roots", ListRoots()), nullptr);
  EXPECT_EQ(peer_.Of(exchange).status, 0);
  held->Reply({});
  EXPECT_EQ(peer_.wakes(), 1);
  peer_.Wake();
  EXPECT_TRUE(Asked(Parsed(peer_.Of(exchange))).contains("roots"));
  EXPECT_EQ(held->Ask("roots", ListRoots()), nullptr);  // the run is over
}

TEST_F(AskingTest, ARunThatAskedSavesNoState) {
  StateUse state = MakesHandle("note");
  AddTool(
      [](ToolCall& call) {
        call.state()["written"] = true;
        const Json* answer = call.Ask("name", NameForm());
        return answer != nullptr ? ToolResult::Text(call.handle()) : ToolResult();
      },
      state);
  Asked(Go());
  EXPECT_EQ(peer_.memory().size(), 0u);
  EXPECT_NE(TextOf(Go(Named("name", "Ann"))), "");
  EXPECT_EQ(peer_.memory().size(), 1u);
}

// --- the answers and their questions ---

struct FieldCase {
  const char* content;
  bool fits;
};

TEST_F(AskingTest, FieldsAreCheckedAgainstTheForm) {
  AddTool([](ToolCall& call) {
    const Json* answer = call.Ask(
        "f",
        Form("f")
            .Add(TextField{{.name = "text", .required = false}, {}, 2, 3})
            .Add(NumberField{{.name = "number", .required = false}, -0.5, 1.5})
            .Add(IntegerField{{.name = "integer", .required = false}, 1, 10})
            .Add(BooleanField{{.name = "boolean", .required = false}})
            .Add(ChoiceField{{.name = "plain", .required = false}, {{"a"}, {"b"}}})
            .Add(ChoiceField{{.name = "titled", .required = false}, {{"a", "A"}, {"b", "B"}}})
            .Add(ChoiceField{{.name = "legacy", .required = false}, {{"a", "A"}, {"b", "B"}}, true})
            .Add(ChoicesField{{.name = "some", .required = false}, {{"a"}, {"b"}, {"c"}}, 1, 2})
            .Add(ChoicesField{{.name = "titled_some", .required = false},
                              {{"a", "A"}, {"b", "B"}}}));
    return answer != nullptr ? ToolResult::Text("fits") : ToolResult();
  });
  const FieldCase cases[] = {
      {R"({})", true},
      {R"({"text":"ab"})", true},
      {R"({"text":"äöü"})", true},
      {R"({"text":"a"})", false},
      {R"({"text":"abcd"})", false},
      {R"({"text":null})", false},
      {R"({"number":-0.5})", true},
      {R"({"number":1})", true},
      {R"({"number":1.51})", false},
      {R"({"number":-0.51})", false},
      {R"({"number":18446744073709551615})", false},
      {R"({"number":"1"})", false},
      {R"({"integer":1})", true},
      {R"({"integer":10.0})", true},
      {R"({"integer":1.5})", false},
      {R"({"integer":0})", false},
      {R"({"integer":11})", false},
      {R"({"integer":18446744073709551615})", false},
      {R"({"boolean":true})", true},
      {R"({"boolean":"true"})", false},
      {R"({"plain":"a"})", true},
      {R"({"plain":"c"})", false},
      {R"({"titled":"b"})", true},
      {R"({"titled":"B"})", false},
      {R"({"legacy":"b"})", true},
      {R"({"legacy":"B"})", false},
      {R"({"some":["a","c"]})", true},
      {R"({"some":[]})", false},
      {R"({"some":["a","b","c"]})", false},
      {R"({"some":["d"]})", false},
      {R"({"some":[1]})", false},
      {R"({"some":"a"})", false},
      {R"({"titled_some":["b","a"]})", true},
      {R"({"titled_some":["B"]})", false},
  };
  for (const FieldCase& one : cases) {
    const Json result = Go(R"("f":{"action":"accept","content":)" + std::string(one.content) + '}');
    EXPECT_EQ(TextOf(result) == "fits", one.fits) << one.content;
  }
}

// G-08, G-09
TEST_F(AskingTest, AnswersOfTheModelAndTheClientHaveAShape) {
  AddTool([](ToolCall& call) {
    const Json* text = call.Ask("s", Sample({}));
    const Json* roots = call.Ask("r", ListRoots());
    const Json* page = call.Ask("u", UrlVisit("m", "https://example.com/"));
    std::string fit;
    if (text != nullptr) fit += 's';
    if (roots != nullptr) fit += 'r';
    if (page != nullptr) fit += 'u';
    call.kept() = fit;
    return ToolResult();
  });
  Seal();
  const auto fits = [&](const std::string& responses) {
    Go(responses);
    const Result<Json> state = ParseJson(sealer_.last_state());
    return StringOrEmpty(*state, "kept");
  };
  const char* const good[] = {
      R"("s":{"role":"assistant","content":{"type":"text","text":"t"},"model":"m"})",
      R"("s":{"role":"assistant","content":[{"type":"text","text":"t"}],"model":"m"})",
      R"("r":{"roots":[]})",
      R"("r":{"roots":[{"uri":"file:///a"}]})",
      R"("u":{"action":"accept"})",
      R"("u":{"action":"accept","content":{}})"};
  for (const char* one : good) EXPECT_EQ(fits(one).size(), 1u) << one;
  const char* const bad[] = {
      R"("s":{"role":"tool","content":{"type":"text","text":"t"},"model":"m"})",
      R"("s":{"role":"assistant","content":{"type":"text","text":"t"}})",
      R"("s":{"role":"assistant","content":"t","model":"m"})",
      R"("s":{"role":"assistant","content":[7],"model":"m"})",
      R"("s":{"role":"assistant","model":"m"})",
      R"("r":{"roots":{}})",
      R"("r":{})",
      R"("r":{"roots":[{"uri":"https://a"}]})",
      R"("r":{"roots":["file:///a"]})",
      R"("u":{"action":"open"})"};
  for (const char* one : bad) EXPECT_EQ(fits(one), "") << one;
}

// G-03, as clients read the kinds of fields.
TEST_F(AskingTest, FormsSayWhatTheirFieldsAre) {
  const Form form = Form("m")
                        .Add(TextField{{"t", "T", "d", false}, "email", 1, 9, "x"})
                        .Add(NumberField{{.name = "n"}, 0.5, 2, 1.5})
                        .Add(IntegerField{{.name = "i"}, {}, {}, 30})
                        .Add(BooleanField{{.name = "b"}, true})
                        .Add(ChoiceField{{.name = "c"}, {{"a"}, {"b"}}, false, "a"})
                        .Add(ChoiceField{{.name = "ct"}, {{"a", "A"}}})
                        .Add(ChoiceField{{.name = "cl"}, {{"a", "A"}}, true})
                        .Add(ChoicesField{{.name = "m"}, {{"a"}}, 0, 1, {"a"}})
                        .Add(ChoicesField{{.name = "mt"}, {{"a", "A"}}});
  EXPECT_EQ(
      form.params.dump(),
      R"({"message":"m","requestedSchema":{"type":"object","properties":{)"
      R"("t":{"type":"string","format":"email","minLength":1,"maxLength":9,"default":"x",)"
      R"("title":"T","description":"d"},)"
      R"("n":{"type":"number","minimum":0.5,"maximum":2.0,"default":1.5},)"
      R"("i":{"type":"integer","default":30},"b":{"type":"boolean","default":true},)"
      R"("c":{"type":"string","enum":["a","b"],"default":"a"},)"
      R"("ct":{"type":"string","oneOf":[{"const":"a","title":"A"}]},)"
      R"("cl":{"type":"string","enum":["a"],"enumNames":["A"]},)"
      R"("m":{"type":"array","minItems":0,"maxItems":1,"items":{"type":"string","enum":["a"]},)"
      R"("default":["a"]},)"
      R"("mt":{"type":"array","items":{"anyOf":[{"const":"a","title":"A"}]}}},)"
      R"("required":["n","i","b","c","ct","cl","m","mt"]}})");
}

// G-08
TEST_F(AskingTest, SamplingHasAllItsParams) {
  Sampling sampling{.max_tokens = 7,
                    .system_prompt = "s",
                    .temperature = 0.5,
                    .stop_sequences = {"."},
                    .include_context = "none"};
  sampling.AddUser(TextContent("u"));
  sampling.AddAssistant(TextContent("a"));
  sampling.model_preferences["speedPriority"] = 1;
  sampling.metadata["m"] = 1;
  sampling.tools = EmptyArray();
  sampling.tool_choice["mode"] = "auto";
  EXPECT_EQ(Sample(sampling).params.dump(),
            R"({"messages":[{"role":"user","content":{"type":"text","text":"u"}},)"
            R"({"role":"assistant","content":{"type":"text","text":"a"}}],)"
            R"("modelPreferences":{"speedPriority":1},"systemPrompt":"s","includeContext":"none",)"
            R"("temperature":0.5,"maxTokens":7,"stopSequences":["."],"metadata":{"m":1},)"
            R"("tools":[],"toolChoice":{"mode":"auto"}})");
  EXPECT_EQ(UrlVisit("m", "https://example.com/").params.dump(),
            R"({"mode":"url","message":"m","url":"https://example.com/"})");
}

}  // namespace
}  // namespace mcp_session

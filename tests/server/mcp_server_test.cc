// McpServer: registering tools, and what a handler may do with its call. What goes over the wire
// is in tests/transcripts; trouble with the store is in store_trouble_test.cc and conflict_test.cc.
#include "mcp_session/server/mcp_server.h"

#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "mcp_session/json/access.h"
#include "tests/server/answers.h"
#include "tests/server/server_peer.h"

namespace mcp_session {
namespace {

constexpr char kBadUtf8[] = "\xC3(";

ToolResult Nothing(ToolCall&) { return {}; }

// What AddTool says of it, or nothing.
std::string Refused(Tool tool) {
  ServerPeer peer;
  const Result<void> added = peer.server().AddTool(std::move(tool), Nothing);
  if (added) return {};
  EXPECT_EQ(added.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(added.error().blame, Blame::kCaller);
  return added.error().message;
}

// --- AddTool ---

TEST(AddTool, TakesNamesOfOneTo128OfTheAllowedCharacters) {
  EXPECT_EQ(Refused({.name = "a"}), "");
  EXPECT_EQ(Refused({.name = "Az09_.-"}), "");
  EXPECT_EQ(Refused({.name = std::string(128, 'x')}), "");
  for (const std::string& name :
       {std::string(), std::string(129, 'x'), std::string("a b"), std::string("a/b"),
        std::string("\xC3\xA4"), std::string("a\0b", 3)}) {
    EXPECT_EQ(Refused({.name = name}), "a tool's name is 1 to 128 of A-Z a-z 0-9 _ . -") << name;
  }
}

TEST(AddTool, RefusesANameThatIsTaken) {
  ServerPeer peer;
  ASSERT_TRUE(peer.server().AddTool({.name = "a"}, Nothing));
  EXPECT_FALSE(peer.server().AddTool({.name = "a"}, Nothing));
  EXPECT_TRUE(peer.server().AddTool({.name = "A"}, Nothing));
}

// F-04: one with another output schema would spoil the whole list for clients of revisions up to
// 2025-11-25.
TEST(AddTool, RefusesASchemaThatIsNoObjectSchema) {
  for (const Json& schema : {Json("object"), Json::object(), Json{{"type", "array"}},
                             Json{{"type", {"object", "null"}}}}) {
    for (const Tool& tool :
         {Tool{.name = "a", .input_schema = schema}, Tool{.name = "a", .output_schema = schema}}) {
      EXPECT_EQ(Refused(tool), "a schema's type is \"object\"") << schema;
    }
  }
}

TEST(AddTool, TakesKindsOfHandlesThatCanStartAnId) {
  EXPECT_EQ(Refused({.name = "a", .state = MakesHandle("box_9")}), "");
  EXPECT_EQ(Refused({.name = "a", .state = ListsHandles(std::string(32, 'x'))}), "");
  for (const std::string& kind :
       {std::string(), std::string(33, 'x'), std::string("Box"), std::string("b-x"),
        std::string("session"), std::string("state")}) {
    EXPECT_EQ(Refused({.name = "a", .state = MakesHandle(kind)}),
              "a handle's kind is 1 to 32 of a-z 0-9 _, but not session or state")
        << kind;
  }
}

TEST(AddTool, WantsAPropertyForTheHandle) {
  const Json schema = {{"type", "object"}, {"properties", {{"box", {{"type", "string"}}}}}};
  EXPECT_EQ(Refused({.name = "a", .input_schema = schema, .state = TakesHandle("box")}), "");
  EXPECT_EQ(Refused({.name = "a", .input_schema = schema, .state = TakesHandle("crate")}),
            "the input schema lacks the property that names the handle");
  EXPECT_EQ(Refused({.name = "a", .state = TakesHandle("box")}),
            "the input schema lacks the property that names the handle");
}

TEST(AddTool, WantsAnAnonymousTtlThatIsPositive) {
  StateUse use = MakesHandle("box");
  use.anonymous_ttl = Millis{0};
  EXPECT_EQ(Refused({.name = "a", .state = use}), "anonymous_ttl must be positive");
}

TEST(AddTool, RefusesTextThatIsNotUtf8) {
  EXPECT_EQ(Refused({.name = "a", .description = kBadUtf8}), "the tool's texts are not UTF-8");
  EXPECT_EQ(Refused({.name = "a", .title = kBadUtf8}), "the tool's texts are not UTF-8");
}

TEST(AddTool, LeavesARefusedToolOut) {
  ServerPeer peer;
  ASSERT_TRUE(peer.server().AddTool({.name = "good"}, Nothing));
  ASSERT_FALSE(peer.server().AddTool({.name = "bad", .description = kBadUtf8}, Nothing));
  const auto session = peer.OpenSession();
  EXPECT_EQ(peer.Of(peer.Post(R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})", session)).body,
            R"({"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"good",)"
            R"("inputSchema":{"type":"object"}}]}})");
}

// A tool is listed with all that its author said of it, after that the retention rule (S-24).
TEST(AddTool, ListsWhatTheAuthorSaid) {
  ServerPeer peer;
  StateUse use = MakesHandle("box");
  use.lifetime = {Minutes(90), std::nullopt};
  use.anonymous_ttl = Seconds(1);
  ASSERT_TRUE(peer.server().AddTool({.name = "a",
                                     .title = "A",
                                     .description = "Makes.",
                                     .output_schema = {{"type", "object"}},
                                     .annotations = {{"readOnlyHint", true}},
                                     .state = use},
                                    Nothing));
  const auto session = peer.OpenSession();
  EXPECT_EQ(peer.Of(peer.Post(R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})", session)).body,
            R"({"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a","title":"A","description":)"
            R"("Makes. Returns a handle (box_...) that later calls take. It ends when unused for )"
            R"(90 minutes. For anonymous callers without a session it ends after 1 second.",)"
            R"("inputSchema":{"type":"object"},"outputSchema":{"type":"object"},)"
            R"("annotations":{"readOnlyHint":true}}]}})");
}

// --- answers ---

// A server with one tool, `go`, and a session.
class ToolTest : public testing::Test {
 protected:
  template <typename Handler>
  void AddGo(Handler handler, StateUse use = {}) {
    ASSERT_TRUE(peer_.server().AddTool({.name = "go", .state = use}, std::move(handler)));
    session_ = peer_.OpenSession();
  }
  // The handler keeps its call in call_.
  void AddKeeper(StateUse use = {}) {
    AddGo([this](ToolCall call) { call_ = call; }, use);
  }
  std::uint64_t Go(int id = 1) { return peer_.Call(session_, id, "go"); }
  const std::string& Said(std::uint64_t exchange) { return peer_.Of(exchange).body; }

  ServerPeer peer_;
  ServerPeer::Headers session_;
  std::optional<ToolCall> call_;
};

constexpr char kDone[] =
    R"({"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"done"}]}})";
constexpr char kInternal[] =
    R"({"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"the tool failed"}})";
constexpr char kNoAnswer[] =
    R"({"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"the handler gave no answer"}})";

TEST_F(ToolTest, StructuredResultsAreTextAsWell) {
  AddGo([](ToolCall&) { return ToolResult::Structured({{"a", 1}}); });
  EXPECT_EQ(Said(Go()),
            R"({"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"{\"a\":1}"}],)"
            R"("structuredContent":{"a":1}}})");
}

// F-04: clients of revisions up to 2025-11-25 take nothing but an object there.
TEST_F(ToolTest, WhatIsNoObjectIsToldASessionAsTextOnly) {
  AddGo([](ToolCall&) { return ToolResult::Structured({1, 2}); });
  EXPECT_EQ(Said(Go()),
            R"({"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"[1,2]"}]}})");
  EXPECT_EQ(peer_.AskStateless("tools/call", R"("name":"go")", "go"),
            StatelessResultOf(R"("content":[{"type":"text","text":"[1,2]"}],)"
                              R"("structuredContent":[1,2])"));
}

TEST_F(ToolTest, AResultThatIsNoJsonIsAnInternalError) {
  const std::vector<Json> contents = {
      Json::array({{{"type", "text"}, {"text", kBadUtf8}}}),
      Json::array({{{"type", "text"}, {"t", std::numeric_limits<double>::quiet_NaN()}}}),
      Json::array({{{kBadUtf8, "text"}}}),
      Json::array({Json::binary({1, 2})}),
  };
  std::size_t next = 0;
  AddGo([&](ToolCall&) {
    ToolResult result;
    result.content = contents[next];
    return result;
  });
  for (; next < contents.size(); ++next) EXPECT_EQ(Said(Go()), kInternal) << next;
}

TEST_F(ToolTest, AStructuredValueThatIsNoJsonIsAnInternalError) {
  AddGo([](ToolCall&) {
    ToolResult result = ToolResult::Text("fine");
    result.structured = Json{{"a", kBadUtf8}};
    return result;
  });
  EXPECT_EQ(Said(Go()), kInternal);
}

TEST_F(ToolTest, StructuredTellsTheModelOfAValueThatIsNoJson) {
  AddGo([](ToolCall&) { return ToolResult::Structured({{"a", kBadUtf8}}); });
  EXPECT_EQ(Said(Go()),
            R"({"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text",)"
            R"("text":"the tool made a value that has no JSON form"}],"isError":true}})");
}

TEST_F(ToolTest, AStateThatIsNoJsonObjectIsAnInternalErrorAndNotSaved) {
  Json state = {{"a", kBadUtf8}};
  AddGo(
      [&](ToolCall& call) {
        EXPECT_EQ(call.state(), Json::object());
        call.state() = state;
        return ToolResult::Text("done");
      },
      UsesSession());
  EXPECT_EQ(Said(Go()), kInternal);
  state = Json::array({1});
  EXPECT_EQ(Said(Go()), kInternal);
  state = nullptr;
  EXPECT_EQ(Said(Go()), kInternal);
  state = Json::object();
  EXPECT_EQ(Said(Go()), kDone);
}

// It could not be read again.
TEST_F(ToolTest, AStateThatNestsTooDeepIsAnInternalErrorAndNotSaved) {
  Json deep = 1;
  for (int depth = 2; depth <= 64; ++depth) deep = Json::array({deep});
  AddGo(
      [&](ToolCall& call) {
        call.state()["deep"] = deep;
        return ToolResult::Text("done");
      },
      UsesSession());
  EXPECT_EQ(Said(Go()), kDone);
  deep = Json::array({deep});
  EXPECT_EQ(Said(Go()), kInternal);
  deep = 1;
  EXPECT_EQ(Said(Go()), kDone);
}

// The store's limit counts, not that of messages.
TEST(LargeState, IsReadAgain) {
  ServerPeer peer({}, {.max_record_bytes = 32u << 20});
  std::size_t size = 0;
  ASSERT_TRUE(peer.server().AddTool({.name = "go", .state = UsesSession()}, [&](ToolCall& call) {
    Json& text = call.state()["text"];
    size = text.is_string() ? text.get_ptr<std::string*>()->size() : 0;
    text = std::string(size + (5u << 20), 'x');
    return ToolResult();
  }));
  const auto session = peer.OpenSession();
  EXPECT_EQ(peer.Of(peer.Call(session, 1, "go")).status, 200);
  EXPECT_EQ(peer.Of(peer.Call(session, 2, "go")).status, 200);
  EXPECT_EQ(size, 5u << 20);
}

TEST_F(ToolTest, AnErrorSavesNothing) {
  bool fails = true;
  AddGo(
      [&](ToolCall& call) {
        EXPECT_EQ(call.state(), Json::object());
        call.state()["a"] = 1;
        return fails ? ToolResult::Error("no") : ToolResult::Text("done");
      },
      UsesSession());
  peer_.Of(Go());
  EXPECT_EQ(peer_.memory().size(), 1u);  // the session
  fails = false;
  EXPECT_EQ(Said(Go()), kDone);
  EXPECT_EQ(peer_.memory().size(), 2u);
}

TEST_F(ToolTest, AStateThatDidNotChangeIsNotWritten) {
  AddGo(
      [](ToolCall& call) {
        call.state()["a"] = 1;
        return ToolResult::Text("done");
      },
      UsesSession());
  Go();
  const std::size_t puts = peer_.store().puts();
  EXPECT_EQ(Said(Go()), kDone);
  EXPECT_EQ(peer_.store().puts(), puts);
}

TEST_F(ToolTest, ArgumentsOfTheWrongTypeAreToldInWords) {
  std::vector<std::string> said;
  AddGo([&](ToolCall& call) {
    const auto text = call.StringArgument("s");
    const auto number = call.IntegerArgument("n");
    said = {text ? *text : text.error().message,
            number ? std::to_string(*number) : number.error().message};
    return ToolResult();
  });
  const auto told = [&](const char* arguments) {
    peer_.Call(session_, 1, "go", arguments);
    return said;
  };
  using Texts = std::vector<std::string>;
  EXPECT_EQ(told(R"({"s":"x","n":-7})"), (Texts{"x", "-7"}));
  EXPECT_EQ(told(R"({"s":"","n":2.0})"), (Texts{"", "2"}));
  EXPECT_EQ(told("{}"), (Texts{"the argument s is missing", "the argument n is missing"}));
  EXPECT_EQ(told(R"({"s":1,"n":2.5})"),
            (Texts{"the argument s must be a string", "the argument n must be a whole number"}));
  EXPECT_EQ(told(R"({"s":null,"n":18446744073709551615})"),
            (Texts{"the argument s must be a string", "the argument n must be a whole number"}));
}

TEST_F(ToolTest, TellsWhoCalls) {
  Era era = Era::kHandshake;
  std::string principal = "?";
  AddGo([&](ToolCall& call) {
    era = call.era();
    principal = call.principal();
    return ToolResult();
  });
  peer_.CallStateless(1, "go", "{}", "alice");
  EXPECT_EQ(era, Era::kStateless);
  EXPECT_EQ(principal, "alice");
  Go();
  EXPECT_EQ(era, Era::kHandshake);
  EXPECT_EQ(principal, "");
}

TEST_F(ToolTest, HandlersRunInTheirGuard) {
  AddGo([](ToolCall&) { return ToolResult::Text("done"); });
  int guarded = 0;
  peer_.server().GuardHandlers([&](HandlerRun handler) {
    ++guarded;
    handler();
    return true;
  });
  EXPECT_EQ(Said(Go()), kDone);
  EXPECT_EQ(guarded, 1);
}

// A handler that threw: the server answers for it.
TEST_F(ToolTest, AHandlerThatFailedInItsGuardIsAToolError) {
  AddKeeper();
  peer_.server().GuardHandlers([](HandlerRun handler) {
    handler();
    return false;
  });
  EXPECT_EQ(Said(Go()), R"({"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text",)"
                        R"("text":"the tool failed"}],"isError":true}})");
}

TEST_F(ToolTest, WhatAHandlerAnsweredBeforeItFailedCounts) {
  const auto answer = [](ToolCall call) {
    call.state()["x"] = 1;
    call.Reply(ToolResult::Text("done"));
  };
  AddGo(answer, UsesSession());
  peer_.server().GuardHandlers([](HandlerRun handler) {
    handler();
    return false;
  });
  peer_.store().Hold();
  const std::uint64_t exchange = Go();
  for (const char* step : {"the session", "its state"}) {
    ASSERT_EQ(peer_.store().held(), 1u) << step;
    peer_.store().ReleaseAt(0);
    peer_.Wake();
  }
  EXPECT_EQ(Said(exchange), "");  // the state is being saved
  peer_.store().Release();
  peer_.Wake();
  EXPECT_EQ(Said(exchange), kDone);
}

// --- later ---

TEST_F(ToolTest, ACallDroppedInItsHandlerIsAnInternalError) {
  AddGo([](ToolCall) {});
  const std::uint64_t exchange = Go();
  EXPECT_EQ(Said(exchange), kNoAnswer);
  EXPECT_EQ(peer_.Of(exchange).status, 200);
  EXPECT_EQ(peer_.wakes(), 0);
}

TEST_F(ToolTest, ACallDroppedLaterIsAnInternalErrorAndWakes) {
  AddKeeper();
  const std::uint64_t exchange = Go();
  EXPECT_EQ(Said(exchange), "");
  call_.reset();
  EXPECT_EQ(peer_.wakes(), 1);
  EXPECT_EQ(Said(exchange), "");
  peer_.Wake();
  EXPECT_EQ(Said(exchange), kNoAnswer);
}

TEST_F(ToolTest, OnlyTheLastCopyCounts) {
  AddKeeper();
  const std::uint64_t exchange = Go();
  ToolCall copy = *call_;
  call_.reset();
  EXPECT_EQ(peer_.wakes(), 0);
  copy.Reply(ToolResult::Text("done"));
  peer_.Wake();
  EXPECT_EQ(Said(exchange), kDone);
}

TEST_F(ToolTest, WhatHappensOutsideWakesOnce) {
  AddKeeper();
  const std::uint64_t first = Go(1);
  ToolCall one = *call_;
  const std::uint64_t second = Go(2);
  ToolCall two = *call_;
  one.Progress(1);
  EXPECT_EQ(peer_.wakes(), 1);
  one.Progress(2);
  one.Reply(ToolResult::Text("done"));
  two.Reply(ToolResult::Text("done"));
  EXPECT_EQ(peer_.wakes(), 1);
  EXPECT_EQ(peer_.Of(first).status, 0);
  peer_.Wake();
  EXPECT_TRUE(peer_.Of(first).ended);
  EXPECT_TRUE(peer_.Of(second).ended);

  Go(3);
  call_->Reply({});
  EXPECT_EQ(peer_.wakes(), 2);
}

// A host may handle event::Woken before the wake returns.
TEST_F(ToolTest, AWakeMayBeServedAtOnce) {
  AddKeeper();
  peer_.server().OnWake([this] { peer_.Wake(); });
  const std::uint64_t first = Go(1);
  call_->Progress(1);
  EXPECT_TRUE(peer_.Of(first).stream);
  call_->Reply(ToolResult::Text("done"));
  EXPECT_TRUE(peer_.Of(first).ended);
  const std::uint64_t second = Go(2);
  call_.reset();
  EXPECT_TRUE(peer_.Of(second).ended);
}

TEST_F(ToolTest, WhatChangesNothingDoesNotWake) {
  AddKeeper();
  peer_.Post(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"go"}})", session_);
  call_->Progress(1);  // nobody asked to be told
  EXPECT_EQ(peer_.wakes(), 0);
}

TEST_F(ToolTest, TheNextEventWakesAsWell) {
  AddKeeper();
  const std::uint64_t exchange = Go();
  call_->Reply(ToolResult::Text("done"));
  peer_.OpenSession();
  EXPECT_EQ(Said(exchange), kDone);
}

TEST_F(ToolTest, ProgressComesBeforeTheAnswer) {
  AddKeeper();
  const std::uint64_t exchange = Go();
  call_->Progress(1, 2, "half");
  call_->Reply(ToolResult::Text("done"));
  peer_.Wake();
  EXPECT_EQ(Said(exchange),
            "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":"
            "{\"progressToken\":\"t\",\"progress\":1.0,\"total\":2.0,\"message\":\"half\"}}\n\n"
            "data: " +
                std::string(kDone) + "\n\n");
  EXPECT_TRUE(peer_.Of(exchange).ended);
}

TEST_F(ToolTest, ProgressInsideItsHandlerStreams) {
  AddGo([](ToolCall& call) {
    call.Progress(0.5);
    return ToolResult::Text("done");
  });
  const std::uint64_t exchange = Go();
  EXPECT_TRUE(peer_.Of(exchange).stream);
  EXPECT_TRUE(peer_.Of(exchange).ended);
  EXPECT_EQ(peer_.wakes(), 0);
}

TEST_F(ToolTest, ProgressThatIsNoNumberIsDropped) {
  AddGo([](ToolCall& call) {
    call.Progress(std::numeric_limits<double>::quiet_NaN());
    call.Progress(std::numeric_limits<double>::infinity());
    return ToolResult::Text("done");
  });
  EXPECT_EQ(Said(Go()), kDone);
}

TEST_F(ToolTest, WhatIsWrongWithProgressIsLeftOut) {
  AddGo([](ToolCall& call) {
    call.Progress(-1, std::numeric_limits<double>::infinity(), kBadUtf8);
    return ToolResult::Text("done");
  });
  EXPECT_EQ(Said(Go()),
            "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":"
            "{\"progressToken\":\"t\",\"progress\":-1.0}}\n\n"
            "data: " +
                std::string(kDone) + "\n\n");
}

TEST_F(ToolTest, OnlyTheFirstReplyCounts) {
  AddGo([this](ToolCall call) {
    call_ = call;
    call.Reply(ToolResult::Text("done"));
    call.Reply(ToolResult::Text("again"));
  });
  const std::uint64_t exchange = Go();
  call_->Reply(ToolResult::Text("late"));
  call_->Progress(1);
  call_.reset();
  EXPECT_EQ(peer_.wakes(), 0);
  peer_.Wake();
  EXPECT_EQ(Said(exchange), kDone);
}

TEST_F(ToolTest, OutsideOnlyTheFirstReplyCountsToo) {
  AddKeeper();
  const std::uint64_t exchange = Go();
  call_->Reply(ToolResult::Text("done"));
  call_->Reply(ToolResult::Text("again"));
  call_->Progress(1);
  peer_.Wake();
  EXPECT_EQ(Said(exchange), kDone);
}

TEST_F(ToolTest, NothingIsSentForACancelledCall) {
  AddKeeper();
  const std::uint64_t exchange = Go();
  EXPECT_FALSE(call_->cancelled());
  peer_.Post(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}})",
             session_);
  EXPECT_TRUE(call_->cancelled());
  EXPECT_TRUE(peer_.Of(exchange).ended);
  call_->Progress(1);
  call_->Reply(ToolResult::Text("late"));
  call_.reset();
  EXPECT_EQ(peer_.wakes(), 0);
  peer_.Wake();
  EXPECT_EQ(Said(exchange), "");
}

TEST_F(ToolTest, ACallMayOutliveItsServer) {
  AddKeeper();
  Go();
  peer_.DestroyServer();
  EXPECT_FALSE(call_->cancelled());
  call_->Progress(1);
  call_->Reply(ToolResult::Text("late"));
  call_->Reply(ToolResult::Text("later"));
  call_.reset();
  EXPECT_EQ(peer_.wakes(), 0);
}

TEST_F(ToolTest, ACallMayBeDroppedAfterItsServer) {
  AddKeeper();
  Go();
  peer_.DestroyServer();
  call_.reset();
  EXPECT_EQ(peer_.wakes(), 0);
}

TEST_F(ToolTest, AServerMayBeDestroyedWithWorkToDo) {
  AddKeeper(UsesSession());
  Go(1);
  call_->Progress(1);
  call_->Reply(ToolResult::Text("done"));
  peer_.store().Hold();
  Go(2);  // waits for its state
  peer_.DestroyServer();
  EXPECT_EQ(peer_.store().held(), 1u);
}

// --- what is kept ---

TEST_F(ToolTest, NothingOfASessionIsLeftWhenItEnds) {
  AddGo(
      [](ToolCall& call) {
        call.state()["a"] = 1;
        return ToolResult();
      },
      UsesSession());
  ASSERT_TRUE(peer_.server().AddTool({.name = "make", .state = MakesHandle("box")}, Nothing));
  Go();
  peer_.Call(session_, 2, "make");
  peer_.Call(session_, 3, "make");
  EXPECT_EQ(peer_.memory().size(), 4u);
  EXPECT_EQ(peer_.Of(peer_.Delete(session_)).status, 204);
  EXPECT_EQ(peer_.memory().size(), 0u);
}

TEST_F(ToolTest, NothingOfAChannelIsLeftWhenItCloses) {
  AddGo(
      [](ToolCall& call) {
        call.state()["a"] = 1;
        return ToolResult();
      },
      UsesSession());
  const std::size_t before = peer_.memory().size();
  peer_.Open(1);
  peer_.Send(1, R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":)"
                R"("2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}})");
  peer_.Send(1, R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"go"}})");
  EXPECT_EQ(peer_.Of(1).messages.size(), 2u);
  EXPECT_EQ(peer_.memory().size(), before + 1);
  peer_.Close(1);
  EXPECT_EQ(peer_.memory().size(), before);
}

TEST_F(ToolTest, WhatAPrincipalOwnsOutlivesItsSessions) {
  ASSERT_TRUE(peer_.server().AddTool({.name = "make", .state = MakesHandle("box")}, Nothing));
  const auto session = peer_.OpenSession("alice");
  peer_.Call(session, 1, "make", "{}", "alice");
  EXPECT_EQ(peer_.memory().size(), 2u);
  EXPECT_EQ(peer_.Of(peer_.Delete(session, "alice")).status, 204);
  EXPECT_EQ(peer_.memory().size(), 1u);
}

TEST_F(ToolTest, ExpiredSessionsAreFreedInTime) {
  AddKeeper();
  for (int i = 0; i < 99; ++i) peer_.OpenSession();
  EXPECT_EQ(peer_.memory().size(), 100u);
  for (int i = 0; i < 10'000 && peer_.memory().size() > 0; ++i) {
    ASSERT_NE(peer_.server().NextDeadline(), kNever);
    peer_.clock().AdvanceTo(peer_.server().NextDeadline());
    peer_.Wake();
  }
  EXPECT_EQ(peer_.memory().size(), 0u);
}

TEST(ToolList, CountsAllHandlesPageByPage) {
  ServerPeer peer({}, {.max_records_per_owner = 3'000});
  std::size_t listed = 0;
  ASSERT_TRUE(peer.server().AddTool({.name = "make", .state = MakesHandle("box")}, Nothing));
  ASSERT_TRUE(
      peer.server().AddTool({.name = "list", .state = ListsHandles("box")}, [&](ToolCall& call) {
        listed = call.handles().size();
        return ToolResult();
      }));
  for (int i = 0; i < 2'500; ++i) peer.CallStateless(i, "make", "{}", "alice");
  EXPECT_EQ(peer.Of(peer.CallStateless(1, "list", "{}", "alice")).status, 200);
  EXPECT_EQ(listed, 2'500u);
}

}  // namespace
}  // namespace mcp_session

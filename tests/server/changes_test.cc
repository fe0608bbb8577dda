// subscriptions/listen (spec section 9), and the bus that carries changes from node to node.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mcp_session/store/store.h"
#include "tests/server/answers.h"
#include "tests/server/server_peer.h"

namespace mcp_session {
namespace {

constexpr RecordKey kBus{"server", "changes", "mcp-session"};

std::string Meta(const std::string& id) {
  return R"("_meta":{"io.modelcontextprotocol/subscriptionId":)" + id + "}";
}

std::string Message(const std::string& method, const std::string& members, const std::string& id) {
  return R"({"jsonrpc":"2.0","method":"notifications/)" + method + R"(","params":{)" + members +
         (members.empty() ? "" : ",") + Meta(id) + "}}";
}

std::string Event(const std::string& message) { return "data: " + message + "\n\n"; }

std::string Acknowledged(const std::string& honoured, const std::string& id = "7") {
  return Message("subscriptions/acknowledged", R"("notifications":)" + honoured, id);
}

std::string Changed(const std::string& list, const std::string& id = "7") {
  return Message(list + "/list_changed", "", id);
}

std::string Updated(const std::string& uri, const std::string& id = "7") {
  return Message("resources/updated", R"("uri":")" + uri + '"', id);
}

constexpr char kTools[] = R"({"toolsListChanged":true})";

class ChangesTest : public testing::Test {
 protected:
  void SetUp() override { Serve({}); }

  void Serve(ChangeOptions options) {
    McpServer& server = peer_.server();
    server.ServeChanges(std::move(options));
    ASSERT_TRUE(server.AddTool({.name = "change"}, [&server](ToolCall&) {
      server.NotifyToolsChanged();
      return ToolResult::Text("done");
    }));
    ASSERT_TRUE(server.AddPrompt({.name = "p"}, [](PromptCall&) { return PromptResult(); }));
    ASSERT_TRUE(server.AddResource({.uri = "x://a", .name = "a"},
                                   [](ResourceCall&) { return ResourceResult(); }));
  }

  static std::string Request(const std::string& wanted, const std::string& id = "7") {
    return R"({"jsonrpc":"2.0","id":)" + id +
           R"(,"method":"subscriptions/listen","params":{"notifications":)" + wanted +
           R"(,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
           R"("io.modelcontextprotocol/clientCapabilities":{}}}})";
  }
  std::uint64_t Listen(const std::string& wanted, const std::string& id = "7",
                       std::string_view principal = {}) {
    return peer_.Post(
        Request(wanted, id),
        {{"mcp-protocol-version", "2026-07-28"}, {"mcp-method", "subscriptions/listen"}},
        principal);
  }
  const std::string& Body(std::uint64_t exchange) { return peer_.Of(exchange).body; }
  void Pass(Millis time) {
    peer_.clock().Advance(time);
    peer_.Wake();
  }
  void Submit(StoreCommand command) {
    peer_.store().Submit(StoreTicket{1 << 20}, std::move(command), peer_.clock().Now());
  }
  // What another node says.
  void Elsewhere(std::string data) {
    Submit(store::Append{kBus, std::move(data)});
    peer_.Wake();
  }

  ServerPeer peer_;
};

constexpr char kOther[] = "othernode00";

// U-01, U-02
TEST_F(ChangesTest, AListenIsAcknowledgedWithWhatWillBeTold) {
  const auto listen =
      Listen(R"({"toolsListChanged":true,"promptsListChanged":false,"resourcesListChanged":true,)"
             R"("resourceSubscriptions":["x://a"],"taskIds":["t"]})");
  EXPECT_EQ(peer_.Of(listen).status, 200);
  EXPECT_TRUE(peer_.Of(listen).stream);
  EXPECT_FALSE(peer_.Of(listen).ended);
  EXPECT_EQ(Body(listen),
            Event(Acknowledged(R"({"toolsListChanged":true,"resourcesListChanged":true,)"
                               R"("resourceSubscriptions":["x://a"]})")));
}

TEST(ChangesWithoutFeaturesTest, WhatIsNotServedIsLeftOut) {
  ServerPeer peer;
  peer.server().ServeChanges();
  ASSERT_TRUE(peer.server().AddTool({.name = "t"}, [](ToolCall&) { return ToolResult(); }));
  const auto capabilities = peer.AskStateless("server/discover", "");
  EXPECT_NE(capabilities.find(R"("capabilities":{"tools":{"listChanged":true}})"),
            std::string::npos);
  peer.Open(1);
  peer.Send(1, R"({"jsonrpc":"2.0","id":"s","method":"subscriptions/listen","params":)"
               R"({"notifications":{"promptsListChanged":true,"resourcesListChanged":true,)"
               R"("resourceSubscriptions":["x://a"]},)"
               R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
               R"("io.modelcontextprotocol/clientCapabilities":{}}}})");
  EXPECT_EQ(peer.Of(1).messages, std::vector<std::string>{Acknowledged("{}", "\"s\"")});
}

TEST(ChangesWithoutFeaturesTest, NobodyListensWhereChangesAreNotServed) {
  ServerPeer peer;
  ASSERT_TRUE(peer.server().AddTool({.name = "t"}, [](ToolCall&) { return ToolResult(); }));
  peer.server().NotifyToolsChanged();
  EXPECT_NE(peer.AskStateless("subscriptions/listen", R"("notifications":{})").find("-32601"),
            std::string::npos);
  EXPECT_NE(peer.AskStateless("server/discover", "").find(R"("tools":{})"), std::string::npos);
}

TEST_F(ChangesTest, CapabilitiesTellOfIt) {
  EXPECT_NE(peer_.AskStateless("server/discover", "")
                .find(R"("tools":{"listChanged":true},"prompts":{"listChanged":true},)"
                      R"("resources":{"subscribe":true,"listChanged":true})"),
            std::string::npos);
}

TEST_F(ChangesTest, MalformedFiltersAreRefused) {
  for (const char* wanted :
       {"5", "[]", R"({"toolsListChanged":1})", R"({"resourceSubscriptions":"x://a"})",
        R"({"resourceSubscriptions":[1]})"}) {
    const auto listen = Listen(wanted);
    EXPECT_NE(Body(listen).find("-32602"), std::string::npos) << wanted;
    EXPECT_FALSE(peer_.Of(listen).stream);
  }
}

// U-03, U-04, U-09
TEST_F(ChangesTest, ChangesAreToldToThoseWhoAskedForThem) {
  const auto number = Listen(kTools);
  const auto text = Listen(kTools, "\"7\"");
  const auto prompts = Listen(R"({"promptsListChanged":true})");
  peer_.CallStateless(1, "change");
  EXPECT_EQ(Body(number), Event(Acknowledged(kTools)) + Event(Changed("tools")));
  EXPECT_EQ(Body(text), Event(Acknowledged(kTools, "\"7\"")) + Event(Changed("tools", "\"7\"")));
  EXPECT_EQ(Body(prompts), Event(Acknowledged(R"({"promptsListChanged":true})")));
}

// U-04: of a call it is told elsewhere, whatever the request says that it wants.
TEST_F(ChangesTest, ProgressAndMessagesAreNoNews) {
  peer_.server().ServeLogging();
  ASSERT_TRUE(peer_.server().AddTool({.name = "say"}, [](ToolCall& call) {
    call.Progress(1);
    call.Log(LogLevel::kAlert, "", "said");
    return ToolResult::Text("done");
  }));
  std::string request = Request(kTools, "7");
  request.insert(request.find("\"_meta\":{") + 9,
                 R"("progressToken":1,"io.modelcontextprotocol/logLevel":"debug",)");
  const auto listen = peer_.Post(
      request, {{"mcp-protocol-version", "2026-07-28"}, {"mcp-method", "subscriptions/listen"}});
  const std::string call =
      peer_.AskStateless("tools/call", R"("name":"say")", "say",
                         R"(,"progressToken":1,"io.modelcontextprotocol/logLevel":"debug")");
  EXPECT_NE(call.find("notifications/progress"), std::string::npos);
  EXPECT_NE(call.find("notifications/message"), std::string::npos);
  EXPECT_EQ(Body(listen), Event(Acknowledged(kTools)));
}

TEST_F(ChangesTest, ResourcesAreToldByTheirUri) {
  const std::string wanted = R"({"resourceSubscriptions":["x://a","x://b"]})";
  const auto listen = Listen(wanted);
  peer_.server().NotifyResourceUpdated("x://b");
  peer_.server().NotifyResourceUpdated("x://c");
  peer_.server().NotifyResourceUpdated("\xC3(");  // no URI, and no JSON
  peer_.server().NotifyResourcesChanged();
  EXPECT_EQ(peer_.wakes(), 1);
  peer_.Wake();
  Pass(Millis{50});
  EXPECT_EQ(Body(listen), Event(Acknowledged(wanted)) + Event(Updated("x://b")));
}

TEST_F(ChangesTest, WhatFollowsFastIsToldTogether) {
  const auto listen = Listen(R"({"toolsListChanged":true,"promptsListChanged":true})");
  const std::string before = Body(listen);
  for (int i = 0; i < 5; ++i) {
    peer_.server().NotifyToolsChanged();
    peer_.Wake();
  }
  peer_.server().NotifyPromptsChanged();
  peer_.Wake();
  EXPECT_EQ(Body(listen), before + Event(Changed("tools")));
  EXPECT_EQ(peer_.server().NextDeadline(), peer_.clock().Now() + Millis{50});
  Pass(Millis{49});
  EXPECT_EQ(Body(listen), before + Event(Changed("tools")));
  Pass(Millis{1});
  EXPECT_EQ(Body(listen),
            before + Event(Changed("tools")) + Event(Changed("tools")) + Event(Changed("prompts")));
  Pass(Millis{50});
  peer_.server().NotifyPromptsChanged();
  peer_.Wake();
  EXPECT_EQ(Body(listen), before + Event(Changed("tools")) + Event(Changed("tools")) +
                              Event(Changed("prompts")) + Event(Changed("prompts")));
}

// U-06
TEST_F(ChangesTest, AClosedStreamIsToldNothing) {
  const auto gone = Listen(kTools);
  const auto other = Listen(kTools);
  const std::string before = Body(gone);
  peer_.Leave(gone);
  peer_.CallStateless(1, "change");
  EXPECT_EQ(Body(gone), before);
  EXPECT_EQ(Body(other), before + Event(Changed("tools")));
  EXPECT_EQ(peer_.server().open_calls(), 1u);
}

TEST_F(ChangesTest, OnAChannelItEndsByACancellation) {
  peer_.Open(1);
  peer_.Send(1, Request(kTools, "\"a\""));
  peer_.Send(1, Request(kTools, "8"));
  peer_.Send(1, R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":8}})");
  peer_.server().NotifyToolsChanged();
  peer_.Wake();
  EXPECT_EQ(peer_.Of(1).messages,
            (std::vector<std::string>{Acknowledged(kTools, "\"a\""), Acknowledged(kTools, "8"),
                                      Changed("tools", "\"a\"")}));
}

// U-07
TEST_F(ChangesTest, AGracefulStopIsTold) {
  const auto listen = Listen(kTools);
  const std::string before = Body(listen);
  peer_.Stop();
  EXPECT_TRUE(peer_.Of(listen).ended);
  EXPECT_EQ(Body(listen),
            before + Event(R"({"jsonrpc":"2.0","id":7,"result":{"resultType":"complete",)"
                           R"("_meta":{"io.modelcontextprotocol/subscriptionId":7,)"
                           R"("io.modelcontextprotocol/serverInfo":{"name":"mcp-session",)"
                           R"("version":"0.1.0"}}}})"));
  EXPECT_EQ(peer_.server().open_calls(), 0u);
  EXPECT_EQ(peer_.Of(Listen(kTools)).status, 429);
}

// U-08, R-3
TEST_F(ChangesTest, OnAChannelAStopIsToldTwice) {
  peer_.Open(1);
  peer_.Send(1, Request(kTools));
  peer_.Stop();
  const auto& messages = peer_.Of(1).messages;
  ASSERT_EQ(messages.size(), 3u);
  EXPECT_NE(messages[1].find(R"("id":7,"result":{"resultType":"complete")"), std::string::npos);
  EXPECT_EQ(messages[2],
            R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}})");
}

// --- limits ---

class LimitedChangesTest : public ChangesTest {
 protected:
  void SetUp() override {
    Serve({.max_listens = 3, .max_listens_per_caller = 2, .max_uris = 2, .max_uri_bytes = 8});
  }
};

TEST_F(LimitedChangesTest, OneCallerHasSoMany) {
  const auto first = Listen(kTools, "1", "ann");
  Listen(kTools, "2", "ann");
  const auto third = Listen(kTools, "3", "ann");
  EXPECT_EQ(peer_.Of(third).status, 429);
  EXPECT_FALSE(peer_.Of(third).stream);
  EXPECT_EQ(peer_.Of(Listen(kTools, "1", "bob")).status, 200);
  EXPECT_EQ(peer_.Of(Listen(kTools, "1", "cid")).status, 429);  // of all
  peer_.Leave(first);
  EXPECT_EQ(peer_.Of(Listen(kTools, "4", "ann")).status, 200);
}

TEST_F(LimitedChangesTest, OneChannelHasSoMany) {
  peer_.Open(1);
  for (const char* id : {"1", "2", "3"}) peer_.Send(1, Request(kTools, id));
  ASSERT_EQ(peer_.Of(1).messages.size(), 3u);
  EXPECT_NE(peer_.Of(1).messages[2].find("too many subscriptions"), std::string::npos);
}

TEST_F(LimitedChangesTest, OneListenHasSoManyUris) {
  EXPECT_TRUE(peer_.Of(Listen(R"({"resourceSubscriptions":["x://1234","b"]})")).stream);
  EXPECT_NE(Body(Listen(R"({"resourceSubscriptions":["a","b","c"]})")).find("-32602"),
            std::string::npos);
  EXPECT_NE(Body(Listen(R"({"resourceSubscriptions":["x://12345"]})")).find("-32602"),
            std::string::npos);
}

TEST_F(ChangesTest, OfVeryManyChangesItIsOnlySaidThatThereWereSome) {
  const auto listen = Listen(R"({"resourceSubscriptions":["x://a"],"toolsListChanged":true})");
  const std::string before = Body(listen);
  peer_.server().NotifyPromptsChanged();
  for (int i = 0; i < 2000; ++i) {
    peer_.server().NotifyResourceUpdated("x://" + std::to_string(i));
  }
  peer_.Wake();
  Pass(Millis{50});
  EXPECT_EQ(Body(listen), before + Event(Changed("tools")) + Event(Updated("x://a")));
}

// --- the bus ---

TEST_F(ChangesTest, WhatOtherNodesSayIsTold) {
  const auto listen = Listen(kTools);
  const std::string before = Body(listen);
  Elsewhere(std::string(kOther) + "P");
  EXPECT_EQ(Body(listen), before);
  Pass(Millis{50});
  Elsewhere(std::string(kOther) + "T");
  EXPECT_EQ(Body(listen), before + Event(Changed("tools")));
  Pass(Millis{50});
  Elsewhere(std::string(kOther) + "A");
  EXPECT_EQ(Body(listen), before + Event(Changed("tools")) + Event(Changed("tools")));
}

TEST_F(ChangesTest, WhatIsNotUnderstoodIsSkipped) {
  const auto listen = Listen(kTools);
  const std::string before = Body(listen);
  for (const char* data : {"", "T", kOther, "othernode00?", "othernode00-", "othernode00Z"}) {
    Elsewhere(data);
  }
  EXPECT_EQ(Body(listen), before);
  Elsewhere(std::string(kOther) + "T");
  EXPECT_EQ(Body(listen), before + Event(Changed("tools")));
}

TEST_F(ChangesTest, OwnChangesAreToldOnce) {
  const auto listen = Listen(kTools);
  const std::string before = Body(listen);
  peer_.CallStateless(1, "change");
  Pass(Seconds(31));  // the bus has been read again
  Pass(Seconds(31));
  EXPECT_EQ(Body(listen), before + Event(Changed("tools")));
}

TEST_F(ChangesTest, WhatWasSaidBeforeIsNotTold) {
  peer_.CallStateless(1, "change");
  Elsewhere(std::string(kOther) + "T");
  const auto listen = Listen(kTools);
  EXPECT_EQ(Body(listen), Event(Acknowledged(kTools)));
}

TEST_F(ChangesTest, TheBusIsReadOnlyWhileSomebodyListens) {
  const std::size_t none = peer_.store().commands();
  Pass(Minutes(1));
  EXPECT_EQ(peer_.store().commands(), none);
  const auto listen = Listen(kTools);
  const std::size_t some = peer_.store().commands();
  Pass(Seconds(30));
  EXPECT_GT(peer_.store().commands(), some);
  peer_.Leave(listen);
  Pass(Seconds(30));
  const std::size_t after = peer_.store().commands();
  for (int i = 0; i < 5; ++i) Pass(Seconds(30));
  EXPECT_EQ(peer_.store().commands(), after);
  const auto again = Listen(kTools);
  Elsewhere(std::string(kOther) + "T");
  EXPECT_EQ(Body(again), Event(Acknowledged(kTools)) + Event(Changed("tools")));
}

TEST_F(ChangesTest, TheBusLivesAsLongAsSomebodyListens) {
  const auto listen = Listen(kTools);
  for (int i = 0; i < 60; ++i) Pass(Seconds(30));
  Elsewhere(std::string(kOther) + "T");
  EXPECT_EQ(Body(listen), Event(Acknowledged(kTools)) + Event(Changed("tools")));
}

TEST_F(ChangesTest, AListenIsAcknowledgedWhenTheBusIsHeard) {
  peer_.store().Hold();
  const auto listen = Listen(kTools);
  EXPECT_EQ(peer_.Of(listen).status, 0);
  peer_.store().Release();
  peer_.Wake();
  EXPECT_EQ(Body(listen), Event(Acknowledged(kTools)));
}

TEST_F(ChangesTest, AGapMeansThatAnythingMayHaveChanged) {
  const auto listen = Listen(R"({"toolsListChanged":true,"resourceSubscriptions":["x://a"]})");
  const std::string before = Body(listen);
  peer_.store().Hold();  // what is read does not come
  for (int i = 0; i < 20; ++i) Submit(store::Append{kBus, std::string(kOther) + "P", 10});
  peer_.store().Release();
  peer_.Wake();
  Pass(Millis{50});
  EXPECT_EQ(Body(listen), before + Event(Changed("tools")) + Event(Updated("x://a")));
}

TEST_F(ChangesTest, ALostBusMeansThatAnythingMayHaveChanged) {
  const auto listen = Listen(kTools);
  const std::string before = Body(listen);
  Submit(store::Remove{kBus});
  Pass(Seconds(30));
  EXPECT_EQ(Body(listen), before + Event(Changed("tools")));
  Pass(Millis{50});
  Elsewhere(std::string(kOther) + "T");
  EXPECT_EQ(Body(listen), before + Event(Changed("tools")) + Event(Changed("tools")));
}

// --- the store is away ---

TEST_F(ChangesTest, WithoutTheStoreLocalListenersAreTold) {
  peer_.store().Fail(ErrorCode::kUnavailable);
  const auto listen = Listen(kTools);
  EXPECT_EQ(Body(listen), Event(Acknowledged(kTools)));
  peer_.server().NotifyToolsChanged();
  peer_.Wake();
  EXPECT_EQ(Body(listen), Event(Acknowledged(kTools)) + Event(Changed("tools")));
  for (int i = 0; i < 10; ++i) Pass(Seconds(1));
  EXPECT_EQ(Body(listen), Event(Acknowledged(kTools)) + Event(Changed("tools")));
  EXPECT_FALSE(peer_.Of(listen).ended);
}

TEST_F(ChangesTest, AfterAnOutageAnythingMayHaveChanged) {
  peer_.store().Fail(ErrorCode::kUnavailable);
  const auto listen = Listen(kTools);
  Pass(Seconds(1));
  peer_.store().Heal();
  Pass(Seconds(1));
  EXPECT_EQ(Body(listen), Event(Acknowledged(kTools)) + Event(Changed("tools")));
  Pass(Millis{50});
  Elsewhere(std::string(kOther) + "T");
  EXPECT_EQ(Body(listen),
            Event(Acknowledged(kTools)) + Event(Changed("tools")) + Event(Changed("tools")));
}

TEST_F(ChangesTest, AnOutageWhileListeningMissesNothing) {
  const auto listen = Listen(kTools);
  const std::string before = Body(listen);
  peer_.store().Fail(ErrorCode::kUnavailable);
  Pass(Seconds(30));
  peer_.memory().Submit(StoreTicket{1 << 20}, store::Append{kBus, std::string(kOther) + "T"},
                        peer_.clock().Now());
  EXPECT_EQ(Body(listen), before);
  peer_.store().Heal();
  Pass(Seconds(1));
  EXPECT_EQ(Body(listen), before + Event(Changed("tools")));
}

TEST_F(ChangesTest, WhatCouldNotBeSaidIsSaidLater) {
  peer_.store().Fail(ErrorCode::kUnavailable);
  peer_.server().NotifyToolsChanged();
  peer_.Wake();
  Pass(Seconds(1));
  peer_.store().Heal();
  Pass(Seconds(1));
  std::vector<StoreReply> replies;
  peer_.memory().Submit(StoreTicket{2}, store::ReadEvents{kBus}, peer_.clock().Now());
  peer_.memory().Drain(&replies);
  ASSERT_EQ(replies.size(), 1u);
  ASSERT_EQ(replies[0].events.size(), 1u);
  EXPECT_EQ(replies[0].events[0].data->substr(11), "T");
}

}  // namespace
}  // namespace mcp_session

// McpServer on a store that is away, late or damaged. An outage is 503 and says when to ask again,
// never 404: a client that reads 404 throws its session away (spec H-30).
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/server/server_peer.h"

namespace mcp_session {
namespace {

constexpr char kPing[] = R"({"jsonrpc":"2.0","id":1,"method":"ping"})";
constexpr char kInitialize[] =
    R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25",)"
    R"("capabilities":{},"clientInfo":{"name":"c","version":"1"}}})";
constexpr char kInitialized[] = R"({"jsonrpc":"2.0","method":"notifications/initialized"})";
constexpr char kPong[] = R"({"jsonrpc":"2.0","id":1,"result":{}})";

class StoreTroubleTest : public testing::Test {
 protected:
  void SetUp() override {
    const Json schema = {{"type", "object"}, {"properties", {{"box", {{"type", "string"}}}}}};
    const auto count = [this](ToolCall& call) {
      ++runs_;
      call.state()["runs"] = runs_;
      return ToolResult::Text("done");
    };
    ASSERT_TRUE(peer_.server().AddTool({.name = "count", .state = UsesSession()}, count));
    ASSERT_TRUE(peer_.server().AddTool(
        {.name = "fill", .input_schema = schema, .state = TakesHandle("box")}, count));
    ASSERT_TRUE(peer_.server().AddTool({.name = "make", .state = MakesHandle("box")},
                                       [this](ToolCall& call) {
                                         ++runs_;
                                         box_ = R"({"box":")" + call.handle() + "\"}";
                                         return ToolResult();
                                       }));
    ASSERT_TRUE(
        peer_.server().AddTool({.name = "list", .state = ListsHandles("box")}, [this](ToolCall&) {
          ++runs_;
          return ToolResult();
        }));
    ASSERT_TRUE(peer_.server().AddTool({.name = "wait", .state = UsesSession()},
                                       [this](ToolCall call) { call_ = call; }));
    session_ = peer_.OpenSession();
  }

  std::uint64_t Ping() { return peer_.Post(kPing, session_); }
  std::uint64_t Call(const char* tool, std::string_view arguments = "{}", int id = 1) {
    return peer_.Call(session_, id, tool, arguments);
  }

  void ExpectOutage(std::uint64_t exchange, const char* message, const char* id = "\"id\":1,") {
    const Received& received = peer_.Of(exchange);
    EXPECT_EQ(received.status, 503);
    EXPECT_EQ(received.headers.count("retry-after"), 1u);
    EXPECT_EQ(received.body, std::string(R"({"jsonrpc":"2.0",)") + id +
                                 R"("error":{"code":-32603,"message":")" + message + "\"}}");
  }
  void ExpectCorrupt(std::uint64_t exchange, const char* message) {
    EXPECT_EQ(peer_.Of(exchange).status, 500);
    EXPECT_EQ(peer_.Of(exchange).body,
              std::string(R"({"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":")") +
                  message + "\"}}");
  }

  ServerPeer peer_;
  ServerPeer::Headers session_;
  int runs_ = 0;
  std::string box_;  // the arguments that name it
  std::optional<ToolCall> call_;
};

constexpr char kSessionsAway[] = "the session store is unavailable";
constexpr char kStateAway[] = "the state store is unavailable";

// --- outages ---

TEST_F(StoreTroubleTest, OutageOnInitialize) {
  peer_.store().Fail(ErrorCode::kUnavailable);
  const std::uint64_t exchange = peer_.Post(kInitialize);
  ExpectOutage(exchange, kSessionsAway);
  EXPECT_EQ(peer_.Of(exchange).headers.count("mcp-session-id"), 0u);
  peer_.store().Heal();
  EXPECT_EQ(peer_.Of(peer_.Post(kInitialize)).status, 200);
}

TEST_F(StoreTroubleTest, OutageOnARequest) {
  peer_.store().Fail(ErrorCode::kUnavailable);
  ExpectOutage(Ping(), kSessionsAway);
  peer_.store().Heal();
  EXPECT_EQ(peer_.Of(Ping()).body, kPong);
}

TEST_F(StoreTroubleTest, OutageOnANotification) {
  peer_.store().Fail(ErrorCode::kUnavailable);
  ExpectOutage(peer_.Post(kInitialized, session_), kSessionsAway, "");
  peer_.store().Heal();
  EXPECT_EQ(peer_.Of(peer_.Post(kInitialized, session_)).status, 202);
}

// The record is read, and then cannot be written.
TEST_F(StoreTroubleTest, OutageWithinANotification) {
  peer_.store().Hold();
  const std::uint64_t exchange = peer_.Post(kInitialized, session_);
  peer_.store().Fail(ErrorCode::kUnavailable);
  peer_.store().Release();
  peer_.Wake();
  ExpectOutage(exchange, kSessionsAway, "");
}

TEST_F(StoreTroubleTest, OutageOnDelete) {
  peer_.store().Fail(ErrorCode::kUnavailable);
  ExpectOutage(peer_.Delete(session_), kSessionsAway, "");
  peer_.store().Heal();
  EXPECT_EQ(peer_.Of(Ping()).body, kPong);
  EXPECT_EQ(peer_.Of(peer_.Delete(session_)).status, 204);
}

TEST_F(StoreTroubleTest, OutageLoadingSessionState) {
  peer_.store().Hold();
  const std::uint64_t exchange = Call("count");
  peer_.store().Fail(ErrorCode::kUnavailable);  // the session was found before
  peer_.store().Release();
  peer_.Wake();
  ExpectOutage(exchange, kStateAway);
  EXPECT_EQ(runs_, 0);
}

TEST_F(StoreTroubleTest, OutageSavingSessionState) {
  Call("count");
  const std::uint64_t exchange = Call("wait");
  call_->state()["lost"] = true;
  peer_.store().Fail(ErrorCode::kUnavailable, 1);
  call_->Reply(ToolResult::Text("done"));
  peer_.Wake();
  ExpectOutage(exchange, kStateAway);
  Call("wait");
  EXPECT_EQ(call_->state(), (Json{{"runs", 1}}));
}

TEST_F(StoreTroubleTest, OutageOnEveryUseOfAHandle) {
  peer_.CallStateless(1, "make", "{}", "alice");
  runs_ = 0;
  const auto outage = [&](const char* tool, std::string_view arguments, std::string_view who) {
    peer_.store().Fail(ErrorCode::kUnavailable, 1);
    ExpectOutage(peer_.CallStateless(1, tool, arguments, who), kStateAway);
  };
  outage("fill", box_, "alice");
  outage("list", "{}", "alice");
  EXPECT_EQ(runs_, 0);
  outage("make", "{}", "alice");
  outage("make", "{}", "");
  EXPECT_EQ(peer_.memory().size(), 2u);  // the session and the first handle
}

// E-04
TEST_F(StoreTroubleTest, OutageOnAStreamIsToldInIt) {
  const std::uint64_t exchange = Call("wait");
  call_->Progress(1);
  peer_.Wake();
  call_->state()["lost"] = true;
  call_->Reply(ToolResult::Text("done"));
  peer_.store().Fail(ErrorCode::kUnavailable);
  peer_.Wake();
  EXPECT_EQ(peer_.Of(exchange).status, 200);
  EXPECT_TRUE(peer_.Of(exchange).ended);
  EXPECT_NE(peer_.Of(exchange).body.find(
                R"(data: {"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"the state )"
                R"(store is unavailable"}})"),
            std::string::npos);
}

TEST_F(StoreTroubleTest, OutageOnAChannel) {
  peer_.Open(1);
  peer_.Send(1, kInitialize);
  peer_.store().Fail(ErrorCode::kUnavailable);
  peer_.Send(1, R"({"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"count"}})");
  peer_.Send(1, R"({"jsonrpc":"2.0","id":3,"method":"ping"})");
  ASSERT_EQ(peer_.Of(1).messages.size(), 3u);
  EXPECT_EQ(peer_.Of(1).messages[1],
            R"({"jsonrpc":"2.0","id":2,"error":{"code":-32603,"message":"the state store is )"
            R"(unavailable"}})");
  EXPECT_EQ(peer_.Of(1).messages[2], R"({"jsonrpc":"2.0","id":3,"result":{}})");
}

// --- full ---

TEST_F(StoreTroubleTest, AFullStoreIsNoOutageOfATool) {
  peer_.store().Hold();
  const std::uint64_t exchange = Call("make");
  peer_.store().Fail(ErrorCode::kCapacity);
  peer_.store().Release();
  peer_.Wake();
  EXPECT_EQ(peer_.Of(exchange).status, 200);
  EXPECT_EQ(peer_.Of(exchange).body,
            R"({"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"There is no )"
            R"(room for more state: end what is no longer needed, or try again later."}],)"
            R"("isError":true}})");
}

TEST_F(StoreTroubleTest, AStateThatIsTooLargeIsToldInWords) {
  peer_.store().Hold();
  const std::uint64_t exchange = Call("make");
  peer_.store().Fail(ErrorCode::kTooLarge);
  peer_.store().Release();
  peer_.Wake();
  EXPECT_EQ(peer_.Of(exchange).body,
            R"({"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"The state has )"
            R"(become too large to be kept."}],"isError":true}})");
}

// --- damage ---

TEST_F(StoreTroubleTest, ASessionRecordThatCannotBeRead) {
  for (const char* data : {"", "S1", "S1d", "S2d-{}", "S1e-{}", "S1d?{}", "H1{}", "\x00\x01"}) {
    peer_.store().Corrupt(data);
    ExpectCorrupt(Ping(), "the session cannot be read");
  }
  peer_.store().Corrupt("S1d-");  // the client's description is not looked at
  EXPECT_EQ(peer_.Of(Ping()).body, kPong);
}

TEST_F(StoreTroubleTest, AStateThatCannotBeRead) {
  peer_.CallStateless(1, "make", "{}", "alice");
  runs_ = 0;
  for (const char* data : {"", "H1", "H2{}", "S1d-{}", "H1[]", "H1{", "H1{\"a\":\"\xFF\"}"}) {
    peer_.store().Corrupt(data);
    ExpectCorrupt(peer_.CallStateless(1, "fill", box_, "alice"), "the state cannot be read");
  }
  EXPECT_EQ(runs_, 0);
  peer_.store().Corrupt("H1{}");
  EXPECT_EQ(peer_.Of(peer_.CallStateless(1, "fill", box_, "alice")).status, 200);
}

// --- delays ---

TEST_F(StoreTroubleTest, RepliesOfTheStoreMayComeInAnyOrder) {
  const auto other = peer_.OpenSession();
  peer_.store().Hold();
  const std::uint64_t first = Ping();
  const std::uint64_t second = peer_.Post(kPing, other);
  const std::uint64_t third = peer_.Post(kInitialize);
  ASSERT_EQ(peer_.store().held(), 3u);
  peer_.store().ReleaseAt(2);
  peer_.Wake();
  EXPECT_EQ(peer_.Of(third).status, 200);
  EXPECT_EQ(peer_.Of(first).status, 0);
  peer_.store().ReleaseAt(1);
  peer_.Wake();
  EXPECT_EQ(peer_.Of(second).body, kPong);
  EXPECT_EQ(peer_.Of(first).status, 0);
  peer_.store().ReleaseAt(0);
  peer_.Wake();
  EXPECT_EQ(peer_.Of(first).body, kPong);
}

TEST_F(StoreTroubleTest, AClientMayLeaveWhileTheStoreThinks) {
  peer_.store().Hold();
  peer_.Leave(Ping());
  peer_.Leave(Call("count"));
  peer_.Leave(peer_.Delete(session_));
  peer_.store().Release();
  peer_.Wake();
  EXPECT_EQ(peer_.Of(Ping()).status, 404);
}

TEST_F(StoreTroubleTest, AnExchangeThatIsCancelledWhileItsStateLoadsDoesNotRun) {
  peer_.CallStateless(1, "make", "{}", "alice");
  runs_ = 0;
  peer_.store().Hold();
  peer_.Leave(peer_.CallStateless(1, "fill", box_, "alice"));  // S-44
  peer_.Leave(peer_.CallStateless(1, "list", "{}", "alice"));
  peer_.store().Release();
  peer_.Wake();
  EXPECT_EQ(runs_, 0);
}

TEST_F(StoreTroubleTest, AChannelThatClosesWhileItsStateLoadsLeavesNothing) {
  peer_.Open(1);
  peer_.Send(1, kInitialize);
  peer_.store().Hold();
  peer_.Send(1, R"({"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"count"}})");
  peer_.Close(1);
  peer_.store().Release();
  peer_.Wake();
  EXPECT_EQ(runs_, 0);
  EXPECT_EQ(peer_.memory().size(), 1u);  // the session of the fixture
}

TEST_F(StoreTroubleTest, ACallThatIsCancelledWhileItsStateIsSavedHasNoAnswer) {
  const std::uint64_t exchange = Call("wait");
  call_->state()["kept"] = true;
  call_->Reply(ToolResult::Text("done"));
  peer_.store().Hold();
  peer_.Wake();
  peer_.Post(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}})",
             session_);
  peer_.store().ReleaseAt(1);  // what was asked of the session, before what is saved
  peer_.Wake();
  peer_.store().Release();
  peer_.Wake();
  EXPECT_TRUE(peer_.Of(exchange).ended);
  EXPECT_EQ(peer_.Of(exchange).body, "");
  Call("wait");
  EXPECT_EQ(call_->state(), (Json{{"kept", true}}));
}

TEST_F(StoreTroubleTest, ASessionThatIsDeletedWhileACallSavesLeavesNothing) {
  const std::uint64_t exchange = Call("wait");
  call_->state()["kept"] = true;
  call_->Reply(ToolResult::Text("done"));
  peer_.store().Hold();
  peer_.Wake();
  peer_.Delete(session_);
  peer_.store().ReleaseAt(1);
  peer_.Wake();
  peer_.store().Release();
  peer_.Wake();
  EXPECT_TRUE(peer_.Of(exchange).ended);
  EXPECT_EQ(peer_.memory().size(), 0u);
}

// --- stores that answer later ---

TEST_F(StoreTroubleTest, RepliesThatComeLaterWakeTheHost) {
  peer_.store().Hold();
  const int before = peer_.wakes();
  const std::uint64_t first = Ping();
  const std::uint64_t second = Ping();
  EXPECT_EQ(peer_.Of(first).status, 0);
  EXPECT_EQ(peer_.wakes(), before);
  peer_.store().Release();
  EXPECT_EQ(peer_.wakes(), before + 1);  // once, for both
  peer_.Wake();
  EXPECT_EQ(peer_.Of(first).body, kPong);
  EXPECT_EQ(peer_.Of(second).body, kPong);
}

TEST_F(StoreTroubleTest, AStoreThatOutlivesItsServerWakesNobody) {
  peer_.store().Hold();
  Ping();
  const int before = peer_.wakes();
  peer_.DestroyServer();
  peer_.store().Release();
  EXPECT_EQ(peer_.wakes(), before);
}

// --- refusals ---

TEST_F(StoreTroubleTest, AStoreThatRefusesUsIsOurFault) {
  peer_.store().Fail(ErrorCode::kMisconfigured);
  EXPECT_EQ(peer_.Of(Ping()).status, 500);
  EXPECT_EQ(peer_.Of(peer_.Post(kInitialize)).status, 500);
}

TEST_F(StoreTroubleTest, ASessionWhoseTimeIsOverIsNotFound) {
  peer_.store().Fail(ErrorCode::kExpired);
  EXPECT_EQ(peer_.Of(Ping()).status, 404);
  EXPECT_EQ(peer_.Of(peer_.Delete(session_)).status, 404);
}

TEST_F(StoreTroubleTest, AHandleWhoseTimeIsOverIsGone) {
  Call("make");
  peer_.store().Fail(ErrorCode::kExpired, 0);
  peer_.store().Hold();
  const std::uint64_t exchange = Call("fill", box_);
  peer_.store().Release();  // the session is there
  peer_.store().Fail(ErrorCode::kExpired);
  peer_.Wake();
  EXPECT_EQ(peer_.Of(exchange).status, 200);
  EXPECT_NE(peer_.Of(exchange).body.find("does not exist or has ended"), std::string::npos);
}

TEST_F(StoreTroubleTest, ACallerWithTooLongANameIsRefused) {
  const std::string longest(kMaxPrincipalBytes, 'p');
  EXPECT_EQ(peer_.Of(peer_.Post(kInitialize, {}, longest)).status, 200);
  EXPECT_EQ(peer_.Of(peer_.Post(kInitialize, {}, longest + "p")).status, 403);
  EXPECT_EQ(peer_.Of(peer_.Post(kPing, session_, longest + "p")).status, 403);
  EXPECT_EQ(peer_.Of(peer_.Delete(session_, longest + "p")).status, 403);
  EXPECT_EQ(peer_.Of(peer_.CallStateless(1, "make", "{}", longest + "p")).status, 403);
  peer_.Open(1, longest + "p");
  peer_.Send(1, kInitialize);
  ASSERT_EQ(peer_.Of(1).messages.size(), 1u);
  EXPECT_NE(peer_.Of(1).messages[0].find("-32000"), std::string::npos);
}

}  // namespace
}  // namespace mcp_session

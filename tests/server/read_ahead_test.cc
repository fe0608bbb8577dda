// McpServer::ReadAhead: what a tool works on comes with the session, in one turn of the store.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "mcp_session/store/memory_store.h"
#include "tests/server/server_peer.h"

namespace mcp_session {
namespace {

class ReadAheadTest : public testing::Test {
 protected:
  void SetUp() override {
    peer_.server().ReadAhead();
    peer_.store().AnswerAhead();
    AddCounting({.name = "count", .state = UsesSession()});
    ASSERT_TRUE(peer_.server().AddTool({.name = "make", .state = MakesHandle("box")},
                                       [this](ToolCall& call) {
                                         call.state()["runs"] = 100;
                                         box_ = call.handle();
                                         return ToolResult();
                                       }));
    AddCounting(TakesBox("fill"));
  }

  static Tool TakesBox(std::string name) {
    return {.name = std::move(name),
            .input_schema = {{"type", "object"}, {"properties", {{"box", {{"type", "string"}}}}}},
            .state = TakesHandle("box")};
  }

  ToolResult Count(ToolCall& call) {
    ++runs_;
    Json& runs = call.state()["runs"];
    runs = runs.is_null() ? 1 : runs.get<int>() + 1;
    return ToolResult::Text(runs.dump());
  }
  void AddCounting(Tool tool) {
    ASSERT_TRUE(
        peer_.server().AddTool(std::move(tool), [this](ToolCall& call) { return Count(call); }));
  }

  // The text that a call answers.
  std::string Call(const ServerPeer::Headers& session, const char* tool,
                   std::string_view principal = {}) {
    return TextOf(peer_.Call(session, 1, tool, "{\"box\":\"" + box_ + "\"}", principal));
  }
  std::string TextOf(std::uint64_t exchange) {
    const std::string& body = peer_.Of(exchange).body;
    const std::string before = "\"text\":\"";
    const std::size_t at = body.find(before);
    if (at == std::string::npos) return body;
    return body.substr(at + before.size(), body.find('"', at + before.size()) - at - before.size());
  }

  // How many commands the store gets for it.
  std::size_t CommandsFor(const ServerPeer::Headers& session, const char* tool) {
    const std::size_t before = peer_.store().commands();
    Call(session, tool);
    return peer_.store().commands() - before;
  }

  // Writes the state of the session, as nobody else does.
  void WriteState(const ServerPeer::Headers& session, std::string data) {
    const std::string owner = "session:" + session[0].second;
    peer_.memory().Submit(
        {1}, store::Create{{owner, "state", "state"}, std::move(data), {.max_life = Hours(1)}},
        peer_.clock().Now());
    std::vector<StoreReply> replies;
    peer_.memory().Drain(&replies);
    ASSERT_EQ(replies.size(), 1u);
    ASSERT_FALSE(replies[0].error);
  }

  ServerPeer peer_;
  std::string box_;
  int runs_ = 0;
};

TEST_F(ReadAheadTest, ACallReadsOnceAndWritesOnce) {
  const ServerPeer::Headers session = peer_.OpenSession();
  EXPECT_EQ(Call(session, "count"), "1");  // there is no state yet
  EXPECT_EQ(Call(session, "count"), "2");
  EXPECT_EQ(CommandsFor(session, "count"), 2u);
  EXPECT_EQ(Call(session, "count"), "4");
  Call(session, "make");
  EXPECT_EQ(Call(session, "fill"), "101");
  EXPECT_EQ(CommandsFor(session, "fill"), 2u);
}

TEST(ReadAheadLeftOut, IsReadByTheCall) {
  ServerPeer peer;  // whose store answers nothing ahead
  peer.server().ReadAhead();
  int seen = 0;
  ASSERT_TRUE(peer.server().AddTool({.name = "count", .state = UsesSession()}, [&](ToolCall& call) {
    seen = call.state().value("runs", 0);
    call.state()["runs"] = seen + 1;
    return ToolResult();
  }));
  const ServerPeer::Headers session = peer.OpenSession();
  for (int id = 1; id <= 3; ++id) peer.Call(session, id, "count");
  EXPECT_EQ(seen, 2);
}

TEST_F(ReadAheadTest, OtherRequestsReadTheSessionOnly) {
  const ServerPeer::Headers session = peer_.OpenSession();
  ASSERT_TRUE(
      peer_.server().AddTool({.name = "plain"}, [](ToolCall&) { return ToolResult::Text("x"); }));
  EXPECT_EQ(CommandsFor(session, "plain"), 1u);
  EXPECT_EQ(CommandsFor(session, "unheard of"), 1u);
  box_ = "basket_no-box";
  EXPECT_EQ(CommandsFor(session, "fill"), 1u);
}

// Somebody wrote between the reading and the writing.
TEST_F(ReadAheadTest, AConflictRunsOnWhatIsThereNow) {
  const ServerPeer::Headers session = peer_.OpenSession();
  Call(session, "count");
  runs_ = 0;
  peer_.store().Interfere(1);
  EXPECT_EQ(Call(session, "count"), "2");
  EXPECT_EQ(runs_, 2);
}

// What was read ahead for a session that is not there is nobody's.
TEST_F(ReadAheadTest, AStateWithoutItsSessionIsNotServed) {
  const ServerPeer::Headers session = peer_.OpenSession();
  Call(session, "count");
  runs_ = 0;
  peer_.clock().Advance(Hours(23));  // the session is idle, its state is not over
  const std::uint64_t exchange = peer_.Call(session, 1, "count");
  EXPECT_EQ(peer_.Of(exchange).status, 404);
  EXPECT_EQ(runs_, 0);
}

TEST_F(ReadAheadTest, AHandleOfSomebodyElseIsNotThere) {
  const ServerPeer::Headers alices = peer_.OpenSession("alice");
  const ServerPeer::Headers bobs = peer_.OpenSession("bob");
  Call(alices, "make", "alice");
  EXPECT_EQ(Call(alices, "fill", "alice"), "101");
  const std::string stolen = Call(bobs, "fill", "bob");
  box_ = "box_AAAAAAAAAAAAAAAAAAAAAA";
  EXPECT_EQ(stolen, Call(bobs, "fill", "bob"));
  EXPECT_EQ(stolen, "This box does not exist or has ended. Call make for a new one.");
}

TEST_F(ReadAheadTest, ADamagedStateIsSaid) {
  const ServerPeer::Headers session = peer_.OpenSession();
  WriteState(session, "nonsense");
  const std::uint64_t exchange = peer_.Call(session, 1, "count");
  EXPECT_EQ(peer_.Of(exchange).status, 500);
  EXPECT_NE(peer_.Of(exchange).body.find("the state cannot be read"), std::string::npos);
}

TEST_F(ReadAheadTest, AToolThatReplacedAnotherMeanwhileReadsItsOwn) {
  const ServerPeer::Headers session = peer_.OpenSession();
  Call(session, "count");
  Call(session, "make");
  peer_.store().Hold();
  const std::uint64_t exchange = peer_.Call(session, 1, "count", "{\"box\":\"" + box_ + "\"}");
  ASSERT_TRUE(peer_.server().RemoveTool("count"));
  AddCounting(TakesBox("count"));
  peer_.store().Release();
  peer_.Wake();
  EXPECT_EQ(TextOf(exchange), "101");
}

}  // namespace
}  // namespace mcp_session

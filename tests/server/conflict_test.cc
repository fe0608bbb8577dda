// Calls that change one state at the same time. Each handler runs again on what the others wrote,
// so no write is lost.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "mcp_session/json/access.h"
#include "tests/server/server_peer.h"

namespace mcp_session {
namespace {

class ConflictTest : public testing::Test {
 protected:
  void SetUp() override {
    const Json schema = {{"type", "object"},
                         {"properties", {{"box", {{"type", "string"}}}, {"item", {}}}}};
    const auto keep = [this](ToolCall call) { waiting_.push_back(call); };
    ASSERT_TRUE(peer_.server().AddTool({.name = "make", .state = MakesHandle("box")},
                                       [this](ToolCall& call) {
                                         box_ = call.handle();
                                         return ToolResult();
                                       }));
    ASSERT_TRUE(peer_.server().AddTool(
        {.name = "fill", .input_schema = schema, .state = TakesHandle("box")}, keep));
    ASSERT_TRUE(peer_.server().AddTool(
        {.name = "end", .input_schema = schema, .state = TakesHandle("box")}, [](ToolCall& call) {
          call.EndHandle();
          return ToolResult::Text("ended");
        }));
    ASSERT_TRUE(peer_.server().AddTool(
        {.name = "note", .input_schema = schema, .state = UsesSession()}, keep));
    session_ = peer_.OpenSession();
    peer_.Call(session_, 0, "make");
  }

  std::uint64_t Call(int id, const char* tool) {
    return peer_.Call(session_, id, tool,
                      R"({"box":")" + box_ + R"(","item":)" + std::to_string(id) + "}");
  }

  // The oldest waiting call adds its item to the state and answers. It may wait again after that.
  void Finish() {
    ToolCall call = waiting_.front();
    waiting_.erase(waiting_.begin());
    Json& items = call.state()["items"];
    items.push_back(*call.IntegerArgument("item"));
    call.Reply(ToolResult::Text("done"));
    peer_.Wake();
  }

  // The state as the next call finds it.
  Json Items(const char* tool) {
    Call(99, tool);
    const Json items = waiting_.back().state()["items"];
    waiting_.back().Reply(ToolResult::Error("only looking"));
    waiting_.pop_back();
    peer_.Wake();
    return items;
  }

  ServerPeer peer_;
  ServerPeer::Headers session_;
  std::string box_;
  std::vector<ToolCall> waiting_;
};

constexpr char kDone[] = R"("result":{"content":[{"type":"text","text":"done"}]}})";
std::string Done(int id) { return R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + "," + kDone; }

TEST_F(ConflictTest, TwoCallsOnOneHandleLoseNoWrite) {
  const std::uint64_t first = Call(1, "fill");
  const std::uint64_t second = Call(2, "fill");
  ASSERT_EQ(waiting_.size(), 2u);
  Finish();
  EXPECT_EQ(peer_.Of(first).body, Done(1));
  Finish();
  EXPECT_EQ(peer_.Of(second).status, 0);  // it met what the first has written, and runs again
  ASSERT_EQ(waiting_.size(), 1u);
  EXPECT_EQ(waiting_[0].state(), (Json{{"items", {1}}}));
  EXPECT_EQ(waiting_[0].handle(), box_);
  Finish();
  EXPECT_EQ(peer_.Of(second).body, Done(2));
  EXPECT_EQ(Items("fill"), (Json{1, 2}));
}

TEST_F(ConflictTest, TwoCallsOnSessionStateLoseNoWrite) {
  Call(1, "note");
  Finish();
  const std::uint64_t second = Call(2, "note");
  const std::uint64_t third = Call(3, "note");
  Finish();
  Finish();
  Finish();
  EXPECT_EQ(peer_.Of(second).body, Done(2));
  EXPECT_EQ(peer_.Of(third).body, Done(3));
  EXPECT_EQ(Items("note"), (Json{1, 2, 3}));
}

// There is no record yet that could have another version.
TEST_F(ConflictTest, TwoFirstWritesOfSessionStateLoseNoWrite) {
  const std::uint64_t first = Call(1, "note");
  const std::uint64_t second = Call(2, "note");
  Finish();
  Finish();
  EXPECT_EQ(peer_.Of(first).body, Done(1));
  EXPECT_EQ(peer_.Of(second).status, 0);
  Finish();
  EXPECT_EQ(peer_.Of(second).body, Done(2));
  EXPECT_EQ(Items("note"), (Json{1, 2}));
}

TEST_F(ConflictTest, ManyCallsAtOnceLoseNoWrite) {
  std::vector<std::uint64_t> exchanges;
  for (int id = 1; id <= 4; ++id) exchanges.push_back(Call(id, "fill"));
  while (!waiting_.empty()) Finish();
  for (int id = 1; id <= 4; ++id) EXPECT_EQ(peer_.Of(exchanges[id - 1]).body, Done(id));
  EXPECT_EQ(Items("fill"), (Json{1, 2, 3, 4}));
}

TEST_F(ConflictTest, AfterFiveConflictsTheCallGivesUp) {
  const std::uint64_t exchange = Call(1, "fill");
  peer_.store().Interfere(5);
  for (int run = 1; run <= 5; ++run) {
    ASSERT_EQ(waiting_.size(), 1u) << run;
    EXPECT_EQ(peer_.Of(exchange).status, 0) << run;
    Finish();
  }
  EXPECT_TRUE(waiting_.empty());
  EXPECT_EQ(peer_.Of(exchange).body,
            R"({"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"too many calls )"
            R"(change this at once; try again"}],"isError":true}})");
  EXPECT_EQ(Items("fill"), Json());
}

TEST_F(ConflictTest, TheFifthRunMaySucceed) {
  const std::uint64_t exchange = Call(1, "fill");
  peer_.store().Interfere(4);
  for (int run = 1; run <= 5; ++run) Finish();
  EXPECT_EQ(peer_.Of(exchange).body, Done(1));
  EXPECT_EQ(Items("fill"), (Json{1}));
}

TEST_F(ConflictTest, CopiesOfTheEarlierRunDoNothing) {
  const std::uint64_t exchange = Call(1, "fill");
  ToolCall earlier = waiting_[0];
  peer_.store().Interfere(1);
  Finish();
  ASSERT_EQ(waiting_.size(), 1u);
  earlier.Reply(ToolResult::Text("early"));
  earlier.Progress(1);
  peer_.Wake();
  EXPECT_EQ(peer_.Of(exchange).status, 0);
  Finish();
  EXPECT_EQ(peer_.Of(exchange).body, Done(1));
}

TEST_F(ConflictTest, TheNewRunIsCancelledAsTheFirstWouldBe) {
  const std::uint64_t exchange = Call(1, "fill");
  peer_.store().Interfere(1);
  Finish();
  ASSERT_EQ(waiting_.size(), 1u);
  peer_.Post(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}})",
             session_);
  EXPECT_TRUE(waiting_[0].cancelled());
  EXPECT_TRUE(peer_.Of(exchange).ended);
  EXPECT_EQ(peer_.Of(exchange).body, "");
}

TEST_F(ConflictTest, ACallThatIsCancelledDoesNotRunAgain) {
  Call(1, "fill");
  peer_.store().Interfere(1);
  peer_.store().Hold();
  Finish();  // its conflict is on its way
  peer_.Post(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}})",
             session_);
  peer_.store().ReleaseAt(1);  // the session is found
  peer_.Wake();
  peer_.store().Release();
  peer_.Wake();
  EXPECT_TRUE(waiting_.empty());
}

TEST_F(ConflictTest, AHandleMayEndMeanwhile) {
  const std::uint64_t filling = Call(1, "fill");
  EXPECT_EQ(peer_.Of(Call(2, "end")).status, 200);
  Finish();
  EXPECT_EQ(peer_.Of(filling).body,
            R"({"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"This box does )"
            R"(not exist or has ended. Call make for a new one."}],"isError":true}})");
}

TEST_F(ConflictTest, AnErrorMeetsNoConflict) {
  const std::uint64_t first = Call(1, "fill");
  const std::uint64_t second = Call(2, "fill");
  Finish();
  waiting_[0].Reply(ToolResult::Error("no"));
  peer_.Wake();
  EXPECT_EQ(peer_.Of(first).body, Done(1));
  EXPECT_TRUE(peer_.Of(second).ended);
  EXPECT_EQ(Items("fill"), (Json{1}));
}

// Two notifications/initialized at once: the second to write finds the flag set.
TEST(SessionConflict, InitializedTwiceAtOnce) {
  ServerPeer peer;
  const auto session = peer.OpenSession();
  constexpr char kInitialized[] = R"({"jsonrpc":"2.0","method":"notifications/initialized"})";
  peer.store().Hold();
  const std::uint64_t first = peer.Post(kInitialized, session);
  const std::uint64_t second = peer.Post(kInitialized, session);
  peer.store().Release();
  peer.Wake();
  EXPECT_EQ(peer.Of(first).status, 202);
  EXPECT_EQ(peer.Of(second).status, 202);
}

}  // namespace
}  // namespace mcp_session

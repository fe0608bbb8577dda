// Log messages (spec P-05 to P-07): logging/setLevel in sessions, logLevel in stateless requests.
#include <gtest/gtest.h>

#include <string>

#include "mcp_session/session/session_record.h"
#include "tests/server/answers.h"
#include "tests/server/server_peer.h"

namespace mcp_session {
namespace {

std::string Message(const std::string& params) {
  return "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{" + params +
         "}}\n\n";
}

const std::string kDebug = Message(R"("level":"debug","data":"d")");
const std::string kInfo = Message(R"("level":"info","data":{"n":1},"logger":"here")");
const std::string kAlert = Message(R"("level":"alert","data":null)");
constexpr char kDone[] = R"("content":[{"type":"text","text":"done"}])";

class LoggingTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(peer_.server().AddTool({.name = "go"}, [](ToolCall& call) {
      call.Log(LogLevel::kDebug, "", "d");
      call.Log(LogLevel::kInfo, "here", {{"n", 1}});
      call.Log(LogLevel::kAlert, "", nullptr);
      call.Log(LogLevel::kAlert, "", "\xC3(");  // dropped: it has no JSON form
      return ToolResult::Text("done");
    }));
  }
  std::string Go() { return peer_.Ask(session_, "tools/call", R"("name":"go")"); }
  std::string Set(const std::string& level) {
    return peer_.Ask(session_, "logging/setLevel", R"("level":)" + level);
  }
  static std::string Stream(const std::string& messages) {
    return messages + "data: " + ResultOf(kDone) + "\n\n";
  }

  ServerPeer peer_;
  ServerPeer::Headers session_ = peer_.OpenSession();
};

TEST_F(LoggingTest, IsNotThereUnlessServed) {
  EXPECT_EQ(Set("\"debug\""), ErrorOf(-32601, "unknown method"));
  EXPECT_EQ(Go(), ResultOf(kDone));
  EXPECT_EQ(peer_.AskStateless("server/discover", "").find("logging"), std::string::npos);
  peer_.server().ServeLogging();
  EXPECT_NE(peer_.AskStateless("server/discover", "").find(R"("logging":{})"), std::string::npos);
}

TEST_F(LoggingTest, BeginsAtTheLevelThatTheServerChooses) {
  peer_.server().ServeLogging();
  EXPECT_EQ(Go(), Stream(kInfo + kAlert));
}

TEST_F(LoggingTest, KeepsToTheLevelOfTheSession) {
  peer_.server().ServeLogging();
  EXPECT_EQ(Set("\"debug\""), ResultOf(""));  // D-05: exactly {}
  EXPECT_EQ(Go(), Stream(kDebug + kInfo + kAlert));
  EXPECT_EQ(Set("\"error\""), ResultOf(""));
  EXPECT_EQ(Go(), Stream(kAlert));
  EXPECT_EQ(Set("\"emergency\""), ResultOf(""));
  EXPECT_EQ(Go(), ResultOf(kDone));
  session_ = peer_.OpenSession();  // another one has its own
  EXPECT_EQ(Go(), Stream(kInfo + kAlert));
}

TEST_F(LoggingTest, KeepsTheLevelOfAPrincipalsSession) {
  peer_.server().ServeLogging();
  session_ = peer_.OpenSession("alice");
  EXPECT_EQ(peer_.Ask(session_, "logging/setLevel", R"("level":"alert")", "alice"), ResultOf(""));
  EXPECT_EQ(peer_.Ask(session_, "tools/call", R"("name":"go")", "alice"), Stream(kAlert));
}

TEST_F(LoggingTest, RefusesWhatIsNoLevel) {
  peer_.server().ServeLogging();
  for (const char* level : {"\"\"", "\"Info\"", "\"notset\"", "1", "null"}) {
    EXPECT_EQ(Set(level), ErrorOf(-32602, "unknown log level")) << level;
  }
  EXPECT_EQ(peer_.Ask(session_, "logging/setLevel", ""), ErrorOf(-32602, "unknown log level"));
}

// notifications/initialized changes the same record; neither change undoes the other.
TEST_F(LoggingTest, LosesNoOtherChangeOfTheSession) {
  peer_.server().ServeLogging();
  peer_.store().Hold();
  const auto set = peer_.Post(
      R"({"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"alert"}})",
      session_);
  const auto initialized =
      peer_.Post(R"({"jsonrpc":"2.0","method":"notifications/initialized"})", session_);
  peer_.store().Release();
  peer_.Wake();
  EXPECT_EQ(peer_.Of(set).body, ResultOf(""));
  EXPECT_EQ(peer_.Of(initialized).status, 202);
  EXPECT_EQ(Go(), Stream(kAlert));
}

TEST_F(LoggingTest, IsOverWithItsChannel) {
  peer_.server().ServeLogging();
  peer_.Open(1);
  const auto send = [&](const std::string& request) {
    peer_.Send(1, R"({"jsonrpc":"2.0","id":1,"method":)" + request + "}");
  };
  send(R"("initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},)"
       R"("clientInfo":{"name":"c","version":"1"}})");
  send(R"("logging/setLevel","params":{"level":"alert"})");
  send(R"("tools/call","params":{"name":"go"})");
  const auto& messages = peer_.Of(1).messages;
  ASSERT_EQ(messages.size(), 4u);
  EXPECT_EQ(messages[1], ResultOf(""));
  EXPECT_EQ("data: " + messages[2] + "\n\n", kAlert);
  EXPECT_EQ(messages[3], ResultOf(kDone));
}

TEST_F(LoggingTest, StatelessGoesToWhoAsksForIt) {
  peer_.server().ServeLogging();
  const auto go = [&](const std::string& meta) {
    return peer_.AskStateless("tools/call", R"("name":"go")", "go", meta);
  };
  EXPECT_EQ(go(""), StatelessResultOf(kDone));
  const std::string end = "data: " + StatelessResultOf(kDone) + "\n\n";
  EXPECT_EQ(go(R"(,"io.modelcontextprotocol/logLevel":"debug")"), kDebug + kInfo + kAlert + end);
  EXPECT_EQ(go(R"(,"io.modelcontextprotocol/logLevel":"warning")"), kAlert + end);
  EXPECT_EQ(go(R"(,"io.modelcontextprotocol/logLevel":"x")"), ErrorOf(-32602, "unknown log level"));
  EXPECT_EQ(peer_.AskStateless("tools/list", "", "", R"(,"io.modelcontextprotocol/logLevel":1)"),
            ErrorOf(-32602, "unknown log level"));
  EXPECT_EQ(peer_.AskStateless("logging/setLevel", R"("level":"debug")"),
            ErrorOf(-32601, "unknown method"));
}

// Pages of lists, which are also looked at first, do not go before the check of the level.
TEST_F(LoggingTest, ChecksTheLevelOfListsWithPages) {
  peer_.server().ServeLogging();
  peer_.server().PageLists(1);
  const std::string meta = R"(,"io.modelcontextprotocol/logLevel":"x")";
  EXPECT_EQ(peer_.AskStateless("tools/list", "", "", meta), ErrorOf(-32602, "unknown log level"));
}

// --- the record ---

TEST(SessionRecord, KeepsTheLogLevel) {
  const std::string bare = EncodeSessionRecord({Revision::k2025_06_18, true, "{}"});
  EXPECT_EQ(bare, "S1ci{}");
  EXPECT_EQ(DecodeSessionHead(bare)->log_level, LogLevel::kNotSet);
  const std::string set = WithLogLevel(bare, LogLevel::kDebug);
  EXPECT_EQ(set, "S1ci1{}");
  EXPECT_EQ(DecodeSessionHead(set)->log_level, LogLevel::kDebug);
  const std::string again = WithLogLevel(set, LogLevel::kEmergency);
  EXPECT_EQ(again, "S1ci8{}");
  EXPECT_EQ(DecodeSessionHead(again)->log_level, LogLevel::kEmergency);
  EXPECT_EQ(MarkInitialized(again), again);
  for (const char* other : {"S1ci", "S1ci0{}", "S1ci9{}"}) {
    EXPECT_EQ(DecodeSessionHead(other)->log_level, LogLevel::kNotSet) << other;
  }
}

}  // namespace
}  // namespace mcp_session

// Capabilities: what the server says it offers, and what its clients say they can do.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

#include "mcp_session/json/json.h"
#include "tests/server/server_peer.h"

namespace mcp_session {
namespace {

constexpr char kBadUtf8[] = "\xC3(";

ToolResult Nothing(ToolCall&) { return {}; }

// --- of the server ---

class OfferedTest : public testing::Test {
 protected:
  // The capabilities that server/discover tells of, with the braces.
  std::string Offered() {
    const std::string body = peer_.AskStateless("server/discover", "");
    const std::string_view before = "\"capabilities\":";
    const std::size_t from = body.find(before) + before.size();
    return body.substr(from, body.find(",\"ttlMs\"") - from);
  }

  ServerPeer peer_;
};

TEST_F(OfferedTest, NothingIsOfferedThatWasRefused) {
  McpServer& server = peer_.server();
  EXPECT_FALSE(server.AddTool({.name = ""}, Nothing));
  EXPECT_FALSE(server.AddPrompt({.name = kBadUtf8}, [](PromptCall&) { return PromptResult(); }));
  const auto read = [](ResourceCall&) { return ResourceResult(); };
  EXPECT_FALSE(server.AddResource({.uri = "no scheme", .name = "n"}, read));
  EXPECT_FALSE(server.AddResourceTemplate({.uri_template = "x://{", .name = "n"}, read));
  EXPECT_FALSE(server.AddCompletion({.prompt = "none", .argument = "a"},
                                    [](CompletionCall&) { return CompletionResult(); }));
  EXPECT_EQ(Offered(), "{}");
  EXPECT_NE(peer_.AskStateless("tools/list", "").find("-32601"), std::string::npos);
}

TEST_F(OfferedTest, WhatIsTakenAfterARefusalIsOfferedOnce) {
  EXPECT_FALSE(peer_.server().AddTool({.name = ""}, Nothing));
  EXPECT_TRUE(peer_.server().AddTool({.name = "a"}, Nothing));
  EXPECT_FALSE(peer_.server().AddTool({.name = "a"}, Nothing));
  EXPECT_TRUE(peer_.server().AddTool({.name = "b"}, Nothing));
  EXPECT_EQ(Offered(), R"({"tools":{}})");
}

// H-08, S-10
TEST_F(OfferedTest, BothErasAreToldOfAllThatIsThere) {
  McpServer& server = peer_.server();
  server.ServeLogging();
  server.ServeChanges();
  ASSERT_TRUE(server.AddTool({.name = "t"}, Nothing));
  ASSERT_TRUE(server.AddPrompt({.name = "p", .arguments = {{.name = "a"}}},
                               [](PromptCall&) { return PromptResult(); }));
  ASSERT_TRUE(server.AddResource({.uri = "x://r", .name = "r"},
                                 [](ResourceCall&) { return ResourceResult(); }));
  ASSERT_TRUE(server.AddCompletion({.prompt = "p", .argument = "a"},
                                   [](CompletionCall&) { return CompletionResult(); }));
  const std::string all =
      R"({"logging":{},"tools":{"listChanged":true},"prompts":{"listChanged":true},)"
      R"("resources":{"subscribe":true,"listChanged":true},"completions":{}})";
  EXPECT_EQ(Offered(), all);
  const std::string opened =
      peer_
          .Of(peer_.Post(R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":)"
                         R"({"protocolVersion":"2025-11-25","capabilities":{},)"
                         R"("clientInfo":{"name":"c","version":"1"}}})"))
          .body;
  EXPECT_NE(opened.find("\"capabilities\":" + all), std::string::npos) << opened;
}

// --- of the client ---

// A server with a tool, `go`, that keeps what its client declared.
class DeclaredTest : public testing::Test {
 protected:
  void Add(const ToolDecoration& decoration = {}) {
    const auto go = [this](ToolCall& call) {
      ++runs_;
      declared_ = call.client_capabilities();
      return ToolResult::Text("done");
    };
    ASSERT_TRUE(peer_.server().AddTool({.name = "go"}, go, decoration));
  }
  void AddNeeding(Json required) {
    ToolDecoration decoration;
    decoration.required_capabilities = std::move(required);
    Add(decoration);
  }

  const Received& CallStateless(const std::string& capabilities,
                                const std::string& arguments = "{}") {
    return peer_.Of(peer_.Post(
        R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"go","arguments":)" +
            arguments + R"(,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)" +
            R"("io.modelcontextprotocol/clientCapabilities":)" + capabilities + "}}}",
        {{"mcp-protocol-version", "2026-07-28"},
         {"mcp-method", "tools/call"},
         {"mcp-name", "go"}}));
  }
  static std::string Initialize(const std::string& capabilities) {
    return R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":)"
           R"("2025-11-25","clientInfo":{"name":"c","version":"1"},"capabilities":)" +
           capabilities + "}}";
  }
  ServerPeer::Headers OpenSession(const std::string& capabilities) {
    const Received& opened = peer_.Of(peer_.Post(Initialize(capabilities)));
    return {{"mcp-session-id", opened.headers.at("mcp-session-id")}};
  }
  std::string CallIn(const ServerPeer::Headers& session) {
    return peer_.Ask(session, "tools/call", R"("name":"go")");
  }

  ServerPeer peer_;
  int runs_ = 0;
  Json declared_;
};

TEST_F(DeclaredTest, AHandlerSeesWhatTheRequestDeclares) {
  Add();
  CallStateless(R"({"roots":{},"sampling":{"tools":{}}})");
  EXPECT_EQ(declared_,
            (Json{{"roots", Json::object()}, {"sampling", {{"tools", Json::object()}}}}));
  CallStateless("{}");
  EXPECT_EQ(declared_, Json::object());
}

TEST_F(DeclaredTest, AHandlerSeesWhatTheSessionBeganWith) {
  peer_.server().ServeLogging();
  Add();
  const auto session = OpenSession(R"({"roots":{"listChanged":true}})");
  OpenSession("{}");
  CallIn(session);
  EXPECT_EQ(declared_, (Json{{"roots", {{"listChanged", true}}}}));
  declared_ = nullptr;  // the level becomes part of the record
  EXPECT_EQ(peer_.Ask(session, "logging/setLevel", R"("level":"error")"),
            R"({"jsonrpc":"2.0","id":1,"result":{}})");
  CallIn(session);
  EXPECT_EQ(declared_, (Json{{"roots", {{"listChanged", true}}}}));
}

TEST_F(DeclaredTest, AHandlerSeesWhatTheChannelBeganWith) {
  Add();
  peer_.Open(1);
  peer_.Send(1, Initialize(R"({"sampling":{}})"));
  peer_.Send(1, R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"go"}})");
  EXPECT_EQ(declared_, (Json{{"sampling", Json::object()}}));
}

// S-07
TEST_F(DeclaredTest, AStatelessCallWithoutARequiredCapabilityIsRefused) {
  AddNeeding({{"sampling", Json::object()}});
  const Received& refused = CallStateless(R"({"roots":{}})");
  EXPECT_EQ(refused.status, 400);
  EXPECT_FALSE(refused.stream);
  EXPECT_EQ(refused.body, R"({"jsonrpc":"2.0","id":1,"error":{"code":-32021,"message":)"
                          R"("the client did not declare what this tool needs","data":)"
                          R"({"requiredCapabilities":{"sampling":{}}}}})");
  EXPECT_EQ(runs_, 0);
  EXPECT_EQ(CallStateless(R"({"roots":{},"sampling":{"tools":{}}})").status, 200);
  EXPECT_EQ(runs_, 1);
}

TEST_F(DeclaredTest, MalformedParamsAreToldBeforeAMissingCapability) {
  AddNeeding({{"sampling", Json::object()}});
  const Received& refused = CallStateless("{}", "[]");
  EXPECT_EQ(refused.status, 200);
  EXPECT_NE(refused.body.find("-32602"), std::string::npos);
}

TEST_F(DeclaredTest, MembersOfCapabilitiesAreRequiredToo) {
  AddNeeding({{"sampling", {{"tools", Json::object()}}}, {"roots", {{"listChanged", true}}}});
  for (const char* lacking :
       {"{}", R"({"sampling":{"tools":{}}})", R"({"sampling":{},"roots":{"listChanged":true}})",
        R"({"sampling":{"tools":{}},"roots":{"listChanged":false}})",
        R"({"sampling":true,"roots":{"listChanged":true}})"}) {
    EXPECT_EQ(CallStateless(lacking).status, 400) << lacking;
  }
  EXPECT_EQ(CallStateless(R"({"sampling":{"tools":{}},"roots":{"listChanged":true}})").status, 200);
}

// M-03
TEST_F(DeclaredTest, AnElicitationWithoutAModeIsOneByForm) {
  AddNeeding({{"elicitation", Json::object()}});
  EXPECT_EQ(CallStateless(R"({"elicitation":{}})").status, 200);
  EXPECT_EQ(CallStateless(R"({"elicitation":{"form":{},"url":{}}})").status, 200);
  EXPECT_EQ(CallStateless(R"({"elicitation":{"url":{}}})").status, 400);
}

// The error's number is not one of the handshake era.
TEST_F(DeclaredTest, ASessionWithoutARequiredCapabilityIsToldByAResult) {
  AddNeeding({{"sampling", Json::object()}});
  EXPECT_EQ(CallIn(OpenSession("{}")),
            R"({"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":)"
            R"("This tool needs a client that can do more: {\"sampling\":{}}"}],"isError":true}})");
  EXPECT_EQ(runs_, 0);
  EXPECT_NE(CallIn(OpenSession(R"({"sampling":{}})")).find("done"), std::string::npos);
}

TEST_F(DeclaredTest, OtherToolsAreNotChecked) {
  AddNeeding({{"sampling", Json::object()}});
  ASSERT_TRUE(peer_.server().AddTool({.name = "free"}, Nothing));
  EXPECT_EQ(peer_.Of(peer_.CallStateless(1, "free")).status, 200);
}

TEST_F(DeclaredTest, WhatIsRequiredIsAnObject) {
  for (const Json& required : {Json("sampling"), Json::array(), Json{{kBadUtf8, true}}}) {
    ToolDecoration decoration;
    decoration.required_capabilities = required;
    const auto added = peer_.server().AddTool({.name = "go"}, Nothing, decoration);
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().code, ErrorCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace mcp_session

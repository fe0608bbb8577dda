// Capabilities: what the server says it offers.
#include <gtest/gtest.h>

#include <string>

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

}  // namespace
}  // namespace mcp_session

// Pages of lists (spec P-08), and what is listed of tools.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include "mcp_session/json/access.h"
#include "mcp_session/json/parse.h"
#include "tests/server/answers.h"
#include "tests/server/server_peer.h"

namespace mcp_session {
namespace {

ToolResult NoTool(ToolCall&) { return {}; }
PromptResult NoPrompt(PromptCall&) { return {}; }
CompletionResult NoCompletion(CompletionCall&) { return {}; }

std::string CursorIn(const std::string& body) {
  const auto json = ParseJson(body);
  const Json* result = FindObject(*json, "result");
  const std::string* cursor = result ? FindString(*result, "nextCursor") : nullptr;
  return cursor ? *cursor : std::string();
}

std::string With(const std::string& cursor) { return R"("cursor":")" + cursor + '"'; }

class PagesTest : public testing::Test {
 protected:
  void AddTools(int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(peer_.server().AddTool({.name = "t" + std::to_string(i)}, NoTool));
    }
  }
  std::string List(const char* method, const std::string& params = {}) {
    return peer_.Ask(session_, method, params);
  }

  ServerPeer peer_;
  ServerPeer::Headers session_ = peer_.OpenSession();
};

constexpr char kT0[] = R"({"name":"t0","inputSchema":{"type":"object"}})";
constexpr char kT1[] = R"({"name":"t1","inputSchema":{"type":"object"}})";
constexpr char kT2[] = R"({"name":"t2","inputSchema":{"type":"object"}})";

TEST_F(PagesTest, FollowEachOther) {
  AddTools(3);
  peer_.server().PageLists(2);
  const std::string first = List("tools/list");
  const std::string cursor = CursorIn(first);
  ASSERT_NE(cursor, "");
  EXPECT_EQ(first, ResultOf("\"tools\":[" + std::string(kT0) + ',' + kT1 + "],\"nextCursor\":\"" +
                            cursor + '"'));
  EXPECT_EQ(List("tools/list", With(cursor)), ResultOf("\"tools\":[" + std::string(kT2) + "]"));
  EXPECT_EQ(peer_.AskStateless("tools/list", With(cursor)),
            StatelessResultOf("\"tools\":[" + std::string(kT2) +
                              R"(],"ttlMs":60000,"cacheScope":"public")"));
}

TEST_F(PagesTest, ToolsComeAndGoWhileClientsAreThere) {
  AddTools(3);
  EXPECT_TRUE(peer_.server().RemoveTool("t1"));
  EXPECT_FALSE(peer_.server().RemoveTool("t1"));
  EXPECT_FALSE(peer_.server().RemoveTool("none"));
  EXPECT_EQ(List("tools/list"), ResultOf("\"tools\":[" + std::string(kT0) + ',' + kT2 + ']'));
  EXPECT_NE(peer_.Ask(session_, "tools/call", R"("name":"t1")").find("unknown tool"),
            std::string::npos);
  peer_.server().PageLists(2);
  List("tools/list");
  ASSERT_TRUE(peer_.server().RemoveTool("t0"));
  ASSERT_TRUE(peer_.server().AddTool({.name = "t1"}, NoTool));
  EXPECT_EQ(List("tools/list"), ResultOf("\"tools\":[" + std::string(kT2) + ',' + kT1 + ']'));
}

TEST_F(PagesTest, PromptsComeAndGoWithTheirCompletions) {
  for (const char* name : {"p0", "p1"}) {
    ASSERT_TRUE(
        peer_.server().AddPrompt({.name = name, .arguments = {{.name = "city"}}}, NoPrompt));
    ASSERT_TRUE(peer_.server().AddCompletion({.prompt = name, .argument = "city"}, NoCompletion));
  }
  EXPECT_TRUE(peer_.server().RemovePrompt("p0"));
  EXPECT_FALSE(peer_.server().RemovePrompt("p0"));
  EXPECT_EQ(List("prompts/list"),
            ResultOf(R"("prompts":[{"name":"p1","arguments":[{"name":"city"}]}])"));
  EXPECT_NE(peer_.Ask(session_, "prompts/get", R"("name":"p0")").find("error"), std::string::npos);
  // Its completion went with it; that of the other is there.
  ASSERT_TRUE(peer_.server().AddPrompt({.name = "p0", .arguments = {{.name = "city"}}}, NoPrompt));
  EXPECT_TRUE(peer_.server().AddCompletion({.prompt = "p0", .argument = "city"}, NoCompletion));
  EXPECT_FALSE(peer_.server().AddCompletion({.prompt = "p1", .argument = "city"}, NoCompletion));
}

TEST_F(PagesTest, ResourcesAndTemplatesComeAndGo) {
  const auto here = [](ResourceCall&) { return ResourceResult::Text("here"); };
  for (const char* name : {"a", "b", "c"}) {
    const std::string of_name = name;
    ASSERT_TRUE(peer_.server().AddResource({.uri = "r:" + of_name, .name = name}, here));
    ASSERT_TRUE(peer_.server().AddResourceTemplate(
        {.uri_template = "t:" + of_name + "/{id}", .name = name}, here));
  }
  ASSERT_TRUE(
      peer_.server().AddCompletion({.uri_template = "t:b/{id}", .argument = "id"}, NoCompletion));
  EXPECT_TRUE(peer_.server().RemoveResource("r:b"));
  EXPECT_FALSE(peer_.server().RemoveResource("r:b"));
  EXPECT_EQ(List("resources/list"),
            ResultOf(R"("resources":[{"uri":"r:a","name":"a"},{"uri":"r:c","name":"c"}])"));
  EXPECT_NE(peer_.Ask(session_, "resources/read", R"("uri":"r:b")").find("-32002"),
            std::string::npos);
  EXPECT_TRUE(peer_.server().RemoveResource("t:b/{id}"));
  EXPECT_EQ(List("resources/templates/list"),
            ResultOf(R"("resourceTemplates":[{"uriTemplate":"t:a/{id}","name":"a"},)"
                     R"({"uriTemplate":"t:c/{id}","name":"c"}])"));
  EXPECT_NE(peer_.Ask(session_, "resources/read", R"("uri":"t:b/1")").find("-32002"),
            std::string::npos);
  EXPECT_EQ(peer_.Ask(session_, "resources/read", R"("uri":"t:c/1")").find("-32002"),
            std::string::npos);
  ASSERT_TRUE(peer_.server().AddResourceTemplate({.uri_template = "t:b/{id}", .name = "b"}, here));
  EXPECT_TRUE(
      peer_.server().AddCompletion({.uri_template = "t:b/{id}", .argument = "id"}, NoCompletion));
}

TEST_F(PagesTest, WhatRunsOfARemovedToolGoesOn) {
  std::optional<ToolCall> held;
  ASSERT_TRUE(
      peer_.server().AddTool({.name = "t"}, [&](ToolCall call) { held = std::move(call); }));
  const auto exchange = peer_.Call(session_, 1, "t");
  ASSERT_TRUE(peer_.server().RemoveTool("t"));
  held->Reply(ToolResult::Text("done"));
  peer_.Wake();
  EXPECT_NE(peer_.Of(exchange).body.find("done"), std::string::npos);
}

// A list that just fits is one page.
TEST_F(PagesTest, EndWithTheList) {
  AddTools(2);
  peer_.server().PageLists(2);
  EXPECT_EQ(List("tools/list"), ResultOf("\"tools\":[" + std::string(kT0) + ',' + kT1 + "]"));
}

TEST_F(PagesTest, HaveCursorsOfTheirOwn) {
  AddTools(2);
  for (const char* name : {"p0", "p1", "p2"}) {
    ASSERT_TRUE(peer_.server().AddPrompt({.name = name}, NoPrompt));
  }
  peer_.server().PageLists(1);
  const std::string of_tools = CursorIn(List("tools/list"));
  const std::string first = CursorIn(List("prompts/list"));
  const std::string second = CursorIn(List("prompts/list", With(first)));
  EXPECT_EQ(List("prompts/list", With(second)), ResultOf(R"("prompts":[{"name":"p2"}])"));
  const std::string unknown = ErrorOf(-32602, "unknown cursor");
  EXPECT_EQ(List("prompts/list", With(of_tools)), unknown);
  for (const char* cursor :
       {R"("cursor":"")", R"("cursor":"x")", R"("cursor":1)", R"("cursor":null)",
        R"("cursor":"cHJvbXB0cy8w")", R"("cursor":"cHJvbXB0cy8z")"}) {
    EXPECT_EQ(List("prompts/list", cursor), unknown) << cursor;
  }
}

TEST_F(PagesTest, WithoutThemAnyCursorIsUnknown) {
  ASSERT_TRUE(peer_.server().AddPrompt({.name = "a"}, NoPrompt));
  EXPECT_EQ(List("prompts/list", With("cHJvbXB0cy8x")), ErrorOf(-32602, "unknown cursor"));
}

TEST_F(PagesTest, OfToolsAreNotThereWithoutTools) {
  peer_.server().PageLists(2);
  EXPECT_EQ(List("tools/list"), ErrorOf(-32601, "unknown method"));
}

// F-14
TEST_F(PagesTest, AToolMayBeDecorated) {
  ASSERT_TRUE(peer_.server().AddTool(
      {.name = "t0"}, NoTool,
      {.icons = {{{"src", "https://example.com/a.png"}}}, .meta = {{"example.com/x", 1.5}}}));
  const std::string listed =
      ResultOf(R"("tools":[{"name":"t0","inputSchema":{"type":"object"},)"
               R"("icons":[{"src":"https://example.com/a.png"}],"_meta":{"example.com/x":1.5}}])");
  EXPECT_EQ(List("tools/list"), listed);
  peer_.server().PageLists(1);
  EXPECT_EQ(List("tools/list"), listed);
}

}  // namespace
}  // namespace mcp_session

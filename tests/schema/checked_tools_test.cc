// Tools whose arguments and results are checked against their schemas (CheckArgumentsWith).
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/schema/json_schema_validator.h"
#include "tests/server/server_peer.h"

namespace mcp_session {
namespace {

Json IntegerArgument() {
  return {{"type", "object"},
          {"properties", {{"n", {{"type", "integer"}}}}},
          {"required", Json::array({"n"})}};
}

class CheckedToolsTest : public testing::Test {
 protected:
  CheckedToolsTest() {
    peer_.server().CheckArgumentsWith(validator_, [this](auto tool, auto problem) {
      bad_results_.push_back(std::string(tool) + " " + std::string(problem));
    });
  }

  std::string Call(std::string_view arguments) {
    return peer_.Of(peer_.CallStateless(1, "go", arguments)).body;
  }

  JsonSchemaValidator validator_;
  ServerPeer peer_;
  std::vector<std::string> bad_results_;
  int runs_ = 0;
};

// R-7, F-03
TEST_F(CheckedToolsTest, BadArgumentsAreToldBeforeTheHandlerRuns) {
  ASSERT_TRUE(
      peer_.server().AddTool({.name = "go", .input_schema = IntegerArgument()}, [this](ToolCall&) {
        ++runs_;
        return ToolResult::Text("done");
      }));
  const std::string bad = Call(R"({"n":"one"})");
  EXPECT_NE(bad.find("The arguments do not match the tool's schema.\\n/n: "), std::string::npos);
  EXPECT_NE(bad.find(R"("isError":true)"), std::string::npos);
  EXPECT_NE(Call("{}").find("'n'"), std::string::npos);
  EXPECT_EQ(runs_, 0);
  EXPECT_NE(Call(R"({"n":1})").find("done"), std::string::npos);
  EXPECT_EQ(runs_, 1);
}

TEST_F(CheckedToolsTest, ARemovedToolTakesItsSchemaAlong) {
  const auto handler = [](ToolCall&) { return ToolResult::Text("done"); };
  ASSERT_TRUE(peer_.server().AddTool({.name = "go", .input_schema = IntegerArgument()}, handler));
  ASSERT_TRUE(peer_.server().RemoveTool("go"));
  ASSERT_TRUE(peer_.server().AddTool({.name = "go"}, handler));
  EXPECT_NE(Call("{}").find("done"), std::string::npos);
}

TEST_F(CheckedToolsTest, SessionsAreToldToo) {
  ASSERT_TRUE(peer_.server().AddTool({.name = "go", .input_schema = IntegerArgument()},
                                     [](ToolCall&) { return ToolResult::Text("done"); }));
  const auto session = peer_.OpenSession();
  EXPECT_NE(peer_.Ask(session, "tools/call", R"("name":"go")").find(R"("isError":true)"),
            std::string::npos);
  EXPECT_NE(peer_.Ask(session, "tools/call", R"("name":"go","arguments":[])").find("-32602"),
            std::string::npos);
}

TEST_F(CheckedToolsTest, ASchemaThatCannotBeCheckedIsRefused) {
  const auto handler = [](ToolCall&) { return ToolResult(); };
  Json schema = IntegerArgument();
  schema["properties"]["n"] = {{"$ref", "https://example.com/n.json"}};
  const auto input = peer_.server().AddTool({.name = "go", .input_schema = schema}, handler);
  ASSERT_FALSE(input);
  EXPECT_EQ(input.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(input.error().message.find("$ref"), std::string::npos);
  EXPECT_FALSE(peer_.server().AddTool({.name = "go", .output_schema = schema}, handler));
  EXPECT_TRUE(peer_.server().AddTool({.name = "go"}, handler));
}

// F-04
TEST_F(CheckedToolsTest, AResultThatIsNotWhatItShouldBeDoesNotGoOut) {
  ASSERT_TRUE(peer_.server().AddTool(
      {.name = "go", .input_schema = {}, .output_schema = IntegerArgument()}, [](ToolCall& call) {
        const std::string what = call.StringArgument("what").value_or("");
        if (what == "good") return ToolResult::Structured({{"n", 1}});
        if (what == "bad") return ToolResult::Structured({{"n", "secret"}});
        if (what == "error") return ToolResult::Error("it could not be done");
        return ToolResult::Text("nothing structured");
      }));
  EXPECT_NE(Call(R"({"what":"good"})").find(R"("structuredContent":{"n":1})"), std::string::npos);
  EXPECT_NE(Call(R"({"what":"error"})").find("it could not be done"), std::string::npos);
  EXPECT_TRUE(bad_results_.empty());

  const std::string bad = Call(R"({"what":"bad"})");
  EXPECT_NE(bad.find(R"("isError":true)"), std::string::npos);
  EXPECT_EQ(bad.find("secret"), std::string::npos);
  EXPECT_EQ(bad.find("structuredContent"), std::string::npos);
  EXPECT_NE(Call("{}").find(R"("isError":true)"), std::string::npos);
  ASSERT_EQ(bad_results_.size(), 2u);
  EXPECT_EQ(bad_results_[0].find("go /n: "), 0u);
}

TEST_F(CheckedToolsTest, ABadResultSavesNoState) {
  ASSERT_TRUE(peer_.server().AddTool(
      {.name = "go", .output_schema = IntegerArgument(), .state = UsesSession()},
      [](ToolCall& call) {
        const auto runs = call.state().size();
        call.state()[std::to_string(runs)] = true;
        if (runs == 0) return ToolResult::Structured({{"n", "one"}});
        return ToolResult::Structured({{"n", 1}});
      }));
  const auto session = peer_.OpenSession();
  for (int i = 0; i < 2; ++i) {
    EXPECT_NE(peer_.Ask(session, "tools/call", R"("name":"go")").find(R"("isError":true)"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace mcp_session

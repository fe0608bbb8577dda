// completion/complete (spec F-09).
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/server/answers.h"
#include "tests/server/server_peer.h"

namespace mcp_session {
namespace {

class CompletionTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(peer_.server().AddPrompt(
        {.name = "greet", .arguments = {{.name = "name"}, {.name = "tone"}}},
        [](PromptCall&) { return PromptResult::Text("x"); }));
    ASSERT_TRUE(peer_.server().AddResourceTemplate(
        {.uri_template = "mem:{id}", .name = "t"},
        [](ResourceCall&) { return ResourceResult::Text("x"); }));
  }
  std::string Refused(CompletionTarget target) {
    const auto added = peer_.server().AddCompletion(
        std::move(target), [](CompletionCall&) { return CompletionResult{}; });
    return added ? "" : added.error().message;
  }
  template <typename Handler>
  void AddForName(Handler handler) {
    ASSERT_TRUE(peer_.server().AddCompletion({.prompt = "greet", .argument = "name"}, handler));
  }
  std::string Complete(const std::string& params) {
    return peer_.Ask(peer_.OpenSession(), "completion/complete", params);
  }

  ServerPeer peer_;
};

constexpr char kName[] =
    R"("ref":{"type":"ref/prompt","name":"greet"},"argument":{"name":"name","value":"A"})";

TEST_F(CompletionTest, IsForWhatIsRegistered) {
  EXPECT_EQ(Refused({.prompt = "greet", .argument = "name"}), "");
  EXPECT_EQ(Refused({.uri_template = "mem:{id}", .argument = "id"}), "");
  EXPECT_EQ(Refused({.prompt = "greet", .argument = "name"}),
            "a completion of this argument is registered");
  const char* missing = "no such prompt or template, or not with this argument";
  EXPECT_EQ(Refused({.prompt = "other", .argument = "name"}), missing);
  EXPECT_EQ(Refused({.prompt = "greet", .argument = "other"}), missing);
  EXPECT_EQ(Refused({.uri_template = "mem:{other}", .argument = "other"}), missing);
  EXPECT_EQ(Refused({.uri_template = "mem:{id}", .argument = "other"}), missing);
  EXPECT_EQ(Refused({.argument = "name"}), "a completion is for a prompt or for a template");
  EXPECT_EQ(Refused({.prompt = "greet", .uri_template = "mem:{id}", .argument = "name"}),
            "a completion is for a prompt or for a template");
}

TEST_F(CompletionTest, IsNotThereUnlessRegistered) {
  EXPECT_EQ(Complete(kName), ErrorOf(-32601, "unknown method"));
  AddForName([](CompletionCall&) { return CompletionResult{}; });
  EXPECT_NE(peer_.AskStateless("server/discover", "").find(R"("completions":{})"),
            std::string::npos);
}

TEST_F(CompletionTest, GivesWhatFits) {
  AddForName([](CompletionCall& call) {
    return CompletionResult::StartingWith(call.typed(),
                                          {"Ann", "Bo", "Al" + call.Argument("tone")});
  });
  EXPECT_EQ(Complete(kName + std::string(R"(,"context":{"arguments":{"tone":"!"}})")),
            ResultOf(R"("completion":{"values":["Ann","Al!"],"total":2})"));
  EXPECT_EQ(peer_.AskStateless("completion/complete", kName),
            StatelessResultOf(R"("completion":{"values":["Ann","Al"],"total":2})"));
}

TEST_F(CompletionTest, CompletesVariablesOfTemplates) {
  ASSERT_TRUE(peer_.server().AddCompletion(
      {.uri_template = "mem:{id}", .argument = "id"},
      [](CompletionCall&) { return CompletionResult{.values = {"1"}, .has_more = true}; }));
  EXPECT_EQ(Complete(R"("ref":{"type":"ref/resource","uri":"mem:{id}"},)"
                     R"("argument":{"name":"id","value":""})"),
            ResultOf(R"("completion":{"values":["1"],"hasMore":true})"));
}

TEST_F(CompletionTest, GivesAHundredAtMost) {
  std::size_t count = 100;
  AddForName([&](CompletionCall&) {
    return CompletionResult{.values = std::vector<std::string>(count, "x")};
  });
  std::string hundred = "\"x\"";
  for (int i = 1; i < 100; ++i) hundred += ",\"x\"";
  EXPECT_EQ(Complete(kName), ResultOf("\"completion\":{\"values\":[" + hundred + "]}"));
  count = 101;
  EXPECT_EQ(Complete(kName),
            ResultOf("\"completion\":{\"values\":[" + hundred + "],\"hasMore\":true}"));
}

TEST_F(CompletionTest, HasNothingForArgumentsWithoutOne) {
  AddForName([](CompletionCall&) { return CompletionResult{.values = {"x"}}; });
  EXPECT_EQ(Complete(R"("ref":{"type":"ref/prompt","name":"greet"},)"
                     R"("argument":{"name":"tone","value":""})"),
            ResultOf(R"("completion":{"values":[],"total":0})"));
}

TEST_F(CompletionTest, RefusesWhatIsMissingOrUnknown) {
  AddForName([](CompletionCall&) -> Result<CompletionResult> {
    return Failure(ErrorCode::kInternal, Blame::kCaller, "no luck");
  });
  EXPECT_EQ(Complete(kName), ErrorOf(-32603, "no luck"));
  EXPECT_EQ(Complete(""), ErrorOf(-32602, "params.ref or argument is missing"));
  EXPECT_EQ(Complete(R"("ref":{"type":"ref/prompt","name":"greet"},"argument":{"name":"name"})"),
            ErrorOf(-32602, "params.argument.value is missing"));
  EXPECT_EQ(Complete(R"("ref":{"type":"x"},"argument":{"name":"name","value":""})"),
            ErrorOf(-32602, "params.ref has an unknown type"));
  for (const char* ref :
       {R"({"type":"ref/prompt","name":"other"})", R"({"type":"ref/prompt"})",
        R"({"type":"ref/resource","uri":"mem:{other}"})", R"({"type":"ref/resource"})"}) {
    EXPECT_EQ(Complete("\"ref\":" + std::string(ref) + R"(,"argument":{"name":"name","value":""})"),
              ErrorOf(-32602, "unknown prompt, template or argument"))
        << ref;
  }
}

}  // namespace
}  // namespace mcp_session

// Prompts (spec F-08): registering them, prompts/list and prompts/get in both eras.
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "mcp_session/server/content.h"
#include "tests/server/answers.h"
#include "tests/server/server_peer.h"

namespace mcp_session {
namespace {

PromptResult Nothing(PromptCall&) { return PromptResult::Text("x"); }

const Prompt kGreet = {.name = "greet",
                       .title = "Greet",
                       .description = "Says hello.",
                       .arguments = {{.name = "name", .description = "Whom", .required = true},
                                     {.name = "tone", .title = "Tone"}},
                       .icons = {{{"src", "https://example.com/a.png"}}},
                       .meta = {{"example.com/x", 1}}};

std::string Refused(Prompt prompt) {
  ServerPeer peer;
  const auto added = peer.server().AddPrompt(std::move(prompt), Nothing);
  return added ? "" : added.error().message;
}

TEST(AddPrompt, WantsNamesAndText) {
  EXPECT_EQ(Refused({.name = "a"}), "");
  EXPECT_EQ(Refused({}), "a prompt and its arguments have names");
  EXPECT_EQ(Refused({.name = "a", .arguments = {{.name = ""}}}),
            "a prompt and its arguments have names");
  EXPECT_EQ(Refused({.name = "a", .title = "\xC3("}), "the prompt's texts are not UTF-8");
}

TEST(AddPrompt, RefusesANameThatIsTaken) {
  ServerPeer peer;
  ASSERT_TRUE(peer.server().AddPrompt({.name = "a"}, Nothing));
  EXPECT_FALSE(peer.server().AddPrompt({.name = "a"}, Nothing));
}

// Who registers none has neither the capability nor the methods (S-11).
TEST(Prompts, AreNotThereUnlessRegistered) {
  ServerPeer peer;
  const auto session = peer.OpenSession();
  EXPECT_EQ(peer.Ask(session, "prompts/list", ""), ErrorOf(-32601, "unknown method"));
  EXPECT_EQ(peer.AskStateless("server/discover", "").find("prompts"), std::string::npos);
  ServerPeer other;
  ASSERT_TRUE(other.server().AddPrompt({.name = "a"}, Nothing));
  EXPECT_NE(other.AskStateless("server/discover", "").find(R"("capabilities":{"prompts":{}})"),
            std::string::npos);
}

TEST(Prompts, AreListedWithAllThatTheirAuthorSaid) {
  ServerPeer peer;
  ASSERT_TRUE(peer.server().AddPrompt(kGreet, Nothing));
  ASSERT_TRUE(peer.server().AddPrompt({.name = "bare"}, Nothing));
  const std::string listed =
      R"("prompts":[{"name":"greet","title":"Greet","description":"Says hello.","arguments":[)"
      R"({"name":"name","description":"Whom","required":true},{"name":"tone","title":"Tone"}],)"
      R"("icons":[{"src":"https://example.com/a.png"}],"_meta":{"example.com/x":1}},)"
      R"({"name":"bare"}])";
  EXPECT_EQ(peer.Ask(peer.OpenSession(), "prompts/list", ""), ResultOf(listed));
  EXPECT_EQ(peer.AskStateless("prompts/list", ""),
            StatelessResultOf(listed + R"(,"ttlMs":60000,"cacheScope":"public")"));
}

TEST(Prompts, AreGivenTheirArguments) {
  ServerPeer peer;
  ASSERT_TRUE(peer.server().AddPrompt(kGreet, [](PromptCall& call) {
    PromptResult result;
    result.description = "A greeting";
    result.AddUser(TextContent("Hello " + call.Argument("name") + call.Argument("tone")));
    result.AddAssistant(ImageContent("png", "image/png"));
    return result;
  }));
  const std::string got =
      R"("messages":[{"role":"user","content":{"type":"text","text":"Hello Ann"}},)"
      R"({"role":"assistant","content":{"type":"image","data":"cG5n","mimeType":"image/png"}}],)"
      R"("description":"A greeting")";
  const char* params = R"("name":"greet","arguments":{"name":"Ann"})";
  EXPECT_EQ(peer.Ask(peer.OpenSession(), "prompts/get", params), ResultOf(got));
  EXPECT_EQ(peer.AskStateless("prompts/get", params, "greet"), StatelessResultOf(got));
}

TEST(Prompts, RefuseWhatIsMissingOrUnknown) {
  ServerPeer peer;
  ASSERT_TRUE(peer.server().AddPrompt(kGreet, Nothing));
  const auto session = peer.OpenSession();
  const auto get = [&](const char* params) { return peer.Ask(session, "prompts/get", params); };
  EXPECT_EQ(get(""), ErrorOf(-32602, "params.name is missing"));
  EXPECT_EQ(get(R"("name":"other")"), ErrorOf(-32602, "unknown prompt"));
  EXPECT_EQ(get(R"("name":"greet")"), ErrorOf(-32602, "the argument name is missing"));
  EXPECT_EQ(get(R"("name":"greet","arguments":[])"),
            ErrorOf(-32602, "params.arguments is no object"));
  EXPECT_EQ(get(R"("name":"greet","arguments":{"name":1})"),
            ErrorOf(-32602, "the arguments of a prompt are strings"));
}

TEST(Prompts, MayFail) {
  ServerPeer peer;
  ASSERT_TRUE(peer.server().AddPrompt({.name = "a"}, [](PromptCall&) -> Result<PromptResult> {
    return Failure(ErrorCode::kInvalidParams, Blame::kPeer, "no such tone");
  }));
  ASSERT_TRUE(peer.server().AddPrompt({.name = "b"},
                                      [](PromptCall&) { return PromptResult::Text("\xC3("); }));
  const auto session = peer.OpenSession();
  EXPECT_EQ(peer.Ask(session, "prompts/get", R"("name":"a")"), ErrorOf(-32602, "no such tone"));
  EXPECT_EQ(peer.Ask(session, "prompts/get", R"("name":"b")"),
            ErrorOf(-32603, "no JSON came of it"));
}

TEST(Prompts, MayAnswerLater) {
  ServerPeer peer;
  std::optional<PromptCall> kept;
  ASSERT_TRUE(peer.server().AddPrompt({.name = "a"}, [&](PromptCall call) { kept = call; }));
  const auto session = peer.OpenSession();
  const auto exchange = peer.Post(
      R"({"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"a"}})", session);
  EXPECT_EQ(peer.Of(exchange).status, 0);
  kept->Reply(PromptResult::Text("x"));
  kept->Reply(PromptResult::Text("y"));
  EXPECT_EQ(peer.wakes(), 1);
  peer.Wake();
  EXPECT_EQ(peer.Of(exchange).body,
            ResultOf(R"("messages":[{"role":"user","content":{"type":"text","text":"x"}}])"));
}

TEST(Prompts, AreCancelledLikeTools) {
  ServerPeer peer;
  std::optional<PromptCall> kept;
  ASSERT_TRUE(peer.server().AddPrompt({.name = "a"}, [&](PromptCall call) { kept = call; }));
  const auto session = peer.OpenSession();
  const auto exchange = peer.Post(
      R"({"jsonrpc":"2.0","id":7,"method":"prompts/get","params":{"name":"a"}})", session);
  peer.Post(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}})",
            session);
  EXPECT_TRUE(kept->cancelled());
  kept->Reply(PromptResult::Text("x"));
  peer.Wake();
  EXPECT_EQ(peer.Of(exchange).body, "");
}

TEST(Prompts, ADroppedCallIsAnInternalError) {
  ServerPeer peer;
  ASSERT_TRUE(peer.server().AddPrompt({.name = "a"}, [](PromptCall) {}));
  EXPECT_EQ(peer.Ask(peer.OpenSession(), "prompts/get", R"("name":"a")"),
            ErrorOf(-32603, "the handler gave no answer"));
}

TEST(Prompts, RunInTheGuard) {
  ServerPeer peer;
  ASSERT_TRUE(peer.server().AddPrompt({.name = "a"}, [](PromptCall) {}));
  peer.server().GuardHandlers([](HandlerRun) { return false; });
  EXPECT_EQ(peer.Ask(peer.OpenSession(), "prompts/get", R"("name":"a")"),
            ErrorOf(-32603, "the handler failed"));
}

}  // namespace
}  // namespace mcp_session

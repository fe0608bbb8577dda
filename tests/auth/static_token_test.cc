#include <gtest/gtest.h>

#include <string>

#include "mcp_session/auth/static_token_authenticator.h"

namespace mcp_session {
namespace {

using Verdict = Authentication::Verdict;

constexpr const char* kTokens =
    "# who\n"
    "\n"
    "alice  a1a1a1a1a1a1a1a1 read write\r\n"
    "\tbob b2b2b2b2b2b2b2b2";

Authentication Ask(StaticTokenAuthenticator& tokens, std::string_view token) {
  Authentication answer;
  int answers = 0;
  tokens.Authenticate(token, [&](Authentication result) {
    answer = std::move(result);
    ++answers;
  });
  EXPECT_EQ(answers, 1);
  return answer;
}

TEST(StaticTokens, AreTheirOwners) {
  StaticTokenAuthenticator tokens(*ParseStaticTokens(kTokens));
  const Authentication alice = Ask(tokens, "a1a1a1a1a1a1a1a1");
  EXPECT_EQ(alice.verdict, Verdict::kValid);
  EXPECT_EQ(alice.principal, "alice");
  EXPECT_EQ(alice.scopes, (std::vector<std::string>{"read", "write"}));
  EXPECT_EQ(Ask(tokens, "b2b2b2b2b2b2b2b2").principal, "bob");
  for (const char* token : {"a1a1a1a1a1a1a1a", "a1a1a1a1a1a1a1a1a", "A1A1A1A1A1A1A1A1", "alice"}) {
    const Authentication nobody = Ask(tokens, token);
    EXPECT_EQ(nobody.verdict, Verdict::kInvalid) << token;
    EXPECT_EQ(nobody.principal, "") << token;
  }
}

TEST(StaticTokens, AreRefusedWithTheLineAndNoToken) {
  const struct {
    std::string text;
    std::string complaint;
  } rows[] = {
      {"alice\n", "tokens: line 1 is not PRINCIPAL TOKEN [SCOPE...]"},
      {"#\nalice short\n", "tokens: line 2 has a token of less than 16 characters"},
      {"alice a1a1a1a1a1a1a1a1,x\n", "tokens: line 1 has a token that no header could carry"},
      {std::string(247, 'p') + " a1a1a1a1a1a1a1a1",
       "tokens: line 1 has a principal that is too long"},
  };
  for (const auto& row : rows) {
    const auto tokens = ParseStaticTokens(row.text);
    ASSERT_FALSE(tokens.has_value()) << row.text;
    EXPECT_EQ(tokens.error(), (Error{ErrorCode::kInvalidArgument, Blame::kCaller, row.complaint}));
  }
}

TEST(StaticTokens, AreAThousandAtMost) {
  std::string text;
  for (std::size_t i = 0; i < kMaxStaticTokens; ++i) {
    text += "p a1a1a1a1a1a1a1a1" + std::to_string(i) + "\n";
  }
  EXPECT_TRUE(ParseStaticTokens(text).has_value());
  EXPECT_EQ(ParseStaticTokens(text + "p a1a1a1a1a1a1a1a1").error().message,
            "tokens: line 1001 is one too many");
}

TEST(StaticTokens, SayThatTheirFileIsNotThere) {
  const auto tokens = ReadStaticTokens("/no/such/file");
  ASSERT_FALSE(tokens.has_value());
  EXPECT_EQ(tokens.error().code, ErrorCode::kMisconfigured);
  EXPECT_EQ(tokens.error().message, "cannot read the file of tokens: No such file or directory");
}

}  // namespace
}  // namespace mcp_session

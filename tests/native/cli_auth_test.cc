// The program with tokens: those of a file, and those of an authorization server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdio>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "tests/auth/jwks_server.h"
#include "tests/auth/token_maker.h"
#include "tests/native/test_client.h"
#include "tests/native/test_process.h"
#include "tests/support/temp_file.h"

namespace mcp_session {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kToken = "s3cret-token-of-alice";

std::string As(std::string_view token, std::string request) {
  return request.insert(request.find("\r\n") + 2,
                        "Authorization: Bearer " + std::string(token) + "\r\n");
}

std::string Get(std::string_view path) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
}

std::string Call() { return StatelessCall("create_basket"); }

TEST(CliAuth, TakesTokensFromAFile) {
  const std::string tokens = WriteFile("tokens", "alice " + std::string(kToken) + " use\n");
  TestProgram program({"--tokens", tokens, "--require-scope", "use", "--protect-metrics"});
  TestClient client(program.port());
  EXPECT_EQ(client.Exchange(Call()).headers["www-authenticate"], R"(Bearer scope="use")");
  EXPECT_EQ(client.Exchange(As(kToken, Call())).status, 200);
  EXPECT_EQ(client.Exchange(Get("/metrics")).status, 401);
  const TestResponse metrics = client.Exchange(As(kToken, Get("/metrics")));
  EXPECT_EQ(metrics.status, 200);
  EXPECT_THAT(metrics.body, Not(HasSubstr(kToken)));
  for (const char* path : {"/", "/healthz", "/readyz"}) {
    EXPECT_EQ(client.Exchange(Get(path)).status, 200) << path;
  }
  program.Signal(SIGTERM);
  EXPECT_EQ(program.Wait(), 0);
  EXPECT_EQ(program.AllErrors(), "");
}

TEST(CliAuth, KnowsCallersByTheirAuthorizationServer) {
  const std::int64_t now = std::time(nullptr);
  const SigningKey key("ES256", "one");
  JwksServer issuer;
  issuer.Say(500, "");
  TestProgram program({"--jwks", issuer.url(), "--issuer", std::string(kTestIssuer), "--resource",
                       std::string(kTestAudience)});
  TestClient client(program.port());
  EXPECT_EQ(client.Exchange(Call()).headers["www-authenticate"],
            "Bearer resource_metadata="
            "\"https://mcp.example/.well-known/oauth-protected-resource/mcp\"");
  EXPECT_EQ(client.Exchange(Get("/.well-known/oauth-protected-resource/mcp")).body,
            R"({"resource":"https://mcp.example/mcp",)"
            R"("authorization_servers":["https://issuer.example"],)"
            R"("bearer_methods_supported":["header"]})");
  EXPECT_EQ(issuer.requests(), 0);
  const std::string token = key.Sign(ClaimsOf("alice", now));
  TestResponse answer = client.Exchange(As(token, Call()));
  EXPECT_EQ(answer.status, 503);
  EXPECT_NE(answer.headers["retry-after"], "");
  EXPECT_EQ(client.Exchange(As(key.Sign(ClaimsOf("alice", now - 7200)), Call())).status, 401);
  program.Signal(SIGTERM);
  EXPECT_EQ(program.Wait(), 0);
  EXPECT_EQ(program.AllErrors(), "mcp-session: the keys of the authorization server: status 500\n");
}

TEST(CliAuth, FetchesTheKeysByTls) {
  const std::int64_t now = std::time(nullptr);
  const SigningKey key("RS256", "one");
  const TestCertificate certificate = MakeTestCertificate();
  JwksServer issuer(certificate);
  issuer.Say(200, KeySet({&key}));
  TestProgram program({"--jwks", issuer.url(), "--jwks-ca",
                       WriteFile("ca.pem", certificate.certificate), "--issuer",
                       std::string(kTestIssuer), "--audience", std::string(kTestAudience)});
  TestClient client(program.port());
  const std::string token = key.Sign(ClaimsOf("alice", now));
  EXPECT_EQ(client.Exchange(As(token, Call())).status, 200);
  EXPECT_EQ(client.Exchange(As(key.Sign(ClaimsOf("bob", now)), Call())).status, 200);
  EXPECT_EQ(issuer.requests(), 1);
  program.Signal(SIGTERM);
  EXPECT_EQ(program.Wait(), 0);
  EXPECT_EQ(program.AllErrors(), "");
}

// An authenticator belongs to its loop.
TEST(CliAuth, FetchesTheKeysForEachLoop) {
  const std::int64_t now = std::time(nullptr);
  const SigningKey key("ES256", "one");
  JwksServer issuer;
  issuer.Say(200, KeySet({&key}));
  TestProgram program({"--threads", "2", "--jwks", issuer.url(), "--issuer",
                       std::string(kTestIssuer), "--audience", std::string(kTestAudience)});
  const std::string token = key.Sign(ClaimsOf("alice", now));
  for (int i = 0; i < 3; ++i) {
    TestClient first(program.port());
    TestClient second(program.port());
    EXPECT_EQ(first.Exchange(As(token, Call())).status, 200);
    EXPECT_EQ(second.Exchange(As(token, Call())).status, 200);
  }
  EXPECT_EQ(issuer.requests(), 2);
}

TEST(CliAuth, TakesKeysFromAFile) {
  const std::int64_t now = std::time(nullptr);
  const SigningKey key("EdDSA", "one");
  const SigningKey other("EdDSA", "one");
  TestProgram program({"--jwks", WriteFile("keys.json", KeySet({&key})), "--issuer",
                       std::string(kTestIssuer), "--resource", std::string(kTestAudience)});
  TestClient client(program.port());
  EXPECT_EQ(client.Exchange(As(key.Sign(ClaimsOf("alice", now)), Call())).status, 200);
  EXPECT_EQ(client.Exchange(As(other.Sign(ClaimsOf("alice", now)), Call())).status, 401);
}

TEST(CliAuth, SaysWhatDoesNotGoTogether) {
  const std::string tokens = WriteFile("short", "alice tiny\n");
  const struct {
    std::vector<std::string> arguments;
    int code;
    std::string complaint;
  } rows[] = {
      {{"--require-scope", "use"}, 2, "who verifies tokens? Give --jwks or --tokens"},
      {{"--tokens", "a", "--jwks", "b"}, 2, "--tokens and --jwks exclude each other"},
      {{"--tokens", "a", "--stdio"}, 2, "there are no tokens over stdio"},  // T-06
      {{"--jwks", "a"}, 2, "--jwks needs --issuer: whose keys are they?"},
      {{"--jwks", "a", "--issuer", "https://i"},
       2,
       "--jwks needs --resource: what are tokens for this server made out to?"},
      {{"--jwks", "http://i.example/keys", "--issuer", "https://i", "--resource", "https://m"},
       2,
       "keys from another machine need https"},
      {{"--tokens", tokens}, 2, "tokens: line 1 has a token of less than 16 characters"},
      {{"--tokens", "/no/such/file"},
       1,
       "misconfigured: cannot read the file of tokens: No such file or directory"},
      {{"--tokens", WriteFile("empty", ""), "--resource", "mcp.example"},
       2,
       "the resource is no URL that starts with https:// or http://"},
  };
  for (auto row : rows) {
    row.arguments.insert(row.arguments.begin(), {"serve", "--port", "0", "--store", "memory"});
    EXPECT_EQ(RunToEnd(row.arguments),
              (Finished{row.code, "", "mcp-session: " + row.complaint + "\n"}))
        << row.complaint;
  }
}

}  // namespace
}  // namespace mcp_session

// HttpServer with an authenticator, over real sockets: who gets in, who is told what, and that a
// session is its owner's alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "mcp_session/auth/static_token_authenticator.h"
#include "tests/native/test_client.h"
#include "tests/native/test_server.h"

namespace mcp_session {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Verdict = Authentication::Verdict;

constexpr std::string_view kAlice = "alice-0123456789";
constexpr std::string_view kAliceToo = "alice-9876543210";
constexpr std::string_view kBob = "bob-0123456789ab";

std::vector<StaticToken> Tokens() {
  return {{"alice", std::string(kAlice), {"use"}},
          {"alice", std::string(kAliceToo), {"use"}},
          {"bob", std::string(kBob), {"use"}},
          {"carol", "carol-0123456789", {}}};
}

std::string Authorization(std::string_view token) {
  return "Authorization: Bearer " + std::string(token) + "\r\n";
}

// A whole request with more header lines.
std::string With(std::string request, std::string_view lines) {
  return request.insert(request.find("\r\n") + 2, lines);
}
std::string As(std::string_view token, std::string request) {
  return With(std::move(request), Authorization(token));
}

std::string Echo() { return StatelessCall("echo", R"({"text":"hello"})"); }

std::string Bare(std::string_view method, std::string_view target, std::string_view lines = {}) {
  return std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\n" +
         std::string(lines) + "\r\n";
}

// A server that knows the tokens above.
struct Guarded {
  explicit Guarded(HttpServerOptions options = {})
      : tokens(Tokens()), server([&] {
          options.auth.authenticator = &tokens;
          return options;
        }()) {}

  TestResponse Ask(const std::string& request) {
    TestClient client(server.port());
    return client.Exchange(request);
  }

  StaticTokenAuthenticator tokens;
  TestServer server;
};

HttpServerOptions WithIssuer() {
  HttpServerOptions options;
  options.auth.resource = "https://mcp.example/tools/mcp";
  options.auth.authorization_servers = {"https://issuer.example"};
  options.auth.required_scopes = {"use"};
  return options;
}

// Spec A-01, H-24.
TEST(HttpAuth, LetsInWhoHasAToken) {
  Guarded guarded;
  TestClient client(guarded.server.port());
  for (const std::string_view token : {kAlice, kBob}) {
    const TestResponse answer = client.Exchange(As(token, Echo()));
    EXPECT_EQ(answer.status, 200);
    EXPECT_THAT(answer.body, HasSubstr("hello"));
  }
}

TEST(HttpAuth, VerifiesEveryRequestOfAConnection) {
  Guarded guarded;
  TestClient client(guarded.server.port());
  EXPECT_EQ(client.Exchange(As(kAlice, Echo())).status, 200);
  EXPECT_EQ(client.Exchange(Echo()).status, 401);
  ASSERT_TRUE(client.Send(As(kAlice, Echo()) + Echo() + As(kBob, Echo())));
  EXPECT_EQ(client.Receive().status, 200);
  EXPECT_EQ(client.Receive().status, 401);
  EXPECT_EQ(client.Receive().status, 200);
}

// E-02
TEST(HttpAuth, RefusesWhoHasNone) {
  Guarded guarded;
  const std::string twice = Authorization(kAlice) + Authorization(kAlice);
  const struct {
    const char* what;
    std::string request;
    std::string challenge;
  } rows[] = {
      {"no header", Echo(), "Bearer"},
      {"another scheme", With(Echo(), "Authorization: Basic YTpi\r\n"), "Bearer"},
      {"an unknown token", As("alice-0123456788", Echo()), R"(Bearer error="invalid_token")"},
      {"a malformed one", As("a b", Echo()), R"(Bearer error="invalid_token")"},
      {"an empty one", As("", Echo()), R"(Bearer error="invalid_token")"},
      {"two", With(Echo(), twice), R"(Bearer error="invalid_token")"},
      {"GET", Bare("GET", "/mcp"), "Bearer"},
      {"DELETE", Bare("DELETE", "/mcp", "Mcp-Session-Id: x\r\n"), "Bearer"},
      {"a token in the query", Bare("GET", "/mcp?access_token=" + std::string(kAlice)), "Bearer"},
  };
  for (const auto& row : rows) {
    TestResponse answer = guarded.Ask(row.request);
    EXPECT_EQ(answer.status, 401) << row.what;
    EXPECT_EQ(answer.headers["www-authenticate"], row.challenge) << row.what;
    EXPECT_EQ(answer.headers["cache-control"], "no-store") << row.what;
    EXPECT_THAT(answer.body, HasSubstr(R"("code":-32000)")) << row.what;
  }
}

TEST(HttpAuth, LooksAtTheOriginFirst) {
  Guarded guarded;
  TestResponse answer = guarded.Ask(With(Echo(), "Origin: https://evil.example\r\n"));
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(answer.headers.count("www-authenticate"), 0u);
}

TEST(HttpAuth, SaysWhereTokensAreToBeHad) {
  Guarded guarded(WithIssuer());
  const std::string where =
      R"(resource_metadata="https://mcp.example/.well-known/oauth-protected-resource/tools/mcp")";
  EXPECT_EQ(guarded.Ask(Echo()).headers["www-authenticate"], R"(Bearer scope="use", )" + where);
  EXPECT_EQ(guarded.Ask(As("x", Echo())).headers["www-authenticate"],
            R"(Bearer error="invalid_token", scope="use", )" + where);
  for (const char* path : {"", "/mcp", "/tools/mcp"}) {
    TestResponse document =
        guarded.Ask(Bare("GET", "/.well-known/oauth-protected-resource" + std::string(path)));
    EXPECT_EQ(document.status, 200) << path;
    EXPECT_EQ(document.headers["content-type"], "application/json");
    EXPECT_EQ(document.body,
              R"({"resource":"https://mcp.example/tools/mcp",)"
              R"("authorization_servers":["https://issuer.example"],)"
              R"("scopes_supported":["use"],"bearer_methods_supported":["header"]})");
  }
  EXPECT_EQ(guarded.Ask(Bare("POST", "/.well-known/oauth-protected-resource")).status, 405);
  EXPECT_EQ(guarded.Ask(Bare("GET", "/.well-known/oauth-protected-resource/x")).status, 404);
}

TEST(HttpAuth, NamesItselfAsItListensIfNobodySaysBetter) {
  HttpServerOptions options;
  options.auth.authorization_servers = {"https://issuer.example"};
  Guarded guarded(options);
  EXPECT_THAT(guarded.Ask(Bare("GET", "/.well-known/oauth-protected-resource")).body,
              HasSubstr(R"("resource":"http://127.0.0.1:)" + std::to_string(guarded.server.port()) +
                        R"(/mcp")"));
}

TEST(HttpAuth, HasNoDocumentWithoutAnAuthorizationServer) {
  Guarded guarded;
  EXPECT_EQ(guarded.Ask(Bare("GET", "/.well-known/oauth-protected-resource")).status, 404);
}

// A-02, E-02
TEST(HttpAuth, WantsTheScopes) {
  Guarded guarded(WithIssuer());
  EXPECT_EQ(guarded.Ask(As(kAlice, Echo())).status, 200);
  TestResponse answer = guarded.Ask(As("carol-0123456789", Echo()));
  EXPECT_EQ(answer.status, 403);
  EXPECT_THAT(answer.headers["www-authenticate"],
              HasSubstr(R"(Bearer error="insufficient_scope", scope="use", resource_metadata=)"));
}

TEST(HttpAuth, LeavesPagesOpenUnlessTheySayOtherwise) {
  HttpServerOptions options;
  options.pages = {{"/", "text/html", "<p>hello"}};
  const auto answer = [] { return HttpAnswer{200, "text/plain", "figures"}; };
  options.dynamic_pages = {{"/open", answer}, {"/metrics", answer, true}};
  Guarded guarded(options);
  for (const char* path : {"/", "/healthz", "/open"}) {
    EXPECT_EQ(guarded.Ask(Bare("GET", path)).status, 200) << path;
  }
  EXPECT_EQ(guarded.Ask(Bare("GET", "/nothing")).status, 404);
  EXPECT_EQ(guarded.Ask(Bare("GET", "/metrics")).status, 401);
  EXPECT_EQ(guarded.Ask(Bare("GET", "/metrics?x", Authorization(kBob))).body, "figures");
  // And with a body, which nobody reads.
  EXPECT_EQ(guarded.Ask(Bare("GET", "/metrics", "Content-Length: 2\r\n") + "{}").status, 401);
}

std::string InSession(const std::string& session, std::string_view body, std::string_view token) {
  return As(token,
            Post(body, "MCP-Protocol-Version: 2025-11-25\r\nMcp-Session-Id: " + session + "\r\n"));
}

std::string InitializeAs(Guarded& guarded, std::string_view token) {
  return guarded
      .Ask(As(token, Post(R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{)"
                          R"("protocolVersion":"2025-11-25","capabilities":{},)"
                          R"("clientInfo":{"name":"test","version":"1"}}})")))
      .headers["mcp-session-id"];
}

// Spec H-25: whoever holds the id of another's session gets what any unknown id gets.
TEST(HttpAuth, ASessionIsUnknownToOthers) {
  Guarded guarded;
  const std::string session = InitializeAs(guarded, kAlice);
  ASSERT_NE(session, "");
  constexpr std::string_view kPing = R"({"jsonrpc":"2.0","id":1,"method":"ping"})";
  EXPECT_EQ(guarded.Ask(InSession(session, kPing, kAlice)).status, 200);
  EXPECT_EQ(guarded.Ask(InSession(session, kPing, kAliceToo)).status, 200);

  std::string unknown = session;
  unknown[0] = unknown[0] == 'A' ? 'B' : 'A';
  const auto get = [](const char* more) {
    return [more](const std::string& id) {
      return As(kBob, Bare("GET", "/mcp",
                           "Accept: text/event-stream\r\nMCP-Protocol-Version: 2025-11-25\r\n"
                           "Mcp-Session-Id: " +
                               id + "\r\n" + more));
    };
  };
  const auto remove = [](const std::string& id) {
    return As(kBob, Bare("DELETE", "/mcp", "Mcp-Session-Id: " + id + "\r\n"));
  };
  const auto post = [](std::string_view body) {
    return [body](const std::string& id) { return InSession(id, body, kBob); };
  };
  const struct {
    const char* what;
    std::function<std::string(const std::string&)> request;
    int status;
  } rows[] = {
      {"a request", post(kPing), 404},
      {"initialize", post(R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{}})"), 404},
      {"a notification", post(R"({"jsonrpc":"2.0","method":"notifications/initialized"})"), 404},
      {"a cancellation",
       post(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}})"),
       404},
      {"a response", post(R"({"jsonrpc":"2.0","id":1,"result":{}})"), 404},
      {"GET", get(""), 404},
      {"GET of a stream", get("Last-Event-ID: abc.0.i1\r\n"), 404},
      {"DELETE", remove, 404},
  };
  for (const auto& row : rows) {
    const TestResponse foreign = guarded.Ask(row.request(session));
    const TestResponse never = guarded.Ask(row.request(unknown));
    EXPECT_EQ(foreign.status, row.status) << row.what;
    EXPECT_EQ(foreign.status, never.status) << row.what;
    EXPECT_EQ(foreign.headers, never.headers) << row.what;
    EXPECT_EQ(foreign.body, never.body) << row.what;
  }
  // And it was not touched.
  EXPECT_EQ(guarded.Ask(InSession(session, kPing, kAlice)).status, 200);
}

// Answers when the test says so.
class Deferred final : public Authenticator {
 public:
  void Authenticate(std::string_view token, Done done) override {
    tokens.emplace_back(token);
    waiting.push_back(std::move(done));
  }
  std::vector<std::string> tokens;  // only on the loop's thread, like the next
  std::vector<Done> waiting;
};

struct Waiting {
  Waiting()
      : server([&] {
          HttpServerOptions options;
          options.auth.authenticator = &authenticator;
          return options;
        }()) {}
  bool Arrived(std::size_t tokens) {
    return server.Eventually([&] { return authenticator.waiting.size() >= tokens; });
  }
  void Answer(std::size_t index, Authentication who) {
    server.OnLoop([&] { authenticator.waiting[index](who); });
  }
  Deferred authenticator;
  TestServer server;
};

const Authentication kIsAlice{.verdict = Verdict::kValid, .principal = "alice"};

TEST(HttpAuth, WaitsForTheAuthenticator) {
  Waiting waiting;
  TestClient client(waiting.server.port());
  ASSERT_TRUE(client.Send(As("one", Echo()) + As("two", Echo())));
  ASSERT_TRUE(waiting.Arrived(1));
  EXPECT_FALSE(client.Readable(20));
  waiting.Answer(0, kIsAlice);
  EXPECT_THAT(client.Receive().body, HasSubstr("hello"));
  ASSERT_TRUE(waiting.Arrived(2));
  waiting.Answer(1, {});
  EXPECT_EQ(client.Receive().status, 401);
  waiting.server.OnLoop([&] {
    EXPECT_EQ(waiting.authenticator.tokens, (std::vector<std::string>{"one", "two"}));
  });
}

TEST(HttpAuth, KeepsALargeRequestWhileItWaits) {
  Waiting waiting;
  TestClient client(waiting.server.port());
  const std::string text(300'000, 'x');
  ASSERT_TRUE(client.Send(As("one", StatelessCall("echo", R"({"text":")" + text + "\"}"))));
  ASSERT_TRUE(waiting.Arrived(1));
  waiting.Answer(0, kIsAlice);
  EXPECT_THAT(client.Receive().body, HasSubstr(text));
}

TEST(HttpAuth, SaysThatItCannotTellNow) {
  Waiting waiting;
  TestClient client(waiting.server.port());
  ASSERT_TRUE(client.Send(As("one", Echo())));
  ASSERT_TRUE(waiting.Arrived(1));
  Authentication unavailable;
  unavailable.verdict = Verdict::kUnavailable;
  unavailable.retry_after = Millis{1500};
  waiting.Answer(0, unavailable);
  TestResponse answer = client.Receive();
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.headers["retry-after"], "2");
  EXPECT_EQ(answer.headers.count("www-authenticate"), 0u);
}

TEST(HttpAuth, LetsNobodyInWithoutAName) {
  Waiting waiting;
  TestClient client(waiting.server.port());
  ASSERT_TRUE(client.Send(As("one", Echo())));
  ASSERT_TRUE(waiting.Arrived(1));
  waiting.Answer(0, {.verdict = Verdict::kValid});
  EXPECT_EQ(client.Receive().status, 401);
}

TEST(HttpAuth, ForgetsWhoGoesBeforeTheAnswer) {
  Waiting waiting;
  {
    TestClient client(waiting.server.port());
    ASSERT_TRUE(client.Send(As("one", StatelessCall("hold"))));
    ASSERT_TRUE(waiting.Arrived(1));
  }
  // Its end has been seen once somebody who came later is heard.
  TestClient later(waiting.server.port());
  ASSERT_TRUE(later.Send(As("two", Echo())));
  ASSERT_TRUE(waiting.Arrived(2));
  waiting.Answer(0, kIsAlice);
  waiting.Answer(1, kIsAlice);
  EXPECT_EQ(later.Receive().status, 200);
  waiting.server.OnLoop([&] { EXPECT_TRUE(waiting.server.held().empty()); });
}

TEST(HttpAuth, AnswersAfterTheServerHasGone) {
  Deferred authenticator;
  {
    HttpServerOptions options;
    options.auth.authenticator = &authenticator;
    TestServer server(options);
    TestClient client(server.port());
    ASSERT_TRUE(client.Send(As("one", Echo())));
    ASSERT_TRUE(server.Eventually([&] { return !authenticator.waiting.empty(); }));
  }
  authenticator.waiting[0](kIsAlice);  // nobody is there to hear it
}

TEST(HttpAuth, HandsItsPrincipalToTheHandlers) {
  Guarded guarded;
  TestClient client(guarded.server.port());
  ASSERT_TRUE(client.Send(As(kBob, StatelessCall("hold"))));
  ASSERT_TRUE(guarded.server.Eventually([&] { return !guarded.server.held().empty(); }));
  guarded.server.OnLoop([&] { EXPECT_EQ(guarded.server.held()[0].principal(), "bob"); });
  ASSERT_TRUE(guarded.server.Release(0));
  EXPECT_EQ(client.Receive().status, 200);
}

}  // namespace
}  // namespace mcp_session

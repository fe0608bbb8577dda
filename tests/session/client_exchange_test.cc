// What an open client makes of HTTP responses: answers, errors, and the end of a session.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/session/client_script.h"

namespace mcp_session {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

TEST(ClientExchange, TakesJsonAnswers) {  // H-44
  SessionHttp script;
  script.Ask(1, "tools/list");
  EXPECT_THAT(script.Respond(3, 200, ResultText(2, R"("tools":[])")),
              ElementsAre(R"(answered 1 {"tools":[]})"));
  EXPECT_EQ(script.Patience(), -1);
  EXPECT_THAT(script.Respond(3, 200, ResultText(2, R"("tools":[])")), IsEmpty());
}

TEST(ClientExchange, TakesStreamedAnswersHoweverCut) {  // H-44, H-45, H-46
  const std::string stream =
      ": hello\n\nid: s-0\nretry: 10\ndata:\n\n"
      "event: other\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/no\"}\n\n"
      "data: " +
      ProgressText("2", R"("progress":1,"total":3,"message":"m")") +
      "\n\n"
      "data: "
      "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
      "message\",\"params\":{\"level\":\"info\"}}\r\n\r\n"
      "data: " +
      ResultText(2, R"("a":1)") +
      "\n\n"
      "data: " +
      ResultText(2, R"("a":2)") +
      "\n\n"
      "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/late\"}\n\n";
  const Lines expected = {R"(progressed 1 {"progress":1,"total":3,"message":"m"})",
                          R"(notified notifications/message {"level":"info"})",
                          R"(answered 1 {"a":1})"};
  for (const std::size_t piece : {stream.size(), std::size_t{1}, std::size_t{7}}) {
    SessionHttp script;
    script.Give(client_event::Request{CallId{1}, "x", {}, true, {}});
    EXPECT_THAT(script.lines(),
                ElementsAre("#3 POST " + RequestText(2, "x", R"({"_meta":{"progressToken":2}})")));
    Lines lines = script.Stream(3);
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      for (std::string& line : script.Bytes(3, std::string_view(stream).substr(at, piece))) {
        lines.push_back(std::move(line));
      }
    }
    EXPECT_EQ(lines, expected) << "in pieces of " << piece;
    EXPECT_THAT(script.End(3), IsEmpty());
  }
}

TEST(ClientExchange, TakesJsonAnswersHoweverCut) {
  SessionHttp script;
  script.Ask(1, "x");
  script.Head(3, 200, "application/json; charset=utf-8");
  for (const char c : ResultText(2, R"("a":1)")) {
    EXPECT_THAT(script.Bytes(3, std::string_view(&c, 1)), IsEmpty());
  }
  EXPECT_THAT(script.End(3), ElementsAre(R"(answered 1 {"a":1})"));
}

TEST(ClientExchange, TakesOnlyTheFirstHead) {
  SessionHttp script;
  script.Ask(1, "x");
  EXPECT_THAT(script.Head(3, 100, ""), IsEmpty()) << "which an informational one is not";
  EXPECT_THAT(script.Head(3, 200, "application/json"), IsEmpty());
  EXPECT_THAT(script.Head(3, 404, "text/event-stream"), IsEmpty());
  script.Bytes(3, ResultText(2, ""));
  EXPECT_THAT(script.End(3), ElementsAre("answered 1 {}"));
}

TEST(ClientExchange, LetsAnAnsweredStreamEndOrAbortsIt) {
  SessionHttp script;
  script.Ask(1, "x");
  script.Stream(3);
  EXPECT_THAT(script.Event(3, ResultText(2, "")), ElementsAre("answered 1 {}"));
  EXPECT_EQ(script.Patience(), 5'000);
  EXPECT_THAT(script.Event(3, R"({"jsonrpc":"2.0","method":"notifications/x"})"), IsEmpty());
  EXPECT_THAT(script.Pass(Seconds(5)), ElementsAre("#3 abort"));
  EXPECT_EQ(script.Patience(), -1);
}

TEST(ClientExchange, BoundsTheStreamsThatNeverEnd) {
  ClientOptions options = ProbeOptions(ClientTransport::kHttp);
  options.limits.max_calls_per_session = 2;
  StatelessHttp script(options);
  for (int call = 1; call <= 4; ++call) {
    script.Ask(static_cast<std::uint64_t>(call), "x");
    const auto exchange = static_cast<std::uint64_t>(call + 1);
    script.Stream(exchange);
    Lines expected;
    if (call > 2) expected.push_back("#" + std::to_string(exchange) + " abort");
    expected.push_back("answered " + std::to_string(call) + " {}");
    EXPECT_EQ(script.Event(exchange, ResultText(call + 1, "")), expected);
  }
}

TEST(ClientExchange, IgnoresAnswersToOthers) {  // J-05
  SessionHttp script;
  script.Ask(1, "x");
  script.Ask(2, "x");
  script.Stream(3);
  EXPECT_THAT(script.Event(3, ResultText(3, "")), IsEmpty()) << "of another exchange (H-52)";
  EXPECT_THAT(script.Event(3, ResultText(99, "")), IsEmpty());
  EXPECT_THAT(script.Event(3, ResultText("\"2\"", "")), IsEmpty());
  EXPECT_THAT(script.Event(3, RpcErrorText("\"id\":99,", -32603)), IsEmpty());
  EXPECT_THAT(script.Event(3, ResultText(2, "")), ElementsAre("answered 1 {}"));
  EXPECT_THAT(script.Respond(4, 200, ResultText(2, "")), ElementsAre("failed 2 PEER"));
}

TEST(ClientExchange, ReadsWhatEndsWithoutAnAnswer) {
  const struct {
    const char* name;
    int status;
    std::string body;
    const char* then;
  } kRows[] = {
      {"empty", 200, "", "failed 1 PEER"},
      {"no content", 204, "", "failed 1 PEER"},
      {"accepted", 202, "", "failed 1 PEER"},
      {"text", 200, "hello", "failed 1 PEER"},
      {"cut", 200, R"({"jsonrpc":"2.0","id":2,"result":{)", "failed 1 PEER"},
      {"no object", 200, "7", "failed 1 PEER"},
      {"batch", 200, "[" + ResultText(2, "") + "]", "failed 1 PEER"},
      {"no version", 200, R"({"id":2,"result":{}})", "failed 1 PEER"},
      {"both", 200, R"({"jsonrpc":"2.0","id":2,"result":{},"error":{"code":1,"message":""}})",
       "failed 1 PEER"},
      {"neither", 200, R"({"jsonrpc":"2.0","id":2})", "failed 1 PEER"},
      {"no result", 200, R"({"jsonrpc":"2.0","id":2,"result":null})", "failed 1 PEER"},
      {"deep", 200, std::string(100, '[') + std::string(100, ']'), "failed 1 PEER"},
      {"redirect", 302, "", "failed 1 TRANSPORT"},
      {"bad request", 400, "", "failed 1 PEER"},
      {"bad request, other id", 400, RpcErrorText("\"id\":3,", -32602), "failed 1 PEER"},
      {"unauthorized", 401, "", "failed 1 FORBIDDEN"},
      {"forbidden", 403, "", "failed 1 FORBIDDEN"},
      {"not allowed", 405, "", "failed 1 PEER"},
      {"timeout", 408, "", "failed 1 TIMEOUT"},
      {"too large", 413, "", "failed 1 TOO_LARGE"},
      {"too many", 429, "", "failed 1 TOO_MANY_REQUESTS"},
      {"internal", 500, "oops", "failed 1 UNAVAILABLE"},
      {"unavailable", 503, "", "failed 1 UNAVAILABLE"},
      {"odd status", 999, "", "failed 1 UNAVAILABLE"},
      {"no status", 0, ResultText(2, ""), "failed 1 TRANSPORT"},
      {"negative status", -1, ResultText(2, ""), "failed 1 TRANSPORT"},
  };
  for (const auto& row : kRows) {
    SessionHttp script;
    script.Ask(1, "x");
    EXPECT_THAT(script.Respond(3, row.status, row.body), ElementsAre(row.then)) << row.name;
    EXPECT_EQ(script.Patience(), -1) << row.name;
  }
}

TEST(ClientExchange, SurfacesTheServersErrors) {
  const struct {
    int status;
    std::string body;
    const char* then;
  } kRows[] = {
      {200, RpcErrorText("\"id\":2,", -32602), R"(failed 1 INVALID_PARAMS rpc -32602 "no")"},
      {200, RpcErrorText("\"id\":2,", -32603), R"(failed 1 INTERNAL rpc -32603 "no")"},
      {200, RpcErrorText("\"id\":2,", -32002, R"({"uri":"x"})"),
       R"(failed 1 PEER rpc -32002 "no" {"uri":"x"})"},
      {200, RpcErrorText("\"id\":2,", 7), R"(failed 1 PEER rpc 7 "no")"},
      {200, RpcErrorText("\"id\":2,", -32000), R"(failed 1 PEER rpc -32000 "no")"},
      {400, RpcErrorText("\"id\":2,", -32600), R"(failed 1 INVALID_REQUEST rpc -32600 "no")"},
      {400, RpcErrorText("", -32700), R"(failed 1 PARSE_ERROR rpc -32700 "no")"},
      {400, RpcErrorText("\"id\":null,", -32000), R"(failed 1 PEER rpc -32000 "no")"},
      {400, RpcErrorText("\"id\":2,", -32020), R"(failed 1 HEADER_MISMATCH rpc -32020 "no")"},
      {400, RpcErrorText("\"id\":2,", -32021, R"({"requiredCapabilities":{"sampling":{}}})"),
       R"(failed 1 MISSING_CAPABILITY rpc -32021 "no" {"requiredCapabilities":{"sampling":{}}})"},
      {400, RpcErrorText("\"id\":2,", -32022), R"(failed 1 UNSUPPORTED_VERSION rpc -32022 "no")"},
      {404, RpcErrorText("\"id\":2,", -32601), R"(failed 1 METHOD_NOT_FOUND rpc -32601 "no")"},
      {403, RpcErrorText("\"id\":2,", -32602), R"(failed 1 FORBIDDEN rpc -32602 "no")"},
      {413, RpcErrorText("", -32600), R"(failed 1 TOO_LARGE rpc -32600 "no")"},
      {503, RpcErrorText("\"id\":2,", -32603), R"(failed 1 UNAVAILABLE rpc -32603 "no")"},
  };
  for (const auto& row : kRows) {
    StatelessHttp script;
    script.Ask(1, "x");
    EXPECT_THAT(script.Respond(2, row.status, row.body), ElementsAre(row.then))
        << row.status << " " << row.body;
  }
}

TEST(ClientExchange, FailsWhatTheConnectionBreaks) {
  SessionHttp script;
  script.Ask(1, "x");
  EXPECT_THAT(script.Break(3), ElementsAre("failed 1 TRANSPORT"));
  script.Ask(2, "x");
  script.Head(4, 200, "application/json");
  script.Bytes(4, "{");
  EXPECT_THAT(script.Break(4), ElementsAre("failed 2 TRANSPORT"));
  script.Ask(3, "x");
  script.Head(5, 401, "text/plain");
  EXPECT_THAT(script.Break(5), ElementsAre("failed 3 FORBIDDEN"));
  script.Ask(4, "x");
  script.Stream(6);
  EXPECT_THAT(script.End(6), ElementsAre("failed 4 TRANSPORT"));
  script.Ask(5, "x");
  script.Stream(7);
  EXPECT_THAT(script.Event(7, "no JSON"), IsEmpty());
  EXPECT_THAT(script.End(7), ElementsAre("failed 5 PEER"));
}

TEST(ClientExchange, LimitsBodies) {
  ClientOptions options = ProbeOptions(ClientTransport::kHttp);
  options.limits.max_message_bytes = 512;
  const std::string answer = ResultText(2, R"("a":1)");
  const std::string at_limit = std::string(512 - answer.size(), ' ') + answer;
  {
    StatelessHttp script(options);
    script.Ask(1, "x");
    EXPECT_THAT(script.Respond(2, 200, at_limit), ElementsAre(R"(answered 1 {"a":1})"));
  }
  {
    StatelessHttp script(options);
    script.Ask(1, "x");
    script.Head(2, 200, "application/json");
    EXPECT_THAT(script.Bytes(2, at_limit), IsEmpty());
    EXPECT_THAT(script.Bytes(2, " "), ElementsAre("#2 abort", "failed 1 TOO_LARGE"));
    EXPECT_THAT(script.Bytes(2, " "), IsEmpty());
  }
  {
    StatelessHttp script(options);
    script.Ask(1, "x");
    script.Head(2, 503, "text/html");
    EXPECT_THAT(script.Bytes(2, at_limit + " "), ElementsAre("#2 abort", "failed 1 UNAVAILABLE"));
  }
}

TEST(ClientExchange, LimitsEventsOfAStream) {
  ClientOptions options = ProbeOptions(ClientTransport::kHttp);
  options.limits.max_sse_event_bytes = 64;
  StatelessHttp script(options);
  script.Ask(1, "x");
  script.Stream(2);
  EXPECT_THAT(script.Event(2, std::string(58, 'x')), IsEmpty());
  EXPECT_THAT(script.Event(2, std::string(59, 'x')), ElementsAre("#2 abort", "failed 1 TOO_LARGE"));
  // What came whole before the event that is too large still counts.
  script.Ask(2, "x");
  script.Stream(3);
  EXPECT_THAT(script.Bytes(3, "data: " + ResultText(3, "") + "\n\ndata: " + std::string(99, 'x')),
              ElementsAre("answered 2 {}"));
}

TEST(ClientExchange, ReadsBatchesOfTheOneRevisionThatHasThem) {  // J-11
  SessionHttp script("2025-03-26");
  script.Ask(1, "x");
  EXPECT_THAT(script.Respond(3, 200,
                             R"([{"jsonrpc":"2.0","method":"notifications/a"},7,)" +
                                 ResultText(2, R"("a":1)") + "]"),
              ElementsAre("notified notifications/a null", R"(answered 1 {"a":1})"));
  SessionHttp newer("2025-06-18");
  newer.Ask(1, "x");
  EXPECT_THAT(newer.Respond(3, 200, "[" + ResultText(2, "") + "]"), ElementsAre("failed 1 PEER"));
}

// --- the session lost ---

// The initialize of a session's client that opens another.
std::string Again(int exchange, int id) {
  return "#" + std::to_string(exchange) + " POST " + RequestText(id, "initialize").substr(0, 45);
}

TEST(ClientExchange, SendsWhatWasRefusedAgainInOneNewSession) {  // H-30
  SessionHttp script;
  script.Ask(1, "x");
  script.Ask(2, "y");
  script.Ask(3, "z");
  EXPECT_THAT(script.Respond(3, 404, RpcErrorText("\"id\":2,", -32001)),
              ElementsAre("session lost", StartsWith(Again(6, 5))));
  EXPECT_THAT(HeadersOf(script.effects), Not(Contains(StartsWith("Mcp-Session-Id"))));
  EXPECT_THAT(script.Respond(4, 404, ""), IsEmpty()) << "it waits for the same new session";
  script.Respond(6, 200, ResultText(5, R"("protocolVersion":"2025-11-25")"), "application/json",
                 "s2");
  EXPECT_THAT(script.Head(7, 202, ""),
              ElementsAre(R"(opened handshake 2025-11-25 "s2" {})",
                          "#8 POST " + RequestText(6, "x"), "#9 POST " + RequestText(7, "y")));
  EXPECT_THAT(HeadersOf(script.effects), Contains("Mcp-Session-Id: s2"));
  EXPECT_THAT(script.Respond(5, 404, ""), ElementsAre("#10 POST " + RequestText(8, "z")))
      << "the session that is there now is not the one that was lost";
  EXPECT_THAT(script.Respond(8, 200, ResultText(6, "")), ElementsAre("answered 1 {}"));
  EXPECT_THAT(script.Respond(9, 404, ""), ElementsAre("session lost", "failed 2 SESSION_NOT_FOUND"))
      << "once";
}

TEST(ClientExchange, TakesWhatALostSessionHadAccepted) {
  SessionHttp script;
  script.Ask(1, "x");
  script.Ask(2, "y");
  script.Stream(4);
  script.Respond(3, 404, "");
  EXPECT_THAT(script.Event(4, ResultText(3, R"("a":1)")), ElementsAre(R"(answered 2 {"a":1})"));
}

TEST(ClientExchange, FailsWhatWaitsWhenThereIsNoNewSession) {
  SessionHttp script;
  script.Ask(1, "x");
  script.Ask(2, "y");
  script.Respond(3, 404, "");
  EXPECT_THAT(script.Respond(5, 503, ""),
              ElementsAre("open failed UNAVAILABLE", "failed 1 UNAVAILABLE"));
  EXPECT_THAT(script.Respond(4, 200, ResultText(3, "")), ElementsAre("answered 2 {}"));
}

TEST(ClientExchange, AnotherSessionHasItsOwnTime) {
  SessionHttp script;
  script.Ask(1, "x");
  script.Pass(Seconds(59));
  script.Respond(3, 404, "");
  EXPECT_EQ(script.Patience(), 60'000);
  EXPECT_THAT(script.Cancel(1), ElementsAre("failed 1 CANCELLED"));
}

TEST(ClientExchange, GivesUpInALostSessionByClosing) {
  SessionHttp script;
  script.Ask(1, "x");
  script.Ask(2, "y");
  script.Respond(3, 404, "");
  EXPECT_THAT(script.Cancel(2), ElementsAre("#4 abort", "failed 2 CANCELLED"))
      << "there is nobody to tell";
}

ClientOptions KeepingSessions() {
  ClientOptions options = ProbeOptions(ClientTransport::kHttp);
  options.renews_session = false;
  return options;
}

TEST(ClientExchange, FailsAt404WithoutRenewal) {
  SessionHttp script("2025-11-25", "s1", KeepingSessions());
  script.Ask(1, "x");
  EXPECT_THAT(script.Respond(3, 404, RpcErrorText("\"id\":null,", -32001)),
              ElementsAre("session lost", R"(failed 1 SESSION_NOT_FOUND rpc -32001 "no")"));
  // The next request starts over.
  EXPECT_THAT(script.Ask(3, "x"), ElementsAre(StartsWith(Again(4, 3))));
  EXPECT_THAT(HeadersOf(script.effects), Not(Contains(StartsWith("Mcp-Session-Id"))));
}

TEST(ClientExchange, LosesTheSessionAtAnEmpty404) {
  SessionHttp script("2025-11-25", "s1", KeepingSessions());
  script.Ask(1, "x");
  EXPECT_THAT(script.Respond(3, 404, ""),
              ElementsAre("session lost", "failed 1 SESSION_NOT_FOUND"));
  EXPECT_THAT(script.Close(), ElementsAre("closed")) << "there is nothing to delete";
}

TEST(ClientExchange, LosesTheSessionWhenANotificationGets404) {
  SessionHttp script;
  script.Ask(1, "x");
  script.Cancel(1);
  EXPECT_THAT(script.Head(4, 404, ""), ElementsAre("session lost"));
  EXPECT_THAT(script.Ask(2, "x"), ElementsAre(StartsWith(Again(5, 3))));
}

// --- the connection broken ---

TEST(ClientExchange, SendsAgainOnlyWhatMayBeRepeated) {
  for (const bool repeatable : {false, true}) {
    SessionHttp script;
    script.Give(client_event::Request{CallId{1}, "x", {}, false, {}, repeatable});
    if (!repeatable) {
      EXPECT_THAT(script.Break(3), ElementsAre("failed 1 TRANSPORT"));
      continue;
    }
    EXPECT_THAT(script.Break(3), ElementsAre("#4 POST " + RequestText(3, "x")));
    script.Stream(4);
    EXPECT_THAT(script.End(4), ElementsAre("failed 1 TRANSPORT")) << "once";
  }
  SessionHttp script;
  script.Give(client_event::Request{CallId{1}, "x", {}, false, {}, true});
  script.Stream(3);
  EXPECT_THAT(script.End(3), ElementsAre(StartsWith("#4 POST")));
  EXPECT_THAT(script.Respond(4, 302, ""), ElementsAre("failed 1 TRANSPORT"));
  script.Give(client_event::Request{CallId{2}, "x", {}, false, {}, true});
  EXPECT_THAT(script.Respond(5, 302, ""), ElementsAre("failed 2 TRANSPORT"))
      << "which is no broken connection";
}

TEST(ClientExchange, LosesNothingAt404WithoutASession) {
  SessionHttp notifying("2025-11-25", "");
  notifying.Ask(1, "x");
  notifying.Cancel(1);
  EXPECT_THAT(notifying.Respond(4, 404, ""), IsEmpty());
  SessionHttp script("2025-11-25", "");
  script.Ask(1, "x");
  EXPECT_THAT(script.Respond(3, 404, ""), ElementsAre("failed 1 PEER"));
  EXPECT_THAT(script.Ask(2, "x"), ElementsAre("#4 POST " + RequestText(3, "x")));
}

// --- stateless results and versions ---

TEST(ClientExchange, KnowsTheKindsOfResults) {  // J-09
  const struct {
    const char* members;
    const char* then;
  } kRows[] = {
      {R"("a":1)", R"(answered 1 {"a":1})"},
      {R"("resultType":"complete")", R"(answered 1 {"resultType":"complete"})"},
      {R"("resultType":"input_required")", R"(answered 1 {"resultType":"input_required"})"},
      {R"("resultType":"task")", "failed 1 PEER"},
      {R"("resultType":"other")", "failed 1 PEER"},
      {R"("resultType":null)", "failed 1 PEER"},
      {R"("resultType":1)", "failed 1 PEER"},
  };
  for (const auto& row : kRows) {
    StatelessHttp script;
    script.Ask(1, "x");
    EXPECT_THAT(script.Respond(2, 200, ResultText(2, row.members)), ElementsAre(row.then))
        << row.members;
  }
  ClientOptions options = ProbeOptions(ClientTransport::kHttp);
  options.capabilities = FromText(R"({"extensions":{"io.modelcontextprotocol/tasks":{}}})");
  StatelessHttp with_tasks(options);
  with_tasks.Ask(1, "x");
  EXPECT_THAT(with_tasks.Respond(2, 200, ResultText(2, R"("resultType":"task")")),
              ElementsAre(R"(answered 1 {"resultType":"task"})"));
  with_tasks.Ask(2, "x");
  EXPECT_THAT(with_tasks.Respond(3, 200, ResultText(3, R"("resultType":"other")")),
              ElementsAre("failed 2 PEER"));
  SessionHttp older;
  older.Ask(1, "x");
  EXPECT_THAT(older.Respond(3, 200, ResultText(2, R"("resultType":"other")")),
              ElementsAre(R"(answered 1 {"resultType":"other"})"));
}

TEST(ClientExchange, ResendsARefusedVersionOnce) {  // S-06, R-8, J-04
  const std::string refusal = R"({"supported":["2026-07-28"],"requested":"2026-07-28"})";
  StatelessHttp script;
  script.Ask(1, "x", FromText(R"({"a":1})"));
  EXPECT_THAT(script.Respond(2, 400, RpcErrorText("\"id\":2,", -32022, refusal)),
              ElementsAre("#3 POST " + RequestText(3, "x", R"({"a":1,)" + kMeta + "}")));
  EXPECT_THAT(script.Respond(3, 400, RpcErrorText("\"id\":3,", -32022, refusal)),
              ElementsAre(R"(failed 1 UNSUPPORTED_VERSION rpc -32022 "no" )" + refusal));

  StatelessChannel channel;
  channel.Ask(1, "x");
  EXPECT_THAT(channel.Arrive(RpcErrorText("\"id\":2,", -32022, refusal)),
              ElementsAre(StartsWith(R"(send {"jsonrpc":"2.0","id":3,"method":"x")")));
  EXPECT_THAT(channel.Arrive(ResultText(3, "")), ElementsAre("answered 1 {}"));
}

TEST(ClientExchange, ResendsNothingWithoutAMutualVersion) {
  StatelessHttp script;
  script.Ask(1, "x");
  EXPECT_THAT(
      script.Respond(2, 400, RpcErrorText("\"id\":2,", -32022, R"({"supported":["2025-11-25"]})")),
      ElementsAre(StartsWith("failed 1 UNSUPPORTED_VERSION rpc -32022")));
}

}  // namespace
}  // namespace mcp_session

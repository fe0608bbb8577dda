// What an open client does with requests, and with what a server asks, tells or ends.
#include "mcp_session/session/client_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/session/client_script.h"

namespace mcp_session {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

// --- requests ---

TEST(ClientEngine, DescribesEveryStatelessRequest) {  // S-02, S-03
  StatelessHttp script;
  EXPECT_THAT(script.Ask(1, "tools/list"),
              ElementsAre("#2 POST " + RequestText(2, "tools/list", "{" + kMeta + "}")));
  EXPECT_THAT(
      script.Ask(2, "tools/call", FromText(R"({"name":"add","arguments":{"a":1}})")),
      ElementsAre("#3 POST " + RequestText(3, "tools/call",
                                           R"({"name":"add","arguments":{"a":1},)" + kMeta + "}")));
}

TEST(ClientEngine, KeepsTheMetaOfTheApplication) {
  StatelessChannel script;
  script.Ask(1, "tools/list",
             FromText(R"({"_meta":{"traceparent":"00-1",)"
                      R"("io.modelcontextprotocol/protocolVersion":"x",)"
                      R"("progressToken":"mine"},"cursor":"c"})"));
  std::string meta = kMeta;
  meta.insert(meta.find('{') + 1, R"("traceparent":"00-1",)");
  EXPECT_THAT(script.lines(), ElementsAre("send " + RequestText(2, "tools/list",
                                                                R"({"cursor":"c",)" + meta + "}")));
}

TEST(ClientEngine, LeavesHandshakeParamsAlone) {
  SessionChannel script;
  EXPECT_THAT(script.Ask(1, "ping"), ElementsAre("send " + RequestText(2, "ping")));
  EXPECT_THAT(script.Ask(2, "x", FromText(R"({"a":[1],"_meta":{"b":2}})")),
              ElementsAre("send " + RequestText(3, "x", R"({"a":[1],"_meta":{"b":2}})")));
  EXPECT_THAT(script.Ask(3, "x", FromText("{}")), ElementsAre("send " + RequestText(4, "x", "{}")));
  EXPECT_THAT(script.Ask(4, "x", FromText(R"({"_meta":{"progressToken":1,"b":2}})")),
              ElementsAre("send " + RequestText(5, "x", R"({"_meta":{"b":2}})")));
  EXPECT_THAT(script.Ask(5, "x", FromText(R"({"_meta":{"progressToken":1}})")),
              ElementsAre("send " + RequestText(6, "x", R"({"_meta":{}})")));
}

TEST(ClientEngine, NamesMethodAndTargetInHeaders) {  // S-33, S-36
  const struct {
    const char* method;
    const char* params;
    const char* name;
  } kRows[] = {
      {"tools/call", R"({"name":"add"})", "Mcp-Name: add"},
      {"prompts/get", R"({"name":"p q"})", "Mcp-Name: p q"},
      {"resources/read", R"({"uri":"mem://a"})", "Mcp-Name: mem://a"},
      {"tasks/get", R"({"taskId":"tk_1"})", "Mcp-Name: tk_1"},
      {"tasks/update", R"({"taskId":"tk_1"})", "Mcp-Name: tk_1"},
      {"tasks/cancel", R"({"taskId":"tk_1"})", "Mcp-Name: tk_1"},
      {"tools/call", R"({"name":"Köln"})", "Mcp-Name: =?base64?S8O2bG4=?="},
      {"tools/call", R"({"name":" add"})", "Mcp-Name: =?base64?IGFkZA==?="},
      {"tools/call", R"({"name":"a\r\nX: y"})", "Mcp-Name: =?base64?YQ0KWDogeQ==?="},
      {"tools/call", R"({"name":"=?base64?eA==?="})", "Mcp-Name: =?base64?PT9iYXNlNjQ/ZUE9PT89?="},
      {"tools/call", R"({"uri":"x"})", nullptr},
      {"tools/call", R"({"name":7})", nullptr},
      {"resources/list", R"({"name":"x","uri":"y"})", nullptr},
  };
  for (const auto& row : kRows) {
    StatelessHttp script;
    script.Ask(1, row.method, FromText(row.params));
    Lines headers = {"Content-Type: application/json",
                     "Accept: application/json, text/event-stream",
                     "MCP-Protocol-Version: 2026-07-28", "Mcp-Method: " + std::string(row.method)};
    if (row.name != nullptr) headers.push_back(row.name);
    EXPECT_EQ(HeadersOf(script.effects), headers) << row.method << row.params;
  }
}

TEST(ClientEngine, SendsNoStatelessHeadersInASession) {  // H-10, H-27, H-42
  SessionHttp script;
  script.Ask(1, "tools/call", FromText(R"({"name":"add"})"));
  EXPECT_THAT(script.lines(),
              ElementsAre("#3 POST " + RequestText(2, "tools/call", R"({"name":"add"})")));
  EXPECT_THAT(
      HeadersOf(script.effects),
      ElementsAre("Content-Type: application/json", "Accept: application/json, text/event-stream",
                  "Mcp-Session-Id: s1", "MCP-Protocol-Version: 2025-11-25"));
}

TEST(ClientEngine, IgnoresSessionIdsInTheStatelessEra) {  // S-31
  StatelessHttp script;
  script.Ask(1, "x");
  script.Head(2, 200, "application/json", "s1");
  script.Bytes(2, ResultText(2, ""));
  EXPECT_THAT(script.End(2), ElementsAre("answered 1 {}"));
  script.Ask(2, "x");
  EXPECT_THAT(HeadersOf(script.effects), Not(Contains(StartsWith("Mcp-Session-Id"))));
  EXPECT_THAT(script.Respond(3, 404, ""), ElementsAre("failed 2 PEER"));
}

TEST(ClientEngine, RefusesWhatCannotBeSent) {
  SessionChannel script;
  EXPECT_THAT(script.Ask(1, "a\xFF"), ElementsAre("failed 1 INVALID_ARGUMENT"));
  EXPECT_THAT(script.Ask(2, "x", Json::array()), ElementsAre("failed 2 INVALID_ARGUMENT"));
  EXPECT_THAT(script.Ask(3, "x", FromText(R"({"_meta":1})")),
              ElementsAre("failed 3 INVALID_ARGUMENT"));
  EXPECT_THAT(script.Ask(4, "x", Json{{"a", "\xFF"}}), ElementsAre("failed 4 INVALID_ARGUMENT"));
  EXPECT_THAT(script.Ask(5, "x", Json{{"_meta", {{"a", "\xFF"}}}}),
              ElementsAre("failed 5 INVALID_ARGUMENT"));
  EXPECT_EQ(script.Patience(), -1);
}

TEST(ClientEngine, SendsAMessageAtTheLimitAndNoneBeyond) {
  ClientOptions options = ProbeOptions(ClientTransport::kHttp);
  options.limits.max_message_bytes = 200;
  SessionHttp script("2025-11-25", "s1", options);
  const std::size_t rest = RequestText(2, "x", R"({"a":""})").size();
  EXPECT_THAT(script.Ask(1, "x", Json{{"a", std::string(200 - rest, 'a')}}),
              ElementsAre(StartsWith("#3 POST ")));
  EXPECT_THAT(script.Ask(2, "x", Json{{"a", std::string(201 - rest, 'a')}}),
              ElementsAre("failed 2 TOO_LARGE"));
}

TEST(ClientEngine, LimitsTheRequestsThatWait) {
  ClientOptions options = ProbeOptions(ClientTransport::kHttp);
  options.limits.max_calls_per_session = 2;
  for (const bool open : {false, true}) {
    EngineScript script(options);
    if (open) {
      script.Open();
      script.Respond(1, 200, ResultText(1, R"("supportedVersions":["2026-07-28"])"));
    }
    script.Ask(1, "x");
    script.Ask(2, "x");
    EXPECT_THAT(script.Ask(3, "x"), ElementsAre("failed 3 TOO_MANY_REQUESTS"));
    script.Cancel(1);
    script.Ask(4, "x");
    EXPECT_THAT(script.lines(), Not(Contains("failed 4 TOO_MANY_REQUESTS")));
  }
}

// --- giving up ---

TEST(ClientEngine, CancelsBeforeTheStatelessEraByNotification) {  // P-01, P-02
  SessionHttp script;
  script.Ask(1, "x");
  EXPECT_THAT(script.Cancel(1),
              ElementsAre("#4 POST " + CancelText(2), "#3 abort", "failed 1 CANCELLED"));
  EXPECT_THAT(HeadersOf(script.effects), Contains("Mcp-Session-Id: s1"));
  EXPECT_THAT(script.Respond(4, 202, ""), IsEmpty());
  EXPECT_THAT(script.Respond(3, 200, ResultText(2, "")), IsEmpty());
  EXPECT_THAT(script.Cancel(1), IsEmpty());
  EXPECT_EQ(script.Patience(), -1);
}

TEST(ClientEngine, WaitsForNoMoreThanTheHeadOfWhatAnswersANotification) {
  SessionHttp script;
  script.Ask(1, "x");
  script.Cancel(1);
  EXPECT_EQ(script.Patience(), 60'000);
  EXPECT_THAT(script.Head(4, 202, ""), IsEmpty());
  EXPECT_EQ(script.Patience(), 5'000);
  EXPECT_THAT(script.Pass(Seconds(5)), ElementsAre("#4 abort"));
}

TEST(ClientEngine, CancelsStatelessHttpByClosing) {  // P-02, S-44
  StatelessHttp script;
  script.Ask(1, "x");
  EXPECT_THAT(script.Cancel(1), ElementsAre("#2 abort", "failed 1 CANCELLED"));
}

TEST(ClientEngine, CancelsOnChannelsByNotification) {  // T-04
  StatelessChannel stateless;
  stateless.Ask(1, "x");
  EXPECT_THAT(stateless.Cancel(1), ElementsAre("send " + CancelText(2), "failed 1 CANCELLED"));
  EXPECT_THAT(stateless.Arrive(ResultText(2, "")), IsEmpty());
  SessionChannel session;
  session.Ask(1, "x");
  EXPECT_THAT(session.Cancel(1), ElementsAre("send " + CancelText(2), "failed 1 CANCELLED"));
}

TEST(ClientEngine, TimesRequestsOut) {  // H-13
  SessionHttp script;
  script.Ask(1, "x");
  EXPECT_EQ(script.Patience(), 60'000);
  script.Pass(Seconds(10));
  script.Give(client_event::Request{CallId{2}, "x", {}, false, Seconds(20)});
  EXPECT_EQ(script.Patience(), 20'000);
  EXPECT_THAT(script.Pass(Millis{19'999}), IsEmpty());
  EXPECT_THAT(script.Pass(Millis{1}),
              ElementsAre("#5 POST " + CancelText(3), "#4 abort", "failed 2 TIMEOUT"));
  EXPECT_THAT(script.Pass(Seconds(30)),
              ElementsAre("#6 POST " + CancelText(2), "#3 abort", "failed 1 TIMEOUT"));
  // Notifications that nobody takes in are not waited for either.
  EXPECT_THAT(script.Pass(Seconds(60)), ElementsAre("#5 abort", "#6 abort"));
  EXPECT_EQ(script.Patience(), -1);
}

TEST(ClientEngine, TakesAnyTimeout) {
  SessionChannel script;
  script.Give(client_event::Request{CallId{1}, "x", {}, false, Millis{INT64_MAX}});
  EXPECT_EQ(script.Patience(), 600'000) << "no longer than max_request_time";
  script.Give(client_event::Request{CallId{2}, "x", {}, false, Millis{-5}});
  EXPECT_THAT(script.Pass(Millis{0}), ElementsAre("send " + CancelText(3), "failed 2 TIMEOUT"));

  ClientOptions options = ProbeOptions(ClientTransport::kChannel);
  options.max_request_time = Millis{INT64_MAX};
  options.era = Era::kHandshake;
  EngineScript patient(options);
  patient.Open();
  patient.Arrive(ResultText(1, R"("protocolVersion":"2025-11-25")"));
  patient.Give(client_event::Request{CallId{1}, "x", {}, false, Millis{INT64_MAX}});
  EXPECT_EQ(patient.Patience(), -1);
}

TEST(ClientEngine, ExtendsTimeByProgressUpToTheEnd) {  // H-13, P-03
  SessionChannel script;
  script.Give(client_event::Request{CallId{1}, "x", {}, true, {}});
  for (int half_minute = 1; half_minute <= 18; ++half_minute) {
    script.Pass(Seconds(30));
    const std::string progress = "\"progress\":" + std::to_string(half_minute);
    EXPECT_THAT(script.Arrive(ProgressText("2", progress)),
                ElementsAre("progressed 1 {" + progress + "}"));
    EXPECT_EQ(script.Patience(), 60'000);
  }
  script.Pass(Seconds(30));  // nine and a half minutes
  script.Arrive(ProgressText("2", R"("progress":100)"));
  EXPECT_EQ(script.Patience(), 30'000) << "max_request_time holds";
  EXPECT_THAT(script.Pass(Seconds(30)), ElementsAre("send " + CancelText(2), "failed 1 TIMEOUT"));
}

TEST(ClientEngine, TakesOnlyRealProgress) {  // P-03
  SessionChannel script;
  script.Give(client_event::Request{CallId{1}, "x", {}, true, {}});
  script.Ask(2, "x");  // wants none
  script.Pass(Seconds(10));
  EXPECT_THAT(script.Arrive(ProgressText("2", R"("progress":0.5,"total":"3","message":7,"x":1)")),
              ElementsAre(R"(progressed 1 {"progress":0.5})"));
  script.Pass(Seconds(10));
  for (const char* rest :
       {R"("progress":0.5)", R"("progress":0.25)", R"("progress":"1")", R"("total":3)"}) {
    EXPECT_THAT(script.Arrive(ProgressText("2", rest)), IsEmpty()) << rest;
  }
  for (const char* token : {"3", "4", "0", "-1", "\"2\"", "null", "2.5"}) {
    EXPECT_THAT(script.Arrive(ProgressText(token, R"("progress":9)")), IsEmpty()) << token;
  }
  EXPECT_EQ(script.Patience(), 40'000) << "what is no progress buys no time";
  EXPECT_THAT(script.Arrive(ResultText(2, "")), ElementsAre("answered 1 {}"));
  EXPECT_THAT(script.Arrive(ProgressText("2", R"("progress":9)")), IsEmpty());
}

// --- what a server asks and tells ---

TEST(ClientEngine, AnswersPingAndRefusesOtherRequests) {  // P-04, G-07
  SessionChannel script;
  EXPECT_THAT(script.Arrive(R"({"jsonrpc":"2.0","id":7,"method":"ping"})"),
              ElementsAre(R"(send {"jsonrpc":"2.0","id":7,"result":{}})"));
  for (const char* method : {"roots/list", "sampling/createMessage", "elicitation/create", "?"}) {
    EXPECT_THAT(
        script.Arrive(R"({"jsonrpc":"2.0","id":"s1","method":")" + std::string(method) +
                      R"(","params":{}})"),
        ElementsAre(
            R"(send {"jsonrpc":"2.0","id":"s1","error":{"code":-32601,"message":"method not found"}})"));
  }
  EXPECT_THAT(script.Arrive(R"({"jsonrpc":"2.0","id":null,"method":"ping"})"), IsEmpty());
}

TEST(ClientEngine, PostsItsAnswersInASession) {  // H-42
  SessionHttp script;
  script.Ask(1, "x");
  script.Stream(3);
  EXPECT_THAT(script.Event(3, R"({"jsonrpc":"2.0","id":2,"method":"ping"})"),
              ElementsAre(R"(#4 POST {"jsonrpc":"2.0","id":2,"result":{}})"));
  EXPECT_THAT(
      HeadersOf(script.effects),
      ElementsAre("Content-Type: application/json", "Accept: application/json, text/event-stream",
                  "Mcp-Session-Id: s1", "MCP-Protocol-Version: 2025-11-25"));
  EXPECT_THAT(script.Respond(4, 202, ""), IsEmpty());
  // The server's ids are its own: its 2 is not ours.
  EXPECT_THAT(script.Event(3, ResultText(2, "")), ElementsAre("answered 1 {}"));
}

TEST(ClientEngine, BoundsTheAnswersThatNobodyTakes) {
  ClientOptions options = ProbeOptions(ClientTransport::kHttp);
  options.limits.max_calls_per_session = 2;
  SessionHttp script("2025-11-25", "s1", options);
  script.Ask(1, "x");
  script.Stream(3);
  const std::string ping = R"({"jsonrpc":"2.0","id":7,"method":"ping"})";
  EXPECT_THAT(script.Event(3, ping), ElementsAre(StartsWith("#4 POST")));
  EXPECT_THAT(script.Event(3, ping), ElementsAre(StartsWith("#5 POST")));
  EXPECT_THAT(script.Event(3, ping), IsEmpty());
  script.Respond(4, 202, "");
  EXPECT_THAT(script.Event(3, ping), ElementsAre(StartsWith("#6 POST")));
}

TEST(ClientEngine, AnswersNothingInTheStatelessEra) {  // J-10
  StatelessChannel channel;
  EXPECT_THAT(channel.Arrive(R"({"jsonrpc":"2.0","id":7,"method":"ping"})"), IsEmpty());
  StatelessHttp http;
  http.Ask(1, "x");
  http.Stream(2);
  EXPECT_THAT(http.Event(2, R"({"jsonrpc":"2.0","id":7,"method":"roots/list"})"), IsEmpty());
}

TEST(ClientEngine, PassesNotificationsOn) {
  StatelessChannel script;
  EXPECT_THAT(
      script.Arrive(
          R"({"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{"a":1}})"),
      ElementsAre(R"(notified notifications/tools/list_changed {"a":1})"));
  EXPECT_THAT(script.Arrive(R"({"jsonrpc":"2.0","method":"notifications/x"})"),
              ElementsAre("notified notifications/x null"));
}

TEST(ClientEngine, SurvivesAnythingOnAChannel) {
  SessionChannel script;
  script.Ask(1, "x");
  for (std::string_view text :
       {"", "hello", "{", "null", "[]", "[[]]", "{}", R"({"jsonrpc":"2.0"})",
        R"({"jsonrpc":"1.0","id":2,"method":"ping"})", R"({"jsonrpc":"2.0","id":{},"result":{}})",
        R"({"jsonrpc":"2.0","id":1,"result":{}})", R"({"jsonrpc":"2.0","id":0,"result":{}})",
        R"({"jsonrpc":"2.0","id":2.0,"result":{}})", R"({"jsonrpc":"2.0","id":"2","result":{}})",
        R"({"jsonrpc":"2.0","error":{"code":1,"message":""}})",
        R"({"jsonrpc":"2.0","id":2,"method":7})", R"({"jsonrpc":"2.0","method":"x","params":[]})",
        R"({"jsonrpc":"2.0","method":"notifications/progress"})", "\xFF\xFE"}) {
    EXPECT_THAT(script.Arrive(text), IsEmpty()) << text;
  }
  // A broken answer is still the only one there will be.
  EXPECT_THAT(script.Arrive(R"({"jsonrpc":"2.0","id":2,"result":7})"),
              ElementsAre("failed 1 PEER"));
}

TEST(ClientEngine, IgnoresEventsOfTheOtherTransport) {
  SessionHttp http;
  http.Ask(1, "x");
  EXPECT_THAT(http.Arrive(ResultText(2, "")), IsEmpty());
  EXPECT_THAT(http.Give(client_event::ChannelClosed{}), IsEmpty());
  SessionChannel channel;
  channel.Ask(1, "x");
  EXPECT_THAT(channel.Respond(0, 200, ResultText(2, "")), IsEmpty());
  EXPECT_THAT(channel.Break(1), IsEmpty());
  EXPECT_THAT(channel.Arrive(ResultText(2, "")), ElementsAre("answered 1 {}"));
}

// --- the end ---

TEST(ClientEngine, DeletesItsSession) {  // H-31
  for (const int status : {200, 204, 405, 404, 500}) {
    SessionHttp script;
    script.Ask(1, "x");
    EXPECT_THAT(script.Close(), ElementsAre("failed 1 CANCELLED", "#3 abort", "#4 DELETE"));
    EXPECT_THAT(HeadersOf(script.effects),
                ElementsAre("Mcp-Session-Id: s1", "MCP-Protocol-Version: 2025-11-25"));
    EXPECT_THAT(script.Ask(2, "x"), ElementsAre("failed 2 CANCELLED"));
    EXPECT_THAT(script.Open(), ElementsAre("open failed CANCELLED"));
    EXPECT_THAT(script.Close(), IsEmpty());
    EXPECT_THAT(script.Respond(4, status, ""), ElementsAre("closed")) << status;
    EXPECT_EQ(script.Patience(), -1);
    EXPECT_THAT(script.Ask(3, "x"), ElementsAre(HasSubstr("\"initialize\"")));
  }
}

TEST(ClientEngine, ClosesWhenDeleteIsNotAnswered) {
  SessionHttp broken;
  broken.Close();
  EXPECT_THAT(broken.Break(3), ElementsAre("closed"));
  SessionHttp silent;
  silent.Close();
  EXPECT_EQ(silent.Patience(), 5'000);
  EXPECT_THAT(silent.Pass(Seconds(5)), ElementsAre("#3 abort", "closed"));
}

TEST(ClientEngine, ClosesAtOnceWithoutASession) {
  StatelessHttp stateless;
  stateless.Ask(1, "x");
  EXPECT_THAT(stateless.Close(), ElementsAre("failed 1 CANCELLED", "#2 abort", "closed"));
  EXPECT_THAT(stateless.Close(), ElementsAre("closed"));
  StatelessChannel channel;
  channel.Ask(1, "x");
  EXPECT_THAT(channel.Close(),
              ElementsAre("send " + CancelText(2), "failed 1 CANCELLED", "closed"));
  EXPECT_THAT(channel.Arrive(ResultText(2, "")), IsEmpty());
}

TEST(ClientEngine, FailsEverythingWhenTheChannelCloses) {
  SessionChannel script;
  script.Ask(1, "x");
  script.Ask(2, "x");
  EXPECT_THAT(script.Give(client_event::ChannelClosed{}),
              ElementsAre("failed 1 TRANSPORT", "failed 2 TRANSPORT"));
  EXPECT_EQ(script.Patience(), -1);
  EXPECT_THAT(script.Ask(3, "x"), ElementsAre("failed 3 TRANSPORT"));
  EXPECT_THAT(script.Open(), ElementsAre(HasSubstr("\"initialize\"")));
}

}  // namespace
}  // namespace mcp_session

// What servers ask an application: by requests in a session, by rounds in the stateless era.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

#include "tests/session/client_script.h"

namespace mcp_session {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

const char* const kAll = R"({"roots":{},"sampling":{},"elicitation":{}})";

ClientOptions Answering(std::string_view capabilities = kAll,
                        ClientTransport transport = ClientTransport::kHttp) {
  ClientOptions options = ProbeOptions(transport);
  options.capabilities = FromText(capabilities);
  return options;
}

// The clients of client_script.h, and answer.
template <typename Base>
class Answers : public Base {
 public:
  template <typename... Arguments>
  explicit Answers(Arguments&&... arguments) : Base(std::forward<Arguments>(arguments)...) {
    Base::client().AnswerQuestions();
  }
};
using Session = Answers<SessionHttp>;
using Stateless = Answers<StatelessHttp>;
using Engine = Answers<EngineScript>;

std::string AskText(std::string_view id, std::string_view method, std::string_view params = "{}") {
  return R"({"jsonrpc":"2.0","id":)" + std::string(id) + R"(,"method":")" + std::string(method) +
         R"(","params":)" + std::string(params) + "}";
}

Json Accepted() { return FromText(R"({"action":"accept","content":{"acct":"A-9"}})"); }

// --- requests in a session ---

TEST(ClientQuestion, AsksTheApplicationInASession) {  // G-02
  Session script("2025-11-25", "s1", Answering());
  script.Ask(7, "tools/call", FromText(R"({"name":"x"})"));
  script.Stream(3);
  EXPECT_THAT(
      script.Event(3, AskText("\"srv-4\"", "elicitation/create", R"({"message":"Which?"})")),
      ElementsAre(R"(asked 1 for 7 elicitation/create {"message":"Which?"})"));
  EXPECT_THAT(
      script.Reply(1, Accepted()),
      ElementsAre(
          R"(#4 POST {"jsonrpc":"2.0","id":"srv-4","result":{"action":"accept","content":{"acct":"A-9"}}})"));
  EXPECT_THAT(HeadersOf(script.effects), Contains("Mcp-Session-Id: s1"));
  EXPECT_THAT(script.Reply(1, Accepted()), IsEmpty()) << "once";
  EXPECT_THAT(script.Event(3, ResultText(2, "")), ElementsAre("answered 7 {}"));
}

TEST(ClientQuestion, AnswersWithTheApplicationsError) {
  Session script("2025-11-25", "s1", Answering());
  script.Ask(7, "x");
  script.Stream(3);
  script.Event(3, AskText("5", "sampling/createMessage"));
  EXPECT_THAT(
      script.Reply(1, RpcError{-1, "rejected", {}}),
      ElementsAre(R"(#4 POST {"jsonrpc":"2.0","id":5,"error":{"code":-1,"message":"rejected"}})"));
  // What is no result is our fault, and the server hears of it all the same.
  script.Event(3, AskText("6", "roots/list"));
  EXPECT_THAT(script.Reply(2, Json(7)), ElementsAre(HasSubstr(R"("id":6,"error":{"code":-32603)")));
}

TEST(ClientQuestion, RefusesWhatWasNotDeclared) {  // G-01, G-07
  const struct {
    const char* declared;
    const char* method;
    const char* params;
    int code;  // 0: asked
  } kRows[] = {
      {"{}", "roots/list", "{}", -32601},
      {"{}", "sampling/createMessage", "{}", -32601},
      {"{}", "elicitation/create", "{}", -32601},
      {kAll, "tools/list", "{}", -32601},
      {kAll, "roots/list", "{}", 0},
      {kAll, "sampling/createMessage", "{}", 0},
      {kAll, "sampling/createMessage", R"({"tools":[]})", -32602},
      {kAll, "sampling/createMessage", R"({"toolChoice":{}})", -32602},
      {R"({"sampling":{"tools":{}}})", "sampling/createMessage", R"({"tools":[]})", 0},
      {kAll, "elicitation/create", R"({"mode":"form"})", 0},
      {kAll, "elicitation/create", R"({"mode":"url"})", -32602},
      {kAll, "elicitation/create", R"({"mode":"other"})", -32602},
      {R"({"elicitation":{"url":{}}})", "elicitation/create", "{}", -32602},
      {R"({"elicitation":{"url":{}}})", "elicitation/create", R"({"mode":"url"})", 0},
      {R"({"elicitation":{"url":{},"form":{}}})", "elicitation/create", "{}", 0},
  };
  for (const auto& row : kRows) {
    Session script("2025-11-25", "s1", Answering(row.declared));
    script.Ask(7, "x");
    script.Stream(3);
    script.Event(3, AskText("5", row.method, row.params));
    const std::string expected =
        row.code == 0
            ? "asked 1 for 7"
            : R"(#4 POST {"jsonrpc":"2.0","id":5,"error":{"code":)" + std::to_string(row.code);
    EXPECT_THAT(script.lines(), ElementsAre(StartsWith(expected)))
        << row.declared << row.method << row.params;
  }
}

TEST(ClientQuestion, TimeStandsStillWhileTheApplicationIsAsked) {  // H-13
  Session script("2025-11-25", "s1", Answering());
  script.Ask(7, "x");
  script.Pass(Seconds(50));
  script.Stream(3);
  script.Event(3, AskText("5", "roots/list"));
  EXPECT_EQ(script.Patience(), 550'000) << "max_request_time";
  EXPECT_THAT(script.Pass(Seconds(100)), IsEmpty());
  script.Reply(1, FromText(R"({"roots":[]})"));
  script.Respond(4, 202, "");
  EXPECT_EQ(script.Patience(), 60'000) << "the server's turn again";
  script.Event(3, AskText("6", "roots/list"));
  EXPECT_THAT(script.Pass(Seconds(450)), ElementsAre(HasSubstr(R"("requestId":2)"), "#3 abort",
                                                     "withdrawn 2", "failed 7 TIMEOUT"));
}

TEST(ClientQuestion, WithdrawsWhatNobodyWaitsFor) {  // P-01
  Session script("2025-11-25", "s1", Answering());
  script.Ask(7, "x");
  script.Ask(8, "x");
  script.Stream(3);
  script.Stream(4);
  script.Event(3, AskText("5", "roots/list"));
  script.Event(3, AskText("\"5\"", "roots/list"));
  EXPECT_THAT(
      script.Event(
          3, R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"5"}})"),
      ElementsAre("withdrawn 2"));
  EXPECT_THAT(script.Reply(2, Accepted()), IsEmpty());
  EXPECT_THAT(script.Event(3, ResultText(2, "")), ElementsAre("withdrawn 1", "answered 7 {}"));
  script.Event(4, AskText("6", "roots/list"));
  EXPECT_THAT(script.Cancel(8), ElementsAre(HasSubstr(R"("requestId":3)"), "#4 abort",
                                            "withdrawn 3", "failed 8 CANCELLED"));
  script.Ask(9, "x");
  script.Stream(6);
  script.Event(6, AskText("7", "roots/list"));
  EXPECT_THAT(script.Close(), ElementsAre("withdrawn 4", "failed 9 CANCELLED", "#3 abort",
                                          "#5 abort", "#6 abort", "#7 DELETE"));
}

TEST(ClientQuestion, TakesAsManyQuestionsAsAllowed) {
  ClientOptions options = Answering();
  options.limits.max_calls_per_session = 2;
  Session script("2025-11-25", "s1", options);
  script.Ask(7, "x");
  script.Stream(3);
  EXPECT_THAT(script.Event(3, AskText("5", "roots/list")), ElementsAre(StartsWith("asked 1")));
  EXPECT_THAT(script.Event(3, AskText("6", "roots/list")), ElementsAre(StartsWith("asked 2")));
  EXPECT_THAT(script.Event(3, AskText("7", "roots/list")),
              ElementsAre(HasSubstr(R"("id":7,"error")")));
}

TEST(ClientQuestion, AsksOnAChannel) {
  ClientOptions options = Answering(kAll, ClientTransport::kChannel);
  options.era = Era::kHandshake;
  Engine script(options);
  script.Open();
  script.Arrive(ResultText(1, R"("protocolVersion":"2025-11-25")"));
  script.Ask(7, "x");
  EXPECT_THAT(script.Arrive(AskText("5", "roots/list")),
              ElementsAre("asked 1 for 0 roots/list {}"));
  EXPECT_EQ(script.Patience(), 600'000) << "it may be for any of the calls";
  EXPECT_THAT(script.Reply(1, FromText(R"({"roots":[]})")),
              ElementsAre(R"(send {"jsonrpc":"2.0","id":5,"result":{"roots":[]}})"));
  EXPECT_EQ(script.Patience(), 60'000);
  script.Arrive(AskText("6", "roots/list"));
  EXPECT_THAT(script.Give(client_event::ChannelClosed{}),
              ElementsAre("failed 7 TRANSPORT", "withdrawn 2"));
}

// --- rounds of a stateless call ---

std::string InputRequired(int id, std::string_view requests, std::string_view state = {}) {
  std::string members = R"("resultType":"input_required")";
  if (!requests.empty()) members += R"(,"inputRequests":)" + std::string(requests);
  if (!state.empty()) members += R"(,"requestState":)" + std::string(state);
  return ResultText(id, members);
}

const char* const kOne =
    R"({"acct":{"method":"elicitation/create","params":{"message":"Which?"}}})";

const std::string kMetaOfAll = [] {
  std::string meta = kMeta;
  const std::string_view none = "Capabilities\":{}";
  meta.replace(meta.find(none) + none.size() - 2, 2, kAll);
  return meta;
}();

TEST(ClientQuestion, RepeatsACallWithTheReplies) {  // M-04
  Stateless script(Answering());
  script.Ask(7, "tools/call", FromText(R"({"name":"pay","arguments":{"n":1}})"));
  EXPECT_THAT(script.Respond(2, 200, InputRequired(2, kOne, R"("v1.k7.9fQ=\n\"")")),
              ElementsAre(R"(asked 1 for 7 elicitation/create {"message":"Which?"})"));
  EXPECT_EQ(script.Patience(), 600'000);
  script.Pass(Seconds(100));
  EXPECT_THAT(
      script.Reply(1, Accepted()),
      ElementsAre(
          "#3 POST " +
          RequestText(3, "tools/call",
                      R"({"inputResponses":{"acct":{"action":"accept","content":{"acct":"A-9"}}},)"
                      R"("requestState":"v1.k7.9fQ=\n\"","name":"pay","arguments":{"n":1},)" +
                          kMetaOfAll + "}")));
  EXPECT_THAT(HeadersOf(script.effects), Contains("Mcp-Name: pay"));
  EXPECT_EQ(script.Patience(), 60'000);
  // Each round has its own replies, and no state unless one came with it.
  EXPECT_THAT(
      script.Respond(3, 200,
                     InputRequired(3, R"({"r":{"method":"roots/list"},"s":{"method":)"
                                      R"("sampling/createMessage","params":{}}})")),
      ElementsAre("asked 2 for 7 roots/list null", "asked 3 for 7 sampling/createMessage {}"));
  EXPECT_THAT(script.Reply(3, FromText(R"({"role":"assistant"})")), IsEmpty());
  EXPECT_THAT(
      script.Reply(2, FromText(R"({"roots":[]})")),
      ElementsAre("#4 POST " +
                  RequestText(4, "tools/call",
                              R"({"inputResponses":{"s":{"role":"assistant"},"r":{"roots":[]}},)"
                              R"("name":"pay","arguments":{"n":1},)" +
                                  kMetaOfAll + "}")));
  EXPECT_THAT(script.Respond(4, 200, ResultText(4, R"("resultType":"complete")")),
              ElementsAre(R"(answered 7 {"resultType":"complete"})"));
}

TEST(ClientQuestion, RepeatsAtOnceWhenNothingIsAsked) {  // M-04
  Stateless script(Answering());
  script.Ask(7, "prompts/get", FromText(R"({"name":"p"})"));
  EXPECT_THAT(script.Respond(2, 200, InputRequired(2, "", R"("s")")),
              ElementsAre("#3 POST " +
                          RequestText(3, "prompts/get",
                                      R"({"requestState":"s","name":"p",)" + kMetaOfAll + "}")));
}

TEST(ClientQuestion, AttachesNothingToOtherRequests) {  // M-05
  Stateless script(Answering());
  script.Ask(7, "tools/call", FromText(R"({"name":"pay"})"));
  script.Respond(2, 200, InputRequired(2, kOne, R"("s")"));
  EXPECT_THAT(script.Ask(8, "tools/call", FromText(R"({"name":"pay"})")),
              ElementsAre(Not(HasSubstr("requestState"))));
}

TEST(ClientQuestion, RefusesWhatIsNoRound) {  // M-01, M-02, M-03
  const struct {
    const char* method;
    const char* requests;
    const char* state;
    const char* then;
  } kRows[] = {
      {"tools/list", kOne, "", "PEER"},
      {"tools/call", "", "", "PEER"},
      {"tools/call", "", "7", "PEER"},
      {"tools/call", "[]", R"("s")", "PEER"},
      {"tools/call", R"({"a":7})", "", "PEER"},
      {"tools/call", R"({"a":{"method":"tools/list"}})", "", "PEER"},
      {"tools/call", R"({"a":{"method":"roots/list","params":[]}})", "", "PEER"},
      {"tools/call", R"({"a":{"method":"elicitation/create","params":{"mode":"url"}}})", "",
       "PEER"},
      {"tools/call",
       R"({"a":{"method":"roots/list"},"b":{"method":"roots/list"},)"
       R"("c":{"method":"roots/list"}})",
       "", "TOO_LARGE"},
      {"tools/call", "", R"("12345")", "TOO_LARGE"},
      {"resources/read", "", R"("1234")", nullptr},
  };
  for (const auto& row : kRows) {
    ClientOptions options = Answering();
    options.limits.max_requests_per_call = 2;
    options.limits.max_request_state_bytes = 4;
    Stateless script(options);
    script.Ask(7, row.method);
    script.Respond(2, 200, InputRequired(2, row.requests, row.state));
    if (row.then == nullptr) {
      EXPECT_THAT(script.lines(), ElementsAre(StartsWith("#3 POST"))) << row.state;
    } else {
      EXPECT_THAT(script.lines(), ElementsAre("failed 7 " + std::string(row.then)))
          << row.method << row.requests << row.state;
    }
  }
}

TEST(ClientQuestion, EndsACallThatIsNeverDone) {  // M-09
  Stateless script(Answering());
  script.Ask(7, "tools/call");
  for (int round = 1; round <= 10; ++round) {
    EXPECT_THAT(script.Respond(static_cast<std::uint64_t>(round + 1), 200,
                               InputRequired(round + 1, "", R"("s")")),
                ElementsAre(StartsWith("#" + std::to_string(round + 2) + " POST")));
  }
  EXPECT_THAT(script.Respond(12, 200, InputRequired(12, "", R"("s")")),
              ElementsAre("failed 7 TOO_LARGE"));
}

TEST(ClientQuestion, ARefusedRoundEndsTheCall) {  // G-07
  Stateless script(Answering());
  script.Ask(7, "tools/call");
  script.Respond(2, 200,
                 InputRequired(2, R"({"r":{"method":"roots/list"},"s":{"method":"roots/list"}})"));
  EXPECT_THAT(script.Reply(2, RpcError{-1, "no", {}}),
              ElementsAre("withdrawn 1", "failed 7 CANCELLED"));
  EXPECT_EQ(script.Patience(), -1);
}

TEST(ClientQuestion, ACallMayBeGivenUpWhileItAsks) {
  Stateless script(Answering());
  script.Ask(7, "tools/call");
  script.Ask(8, "tools/call");
  script.Respond(2, 200, InputRequired(2, kOne));
  script.Respond(3, 200, InputRequired(3, kOne));
  EXPECT_THAT(script.Cancel(7), ElementsAre("withdrawn 1", "failed 7 CANCELLED"));
  EXPECT_THAT(script.Pass(Minutes(10)), ElementsAre("withdrawn 2", "failed 8 TIMEOUT"));
}

TEST(ClientQuestion, AStatelessChannelHasRoundsToo) {
  Engine script(Answering(kAll, ClientTransport::kChannel));
  script.Open();
  script.Arrive(ResultText(1, R"("supportedVersions":["2026-07-28"])"));
  script.Ask(7, "tools/call", FromText(R"({"name":"pay"})"));
  EXPECT_THAT(script.Arrive(InputRequired(2, kOne)), ElementsAre(StartsWith("asked 1 for 7")));
  EXPECT_THAT(script.Reply(1, Accepted()),
              ElementsAre(StartsWith(R"(send {"jsonrpc":"2.0","id":3)")));
  EXPECT_THAT(script.Arrive(ResultText(3, "")), ElementsAre("answered 7 {}"));
}

TEST(ClientQuestion, IsNotAskedUnlessItAnswers) {
  ClientOptions options = Answering();
  StatelessHttp stateless(options);
  stateless.Ask(7, "tools/call");
  EXPECT_THAT(stateless.Respond(2, 200, InputRequired(2, kOne)),
              ElementsAre(StartsWith(R"(answered 7 {"resultType":"input_required")")));
  SessionHttp session("2025-11-25", "s1", options);
  session.Ask(7, "x");
  session.Stream(3);
  EXPECT_THAT(session.Event(3, AskText("5", "roots/list")),
              ElementsAre(HasSubstr(R"("error":{"code":-32601)")));
}

// --- roots ---

TEST(ClientQuestion, TellsASessionOfOtherRoots) {  // G-09
  const std::string changed = R"({"jsonrpc":"2.0","method":"notifications/roots/list_changed"})";
  const char* const declared = R"({"roots":{"listChanged":true}})";
  Session script("2025-11-25", "s1", Answering(declared));
  EXPECT_THAT(script.Give(client_event::RootsChanged{}), ElementsAre("#3 POST " + changed));
  for (const char* const none : {"{}", R"({"roots":{}})", R"({"roots":{"listChanged":false}})"}) {
    Session silent("2025-11-25", "s1", Answering(none));
    EXPECT_THAT(silent.Give(client_event::RootsChanged{}), IsEmpty()) << none;
  }
  Stateless stateless(Answering(declared));
  EXPECT_THAT(stateless.Give(client_event::RootsChanged{}), IsEmpty());
  Engine closed(Answering(declared));
  EXPECT_THAT(closed.Give(client_event::RootsChanged{}), IsEmpty());
  closed.Open();
  EXPECT_THAT(closed.Give(client_event::RootsChanged{}), IsEmpty());
}

}  // namespace
}  // namespace mcp_session

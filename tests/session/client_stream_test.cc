// Streams of a session that outlive their connection.
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

// A call whose stream broke after the event s-1; the next request has id 3 and exchange 4.
class Broken : public SessionHttp {
 public:
  explicit Broken(std::string_view first = "id: s-1\nretry: 500\ndata:\n\n",
                  bool repeatable = false) {
    Give(client_event::Request{CallId{1}, "x", {}, false, {}, repeatable});
    Stream(3);
    Bytes(3, first);
    End(3);
  }
};

TEST(ClientStream, GoesOnAfterWhatItHasSeen) {  // H-46, H-48, H-54
  for (const bool breaks : {false, true}) {
    SessionHttp script;
    script.Ask(1, "x");
    script.Stream(3);
    script.Bytes(3, "id: s-1\nretry: 500\ndata:\n\n");
    EXPECT_THAT(breaks ? script.Break(3) : script.End(3), IsEmpty());
    EXPECT_GE(script.Patience(), 500);
    EXPECT_LE(script.Patience(), 550);
    EXPECT_THAT(script.Pass(Millis{499}), IsEmpty());
    EXPECT_THAT(script.Pass(Millis{51}), ElementsAre("#4 GET"));
    EXPECT_THAT(HeadersOf(script.effects),
                ElementsAre("Accept: text/event-stream", "Mcp-Session-Id: s1",
                            "MCP-Protocol-Version: 2025-11-25", "Last-Event-ID: s-1"));
    script.Stream(4);
    EXPECT_THAT(script.Event(4, ResultText(3, "")), IsEmpty()) << "of another call";
    EXPECT_THAT(script.Event(4, ResultText(2, "")), ElementsAre("answered 1 {}"));
    EXPECT_THAT(script.End(4), IsEmpty());
    EXPECT_EQ(script.Patience(), -1);
  }
}

TEST(ClientStream, GoesOnAsLongAsThereIsSomethingNew) {
  Broken script;
  for (int i = 4; i < 24; ++i) {
    EXPECT_THAT(script.Pass(Millis{550}), ElementsAre("#" + std::to_string(i) + " GET")) << i;
    const auto exchange = static_cast<std::uint64_t>(i);
    script.Stream(exchange);
    script.Bytes(exchange, "id: t-" + std::to_string(i) + "\ndata:\n\n");
    EXPECT_THAT(script.End(exchange), IsEmpty());
  }
  script.Pass(Millis{550});
  EXPECT_THAT(HeadersOf(script.effects), Contains("Last-Event-ID: t-23"));
}

TEST(ClientStream, DoesNotGoOnInAnotherSession) {
  SessionHttp script;
  script.Ask(1, "x");
  script.Stream(3);
  script.Bytes(3, "id: s-1\ndata:\n\n");
  script.Ask(2, "y");
  script.Respond(4, 404, "");
  script.Respond(5, 200, ResultText(4, HandshakeMembers()), "application/json", "s2");
  script.Respond(6, 202, "");
  EXPECT_THAT(script.Break(3), ElementsAre(HasSubstr("failed 1 TRANSPORT")));
}

TEST(ClientStream, GivesUpAfterTryingInVain) {
  Broken script;
  std::int64_t last = 0;
  for (std::uint64_t exchange = 4; exchange < 8; ++exchange) {
    EXPECT_GT(script.Patience(), last) << "longer each time";
    last = script.Patience();
    EXPECT_THAT(script.Pass(Millis{last}), ElementsAre(HasSubstr(" GET")));
    if (exchange == 4) {
      EXPECT_THAT(script.Respond(exchange, 503, ""), IsEmpty());
    } else if (exchange == 5) {
      script.Stream(exchange);
      EXPECT_THAT(script.End(exchange), IsEmpty());
    } else {
      EXPECT_THAT(script.Break(exchange), IsEmpty());
    }
  }
  script.Pass(Millis{script.Patience()});
  EXPECT_THAT(script.Break(8), ElementsAre("failed 1 TRANSPORT"));
  EXPECT_EQ(script.Patience(), -1);
}

TEST(ClientStream, TellsWhatCannotBeHad) {
  const struct {
    int status;
    const char* then;
  } kRows[] = {{400, "failed 1 GAP"},
               {405, "failed 1 GAP"},
               {403, "failed 1 FORBIDDEN"},
               {302, "failed 1 TRANSPORT"}};
  for (const auto& row : kRows) {
    Broken script;
    script.Pass(Millis{550});
    EXPECT_THAT(script.Respond(4, row.status, ""), ElementsAre(row.then)) << row.status;
  }
}

TEST(ClientStream, RepeatsNothingThatMayHaveBeenDone) {  // H-30
  Broken script;
  script.Pass(Millis{550});
  EXPECT_THAT(script.Respond(4, 404, ""),
              ElementsAre("session lost", "failed 1 SESSION_NOT_FOUND"));
  Broken repeatable("id: s-1\nretry: 500\ndata:\n\n", true);
  repeatable.Pass(Millis{550});
  EXPECT_THAT(repeatable.Respond(4, 404, ""),
              ElementsAre("session lost", HasSubstr("\"initialize\"")));
  Broken gap("id: s-1\nretry: 500\ndata:\n\n", true);
  gap.Pass(Millis{550});
  EXPECT_THAT(gap.Respond(4, 400, ""), ElementsAre("#5 POST " + RequestText(3, "x")));
}

TEST(ClientStream, CancelsACallBetweenTwoConnections) {
  Broken script;
  EXPECT_THAT(script.Cancel(1), ElementsAre("#4 POST " + CancelText(2), "failed 1 CANCELLED"));
  EXPECT_THAT(script.Pass(Seconds(1)), IsEmpty());
}

TEST(ClientStream, HasNoMoreTimeThanTheCall) {
  Broken script("id: s-1\nretry: 999999999\ndata:\n\n");
  EXPECT_THAT(script.Pass(Seconds(60)), ElementsAre(HasSubstr("cancelled"), "failed 1 TIMEOUT"));
}

TEST(ClientStream, GoesOnOnlyAfterAnId) {
  for (const char* first : {": hello\n\n", "retry: 10\ndata:\n\n", "id: s-1\nno end"}) {
    SessionHttp script;
    script.Ask(1, "x");
    script.Stream(3);
    script.Bytes(3, first);
    EXPECT_THAT(script.End(3), ElementsAre("failed 1 TRANSPORT")) << first;
  }
}

TEST(ClientStream, GoesOnInASessionOnly) {  // S-45
  StatelessHttp script;
  script.Ask(1, "x");
  script.Stream(2);
  script.Bytes(2, "id: s-1\ndata:\n\n");
  EXPECT_THAT(script.End(2), ElementsAre("failed 1 TRANSPORT"));
}

// --- the session's own stream ---

ClientOptions Listens() {
  ClientOptions options = ProbeOptions(ClientTransport::kHttp);
  options.listens = true;
  return options;
}

// It has the exchange 3.
class Listening : public SessionHttp {
 public:
  Listening() : SessionHttp("2025-11-25", "s1", Listens()) {}
};

TEST(ClientStream, ListensToItsSession) {  // H-50
  ClientOptions options = Listens();
  options.era = Era::kHandshake;
  EngineScript script(options);
  script.Open();
  script.Respond(1, 200, ResultText(1, HandshakeMembers()), "application/json", "s1");
  EXPECT_THAT(script.Head(2, 202, ""), ElementsAre(StartsWith("opened"), "#3 GET"));
  EXPECT_THAT(HeadersOf(script.effects),
              ElementsAre("Accept: text/event-stream", "Mcp-Session-Id: s1",
                          "MCP-Protocol-Version: 2025-11-25"));
  script.End(2);
  script.Stream(3);
  EXPECT_EQ(script.Patience(), -1) << "for ever";
  EXPECT_THAT(script.Event(3, R"({"jsonrpc":"2.0","method":"notifications/x"})"),
              ElementsAre("notified notifications/x null"));
  EXPECT_THAT(script.Event(3, R"({"jsonrpc":"2.0","id":7,"method":"ping"})"),
              ElementsAre(R"(#4 POST {"jsonrpc":"2.0","id":7,"result":{}})"));
  script.Ask(1, "x");
  EXPECT_THAT(script.Event(3, ResultText(2, "")), IsEmpty()) << "H-51";
  EXPECT_THAT(script.Respond(5, 200, ResultText(2, "")), ElementsAre("answered 1 {}"));
}

TEST(ClientStream, ListensAgainAndGoesOn) {  // H-48, H-54
  Listening script;
  script.Stream(3);
  script.Bytes(3, "id: s-1\nretry: 500\ndata:\n\n");
  EXPECT_THAT(script.End(3), IsEmpty());
  EXPECT_GE(script.Patience(), 500);
  EXPECT_LE(script.Patience(), 550);
  EXPECT_THAT(script.Pass(Millis{550}), ElementsAre("#4 GET"));
  EXPECT_THAT(HeadersOf(script.effects), Contains("Last-Event-ID: s-1"));
  std::int64_t last = 0;
  for (std::uint64_t exchange = 4; exchange < 9; ++exchange) {
    EXPECT_THAT(script.Break(exchange), IsEmpty());
    EXPECT_GT(script.Patience(), last) << "later each time";
    last = script.Patience();
    EXPECT_THAT(script.Pass(Millis{last}), ElementsAre(HasSubstr(" GET")));
  }
  script.Stream(9);
  script.Event(9, R"({"jsonrpc":"2.0","method":"notifications/x"})");
  script.End(9);
  EXPECT_LE(script.Patience(), 550) << "it brought something";
}

TEST(ClientStream, AsksNoServerTwiceThatHasNoStream) {  // H-50
  for (const int status : {405, 404, 409, 302}) {
    Listening script;
    script.Respond(3, status, "");
    EXPECT_EQ(script.Patience(), -1) << status;
  }
  Listening script;
  script.Respond(3, 200, "{}");
  EXPECT_EQ(script.Patience(), -1);
  Listening unavailable;
  unavailable.Respond(3, 503, "");
  EXPECT_GT(unavailable.Patience(), 0) << "which may pass";
}

TEST(ClientStream, ListensNoLongerThanTheSession) {
  Listening script;
  script.Stream(3);
  EXPECT_THAT(script.Close(), ElementsAre("#3 abort", "#4 DELETE"));
  script.Respond(4, 200, "");
  EXPECT_EQ(script.Patience(), -1);
  Listening lost;
  lost.Stream(3);
  lost.Ask(1, "x");
  EXPECT_THAT(lost.Head(4, 404, ""), ElementsAre("#3 abort", "session lost"));
  Listening waiting;
  waiting.Stream(3);
  waiting.End(3);
  waiting.Close();
  waiting.Respond(4, 200, "");
  EXPECT_EQ(waiting.Patience(), -1);
}

TEST(ClientStream, LimitsTheEventsOfItsSession) {
  ClientOptions options = Listens();
  options.limits.max_sse_event_bytes = 64;
  SessionHttp script("2025-11-25", "s1", options);
  script.Stream(3);
  EXPECT_THAT(script.Event(3, std::string(100, 'x')), ElementsAre("#3 abort"));
  EXPECT_GT(script.Patience(), 0);
}

TEST(ClientStream, EndsWithItsSession) {
  Broken script;
  EXPECT_THAT(script.Close(), ElementsAre("failed 1 CANCELLED", "#4 DELETE"));
  EXPECT_THAT(script.Respond(4, 200, ""), ElementsAre("closed"));
  EXPECT_EQ(script.Patience(), -1);
}

}  // namespace
}  // namespace mcp_session

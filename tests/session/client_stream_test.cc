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

TEST(ClientStream, EndsWithItsSession) {
  Broken script;
  EXPECT_THAT(script.Close(), ElementsAre("failed 1 CANCELLED", "#4 DELETE"));
  EXPECT_THAT(script.Respond(4, 200, ""), ElementsAre("closed"));
  EXPECT_EQ(script.Patience(), -1);
}

}  // namespace
}  // namespace mcp_session

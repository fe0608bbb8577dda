// The handshake, who waits for it, and what is remembered of a server.
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

ClientOptions Http(std::optional<Era> era = std::nullopt) {
  return ProbeOptions(ClientTransport::kHttp, era);
}
ClientOptions Channel(std::optional<Era> era = std::nullopt) {
  return ProbeOptions(ClientTransport::kChannel, era);
}

// --- a session from before ---

client_effect::Opened Saved(Era era = Era::kHandshake) {
  const bool stateless = era == Era::kStateless;
  return {era, stateless ? kNewestStateless : Revision::k2025_06_18, stateless ? "" : "s1",
          FromText(kServer)};
}

TEST(ClientOpening, GoesOnInASavedSession) {
  ClientOptions options = Http();
  options.resume = Saved();
  EngineScript script(options);
  EXPECT_THAT(script.Ask(1, "x"), ElementsAre("opened handshake 2025-06-18 \"s1\" " + kServer,
                                              "#1 POST " + RequestText(1, "x")));
  EXPECT_THAT(HeadersOf(script.effects), Contains("Mcp-Session-Id: s1"));
  EXPECT_THAT(HeadersOf(script.effects), Contains("MCP-Protocol-Version: 2025-06-18"));
  // It is gone: the first opening is over, so this one is as ever.
  EXPECT_THAT(script.Respond(1, 404, ""), ElementsAre("session lost", StartsWith("#2 POST ")));
  EXPECT_THAT(HeadersOf(script.effects), Not(Contains(StartsWith("Mcp-Session-Id"))));
}

TEST(ClientOpening, DeletesASavedSession) {
  ClientOptions options = Http();
  options.resume = Saved();
  EngineScript script(options);
  script.Open();
  EXPECT_THAT(script.Close(), ElementsAre("#1 DELETE"));
}

TEST(ClientOpening, GoesOnWithASavedStatelessServer) {  // C-01
  ClientOptions options = Http();
  options.resume = Saved(Era::kStateless);
  EngineScript script(options);
  EXPECT_THAT(script.Ask(1, "x"), ElementsAre("opened stateless 2026-07-28 \"\" " + kServer,
                                              "#1 POST " + RequestText(1, "x", "{" + kMeta + "}")));
}

TEST(ClientOpening, TakesTheEraOfASavedSessionOnAChannel) {  // C-01
  ClientOptions options = Channel();
  options.resume = Saved();
  EngineScript script(options);
  EXPECT_THAT(script.Open(), ElementsAre("send " + InitializeText(1)));
}

TEST(ClientOpening, RefusesASavedSessionThatIsNone) {
  for (int i = 0; i < 3; ++i) {
    ClientOptions options = Http(i == 0 ? std::optional<Era>(Era::kStateless) : std::nullopt);
    options.resume = Saved();
    if (i == 1) options.resume->session_id = "a b";
    if (i == 2) options.resume->era = Era::kStateless;
    EngineScript script(options);
    EXPECT_THAT(script.Open(), ElementsAre("open failed INVALID_ARGUMENT")) << i;
    EXPECT_THAT(script.Open(), ElementsAre(StartsWith("#1 POST"))) << "it is not tried again";
  }
}

// --- the era fixed ---

TEST(ClientOpening, NeverFallsBackFromAFixedEra) {
  EngineScript http(Http(Era::kStateless));
  EXPECT_THAT(http.Open(), ElementsAre(Posted(1, DiscoverText(1))));
  EXPECT_THAT(http.Respond(1, 404, RpcErrorText("\"id\":1,", -32601)),
              ElementsAre("open failed METHOD_NOT_FOUND"));

  EngineScript channel(Channel(Era::kStateless));
  channel.Open();
  EXPECT_EQ(channel.Patience(), 60'000) << "silence means nothing, so there is time";
  EXPECT_THAT(channel.Pass(Seconds(60)), ElementsAre("open failed TIMEOUT"));
}

TEST(ClientOpening, NeedsOptionsWithAJsonForm) {
  for (int i = 0; i < 3; ++i) {
    ClientOptions options = Http();
    if (i == 0) options.name = "\xFF";
    if (i == 1) options.version = "\xFF";
    if (i == 2) options.capabilities = Json::array();
    EngineScript script(std::move(options));
    EXPECT_THAT(script.Open(), ElementsAre("open failed INVALID_ARGUMENT")) << i;
  }
}

// --- the handshake ---

TEST(ClientOpening, ShakesHandsOverHttp) {  // H-01, H-04, H-10, H-27
  EngineScript script(Http(Era::kHandshake));
  script.Open();
  EXPECT_THAT(script.Respond(1, 200, ResultText(1, HandshakeMembers()), "application/json", "s1"),
              ElementsAre(Posted(2, kInitialized)));
  script.Head(9, 200, "");  // of an exchange that nobody knows
  EXPECT_THAT(script.effects, IsEmpty());
  // Requests wait for the server to have seen the notification (H-05).
  EXPECT_THAT(script.Ask(1, "tools/list"), IsEmpty());
  EXPECT_THAT(script.Head(2, 202, ""),
              ElementsAre("opened handshake 2025-11-25 \"s1\" " + kServer,
                          Posted(3, R"({"jsonrpc":"2.0","id":2,"method":"tools/list"})")));
  EXPECT_THAT(
      HeadersOf(script.effects),
      ElementsAre("Content-Type: application/json", "Accept: application/json, text/event-stream",
                  "Mcp-Session-Id: s1", "MCP-Protocol-Version: 2025-11-25"));
  EXPECT_THAT(script.End(2), IsEmpty());
}

TEST(ClientOpening, SendsSessionAndVersionWithInitialized) {
  EngineScript script(Http(Era::kHandshake));
  script.Open();
  script.Head(1, 200, "text/event-stream; charset=utf-8", "s1");
  script.Event(1, ResultText(1, HandshakeMembers("2025-06-18")));
  EXPECT_THAT(script.lines(), ElementsAre(Posted(2, kInitialized)));
  EXPECT_THAT(
      HeadersOf(script.effects),
      ElementsAre("Content-Type: application/json", "Accept: application/json, text/event-stream",
                  "Mcp-Session-Id: s1", "MCP-Protocol-Version: 2025-06-18"));
}

TEST(ClientOpening, SendsNoVersionHeaderBeforeItWasInvented) {  // H-10
  for (const char* version : {"2025-03-26", "2024-11-05"}) {
    EngineScript script(Http(Era::kHandshake));
    script.Open();
    script.Head(1, 200, "application/json");
    script.Bytes(1, ResultText(1, HandshakeMembers(version)));
    script.End(1);
    EXPECT_THAT(HeadersOf(script.effects), Not(Contains(StartsWith("MCP-Protocol-Version"))));
    EXPECT_THAT(script.Head(2, 202, ""),
                ElementsAre("opened handshake " + std::string(version) + " \"\" " + kServer));
  }
}

TEST(ClientOpening, LeavesAServerOfAnotherVersion) {  // H-03
  for (const char* version : {"2024-10-07", "2026-07-28", "", "2099-01-01"}) {
    EngineScript script(Http(Era::kHandshake));
    script.Open();
    EXPECT_THAT(
        script.Respond(1, 200, ResultText(1, HandshakeMembers(version)), "application/json", "s1"),
        ElementsAre("open failed UNSUPPORTED_VERSION", "#2 DELETE"))
        << version;
    script.effects.clear();
  }
  EngineScript script(Channel(Era::kHandshake));
  script.Open();
  EXPECT_THAT(script.Arrive(ResultText(1, HandshakeMembers("1.0"))),
              ElementsAre("open failed UNSUPPORTED_VERSION"));
}

TEST(ClientOpening, OffersAnotherVersionToAServerThatRefuses) {  // H-09
  EngineScript script(Channel(Era::kHandshake));
  script.Open();
  const std::string data = R"({"supported":["2025-03-26","2025-06-18"],"requested":"2025-11-25"})";
  EXPECT_THAT(script.Arrive(RpcErrorText("\"id\":1,", -32602, data)),
              ElementsAre("send " + InitializeText(2, "2025-06-18")));
  EXPECT_THAT(script.Arrive(RpcErrorText("\"id\":2,", -32602, R"({"supported":["2025-03-26"]})")),
              ElementsAre("open failed INVALID_PARAMS"));
}

TEST(ClientOpening, OffersAnotherVersionWithoutWhatTheRefusalHad) {  // H-01
  EngineScript script(Http(Era::kHandshake));
  script.Open();
  script.Respond(1, 200, RpcErrorText("\"id\":1,", -32602, R"({"supported":["2025-06-18"]})"),
                 "application/json", "s1");
  EXPECT_THAT(script.lines(), ElementsAre(Posted(2, InitializeText(2, "2025-06-18"))));
  EXPECT_THAT(HeadersOf(script.effects), Not(Contains(StartsWith("Mcp-Session-Id"))));
}

TEST(ClientOpening, ReportsAStatelessOnlyServer) {  // D-02
  EngineScript script(Http(Era::kHandshake));
  script.Open();
  EXPECT_THAT(script.Respond(1, 400, RefusedText(1, R"(["2026-07-28"])")),
              ElementsAre("open failed UNSUPPORTED_VERSION"));
}

TEST(ClientOpening, ReportsAFailedInitialize) {
  const struct {
    int status;
    std::string body;
    const char* then;
  } kRows[] = {
      {200, "", "open failed PEER"},
      {200, "{", "open failed PEER"},
      {200, ResultText(1, ""), "open failed PEER"},
      {200, ResultText(1, R"("protocolVersion":20251125)"), "open failed PEER"},
      {200, ResultText(7, HandshakeMembers()), "open failed PEER"},
      {200, R"({"jsonrpc":"2.0","id":"1","result":{"protocolVersion":"2025-11-25"}})",
       "open failed PEER"},
      {200, RpcErrorText("\"id\":1,", -32603), "open failed INTERNAL"},
      {401, "", "open failed FORBIDDEN"},
      {409, "", "open failed PEER"},
      {503, "", "open failed UNAVAILABLE"},
  };
  for (const auto& row : kRows) {
    EngineScript script(Http(Era::kHandshake));
    script.Open();
    EXPECT_THAT(script.Respond(1, row.status, row.body), ElementsAre(row.then))
        << row.status << " " << row.body;
    EXPECT_EQ(script.Patience(), -1);
  }
}

TEST(ClientOpening, RefusesASessionIdThatNoHeaderMayHold) {  // H-21
  for (std::string_view id : {"a b", "a\r\nX: y", "\x7F", "\xC3\xA9"}) {
    EngineScript script(Http(Era::kHandshake));
    script.Open();
    EXPECT_THAT(script.Head(1, 200, "application/json", id),
                ElementsAre("#1 abort", "open failed PEER"))
        << id;
  }
  EngineScript script(Http(Era::kHandshake));
  script.Open();
  EXPECT_THAT(script.Head(1, 200, "application/json", std::string(4096, 'x')), IsEmpty());
  EngineScript past(Http(Era::kHandshake));
  past.Open();
  EXPECT_THAT(past.Head(1, 200, "application/json", std::string(4097, 'x')),
              ElementsAre("#1 abort", "open failed PEER"));
}

TEST(ClientOpening, NeverCancelsInitialize) {  // H-07
  EngineScript channel(Channel(Era::kHandshake));
  channel.Open();
  EXPECT_THAT(channel.Pass(Seconds(60)), ElementsAre("open failed TIMEOUT"));
  EngineScript http(Http(Era::kHandshake));
  http.Open();
  EXPECT_THAT(http.Pass(Seconds(60)), ElementsAre("#1 abort", "open failed TIMEOUT"));
}

TEST(ClientOpening, NeedsTheInitializedNotificationAccepted) {
  const struct {
    int status;
    Lines then;
  } kRows[] = {
      {400, {"open failed PEER", "#3 DELETE"}},
      {401, {"open failed FORBIDDEN", "#3 DELETE"}},
      {404, {"open failed SESSION_NOT_FOUND"}},
      {503, {"open failed UNAVAILABLE", "#3 DELETE"}},
  };
  for (const auto& row : kRows) {
    EngineScript script(Http(Era::kHandshake));
    script.Open();
    script.Respond(1, 200, ResultText(1, HandshakeMembers()), "application/json", "s1");
    EXPECT_EQ(script.Head(2, row.status, ""), row.then) << row.status;
  }
  EngineScript broken(Http(Era::kHandshake));
  broken.Open();
  broken.Respond(1, 200, ResultText(1, HandshakeMembers()));
  EXPECT_THAT(broken.Break(2), ElementsAre("open failed TRANSPORT"));
  EngineScript silent(Http(Era::kHandshake));
  silent.Open();
  silent.Respond(1, 200, ResultText(1, HandshakeMembers()));
  EXPECT_THAT(silent.Pass(Seconds(60)), ElementsAre("#2 abort", "open failed TIMEOUT"));
}

TEST(ClientOpening, AnswersThePingOfAServerThatInitializes) {  // H-05, P-04
  EngineScript script(Channel(Era::kHandshake));
  script.Open();
  EXPECT_THAT(script.Arrive(R"({"jsonrpc":"2.0","id":"s","method":"ping"})"),
              ElementsAre(R"(send {"jsonrpc":"2.0","id":"s","result":{}})"));
  EXPECT_THAT(script.Arrive(R"({"jsonrpc":"2.0","method":"notifications/message","params":{}})"),
              ElementsAre("notified notifications/message {}"));
}

// --- who waits, and what is remembered ---

TEST(ClientOpening, IsBegunByARequest) {
  EngineScript script(Http());
  EXPECT_THAT(script.Ask(1, "tools/list"), ElementsAre(Posted(1, DiscoverText(1))));
  EXPECT_THAT(script.Ask(2, "prompts/list"), IsEmpty());
  EXPECT_THAT(script.Cancel(1), ElementsAre("failed 1 CANCELLED"));
  EXPECT_THAT(script.Respond(1, 200, ResultText(1, kDiscovered)),
              ElementsAre(kOpenedStateless, StartsWith(R"(#2 POST {"jsonrpc":"2.0","id":2,"me)")));
}

TEST(ClientOpening, TellsAServerNothingOfARequestItNeverSaw) {
  EngineScript script(Channel(Era::kHandshake));
  script.Ask(1, "tools/list");
  EXPECT_THAT(script.Cancel(1), ElementsAre("failed 1 CANCELLED"));
  script.Give(client_event::Request{CallId{2}, "x", {}, false, Millis{100}});
  EXPECT_THAT(script.Pass(Millis{100}), ElementsAre("failed 2 TIMEOUT"));
}

TEST(ClientOpening, FailsWhoeverWaited) {
  EngineScript script(Http());
  script.Ask(1, "tools/list");
  script.Ask(2, "prompts/list");
  EXPECT_THAT(
      script.Respond(1, 503, ""),
      ElementsAre("open failed UNAVAILABLE", "failed 1 UNAVAILABLE", "failed 2 UNAVAILABLE"));
  EXPECT_THAT(script.Ask(3, "tools/list"), ElementsAre(Posted(2, DiscoverText(2))))
      << "tries again";
}

TEST(ClientOpening, LetsRequestsTimeOutMeanwhile) {
  EngineScript script(Http());
  script.Give(client_event::Request{CallId{1}, "tools/list", {}, false, Millis{100}});
  EXPECT_EQ(script.Patience(), 100);
  EXPECT_THAT(script.Pass(Millis{100}), ElementsAre("failed 1 TIMEOUT"));
}

TEST(ClientOpening, AnswersOpenAtOnceWhenOpen) {
  EngineScript script(Channel());
  script.Open();
  EXPECT_THAT(script.Open(), IsEmpty()) << "one answer for all that wait";
  script.Arrive(ResultText(1, kDiscovered));
  EXPECT_THAT(script.Open(), ElementsAre(kOpenedStateless));
}

TEST(ClientOpening, RemembersAnOlderServer) {  // C-01
  EngineScript script(Http());
  script.Open();
  script.Respond(1, 404, "");
  script.Respond(2, 200, ResultText(2, HandshakeMembers()));
  script.Respond(3, 202, "");
  EXPECT_THAT(script.Close(), ElementsAre("closed"));
  EXPECT_THAT(script.Open(), ElementsAre(Posted(4, InitializeText(3))));
  // It does not work any more, so it is asked again, once.
  EXPECT_THAT(script.Respond(4, 404, ""), ElementsAre(Posted(5, DiscoverText(4))));
  EXPECT_THAT(script.Respond(5, 404, ""), ElementsAre(Posted(6, InitializeText(5))));
  EXPECT_THAT(script.Respond(6, 404, ""), ElementsAre("open failed UNSUPPORTED_VERSION"));
  EXPECT_THAT(script.Open(), ElementsAre(Posted(7, DiscoverText(6))));
}

TEST(ClientOpening, BeginsWithTheEraItExpects) {  // C-01
  ClientOptions options = Http();
  options.expected_era = Era::kHandshake;
  EngineScript right(options);
  EXPECT_THAT(right.Open(), ElementsAre(Posted(1, InitializeText(1))));
  EngineScript wrong(options);
  wrong.Open();
  EXPECT_THAT(wrong.Respond(1, 400, RefusedText(1, R"(["2026-07-28"])")),
              ElementsAre(Posted(2, DiscoverText(2))));
  EXPECT_THAT(wrong.Respond(2, 200, ResultText(2, kDiscovered)), ElementsAre(kOpenedStateless));
  // What says nothing of the era is no reason.
  EngineScript away(options);
  away.Open();
  EXPECT_THAT(away.Respond(1, 503, ""), ElementsAre("open failed UNAVAILABLE"));
  // One that is fixed is not left.
  options.era = Era::kHandshake;
  EngineScript fixed(options);
  fixed.Open();
  EXPECT_THAT(fixed.Respond(1, 404, ""), ElementsAre("open failed UNSUPPORTED_VERSION"));
}

TEST(ClientOpening, AsksAStatelessServerAgain) {  // C-02
  EngineScript script(Http());
  script.Open();
  script.Respond(1, 200, ResultText(1, kDiscovered));
  EXPECT_THAT(script.Close(), ElementsAre("closed"));
  EXPECT_THAT(script.Open(), ElementsAre(Posted(2, DiscoverText(2))));
}

TEST(ClientOpening, IsEndedByClose) {
  EngineScript script(Http());
  script.Ask(1, "tools/list");
  EXPECT_THAT(script.Close(),
              ElementsAre("open failed CANCELLED", "failed 1 CANCELLED", "#1 abort", "closed"));
  EXPECT_THAT(script.Respond(1, 200, ResultText(1, kDiscovered)), IsEmpty());
  EXPECT_EQ(script.Patience(), -1);
}

}  // namespace
}  // namespace mcp_session

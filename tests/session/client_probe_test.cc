// How a client finds out what its server speaks: every row of spec section 13.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/session/client_script.h"

namespace mcp_session {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

ClientOptions Http(std::optional<Era> era = std::nullopt) {
  return ProbeOptions(ClientTransport::kHttp, era);
}
ClientOptions Channel(std::optional<Era> era = std::nullopt) {
  return ProbeOptions(ClientTransport::kChannel, era);
}

// --- section 13, HTTP ---

struct ProbeRow {
  const char* name;
  int status;
  std::string body;
  std::string then;  // the one line that follows
  const char* content_type = "application/json";
};

void PrintTo(const ProbeRow& row, std::ostream* out) { *out << row.name; }

class HttpProbe : public ::testing::TestWithParam<ProbeRow> {};

TEST_P(HttpProbe, TellsTheEra) {
  EngineScript script(Http());
  ASSERT_THAT(script.Open(), ElementsAre(Posted(1, DiscoverText(1))));
  const ProbeRow& row = GetParam();
  EXPECT_THAT(script.Respond(1, row.status, row.body, row.content_type), ElementsAre(row.then));
}

const ProbeRow kProbeRows[] = {
    {"Discovered", 200, ResultText(1, kDiscovered), kOpenedStateless},
    {"DiscoveredAmongOthers", 200,
     ResultText(
         1, R"("supportedVersions":["2099-01-01","2026-07-28","2025-11-25",7],"capabilities":{})"),
     R"(opened stateless 2026-07-28 "" {"capabilities":{}})"},
    {"NoneMutual", 200, ResultText(1, R"("supportedVersions":["2099-01-01"],"capabilities":{})"),
     Posted(2, InitializeText(2))},
    {"RefusedWithMutual", 400, RefusedText(1, R"(["2026-07-28"])"), Posted(2, DiscoverText(2))},
    {"RefusedWithMutualAndLegacy", 400, RefusedText(1, R"(["2025-11-25","2026-07-28"])"),
     Posted(2, DiscoverText(2))},
    {"RefusedNoneMutual", 400, RefusedText(1, R"(["2099-01-01"])"),
     "open failed UNSUPPORTED_VERSION"},
    {"RefusedNoList", 400, RpcErrorText("\"id\":1,", -32022), "open failed UNSUPPORTED_VERSION"},
    {"RefusedOddList", 400, RefusedText(1, R"({"2026-07-28":1})"),
     "open failed UNSUPPORTED_VERSION"},
    {"RefusedOnlyLegacy", 400, RefusedText(1, R"(["2025-06-18","2025-11-25"])"),
     Posted(2, InitializeText(2))},
    {"HeaderMismatch", 400, RpcErrorText("\"id\":1,", -32020), "open failed HEADER_MISMATCH"},
    {"HeaderMismatchWithoutId", 400, RpcErrorText("", -32020), "open failed HEADER_MISMATCH"},
    {"MissingCapability", 400, RpcErrorText("\"id\":1,", -32021), "open failed MISSING_CAPABILITY"},
    {"NotFoundMethod", 404, RpcErrorText("\"id\":1,", -32601), Posted(2, InitializeText(2))},
    {"EmptyBadRequest", 400, "", Posted(2, InitializeText(2))},
    {"TextBadRequest", 400, "Bad Request", Posted(2, InitializeText(2)), "text/plain"},
    {"AdHocBadRequest", 400, RpcErrorText("\"id\":null,", -32000), Posted(2, InitializeText(2))},
    {"OtherIdBadRequest", 400, RefusedText(99, R"(["2099-01-01"])"), Posted(2, InitializeText(2))},
    {"EmptyNotFound", 404, "", Posted(2, InitializeText(2))},
    {"PageNotFound", 404, "<html></html>", Posted(2, InitializeText(2)), "text/html"},
    {"MethodNotAllowed", 405, "", Posted(2, InitializeText(2))},
    {"NotAcceptable", 406, "", Posted(2, InitializeText(2))},
    {"UnsupportedMediaType", 415, "", Posted(2, InitializeText(2))},
    {"OkWithAnotherError", 200, RpcErrorText("\"id\":1,", -32603), Posted(2, InitializeText(2))},
    {"OkWithInvalidParams", 200, RpcErrorText("\"id\":1,", -32602), Posted(2, InitializeText(2))},
    {"OkWithAnotherResult", 200, ResultText(1, R"("tools":[])"), Posted(2, InitializeText(2))},
    {"OkWithAnotherKind", 200,
     ResultText(1, R"("resultType":"input_required","supportedVersions":["2026-07-28"])"),
     Posted(2, InitializeText(2))},
    {"OkWithAPage", 200, "<html></html>", Posted(2, InitializeText(2)), "text/html"},
    {"OkWithNothing", 200, "", Posted(2, InitializeText(2))},
    {"Accepted", 202, "", Posted(2, InitializeText(2))},
    {"Unauthorized", 401, "", "open failed FORBIDDEN"},
    {"UnauthorizedWithError", 401, RpcErrorText("\"id\":1,", -32601), "open failed FORBIDDEN"},
    {"Forbidden", 403, "", "open failed FORBIDDEN"},
    {"TooManyRequests", 429, "", "open failed TOO_MANY_REQUESTS"},
    {"RequestTimeout", 408, "", "open failed TIMEOUT"},
    {"Moved", 307, "", "open failed TRANSPORT"},
    {"InternalError", 500, "", "open failed UNAVAILABLE"},
    {"BadGateway", 502, "<html></html>", "open failed UNAVAILABLE", "text/html"},
    {"Unavailable", 503, RpcErrorText("\"id\":1,", -32601), "open failed UNAVAILABLE"},
};
INSTANTIATE_TEST_SUITE_P(Section13, HttpProbe, ::testing::ValuesIn(kProbeRows),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(ClientProbe, TellsTheEraFromAStreamAsWell) {  // H-44
  int streamed = 0;
  for (const ProbeRow& row : kProbeRows) {
    if (row.status != 200 || row.body.empty() || row.body[0] != '{') continue;
    EngineScript script(Http());
    script.Open();
    script.Stream(1);
    EXPECT_THAT(script.Event(1, row.body), ElementsAre(row.then)) << row.name;
    EXPECT_THAT(script.End(1), IsEmpty()) << row.name;
    ++streamed;
  }
  EXPECT_EQ(streamed, 7);
}

TEST(ClientProbe, ProbesWithFullHeaders) {  // S-33
  EngineScript script(Http());
  script.Open();
  EXPECT_THAT(
      HeadersOf(script.effects),
      ElementsAre("Content-Type: application/json", "Accept: application/json, text/event-stream",
                  "MCP-Protocol-Version: 2026-07-28", "Mcp-Method: server/discover"));
}

TEST(ClientProbe, ResendsARefusedProbeOnce) {  // S-06, R-8
  EngineScript script(Http());
  script.Open();
  script.Respond(1, 400, RefusedText(1, R"(["2026-07-28"])"));
  EXPECT_THAT(script.Respond(2, 400, RefusedText(2, R"(["2026-07-28"])")),
              ElementsAre("open failed UNSUPPORTED_VERSION"));
}

TEST(ClientProbe, OpensWithTheResentProbe) {
  EngineScript script(Http());
  script.Open();
  script.Respond(1, 400, RefusedText(1, R"(["2026-07-28"])"));
  EXPECT_THAT(script.Respond(2, 200, ResultText(2, kDiscovered)), ElementsAre(kOpenedStateless));
}

TEST(ClientProbe, NeverInitializesAfterAResentProbe) {
  for (const auto& [status, body] : {std::pair<int, std::string>{404, ""},
                                     {400, RefusedText(2, R"(["2025-11-25"])")},
                                     {200, ResultText(2, R"("supportedVersions":[])")}}) {
    EngineScript script(Http());
    script.Open();
    script.Respond(1, 400, RefusedText(1, R"(["2026-07-28"])"));
    EXPECT_THAT(script.Respond(2, status, body), ElementsAre(StartsWith("open failed ")))
        << status << " " << body;
  }
}

TEST(ClientProbe, TakesHttpSilenceAndFailureForOutages) {
  EngineScript silent(Http());
  silent.Open();
  EXPECT_EQ(silent.Patience(), 60'000);
  EXPECT_THAT(silent.Pass(Millis{59'999}), IsEmpty());
  EXPECT_THAT(silent.Pass(Millis{1}), ElementsAre("#1 abort", "open failed TIMEOUT"));
  EXPECT_EQ(silent.Patience(), -1);

  EngineScript broken(Http());
  broken.Open();
  EXPECT_THAT(broken.Break(1), ElementsAre("open failed TRANSPORT"));

  EngineScript cut(Http());
  cut.Open();
  cut.Stream(1);
  EXPECT_THAT(cut.End(1), ElementsAre("open failed TRANSPORT"));
}

TEST(ClientProbe, FallsBackOnABrowsersOpaqueFailure) {
  EngineScript script(Http());
  script.Open();
  EXPECT_THAT(script.Break(1, true), ElementsAre(Posted(2, InitializeText(2))));
  EXPECT_THAT(script.Break(2, true), ElementsAre("open failed TRANSPORT"));
}

TEST(ClientProbe, InitializesWithoutStatelessHeaders) {
  const Lines plain = {"Content-Type: application/json",
                       "Accept: application/json, text/event-stream"};
  EngineScript fallback(Http());
  fallback.Open();
  fallback.Respond(1, 404, "");
  EXPECT_EQ(HeadersOf(fallback.effects), plain);
  EngineScript fixed(Http(Era::kHandshake));
  EXPECT_THAT(fixed.Open(), ElementsAre(Posted(1, InitializeText(1))));
  EXPECT_EQ(HeadersOf(fixed.effects), plain);
}

TEST(ClientProbe, SpeaksNoOlderHttpTransport) {  // H-57
  for (const int status : {400, 404, 405}) {
    EngineScript script(Http());
    script.Open();
    script.Respond(1, status, "");
    EXPECT_THAT(script.Respond(2, status, ""), ElementsAre("open failed UNSUPPORTED_VERSION"))
        << status;
  }
}

// --- section 13, stdio and other channels ---

struct ChannelRow {
  const char* name;
  std::string text;
  std::string then;
};

void PrintTo(const ChannelRow& row, std::ostream* out) { *out << row.name; }

class ChannelProbe : public ::testing::TestWithParam<ChannelRow> {};

TEST_P(ChannelProbe, TellsTheEra) {
  EngineScript script(Channel());
  ASSERT_THAT(script.Open(), ElementsAre("send " + DiscoverText(1)));
  EXPECT_THAT(script.Arrive(GetParam().text), ElementsAre(GetParam().then));
}

const ChannelRow kChannelRows[] = {
    {"Discovered", ResultText(1, kDiscovered), kOpenedStateless},
    {"NoneMutual", ResultText(1, R"("supportedVersions":["2099-01-01"])"),
     "send " + InitializeText(2)},
    {"RefusedWithMutual", RefusedText(1, R"(["2026-07-28"])"), "send " + DiscoverText(2)},
    {"RefusedNoneMutual", RefusedText(1, R"(["2099-01-01"])"), "open failed UNSUPPORTED_VERSION"},
    // Recognized, so MUST NOT fall back.
    {"RefusedOnlyLegacy", RefusedText(1, R"(["2025-11-25"])"), "open failed UNSUPPORTED_VERSION"},
    {"HeaderMismatch", RpcErrorText("\"id\":1,", -32020), "open failed HEADER_MISMATCH"},
    {"MissingCapability", RpcErrorText("\"id\":1,", -32021), "open failed MISSING_CAPABILITY"},
    // Any other error, whatever its code.
    {"MethodNotFound", RpcErrorText("\"id\":1,", -32601), "send " + InitializeText(2)},
    {"InvalidParams", RpcErrorText("\"id\":1,", -32602), "send " + InitializeText(2)},
    {"InternalError", RpcErrorText("\"id\":1,", -32603), "send " + InitializeText(2)},
    {"OwnError", RpcErrorText("\"id\":1,", 42), "send " + InitializeText(2)},
    {"ErrorWithoutId", RpcErrorText("", -32600), "send " + InitializeText(2)},
    {"ErrorWithNullId", RpcErrorText("\"id\":null,", -32600), "send " + InitializeText(2)},
    {"MalformedAnswer", R"({"jsonrpc":"2.0","id":1,"result":7})", "send " + InitializeText(2)},
    {"AnotherResult", ResultText(1, ""), "send " + InitializeText(2)},
};
INSTANTIATE_TEST_SUITE_P(Section13, ChannelProbe, ::testing::ValuesIn(kChannelRows),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(ClientProbe, TakesAChannelsSilenceForAnOlderServer) {
  EngineScript script(Channel());
  script.Open();
  EXPECT_EQ(script.Patience(), 5'000);
  EXPECT_THAT(script.Pass(Millis{4'999}), IsEmpty());
  EXPECT_THAT(script.Pass(Millis{1}), ElementsAre("send " + InitializeText(2)));
  // The late answer to the probe is nobody's.
  EXPECT_THAT(script.Arrive(ResultText(1, kDiscovered)), IsEmpty());
  EXPECT_THAT(script.Arrive(ResultText(2, HandshakeMembers())),
              ElementsAre("send " + kInitialized, "opened handshake 2025-11-25 \"\" " + kServer));
  EXPECT_THAT(script.Arrive(ResultText(1, kDiscovered)), IsEmpty());
  EXPECT_EQ(script.Patience(), -1);
}

TEST(ClientProbe, TakesAServerThatEndsAtTheProbeForAnOlderOne) {
  EngineScript script(Channel());
  script.Open();
  EXPECT_THAT(script.Give(client_event::ChannelClosed{}), ElementsAre("open failed TRANSPORT"));
  EXPECT_THAT(script.Ask(1, "tools/list"), ElementsAre("failed 1 TRANSPORT"));
  // Open says that there is a new channel.
  EXPECT_THAT(script.Open(), ElementsAre("send " + InitializeText(2)));
  // If it ends there too, nothing is known of it any more.
  EXPECT_THAT(script.Give(client_event::ChannelClosed{}), ElementsAre("open failed TRANSPORT"));
  EXPECT_THAT(script.Open(), ElementsAre("send " + DiscoverText(3)));
}

}  // namespace
}  // namespace mcp_session

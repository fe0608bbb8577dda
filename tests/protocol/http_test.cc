#include "mcp_session/protocol/http.h"

#include <gtest/gtest.h>

#include <string>

namespace mcp_session {
namespace {

HttpRequest With(const char* name, const char* value) {
  HttpRequest request("POST", "");
  request.AddHeader(name, value);
  return request;
}

// Spec S-35.
TEST(HttpRequest, KnowsHeadersInAnyCaseAndTrimsTheirValues) {
  EXPECT_EQ(With("MCP-SESSION-ID", " \tabc\t ").Find(Header::kSessionId), "abc");
  EXPECT_EQ(With("mcp-protocol-version", "2025-11-25").Find(Header::kProtocolVersion),
            "2025-11-25");
  EXPECT_EQ(With("Mcp-Name", "").Find(Header::kMcpName), "");
  EXPECT_EQ(With("Mcp-Names", "x").Find(Header::kMcpName), std::nullopt);
}

TEST(HttpRequest, CollectsParamHeaders) {
  HttpRequest request("POST", "");
  request.AddHeader("mcp-param-City", " Rome ");
  request.AddHeader("Mcp-Param-", "x");
  ASSERT_EQ(request.params().size(), 1u);
  EXPECT_EQ(request.params()[0].first, "City");
  EXPECT_EQ(request.params()[0].second, "Rome");
}

TEST(HttpRequest, AHeaderSentTwiceIsAmbiguous) {
  HttpRequest request("POST", "");
  request.AddHeader("Mcp-Session-Id", "a");
  EXPECT_FALSE(request.ambiguous());
  request.AddHeader("mcp-session-id", "b");
  EXPECT_TRUE(request.ambiguous());
  HttpRequest accepts("POST", "");
  accepts.AddHeader("Accept", "a/b");
  accepts.AddHeader("Accept", "c/d");
  EXPECT_FALSE(accepts.ambiguous());
}

// Spec H-42.
TEST(Accept, AdmitsBothTypesOrWildcards) {
  for (const char* accept :
       {"application/json, text/event-stream", "text/event-stream,application/json", "*/*",
        "Application/JSON;q=0.9 , TEXT/Event-Stream;q=0.1", "application/*, text/*",
        "text/html, */*;q=0.1"}) {
    EXPECT_TRUE(AcceptsJsonAndEvents(accept)) << accept;
  }
  for (const char* accept : {"", "application/json", "text/event-stream", "text/html",
                             "application/jsonx, text/event-stream", "application/json text/event-stream"}) {
    EXPECT_FALSE(AcceptsJsonAndEvents(accept)) << accept;
  }
  EXPECT_TRUE(AcceptsEvents("text/event-stream"));
  EXPECT_FALSE(AcceptsEvents("application/json"));
}

TEST(ContentType, IsJsonWhateverItsParameters) {
  for (const char* type : {"application/json", "application/json; charset=utf-8",
                           "APPLICATION/JSON ;x=y"}) {
    EXPECT_TRUE(IsJson(type)) << type;
  }
  for (const char* type : {"", "text/plain", "application/json-patch", "application/jsonp"}) {
    EXPECT_FALSE(IsJson(type)) << type;
  }
}

// Spec H-21.
TEST(SessionId, IsVisibleAsciiOfBoundedLength) {
  EXPECT_TRUE(IsSessionId("!~"));
  EXPECT_TRUE(IsSessionId(std::string(256, 'a')));
  EXPECT_FALSE(IsSessionId(std::string(257, 'a')));
  for (const char* id : {"", "a b", "a\tb", "a\x7f", "\xc3\xa4"}) EXPECT_FALSE(IsSessionId(id));
  EXPECT_FALSE(IsSessionId(std::string_view("a\0b", 3)));
}

struct PolicyRow {
  const char* host;
  const char* origin;  // null: not sent
  bool admitted;
};

bool AdmitsRow(const HostPolicy& policy, const PolicyRow& row) {
  HttpRequest request("POST", "");
  if (row.host != nullptr) request.AddHeader("Host", row.host);
  if (row.origin != nullptr) request.AddHeader("Origin", row.origin);
  return Admits(policy, request);
}

// Spec H-41, S-32.
TEST(HostPolicy, OfLoopbackAdmitsLoopbackOnly) {
  const PolicyRow rows[] = {
      {"localhost", nullptr, true},
      {"localhost:8808", nullptr, true},
      {"LOCALHOST:1", "http://localhost:8808", true},
      {"127.0.0.1:8808", "http://127.0.0.1:8808", true},
      {"[::1]:8808", "http://[::1]:8808", true},
      {"localhost", "http://localhost:3000", true},
      {nullptr, nullptr, true},
      {"evil.example.com", nullptr, false},
      {"localhost.evil.example", nullptr, false},
      {"localhost:8808", "http://evil.example.com", false},
      {"localhost", "http://localhost.evil.example", false},
      {"localhost", "null", false},
      {"localhost", "", false},
      {"localhost", "localhost", false},
      {"", nullptr, false},
  };
  for (const PolicyRow& row : rows) {
    EXPECT_EQ(AdmitsRow(LoopbackHosts(), row), row.admitted)
        << (row.host ? row.host : "-") << " " << (row.origin ? row.origin : "-");
  }
}

TEST(HostPolicy, ListsHostsWithOrWithoutAPort) {
  const HostPolicy policy{{"api.example:443", "app.example"}, {"https://other.example"}};
  EXPECT_TRUE(AdmitsRow(policy, {"api.example:443", nullptr, true}));
  EXPECT_FALSE(AdmitsRow(policy, {"api.example:444", nullptr, false}));
  EXPECT_TRUE(AdmitsRow(policy, {"app.example:1", nullptr, true}));
  EXPECT_TRUE(AdmitsRow(policy, {"app.example", "https://other.example", true}));
  EXPECT_FALSE(AdmitsRow(policy, {"app.example", "http://other.example", false}));
  EXPECT_TRUE(AdmitsRow({{"a"}, {"*"}}, {"a", "https://any.example", true}));
}

TEST(HostPolicy, WithoutHostsAdmitsThePagesItServes) {
  const HostPolicy any;
  EXPECT_TRUE(AdmitsRow(any, {"whatever.example", nullptr, true}));
  EXPECT_TRUE(AdmitsRow(any, {"a.example:1", "http://a.example:1", true}));
  EXPECT_FALSE(AdmitsRow(any, {"a.example:1", "http://b.example:1", false}));
  EXPECT_FALSE(AdmitsRow(any, {nullptr, "http://b.example", false}));
}

// Spec S-36.
TEST(HeaderValue, TravelsEncodedOnlyIfItMust) {
  const std::pair<const char*, const char*> rows[] = {
      {"plain text", "plain text"},
      {"", ""},
      {"K\xc3\xb6ln", "=?base64?S8O2bG4=?="},
      {" lead", "=?base64?IGxlYWQ=?="},
      {"tab\tin", "=?base64?dGFiCWlu?="},
      {"=?base64?x?=", "=?base64?PT9iYXNlNjQ/eD89?="},
      {"=?base64?x", "=?base64?x"},
  };
  for (const auto& [text, value] : rows) {
    EXPECT_EQ(EncodeHeaderValue(text), value);
    ASSERT_TRUE(DecodeHeaderValue(value)) << value;
    EXPECT_EQ(*DecodeHeaderValue(value), text);
  }
}

// Spec S-34, S-39.
TEST(HeaderValue, RefusesWhatIsNotWellFormed) {
  for (const char* value : {"=?base64?S8O2bG4?=", "=?base64?S8O2bG4==?=", "=?base64?S8_2?=",
                            "K\xc3\xb6ln", "a\x01"}) {
    ASSERT_FALSE(DecodeHeaderValue(value)) << value;
    EXPECT_EQ(DecodeHeaderValue(value).error().code, ErrorCode::kHeaderMismatch);
  }
  EXPECT_EQ(*DecodeHeaderValue("=?BASE64?eA==?="), "=?BASE64?eA==?=");  // markers are lower case
}

}  // namespace
}  // namespace mcp_session

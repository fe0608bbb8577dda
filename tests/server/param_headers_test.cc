// Arguments marked with x-mcp-header, and the Mcp-Param headers of stateless requests (S-37 to
// S-39).
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "mcp_session/json/json.h"
#include "tests/server/server_peer.h"

namespace mcp_session {
namespace {

ToolResult Done(ToolCall&) { return ToolResult::Text("done"); }

Json Marked(const char* type, const Json& header) {
  return {{"type", type}, {"x-mcp-header", header}};
}

Json SchemaOf(Json properties) {
  return {{"type", "object"}, {"properties", std::move(properties)}};
}

class ParamHeadersTest : public testing::Test {
 protected:
  void SetUp() override {
    const Json schema = SchemaOf({{"city", Marked("string", "City")},
                                  {"floor", Marked("integer", "Floor")},
                                  {"lift", Marked("boolean", "Lift")},
                                  {"inner", SchemaOf({{"city", Marked("string", "Inner-City")}})},
                                  {"free", {{"type", "string"}}}});
    ASSERT_TRUE(peer_.server().AddTool({.name = "go", .input_schema = schema}, Done));
    ASSERT_TRUE(peer_.server().AddTool({.name = "free"}, Done));
  }

  const Received& Call(const std::string& arguments, const ServerPeer::Headers& params,
                       const std::string& tool = "go") {
    ServerPeer::Headers headers = {
        {"mcp-protocol-version", "2026-07-28"}, {"mcp-method", "tools/call"}, {"mcp-name", tool}};
    headers.insert(headers.end(), params.begin(), params.end());
    return peer_.Of(
        peer_.Post(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":")" + tool +
                       R"(","arguments":)" + arguments +
                       R"(,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)" +
                       R"("io.modelcontextprotocol/clientCapabilities":{}}}})",
                   headers));
  }
  // Why it is refused; empty if it is not.
  std::string Refused(const std::string& arguments, const ServerPeer::Headers& params) {
    const Received& answer = Call(arguments, params);
    if (answer.status == 200) return {};
    EXPECT_EQ(answer.status, 400);
    EXPECT_FALSE(answer.stream);
    const std::string before = R"({"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":")";
    EXPECT_EQ(answer.body.substr(0, before.size()), before);
    return answer.body.substr(before.size(), answer.body.size() - before.size() - 3);
  }

  ServerPeer peer_;
};

TEST_F(ParamHeadersTest, AHeaderRepeatsTheArgument) {
  EXPECT_EQ(Refused(R"({"city":"Rome"})", {{"mcp-param-city", "Rome"}}), "");
  EXPECT_EQ(Refused(R"({"city":"Rome"})", {{"MCP-Param-CITY", " Rome "}}), "");
  EXPECT_EQ(Refused(R"({"city":"Rome"})", {{"mcp-param-city", "rome"}}),
            "Mcp-Param-City differs from the body");
  EXPECT_EQ(Refused(R"({"city":"Rome"})", {}), "Mcp-Param-City is missing");
  EXPECT_EQ(Refused(R"({"city":""})", {{"mcp-param-city", ""}}), "");
  EXPECT_EQ(Refused(R"({"city":""})", {}), "Mcp-Param-City is missing");
}

TEST_F(ParamHeadersTest, NoHeaderIsSentForWhatIsAbsentOrNull) {
  for (const char* arguments : {"{}", R"({"city":null})", R"({"inner":{}})", R"({"inner":"x"})"}) {
    EXPECT_EQ(Refused(arguments, {}), "") << arguments;
    EXPECT_EQ(Refused(arguments, {{"mcp-param-city", ""}}), "Mcp-Param-City differs from the body")
        << arguments;
  }
}

TEST_F(ParamHeadersTest, EncodedValuesAreReadStrictly) {
  EXPECT_EQ(Refused(R"({"city":"Köln"})", {{"mcp-param-city", "=?base64?S8O2bG4=?="}}), "");
  EXPECT_EQ(Refused(R"({"city":"Hello"})", {{"mcp-param-city", "=?base64?SGVsbG8=?="}}), "");
  for (const char* value : {"=?base64?SGVsbG8?=", "=?base64?SGVs!!!bG8=?=", "K\xC3\xB6ln"}) {
    EXPECT_EQ(Refused(R"({"city":"Hello"})", {{"mcp-param-city", value}}),
              "Mcp-Param-City is malformed")
        << value;
  }
  // Without its beginning or its end it is text.
  for (const std::string value : {"SGVsbG8=?=", "=?base64?SGVsbG8="}) {
    EXPECT_EQ(Refused(R"({"city":")" + value + "\"}", {{"mcp-param-city", value}}), "") << value;
  }
}

TEST_F(ParamHeadersTest, IntegersAreComparedAsNumbers) {
  EXPECT_EQ(Refused(R"({"floor":-3})", {{"mcp-param-floor", "-3"}}), "");
  EXPECT_EQ(Refused(R"({"floor":3.0})", {{"mcp-param-floor", "3"}}), "");
  EXPECT_EQ(Refused(R"({"floor":9007199254740991})", {{"mcp-param-floor", "9007199254740991"}}),
            "");
  for (const char* value : {"4", "", "three", "\"3\"", "3 3"}) {
    EXPECT_EQ(Refused(R"({"floor":3})", {{"mcp-param-floor", value}}),
              "Mcp-Param-Floor differs from the body")
        << value;
  }
}

TEST_F(ParamHeadersTest, BooleansAreTrueOrFalse) {
  EXPECT_EQ(Refused(R"({"lift":true})", {{"mcp-param-lift", "true"}}), "");
  EXPECT_EQ(Refused(R"({"lift":false})", {{"mcp-param-lift", "false"}}), "");
  EXPECT_EQ(Refused(R"({"lift":true})", {{"mcp-param-lift", "false"}}),
            "Mcp-Param-Lift differs from the body");
  EXPECT_EQ(Refused(R"({"lift":true})", {{"mcp-param-lift", "True"}}),
            "Mcp-Param-Lift differs from the body");
}

// No header can repeat them.
TEST_F(ParamHeadersTest, ValuesOfOtherTypesNeverMatch) {
  for (const char* value : {"[]", "{}", "2.5"}) {
    const std::string arguments = std::string(R"({"city":)") + value + "}";
    EXPECT_EQ(Refused(arguments, {{"mcp-param-city", value}}),
              "Mcp-Param-City differs from the body");
    EXPECT_EQ(Refused(arguments, {}), "Mcp-Param-City is missing");
  }
}

TEST_F(ParamHeadersTest, PropertiesOfPropertiesAreRepeatedToo) {
  EXPECT_EQ(Refused(R"({"inner":{"city":"Rome"}})", {{"mcp-param-inner-city", "Rome"}}), "");
  EXPECT_EQ(Refused(R"({"inner":{"city":"Rome"}})", {}), "Mcp-Param-Inner-City is missing");
}

TEST_F(ParamHeadersTest, OneOfTwoHeadersThatDiffersIsEnough) {
  EXPECT_EQ(Refused(R"({"city":"Rome"})", {{"mcp-param-city", "Rome"}, {"Mcp-Param-City", "Bonn"}}),
            "Mcp-Param-City differs from the body");
}

TEST_F(ParamHeadersTest, OtherHeadersAndOtherToolsAreNotCompared) {
  EXPECT_EQ(Refused(R"({"free":"x"})", {{"mcp-param-free", "y"}, {"mcp-param-none", "z"}}), "");
  EXPECT_EQ(Call(R"({"city":"Rome"})", {}, "free").status, 200);
}

TEST_F(ParamHeadersTest, WhereNoSuchHeadersAreNothingIsCompared) {
  const auto session = peer_.OpenSession();
  EXPECT_EQ(peer_.Of(peer_.Call(session, 1, "go", R"({"city":"Rome"})")).status, 200);
  peer_.Open(1);
  peer_.Send(1, R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"go",)"
                R"("arguments":{"city":"Rome"},"_meta":{"io.modelcontextprotocol/protocolVersion":)"
                R"("2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}})");
  ASSERT_EQ(peer_.Of(1).messages.size(), 1u);
  EXPECT_NE(peer_.Of(1).messages[0].find("done"), std::string::npos);
}

// --- what AddTool takes ---

std::string RefusedMark(const Json& properties) {
  ServerPeer peer;
  const auto added =
      peer.server().AddTool({.name = "go", .input_schema = SchemaOf(properties)}, Done);
  if (added) return {};
  EXPECT_EQ(added.error().code, ErrorCode::kInvalidArgument);
  return added.error().message;
}

TEST(MarkedArguments, ANameIsAToken) {
  EXPECT_EQ(RefusedMark({{"a", Marked("string", "X-1_!~")}}), "");
  for (const Json& name : {Json(""), Json("a b"), Json("a:b"), Json("\xC3\xA4"), Json(1), Json()}) {
    EXPECT_EQ(RefusedMark({{"a", Marked("string", name)}}), "x-mcp-header is no name of a header")
        << name;
  }
}

TEST(MarkedArguments, TheTypeHasOneFormInAHeader) {
  for (const char* type : {"string", "integer", "boolean"}) {
    EXPECT_EQ(RefusedMark({{"a", Marked(type, "A")}}), "") << type;
  }
  for (const char* type : {"number", "object", "array", "null"}) {
    EXPECT_EQ(RefusedMark({{"a", Marked(type, "A")}}),
              "x-mcp-header is for a string, an integer or a boolean")
        << type;
  }
  EXPECT_EQ(RefusedMark({{"a", {{"x-mcp-header", "A"}}}}),
            "x-mcp-header is for a string, an integer or a boolean");
}

TEST(MarkedArguments, AHeaderIsForOneArgument) {
  EXPECT_EQ(
      RefusedMark({{"a", Marked("string", "A")}, {"b", SchemaOf({{"c", Marked("string", "a")}})}}),
      "x-mcp-header names a header twice");
}

TEST(MarkedArguments, APropertyMayHaveThatName) {
  EXPECT_EQ(RefusedMark({{"x-mcp-header", {{"type", "string"}}}}), "");
}

}  // namespace
}  // namespace mcp_session

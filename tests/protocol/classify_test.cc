#include "mcp_session/protocol/classify.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

#include "mcp_session/json/parse.h"

namespace mcp_session {
namespace {

constexpr char kModern[] =
    R"({"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
    R"("io.modelcontextprotocol/clientCapabilities":{}}})";
constexpr char kLegacyInMeta[] =
    R"({"_meta":{"io.modelcontextprotocol/protocolVersion":"2025-11-25",)"
    R"("io.modelcontextprotocol/clientCapabilities":{}}})";

Json Params(const char* text) { return *ParseJson(text); }

struct Row {
  const char* method;
  const char* params;
  std::optional<std::string_view> header;
  Era era;
  std::optional<ErrorCode> refused;
};

// The table of spec section 12.
TEST(Classify, FollowsTheRoutingTable) {
  const Row rows[] = {
      {"tools/list", kModern, "2026-07-28", Era::kStateless, {}},
      {"tools/list", kModern, std::nullopt, Era::kStateless, {}},
      {"initialize", kModern, "2026-07-28", Era::kStateless, {}},
      {"tools/list", kLegacyInMeta, std::nullopt, Era::kStateless, {}},
      {"initialize", "{}", std::nullopt, Era::kHandshake, {}},
      {"initialize", "{}", "2025-11-25", Era::kHandshake, {}},
      {"initialize", "{}", "2026-07-28", Era::kHandshake, ErrorCode::kHeaderMismatch},
      {"tools/list", "{}", "2026-07-28", Era::kStateless, {}},
      {"tools/list", "{}", "2025-06-18", Era::kHandshake, {}},
      {"tools/list", "{}", std::nullopt, Era::kHandshake, {}},
      {"tools/list", "{}", "rubbish", Era::kHandshake, {}},
      {"tools/list", R"({"_meta":{"progressToken":1}})", std::nullopt, Era::kHandshake, {}},
      {"tools/list", R"({"_meta":5})", std::nullopt, Era::kHandshake, {}},
  };
  for (const Row& row : rows) {
    const Classification is = Classify(row.method, Params(row.params), row.header);
    EXPECT_EQ(is.era, row.era) << row.method << row.params;
    ASSERT_EQ(is.refusal.has_value(), row.refused.has_value()) << row.method << row.params;
    if (row.refused) {
      EXPECT_EQ(is.refusal->error.code, *row.refused);
    }
  }
  EXPECT_EQ(Classify("ping", Json(), std::nullopt).era, Era::kHandshake);
}

TEST(ReadEnvelope, TakesWhatEveryRequestMustHave) {
  const Json params = Params(kModern);
  const auto envelope = ReadEnvelope(params, "2026-07-28");
  ASSERT_TRUE(envelope);
  EXPECT_EQ(envelope->revision, Revision::k2026_07_28);
  EXPECT_TRUE(envelope->capabilities->is_object());
  EXPECT_TRUE(ReadEnvelope(params, std::nullopt));
}

// Spec S-04: -32602 with HTTP 400.
TEST(ReadEnvelope, RefusesAMissingField) {
  for (const char* text :
       {"{}", R"({"_meta":[]})", R"({"_meta":{}})",
        R"({"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}})",
        R"({"_meta":{"io.modelcontextprotocol/protocolVersion":5,)"
        R"("io.modelcontextprotocol/clientCapabilities":{}}})",
        R"({"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
        R"("io.modelcontextprotocol/clientCapabilities":[]}})"}) {
    const auto envelope = ReadEnvelope(Params(text), "2026-07-28");
    ASSERT_FALSE(envelope) << text;
    EXPECT_EQ(envelope.error().error.code, ErrorCode::kInvalidParams);
    EXPECT_EQ(envelope.error().http_status, 400);
  }
}

// The suite sends header 2026-07-28 with body v999.0.0 and wants -32020: the mismatch comes first.
TEST(ReadEnvelope, AMismatchComesBeforeAnUnservedVersion) {
  const Json params =
      Params(R"({"_meta":{"io.modelcontextprotocol/protocolVersion":"v999.0.0",)"
             R"("io.modelcontextprotocol/clientCapabilities":{}}})");
  EXPECT_EQ(ReadEnvelope(params, "2026-07-28").error().error.code, ErrorCode::kHeaderMismatch);
  const auto unserved = ReadEnvelope(params, "v999.0.0");
  ASSERT_FALSE(unserved);
  EXPECT_EQ(unserved.error().error.code, ErrorCode::kUnsupportedVersion);  // S-05
  EXPECT_EQ(*unserved.error().data,
            Params(R"({"supported":["2026-07-28"],"requested":"v999.0.0"})"));
}

// D-04: a handshake revision named in metadata is not served that way.
TEST(ReadEnvelope, RefusesAHandshakeRevision) {
  const auto envelope = ReadEnvelope(Params(kLegacyInMeta), std::nullopt);
  ASSERT_FALSE(envelope);
  EXPECT_EQ(envelope.error().error.code, ErrorCode::kUnsupportedVersion);
}

}  // namespace
}  // namespace mcp_session

#include "mcp_session/client/saved_session.h"

#include <gtest/gtest.h>

#include "tests/session/client_script.h"

namespace mcp_session {
namespace {

TEST(SavedSession, ReadsWhatItWrote) {
  const client_effect::Opened session{Era::kHandshake, Revision::k2025_06_18, "s1",
                                      FromText(kServer)};
  const std::string text = EncodeSavedSession(session);
  EXPECT_EQ(text,
            R"({"form":1,"revision":"2025-06-18","sessionId":"s1","server":)" + kServer + "}");
  const auto read = DecodeSavedSession(text);
  ASSERT_TRUE(read);
  EXPECT_EQ(ToLine(*read), ToLine(session));
}

TEST(SavedSession, HasNoIdWhereThereIsNoSession) {
  const client_effect::Opened session{Era::kStateless, Revision::k2026_07_28, "", EmptyObject()};
  const auto read = DecodeSavedSession(EncodeSavedSession(session));
  ASSERT_TRUE(read);
  EXPECT_EQ(ToLine(*read), R"(opened stateless 2026-07-28 "" {})");
}

TEST(SavedSession, HasNoTextIfTheServerHasNone) {
  const client_effect::Opened session{Era::kStateless, Revision::k2026_07_28, "", Json("\xFF")};
  EXPECT_EQ(EncodeSavedSession(session), "");
}

TEST(SavedSession, RefusesWhatIsNone) {
  for (const char* text :
       {"", "{", "7", "{}", R"({"form":2,"revision":"2025-11-25"})", R"({"form":1})",
        R"({"form":1,"revision":"1999-01-01"})", R"({"form":1,"revision":7})"}) {
    const auto read = DecodeSavedSession(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, ErrorCode::kCorrupt) << text;
  }
}

}  // namespace
}  // namespace mcp_session

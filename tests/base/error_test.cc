#include "mcp_session/base/error.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace mcp_session {
namespace {

constexpr int kLast = static_cast<int>(ErrorCode::kPeer);

// The table is in the order of the enumeration; a row that is missing or out of place aborts.
TEST(Error, EveryCodeHasItsRow) {
  std::set<std::string_view> names;
  for (int i = 0; i <= kLast; ++i) {
    const auto code = static_cast<ErrorCode>(i);
    EXPECT_TRUE(names.insert(CodeName(code)).second) << CodeName(code);
    EXPECT_LT(JsonRpcNumber(code), 0) << CodeName(code);
    EXPECT_GE(HttpStatus(code), 200) << CodeName(code);
  }
}

// Spec E-01: nothing of our own between -32099 and -32020, nothing new from -32019 to -32000.
TEST(Error, AllocatesNoReservedNumber) {
  const std::set<int> known = {-32700, -32600, -32601, -32602, -32603, -32020,
                               -32021, -32022, -32000, -32001};
  for (int i = 0; i <= kLast; ++i) {
    const auto code = static_cast<ErrorCode>(i);
    EXPECT_TRUE(known.count(JsonRpcNumber(code))) << CodeName(code);
  }
}

// The rule everything else follows from: an outage is never told as an unknown session.
TEST(Error, AnOutageIsNotAnUnknownSession) {
  EXPECT_EQ(HttpStatus(ErrorCode::kUnavailable), 503);
  EXPECT_EQ(HttpStatus(ErrorCode::kSessionNotFound), 404);
}

}  // namespace
}  // namespace mcp_session

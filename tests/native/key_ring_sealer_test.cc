// requestState sealed by OpenSSL (M-06, M-07, X-05).
#include "mcp_session/seal/key_ring_sealer.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "mcp_session/server/mcp_server.h"
#include "mcp_session/store/memory_store.h"
#include "tests/support/counting_entropy.h"

namespace mcp_session {
namespace {

const std::string kKeyText(64, 'a');
const std::string kOtherText(64, 'b');

std::vector<StateKey> Keys(const std::string& text) { return *ParseStateKeys(text); }

class KeyRingSealerTest : public testing::Test {
 protected:
  KeyRingSealer Make(const std::string& keys) {
    KeyRingSealer::Options options;
    options.now = [this] { return now_; };
    return KeyRingSealer(Keys(keys), entropy_, options);
  }

  SeededEntropy entropy_{1};
  std::int64_t now_ = 1'800'000'000'000;
};

TEST_F(KeyRingSealerTest, WhatWasSealedIsOpened) {
  KeyRingSealer sealer = Make(kKeyText);
  for (const std::string& state : {std::string(), std::string("{\"round\":1}"),
                                   std::string("\0\xff", 2), std::string(300'000, 'x')}) {
    const std::string token = sealer.Seal(state, "bound");
    EXPECT_EQ(sealer.Open(token, "bound"), state);
    EXPECT_EQ(token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                      "0123456789-_"),
              token.npos);
    EXPECT_EQ(token.find("round"), token.npos);
  }
}

TEST_F(KeyRingSealerTest, NoTwoTokensAreTheSame) {
  KeyRingSealer sealer = Make(kKeyText);
  EXPECT_NE(sealer.Seal("state", "bound"), sealer.Seal("state", "bound"));
}

TEST_F(KeyRingSealerTest, EveryChangedCharacterIsNoticed) {
  KeyRingSealer sealer = Make(kKeyText);
  const std::string token = sealer.Seal("state", "bound");
  for (std::size_t at = 0; at < token.size(); ++at) {
    for (int change : {1, 2, 4, 8, 16, 32, 64, 128}) {
      std::string changed = token;
      changed[at] = static_cast<char>(changed[at] ^ change);
      EXPECT_EQ(sealer.Open(changed, "bound"), std::nullopt) << at << ' ' << change;
    }
  }
}

TEST_F(KeyRingSealerTest, EveryShorterAndLongerTokenIsNoticed) {
  KeyRingSealer sealer = Make(kKeyText);
  const std::string token = sealer.Seal("state", "bound");
  for (std::size_t size = 0; size < token.size(); ++size) {
    EXPECT_EQ(sealer.Open(token.substr(0, size), "bound"), std::nullopt) << size;
    EXPECT_EQ(sealer.Open(token.substr(size + 1), "bound"), std::nullopt) << size;
  }
  for (const char* more : {"A", "AAAA", "=", "==", "x", " ", "\n"}) {
    EXPECT_EQ(sealer.Open(token + more, "bound"), std::nullopt) << more;
  }
}

TEST_F(KeyRingSealerTest, WhatItIsBoundToIsNoticed) {
  KeyRingSealer sealer = Make(kKeyText);
  const std::string token = sealer.Seal("state", "bound");
  for (const char* other : {"", "boun", "bound ", "Bound", "eound"}) {
    EXPECT_EQ(sealer.Open(token, other), std::nullopt) << other;
  }
}

TEST_F(KeyRingSealerTest, AStateExpires) {
  KeyRingSealer sealer = Make(kKeyText);
  const std::string token = sealer.Seal("state", "bound");
  now_ += 5 * 60'000 - 1;
  EXPECT_EQ(sealer.Open(token, "bound"), "state");
  now_ += 1;
  EXPECT_EQ(sealer.Open(token, "bound"), std::nullopt);
}

TEST_F(KeyRingSealerTest, ClocksOfNodesDifferALittle) {
  KeyRingSealer sealer = Make(kKeyText);
  const std::string token = sealer.Seal("state", "bound");
  now_ -= 60'000;
  EXPECT_EQ(sealer.Open(token, "bound"), "state");
  now_ -= 1;
  EXPECT_EQ(sealer.Open(token, "bound"), std::nullopt);
}

TEST_F(KeyRingSealerTest, KeysAreChangedInSteps) {
  KeyRingSealer old_only = Make(kKeyText);
  KeyRingSealer old_first = Make(kKeyText + "," + kOtherText);
  KeyRingSealer new_first = Make(kOtherText + "," + kKeyText);
  KeyRingSealer new_only = Make(kOtherText);
  const std::string old_token = old_first.Seal("state", "bound");
  const std::string new_token = new_first.Seal("state", "bound");
  EXPECT_EQ(old_only.Open(old_token, "bound"), "state");
  EXPECT_EQ(new_first.Open(old_token, "bound"), "state");
  EXPECT_EQ(new_only.Open(old_token, "bound"), std::nullopt);
  EXPECT_EQ(old_first.Open(new_token, "bound"), "state");
  EXPECT_EQ(new_only.Open(new_token, "bound"), "state");
  EXPECT_EQ(old_only.Open(new_token, "bound"), std::nullopt);
}

TEST_F(KeyRingSealerTest, KeysAreMadeAtRandom) {
  EXPECT_NE(MakeStateKey(entropy_), MakeStateKey(entropy_));
}

TEST_F(KeyRingSealerTest, TheSystemHasAClock) {
  KeyRingSealer sealer(Keys(kKeyText), entropy_);
  EXPECT_EQ(sealer.Open(sealer.Seal("state", "bound"), "bound"), "state");
}

TEST(ParseStateKeys, TakesHexadecimalDigits) {
  const auto keys = ParseStateKeys(" " + kKeyText + ",\n" + std::string(64, 'B') + "\t");
  ASSERT_TRUE(keys);
  ASSERT_EQ(keys->size(), 2u);
  EXPECT_EQ(keys->front().front(), 0xaa);
  EXPECT_EQ(keys->back().back(), 0xbb);
  EXPECT_EQ(ParseStateKeys("0123456789abcdef" + std::string(48, '0'))->front()[7], 0xef);
}

TEST(ParseStateKeys, RefusesWhatIsNoKeyWithoutRepeatingIt) {
  for (const std::string& text :
       {std::string(), std::string(" , "), std::string(63, 'a'), std::string(65, 'a'),
        std::string(63, 'a') + "g", kKeyText + kKeyText, kKeyText + "," + kKeyText,
        kKeyText + ",x"}) {
    const auto keys = ParseStateKeys(text);
    ASSERT_FALSE(keys) << text;
    EXPECT_EQ(keys.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(keys.error().message.find("aaa"), std::string::npos);
  }
}

// With a server: the token that clients get, and give back changed.
TEST_F(KeyRingSealerTest, AServerRefusesEveryChangedByte) {
  MemorySessionStore store({}, entropy_);
  McpServer server({}, store, entropy_);
  KeyRingSealer sealer = Make(kKeyText);
  server.SealStatesWith(sealer);
  int runs = 0;
  ASSERT_TRUE(server.AddTool({.name = "go"}, [&runs](ToolCall& call) {
    ++runs;
    return call.Ask("roots", ListRoots()) != nullptr ? ToolResult::Text("done") : ToolResult();
  }));
  std::uint64_t exchange = 0;
  const auto call = [&](const std::string& more) {
    const std::string body =
        R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"go",)" + more +
        R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
        R"("io.modelcontextprotocol/clientCapabilities":{"roots":{}}}}})";
    HttpRequest request("POST", body);
    request.AddHeader("accept", "application/json, text/event-stream");
    request.AddHeader("content-type", "application/json");
    request.AddHeader("mcp-protocol-version", "2026-07-28");
    request.AddHeader("mcp-method", "tools/call");
    request.AddHeader("mcp-name", "go");
    Effects effects;
    server.Handle(event::HttpRequested{{++exchange}, request, {}}, Instant{}, &effects);
    return std::get<effect::HttpRespond>(effects.front()).body;
  };
  const std::string asked = call("");
  const std::string before = R"("requestState":")";
  const std::size_t from = asked.find(before) + before.size();
  const std::string token = asked.substr(from, asked.find('"', from) - from);
  ASSERT_GT(token.size(), 60u) << asked;
  const std::string roots = R"("inputResponses":{"roots":{"roots":[]}},"requestState":")";
  const std::string refused =
      R"({"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"requestState cannot be used"}})";
  runs = 0;
  for (std::size_t at = 0; at < token.size(); ++at) {
    std::string changed = token;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    EXPECT_EQ(call(roots + changed + "\","), refused) << at;
  }
  EXPECT_EQ(runs, 0);
  EXPECT_NE(call(roots + token + "\",").find("done"), std::string::npos);
  now_ += 5 * 60'000;
  EXPECT_EQ(call(roots + token + "\","), refused);
}

}  // namespace
}  // namespace mcp_session

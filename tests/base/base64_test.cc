#include "mcp_session/base/base64.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace mcp_session {
namespace {

TEST(Base64, EncodesTheVectorsOfRfc4648) {
  const std::array<std::pair<const char*, const char*>, 7> vectors = {{{"", ""},
                                                                       {"f", "Zg=="},
                                                                       {"fo", "Zm8="},
                                                                       {"foo", "Zm9v"},
                                                                       {"foob", "Zm9vYg=="},
                                                                       {"fooba", "Zm9vYmE="},
                                                                       {"foobar", "Zm9vYmFy"}}};
  for (const auto& [plain, encoded] : vectors) {
    EXPECT_EQ(EncodeBase64(plain), encoded);
    EXPECT_EQ(DecodeBase64(encoded), plain);
  }
}

TEST(Base64, RoundTripsEveryByte) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  EXPECT_EQ(DecodeBase64(EncodeBase64(bytes)), bytes);
}

// Spec S-39: strict padding and alphabet.
TEST(Base64, RefusesWhatIsNotExact) {
  for (const char* text : {"Zg", "Zg=", "Zg===", "=", "====", "Z===", "Zg==Zg==", "Zm9v\n", "Zm 9v",
                           "Zm9-", "Zm9_", "Zh==", "Zm9=", "ZZ\x80\x80"}) {
    EXPECT_EQ(DecodeBase64(text), std::nullopt) << text;
  }
}

TEST(Base64Url, UsesNoCharacterThatAHeaderOrUrlMinds) {
  std::array<std::uint8_t, 32> bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(255 - i * 7);
  const std::string id = EncodeBase64Url(bytes);
  EXPECT_EQ(id.size(), 43u);
  EXPECT_EQ(id.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
            std::string::npos);
  const std::array<std::uint8_t, 3> high = {0xfb, 0xff, 0xbf};
  EXPECT_EQ(EncodeBase64Url(high), "-_-_");
  EXPECT_EQ(DecodeBase64Url("-_-_"), "\xfb\xff\xbf");
}

TEST(Base64Url, DecodesWhatItEncodesAndNothingElse) {
  for (std::size_t size = 0; size < 5; ++size) {
    const std::string text = std::string("f\0ob", 5).substr(0, size);
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    EXPECT_EQ(DecodeBase64Url(EncodeBase64Url({bytes, size})), text);
  }
  for (const char* text : {"Z", "Zg==", "Zm9+", "Zm9/", "Zh", "Zm9", "Zm 9"}) {
    EXPECT_EQ(DecodeBase64Url(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace mcp_session

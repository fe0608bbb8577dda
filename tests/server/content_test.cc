// The blocks that tools and prompts answer with (spec F-05).
#include "mcp_session/server/content.h"

#include <gtest/gtest.h>

#include <string>

#include "mcp_session/json/json.h"

namespace mcp_session {
namespace {

constexpr std::string_view kBytes("\0\xFF", 2);

TEST(Content, HasTheFormsOfTheProtocol) {
  EXPECT_EQ(TextContent("t").dump(), R"({"type":"text","text":"t"})");
  EXPECT_EQ(ImageContent(kBytes, "image/png").dump(),
            R"({"type":"image","data":"AP8=","mimeType":"image/png"})");
  EXPECT_EQ(AudioContent(kBytes, "audio/wav").dump(),
            R"({"type":"audio","data":"AP8=","mimeType":"audio/wav"})");
  EXPECT_EQ(ResourceLink("x://a", "a").dump(),
            R"({"type":"resource_link","uri":"x://a","name":"a"})");
  EXPECT_EQ(EmbeddedResource(TextContents("t", "x://a", "text/css")).dump(),
            R"({"type":"resource","resource":{"uri":"x://a","mimeType":"text/css","text":"t"}})");
  EXPECT_EQ(EmbeddedResource(BlobContents(kBytes, "x://b")).dump(),
            R"({"type":"resource","resource":{"uri":"x://b","blob":"AP8="}})");
}

}  // namespace
}  // namespace mcp_session

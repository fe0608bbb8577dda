#include "mcp_session/factory/store_url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string_view>

namespace mcp_session {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(StoreUrl, UnderstandsEveryForm) {
  const struct {
    std::string_view text;
    StoreUrl url;
  } rows[] = {
      {"memory", {}},
      {"redis://localhost", {.scheme = StoreScheme::kRedis, .host = "localhost", .port = 6379}},
      {"redis://localhost/", {.scheme = StoreScheme::kRedis, .host = "localhost", .port = 6379}},
      {"redis://:p%40ss%2f@10.0.0.1:6380/3",
       {.scheme = StoreScheme::kRedis,
        .password = "p@ss/",
        .host = "10.0.0.1",
        .port = 6380,
        .database = 3}},
      {"rediss://user:a@b:c@[::1]:1",
       {.scheme = StoreScheme::kRedisTls,
        .user = "user",
        .password = "a@b:c",
        .host = "::1",
        .port = 1}},
      {"unix:///run/redis.sock?db=2",
       {.scheme = StoreScheme::kRedisUnix, .path = "/run/redis.sock", .database = 2}},
      {"unix://u:p@/run/a%20b",
       {.scheme = StoreScheme::kRedisUnix, .user = "u", .password = "p", .path = "/run/a b"}},
      {"file:sessions.db", {.scheme = StoreScheme::kFile, .path = "sessions.db"}},
      {"file:///var/lib/s.db", {.scheme = StoreScheme::kFile, .path = "/var/lib/s.db"}},
  };
  for (const auto& row : rows) {
    const Result<StoreUrl> url = ParseStoreUrl(row.text);
    ASSERT_TRUE(url) << row.text << ": " << url.error().message;
    EXPECT_EQ(*url, row.url) << row.text;
  }
}

TEST(StoreUrl, RefusesWhatIsMalformed) {
  for (const std::string_view text : {"",
                                      "localhost:6379",
                                      "http://localhost",
                                      "REDIS",
                                      "redis:",
                                      "redis:localhost",
                                      "redis://",
                                      "redis://:6379",
                                      "redis://h:",
                                      "redis://h:0",
                                      "redis://h:65536",
                                      "redis://h:6379x",
                                      "redis://h/x",
                                      "redis://h/-1",
                                      "redis://h/1/2",
                                      "redis://h?db=1",
                                      "redis://::1",
                                      "redis://[::1",
                                      "redis://[::1]x",
                                      "redis://a b",
                                      "redis://%zz@h",
                                      "redis://u:%0@h",
                                      "redis://u:%00@h",
                                      "unix://",
                                      "unix:///",
                                      "unix://run/redis.sock",
                                      "unix:///s?x=1",
                                      "unix:///s?db=x",
                                      "file:",
                                      "file://",
                                      "file://host/x.db",
                                      "file:///var/"}) {
    const Result<StoreUrl> url = ParseStoreUrl(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().code, ErrorCode::kInvalidArgument) << text;
  }
}

TEST(StoreUrl, KeepsPasswordsOutOfItsComplaints) {
  for (const std::string_view text :
       {"redis://user:secret@h:x", "redis://user:secret@", "redis://user:secret%@h",
        "unix://user:secret@run", "secret://x", "redis://user:secret@h/db"}) {
    const Result<StoreUrl> url = ParseStoreUrl(text);
    ASSERT_FALSE(url) << text;
    EXPECT_THAT(url.error().message, Not(HasSubstr("secret"))) << text;
  }
}

}  // namespace
}  // namespace mcp_session

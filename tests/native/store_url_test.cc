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
      {"redis://localhost", {.scheme = StoreScheme::kRedis, .hosts = {{"localhost", 6379}}}},
      {"redis://localhost/", {.scheme = StoreScheme::kRedis, .hosts = {{"localhost", 6379}}}},
      {"redis://:p%40ss%2f@10.0.0.1:6380/3",
       {.scheme = StoreScheme::kRedis,
        .password = "p@ss/",
        .hosts = {{"10.0.0.1", 6380}},
        .database = 3}},
      {"rediss://user:a@b:c@[::1]:1",
       {.scheme = StoreScheme::kRedis,
        .tls = true,
        .user = "user",
        .password = "a@b:c",
        .hosts = {{"::1", 1}}}},
      {"redis://h?prefix=shop:",
       {.scheme = StoreScheme::kRedis, .hosts = {{"h", 6379}}, .prefix = "shop:"}},
      {"rediss://h/2?ca=/etc/ca%20x.pem&cert=c.pem&key=k.pem",
       {.scheme = StoreScheme::kRedis,
        .tls = true,
        .hosts = {{"h", 6379}},
        .database = 2,
        .ca_file = "/etc/ca x.pem",
        .certificate_file = "c.pem",
        .key_file = "k.pem"}},
      {"unix:///run/redis.sock?db=2",
       {.scheme = StoreScheme::kRedisUnix, .path = "/run/redis.sock", .database = 2}},
      {"unix://u:p@/run/a%20b?prefix=a&db=1",
       {.scheme = StoreScheme::kRedisUnix,
        .user = "u",
        .password = "p",
        .path = "/run/a b",
        .database = 1,
        .prefix = "a"}},
      {"redis+sentinel://a,[::1]:7,c/mymaster",
       {.scheme = StoreScheme::kRedisSentinel,
        .hosts = {{"a", 26379}, {"::1", 7}, {"c", 26379}},
        .master_name = "mymaster"}},
      {"rediss+sentinel://u:p@a:1/my%20master/4?prefix=x",
       {.scheme = StoreScheme::kRedisSentinel,
        .tls = true,
        .user = "u",
        .password = "p",
        .hosts = {{"a", 1}},
        .master_name = "my master",
        .database = 4,
        .prefix = "x"}},
      {"redis+cluster://a:1,b",
       {.scheme = StoreScheme::kRedisCluster, .hosts = {{"a", 1}, {"b", 6379}}}},
      {"rediss+cluster://:p@a/",
       {.scheme = StoreScheme::kRedisCluster,
        .tls = true,
        .password = "p",
        .hosts = {{"a", 6379}}}},
      {"file:sessions.db", {.scheme = StoreScheme::kFile, .path = "sessions.db"}},
      {"redis+sentinel://u:p@a/m?sentinel_user=s&sentinel_password=q%26r",
       {.scheme = StoreScheme::kRedisSentinel,
        .user = "u",
        .password = "p",
        .hosts = {{"a", 26379}},
        .master_name = "m",
        .sentinel_user = "s",
        .sentinel_password = "q&r"}},
      {"file:s.db?synchronous=normal",
       {.scheme = StoreScheme::kFile, .path = "s.db", .synchronous = "normal"}},
      {"file:///s%3F.db?synchronous=off",
       {.scheme = StoreScheme::kFile, .path = "/s?.db", .synchronous = "off"}},
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
                                      "redis://h?ca=x",
                                      "redis://h?prefix",
                                      "redis://h?prefix=",
                                      "redis://h?prefix=%zz",
                                      "redis://h#x",
                                      "redis://a,b",
                                      "rediss://h?cert=x",
                                      "redis+sentinel://a",
                                      "redis+sentinel://a/",
                                      "redis+sentinel://a/m/x",
                                      "redis+sentinel://a,/m",
                                      "redis+cluster://a/1",
                                      "redis+cluster://",
                                      "redis+other://a",
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
                                      "file:///var/",
                                      "redis+sentinel://a/m?sentinel_user=s",
                                      "redis://a?sentinel_password=p",
                                      "file:?synchronous=full",
                                      "file:x.db?",
                                      "file:x.db?synchronous",
                                      "file:x.db?synchronous=",
                                      "file:x.db?synchronous=Full",
                                      "file:x.db?synchronous=full&synchronous=off",
                                      "file:x.db?prefix=x"}) {
    const Result<StoreUrl> url = ParseStoreUrl(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().code, ErrorCode::kInvalidArgument) << text;
  }
}

TEST(StoreUrl, KeepsPasswordsOutOfItsComplaints) {
  for (const std::string_view text :
       {"redis://user:secret@h:x", "redis://user:secret@", "redis://user:secret%@h",
        "unix://user:secret@run", "secret://x", "redis://user:secret@h/db",
        "redis+cluster://user:secret@h/1", "redis://user:secret@h?secret=secret"}) {
    const Result<StoreUrl> url = ParseStoreUrl(text);
    ASSERT_FALSE(url) << text;
    EXPECT_THAT(url.error().message, Not(HasSubstr("secret"))) << text;
  }
}

TEST(StoreUrl, TellsThePlaceWithoutSecrets) {
  const struct {
    std::string_view text;
    std::string_view place;
  } rows[] = {
      {"memory", "memory"},
      {"file:///var/lib/s.db", "file:/var/lib/s.db"},
      {"file:s.db?synchronous=off", "file:s.db?synchronous=off"},
      {"redis+sentinel://u:p@a/m?sentinel_password=q", "redis+sentinel://a:26379/m"},
      {"redis://user:secret@localhost?prefix=x", "redis://localhost:6379"},
      {"rediss://:secret@[::1]:1/3", "rediss://[::1]:1/3"},
      {"unix://u:secret@/run/s?db=2", "unix:///run/s?db=2"},
      {"redis+sentinel://u:secret@a,b:1/m/4", "redis+sentinel://a:26379,b:1/m/4"},
      {"rediss+cluster://a,b", "rediss+cluster://a:6379,b:6379"},
  };
  for (const auto& row : rows) EXPECT_EQ(PlaceOf(ParseStoreUrl(row.text).value()), row.place);
}

}  // namespace
}  // namespace mcp_session

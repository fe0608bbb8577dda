// Records, keys and the protocol as bytes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mcp_session/redis/keys.h"
#include "mcp_session/redis/record_codec.h"
#include "mcp_session/redis/resp.h"
#include "mcp_session/redis/scripts.h"

namespace mcp_session {
namespace {

using std::string_literals::operator""s;

constexpr std::string_view kTag = "AAAAAAAAAAAAAAAAAAAAAA";

RedisRecordHeader Header() {
  return {.tag = kTag,
          .version = 1'764'000'000'000'000,
          .end = 1'763'999'000'456,
          .last_end = 1'764'000'000'123,
          .idle_ttl = Seconds(3600),
          .remember = Seconds(60),
          .fence = 42,
          .write_id = 0xfedcba9876543210};
}

TEST(RecordCodec, WritesTheFormat) {
  // docs/formats.md shows these bytes.
  EXPECT_EQ(EncodeRedisRecord(Header(), "session", "data"),
            "MS2|"
            "AAAAAAAAAAAAAAAAAAAAAA"
            "1764000000000000"
            "0001763999000456"
            "0001764000000123"
            "000003600000"
            "000000060000"
            "0000000000000042"
            "fedcba9876543210" +
                Hex8(Crc32c("sessiondata")) + "007   sessiondata");
}

TEST(RecordCodec, ReadsWhatItWrote) {
  for (const std::string& data : {""s, "data"s, "\0\xff\r\n"s, std::string(70'000, 'x')}) {
    const std::string value = EncodeRedisRecord(Header(), "session", data);
    const std::optional<RedisRecord> record = DecodeRedisRecord(value, kTag);
    ASSERT_TRUE(record.has_value());
    EXPECT_EQ(record->kind, "session");
    EXPECT_EQ(record->data, data);
    EXPECT_EQ(record->header.version, Header().version);
    EXPECT_EQ(record->header.end, Header().end);
    EXPECT_EQ(record->header.last_end, Header().last_end);
    EXPECT_EQ(record->header.idle_ttl, Header().idle_ttl);
    EXPECT_EQ(record->header.remember, Header().remember);
    EXPECT_EQ(record->header.fence, Header().fence);
    EXPECT_EQ(record->header.write_id, Header().write_id);
  }
}

TEST(RecordCodec, ARecordOfAnotherKeyIsNone) {
  const std::string value = EncodeRedisRecord(Header(), "session", "data");
  EXPECT_FALSE(DecodeRedisRecord(value, "BAAAAAAAAAAAAAAAAAAAAA").has_value());
  EXPECT_TRUE(DecodeRedisRecord(value, {}).has_value());
}

TEST(RecordCodec, AnyChangedByteOfMagicNumbersTagOrContentIsNoticed) {
  const std::string value = EncodeRedisRecord(Header(), "session", "data");
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (i >= 141 && i < 144) continue;  // spare
    std::string changed = value;
    changed[i] = '~';
    EXPECT_FALSE(DecodeRedisRecord(changed, kTag).has_value()) << i;
  }
  for (std::size_t size = 0; size < value.size(); ++size) {
    EXPECT_FALSE(DecodeRedisRecord(value.substr(0, size), kTag).has_value()) << size;
  }
}

// RFC 3720, B.4.
TEST(RecordCodec, TheChecksumIsCrc32c) {
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(Crc32c("1234", "56789"), 0xe3069283u);
  for (std::size_t size = 0; size <= 40; ++size) {
    const std::string bytes =
        std::string("\x80 or so, and what else a record has\xff\n").substr(0, size);
    EXPECT_EQ(Crc32cByTables(bytes), Crc32c(bytes)) << size;
  }
  EXPECT_EQ(Crc32cByTables("123456789"), 0xe3069283u);
}

TEST(RedisKeys, AllOfAnOwnerShareASlot) {
  const RedisKeys one("p:", MakeStoredKey({"alice", "session", "1"}));
  const RedisKeys other("p:", MakeStoredKey({"alice", "basket", "2"}));
  const std::string tag = OwnerTag("alice");
  EXPECT_EQ(one.index(), "p:{" + tag + "}:i");
  EXPECT_EQ(one.record(), "p:{" + tag + "}" + one.record_tag() + ":s");
  EXPECT_NE(one.record(), other.record());
  for (const std::string& key :
       {one.stream(), one.lock(), one.fence(), one.index(), other.record()}) {
    EXPECT_EQ(RedisSlot(key), RedisSlot(one.record())) << key;
  }
}

TEST(RedisKeys, AnAnonymousRecordIsByItself) {
  const RedisKeys one("p:", MakeStoredKey({"", "session", "1"}));
  EXPECT_EQ(one.index(), "");
  EXPECT_EQ(one.record(), "p:{" + one.record_tag() + "}:s");
  EXPECT_EQ(MakeIndexMember(one, "session", "1"), "");
}

TEST(RedisKeys, MembersOfTheIndexAreReadBack) {
  const RedisKeys keys("p:", MakeStoredKey({"alice", "a kind", "an id"}));
  IndexMember member;
  const std::string text = MakeIndexMember(keys, "a kind", "an id");
  ASSERT_TRUE(ParseIndexMember(text, &member));
  EXPECT_EQ(member.tag, keys.record_tag());
  EXPECT_EQ(member.kind, "a kind");
  EXPECT_EQ(member.id, "an id");
  EXPECT_FALSE(ParseIndexMember("short", &member));
  EXPECT_FALSE(ParseIndexMember(std::string(kTag) + "999x", &member));
}

// As CLUSTER KEYSLOT answers.
TEST(RedisKeys, SlotsAreThoseOfRedis) {
  EXPECT_EQ(RedisSlot("foo"), 12182);
  EXPECT_EQ(RedisSlot("{user1000}.following"), RedisSlot("user1000"));
  EXPECT_EQ(RedisSlot("foo{}{bar}"), 8363);
  EXPECT_EQ(RedisSlot("foo{{bar}}zap"), RedisSlot("{bar"));
}

TEST(Resp, CommandsAreLengthsAndBytes) {
  std::string out;
  AppendRedisCommand(&out, {"SET", "a\r\n", ""});
  EXPECT_EQ(out, "*3\r\n$3\r\nSET\r\n$3\r\na\r\n\r\n$0\r\n\r\n");
}

TEST(Resp, CommandsAreSplitAgain) {
  std::string first, second, all;
  AppendRedisCommand(&first, {"SET", "a\r\n*2\r\n", ""});
  AppendRedisCommand(&second, {"TIME"});
  all = first + second + first;
  EXPECT_THAT(SplitRedisCommands(all), testing::ElementsAre(first, second, first));
  EXPECT_THAT(SplitRedisCommands(""), testing::IsEmpty());
}

TEST(Resp, RepliesAreReadHoweverTheyAreCut) {
  const std::string bytes =
      "+OK\r\n-ERR no\r\n:-7\r\n$-1\r\n$3\r\na\0b\r\n*2\r\n$1\r\nx\r\n*0\r\n"s;
  for (std::size_t cut = 1; cut <= bytes.size(); ++cut) {
    RedisReplyReader reader;
    std::vector<RedisReply> replies;
    for (std::size_t at = 0; at < bytes.size(); at += cut) {
      std::string_view slice = std::string_view(bytes).substr(at, cut);
      while (std::optional<RedisReply> reply = reader.Next(&slice)) {
        replies.push_back(std::move(*reply));
      }
      EXPECT_TRUE(slice.empty());
    }
    ASSERT_EQ(replies.size(), 6u) << cut;
    EXPECT_TRUE(replies[0].IsOk());
    EXPECT_TRUE(replies[1].IsError());
    EXPECT_EQ(replies[1].text, "ERR no");
    EXPECT_EQ(replies[2].integer, -7);
    EXPECT_EQ(replies[3].type, RedisReply::Type::kNil);
    EXPECT_EQ(replies[4].text, "a\0b"s);
    ASSERT_EQ(replies[5].elements.size(), 2u);
    EXPECT_FALSE(reader.broken());
  }
}

TEST(Resp, WhatIsNoReplyBreaksTheReader) {
  RedisReplyReader reader;
  std::string_view bytes = "HTTP/1.1 400 Bad Request\r\n\r\n";
  EXPECT_FALSE(reader.Next(&bytes).has_value());
  EXPECT_TRUE(reader.broken());
}

// Under memory pressure Redis refuses scripts with a shebang whatever they do.
TEST(Scripts, HaveNoShebangAndDifferentNames) {
  std::set<std::string> names;
  for (const RedisScript& script : RedisScripts()) {
    EXPECT_FALSE(script.text.starts_with("#!"));
    EXPECT_EQ(script.sha.size(), 40u);
    names.insert(script.sha);
  }
  EXPECT_EQ(names.size(), RedisScripts().size());
}

}  // namespace
}  // namespace mcp_session

#include "mcp_session/client/result_cache.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/session/client_script.h"

namespace mcp_session {
namespace {

constexpr Instant kNow{1'000};
constexpr char kRead[] = "resources/read";

Json Result(std::int64_t ttl, const std::string& text = "") {
  Json result = EmptyObject();
  result["ttlMs"] = ttl;
  result["text"] = text;
  return result;
}

client_effect::Notified Said(const char* method, const char* params = "null") {
  return {method, FromText(params)};
}

TEST(ResultCache, KeepsWhatMayBeKept) {  // F-12
  ResultCache cache;
  cache.Keep(kRead, "a", Result(5), kNow);
  cache.Keep("tools/list", "", Result(5, "list"), kNow);
  EXPECT_NE(cache.Find(kRead, "a", kNow + Millis{4}), nullptr);
  EXPECT_EQ(cache.Find(kRead, "a", kNow + Millis{5}), nullptr);
  EXPECT_EQ(cache.Find(kRead, "b", kNow), nullptr);
  EXPECT_EQ(cache.Find("tools/list", "a", kNow), nullptr);
  cache.Keep(kRead, "a", Result(5, "newer"), kNow);
  EXPECT_EQ(*cache.Find(kRead, "a", kNow), Result(5, "newer"));
  cache.Keep(kRead, "a", Result(0), kNow);
  EXPECT_EQ(cache.Find(kRead, "a", kNow), nullptr) << "the newest says so";
  cache.Keep(kRead, "a", Result(INT64_MAX), kNow);
  EXPECT_EQ(cache.Find(kRead, "a", kNow + Hours(24)), nullptr) << "nobody knows for longer";
  cache.Keep(kRead, "a", Result(5), kNow);
  cache.Forget(kRead, "a");
  EXPECT_EQ(cache.Find(kRead, "a", kNow), nullptr);
  cache.Clear();
  EXPECT_EQ(cache.Find("tools/list", "", kNow), nullptr);
}

TEST(ResultCache, KnowsWhatIsStale) {  // U-09
  const struct {
    client_effect::Notified notified;
    const char* method;
    const char* uri;
    bool stale;
  } kRows[] = {
      {Said("notifications/resources/updated", R"({"uri":"x://a/b"})"), kRead, "x://a/b", true},
      {Said("notifications/resources/updated", R"({"uri":"x://a/b"})"), kRead, "x://a", true},
      {Said("notifications/resources/updated", R"({"uri":"x://a/b"})"), kRead, "x://a/b/c", true},
      {Said("notifications/resources/updated", R"({"uri":"x://a/b"})"), kRead, "x://a/c", false},
      {Said("notifications/resources/updated", R"({"uri":"x://a"})"), "resources/list", "", false},
      {Said("notifications/resources/updated", R"({"uri":7})"), kRead, "x://a", true},
      {Said("notifications/resources/list_changed"), kRead, "x://a", true},
      {Said("notifications/resources/list_changed"), "resources/list", "", true},
      {Said("notifications/resources/list_changed"), "resources/templates/list", "", true},
      {Said("notifications/resources/list_changed"), "tools/list", "", false},
      {Said("notifications/tools/list_changed"), "tools/list", "", true},
      {Said("notifications/tools/list_changed"), kRead, "x://a", false},
      {Said("notifications/tools/changed"), "tools/list", "", false},
      {Said("resources/list_changed"), "resources/list", "", false},
  };
  for (const auto& row : kRows) {
    EXPECT_EQ(ResultCache::IsStaleAfter(row.notified, row.method, row.uri), row.stale)
        << row.notified.method << ToText(row.notified.params) << row.method << row.uri;
    ResultCache cache;
    cache.Keep(row.method, row.uri, Result(5), kNow);
    cache.Forget(row.notified);
    EXPECT_EQ(cache.Find(row.method, row.uri, kNow) == nullptr, row.stale);
  }
}

TEST(ResultCache, HoldsSoManyAndNoMore) {
  ResultCache cache;
  for (std::size_t i = 0; i < ResultCache::kMaxEntries; ++i) {
    cache.Keep(kRead, std::to_string(i), Result(i == 7 ? 5 : 50), kNow);
  }
  EXPECT_NE(cache.Find(kRead, "7", kNow), nullptr);
  cache.Keep(kRead, "more", Result(50), kNow);
  EXPECT_EQ(cache.Find(kRead, "7", kNow), nullptr) << "it would have been over first";
  EXPECT_NE(cache.Find(kRead, "8", kNow), nullptr);
  EXPECT_NE(cache.Find(kRead, "more", kNow), nullptr);
}

TEST(ResultCache, HoldsSoMuchAndNoMore) {
  const std::size_t frame = ToText(Result(1)).size() + 1;
  const auto sized = [&](std::size_t bytes) { return Result(1, std::string(bytes - frame, 'x')); };
  ResultCache cache;
  cache.Keep(kRead, "1", sized(ResultCache::kMaxBytes - 100), kNow);
  cache.Keep(kRead, "2", sized(100), kNow);
  EXPECT_NE(cache.Find(kRead, "1", kNow), nullptr) << "all of it fits";
  cache.Keep(kRead, "3", sized(100), kNow);
  EXPECT_EQ(cache.Find(kRead, "1", kNow), nullptr);
  EXPECT_NE(cache.Find(kRead, "2", kNow), nullptr);
  cache.Keep(kRead, "1", sized(ResultCache::kMaxBytes - 200), kNow);
  EXPECT_NE(cache.Find(kRead, "2", kNow), nullptr) << "what went left its room";
  EXPECT_NE(cache.Find(kRead, "1", kNow), nullptr);
  cache.Keep(kRead, "4", sized(ResultCache::kMaxBytes + 1), kNow);
  EXPECT_EQ(cache.Find(kRead, "4", kNow), nullptr);
  EXPECT_NE(cache.Find(kRead, "1", kNow), nullptr) << "for it nothing goes";
}

}  // namespace
}  // namespace mcp_session

#include "mcp_session/redis/admin.h"

#include <algorithm>
#include <utility>

#include "mcp_session/base/decimal.h"
#include "mcp_session/redis/admin_state.h"
#include "mcp_session/store/rules.h"
#include "mcp_session/system/clock.h"

namespace mcp_session {
namespace {

constexpr Millis kPatience = Seconds(5);
constexpr std::string_view kKeysAtOnce = "100";

// Between the server and its cursor in ours.
constexpr char kCursorMark = '|';

bool IsTag(std::string_view tag) {
  return tag.size() == kTagSize &&
         tag.find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") ==
             std::string_view::npos;
}

}  // namespace

Result<std::unique_ptr<RedisAdmin>> RedisAdmin::Make(RedisOptions options) {
  if (Result<void> fine = CheckRedisOptions(options); !fine) {
    return tl::unexpected(std::move(fine.error()));
  }
  return std::unique_ptr<RedisAdmin>(new RedisAdmin(std::make_unique<State>(std::move(options))));
}

RedisAdmin::RedisAdmin(std::unique_ptr<State> state) : state_(std::move(state)) {}
RedisAdmin::~RedisAdmin() = default;

Result<StoreAdmin::Page> RedisAdmin::Scan(std::string_view cursor, std::size_t limit, bool whole) {
  return state_->Scan(cursor, limit, whole);
}
Result<std::vector<StoreAdmin::Imported>> RedisAdmin::Import(
    const std::vector<StoredRecord>& records) {
  return state_->Import(records);
}
Result<std::optional<StoredRecord>> RedisAdmin::Find(const StoredKey& key) {
  return state_->Find(key);
}
Result<bool> RedisAdmin::End(const StoredKey& key) { return state_->End(key); }
Result<std::uint64_t> RedisAdmin::EndUpTo(const std::vector<Ending>& endings) {
  return state_->EndUpTo(endings);
}
Result<std::uint64_t> RedisAdmin::Count() { return state_->Count(); }
std::vector<CheckLine> RedisAdmin::Check() { return state_->Check(); }

RedisAdmin::State::State(RedisOptions options)
    : options_(std::move(options)),
      timeout_(options_.command_timeout),
      operations_(options_, counters_, entropy_) {
  options_.command_timeout = std::max(options_.command_timeout, kPatience);
  options_.connect_timeout = std::max(options_.connect_timeout, Seconds(2));
  options_.log = nullptr;
  route_ = MakeRedisRoute(loop_, options_, entropy_, counters_);
}

RedisAdmin::State::~State() { route_->Close(); }

bool RedisAdmin::State::IsKey(const StoredKey& key) {
  return IsTag(key.record_tag) && (key.owner_tag.empty() || IsTag(key.owner_tag));
}

tl::unexpected<Error> RedisAdmin::State::Refuse(std::string what) {
  return Failure(ErrorCode::kInvalidArgument, Blame::kCaller, "redis: " + std::move(what));
}

tl::unexpected<Error> RedisAdmin::State::Corrupt() {
  return Failure(ErrorCode::kCorrupt, Blame::kEnvironment,
                 "redis: the value is no record of ours, or damaged");
}

// The record's key says its tags: <prefix>{<tag>}:s or <prefix>{<owner tag>}<tag>:s.
std::optional<StoredKey> RedisAdmin::State::ParseKey(std::string_view key) const {
  const std::string start = options_.prefix + "{";
  if (!key.starts_with(start) || !key.ends_with(":s")) return std::nullopt;
  key.remove_prefix(start.size());
  key.remove_suffix(2);
  const std::size_t close = key.find('}');
  if (close == std::string_view::npos) return std::nullopt;
  StoredKey found;
  found.record_tag = key.substr(0, close);
  if (close + 1 != key.size()) {
    found.owner_tag = std::exchange(found.record_tag, std::string(key.substr(close + 1)));
  }
  return IsKey(found) ? std::optional(found) : std::nullopt;
}

Result<std::vector<std::string>> RedisAdmin::State::NextKeys(const std::string& node,
                                                             std::string* cursor) {
  std::string bytes;
  AppendRedisCommand(&bytes, {"SCAN", cursor->empty() ? "0" : *cursor, "MATCH",
                              options_.prefix + "{*}*:s", "COUNT", kKeysAtOnce});
  MCPS_TRY(const Replies replies, AskNode(node, std::move(bytes), 1));
  if (replies[0].elements.size() != 2) return Corrupt();
  *cursor = replies[0].elements[0].text;
  std::vector<std::string> keys;
  for (const RedisReply& key : replies[0].elements[1].elements) keys.push_back(key.text);
  return keys;
}

Result<StoreAdmin::Page> RedisAdmin::State::Scan(std::string_view cursor, std::size_t limit,
                                                 bool whole) {
  if (limit == 0) return Refuse("a page of no records");
  if (Result<void> connected = Connect(); !connected) {
    return tl::unexpected(std::move(connected.error()));
  }
  const std::vector<std::string> nodes = route_->Nodes();
  const std::size_t mark = cursor.rfind(kCursorMark);
  auto node = nodes.begin();
  std::string at;
  if (!cursor.empty()) {
    if (mark == std::string_view::npos) return Refuse("no such cursor");
    node = std::find(nodes.begin(), nodes.end(), cursor.substr(0, mark));
    at = cursor.substr(mark + 1);
    if (node == nodes.end() || !ParseDecimal(at)) return Refuse("no such cursor");
  }
  Page page;
  while (node != nodes.end() && page.records.size() < limit) {
    MCPS_TRY(const std::vector<std::string> keys, NextKeys(*node, &at));
    std::vector<StoredKey> asked;
    for (const std::string& text : keys) {
      if (const std::optional<StoredKey> key = ParseKey(text)) asked.push_back(*key);
    }
    MCPS_TRY(std::vector<Found> found, Read(asked, whole));
    for (Found& one : found) {
      if (!one.record) continue;
      page.records.push_back(std::move(*one.record));
      page.data_bytes.push_back(one.data_bytes);
    }
    if (at != "0") continue;
    ++node;
    at = "0";
  }
  if (node != nodes.end()) page.cursor = *node + kCursorMark + at;
  return page;
}

Result<std::optional<StoredRecord>> RedisAdmin::State::Find(const StoredKey& key) {
  if (!IsKey(key)) return Refuse("no such tag");
  MCPS_TRY(std::vector<Found> found, Read({key}, /*whole=*/true));
  if (found[0].corrupt) return Corrupt();
  return std::move(found[0].record);
}

Result<bool> RedisAdmin::State::End(const StoredKey& key) {
  if (!IsKey(key)) return Refuse("no such tag");
  std::string member;
  if (!key.owner_tag.empty()) {
    Question question = AboutIndex(key.owner_tag);
    MCPS_TRY(const Replies replies, AskKey(question.key, std::move(question.bytes), 1));
    const Index index = ReadIndex(replies[0]);
    if (const auto place = index.find(key.record_tag); place != index.end()) {
      member = place->second.member;
    }
  }
  Question question = PlanEnd(key, /*expected=*/"", member);
  MCPS_TRY(const Replies replies, AskKey(question.key, std::move(question.bytes), 1));
  const std::string_view status = RedisAnswer(replies[0]).status();
  if (status == "corrupt") return Corrupt();
  return status == "ok";
}

Result<std::uint64_t> RedisAdmin::State::CountLive(const std::string& node,
                                                   const std::vector<std::string>& keys) {
  std::string bytes;
  AppendRedisCommand(&bytes, {"TIME"});
  std::vector<StoredKey> asked;
  for (const std::string& text : keys) {
    const std::optional<StoredKey> key = ParseKey(text);
    if (!key) continue;
    AppendRedisCommand(&bytes, {"GETRANGE", text, "0", kRecordHeaderEnd});
    asked.push_back(*key);
  }
  if (asked.empty()) return 0;
  Result<Replies> replies = AskNode(node, std::move(bytes), 1 + asked.size());
  if (!replies && replies.error().code == ErrorCode::kCorrupt && keys.size() > 1) {
    // One of them is something else: one by one.
    std::uint64_t alive = 0;
    for (const std::string& key : keys) {
      MCPS_TRY(const std::uint64_t one, CountLive(node, {key}));
      alive += one;
    }
    return alive;
  }
  if (!replies && replies.error().code == ErrorCode::kCorrupt) return 0;
  if (!replies) return tl::unexpected(std::move(replies.error()));
  const std::optional<std::int64_t> now = RedisMillis((*replies)[0]);
  if (!now) return Corrupt();
  std::uint64_t alive = 0;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const std::optional<RedisRecordHeader> header =
        DecodeRedisHeader((*replies)[i + 1].text, asked[i].record_tag);
    if (header && header->end > *now) ++alive;
  }
  return alive;
}

Result<std::uint64_t> RedisAdmin::State::Count() {
  if (Result<void> connected = Connect(); !connected) {
    return tl::unexpected(std::move(connected.error()));
  }
  std::uint64_t alive = 0;
  // SCAN may come to a key more than once; a set of all would not be small.
  for (const std::string& node : route_->Nodes()) {
    std::string cursor;
    do {
      MCPS_TRY(const std::vector<std::string> keys, NextKeys(node, &cursor));
      MCPS_TRY(const std::uint64_t live, CountLive(node, keys));
      alive += live;
    } while (cursor != "0");
  }
  return alive;
}

}  // namespace mcp_session

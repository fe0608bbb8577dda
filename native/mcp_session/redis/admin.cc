#include "mcp_session/redis/admin.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "mcp_session/base/decimal.h"
#include "mcp_session/redis/admin_state.h"
#include "mcp_session/redis/stored_events.h"
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

bool IsKey(const StoredKey& key) {
  return IsTag(key.record_tag) && (key.owner_tag.empty() || IsTag(key.owner_tag));
}

tl::unexpected<Error> Refuse(std::string what) {
  return Failure(ErrorCode::kInvalidArgument, Blame::kCaller, "redis: " + std::move(what));
}

tl::unexpected<Error> Corrupt() {
  return Failure(ErrorCode::kCorrupt, Blame::kEnvironment,
                 "redis: the value is no record of ours, or damaged");
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
Result<StoreAdmin::Imported> RedisAdmin::Import(const StoredRecord& record) {
  return state_->Import(record);
}
Result<std::optional<StoredRecord>> RedisAdmin::Find(const StoredKey& key) {
  return state_->Find(key);
}
Result<bool> RedisAdmin::End(const StoredKey& key) { return state_->End(key); }
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
  std::map<std::string, Index> indexes;  // by owner tag
  while (node != nodes.end() && page.records.size() < limit) {
    MCPS_TRY(const std::vector<std::string> keys, NextKeys(*node, &at));
    for (const std::string& text : keys) {
      const std::optional<StoredKey> key = ParseKey(text);
      if (!key) continue;
      if (!indexes.contains(key->owner_tag)) {
        MCPS_TRY(Index index, ReadIndex(*key));
        indexes[key->owner_tag] = std::move(index);
      }
      std::size_t bytes = 0;
      bool corrupt = false;
      MCPS_TRY(std::optional<StoredRecord> record,
               Read(*key, indexes[key->owner_tag], whole, &bytes, &corrupt));
      if (!record) continue;
      page.records.push_back(std::move(*record));
      page.data_bytes.push_back(bytes);
    }
    if (at != "0") continue;
    ++node;
    at = "0";
  }
  if (node != nodes.end()) page.cursor = *node + kCursorMark + at;
  return page;
}

Result<RedisAdmin::State::Index> RedisAdmin::State::ReadIndex(const StoredKey& key) {
  Index index;
  const RedisKeys keys(options_.prefix, key);
  if (keys.index().empty()) return index;
  std::string bytes;
  AppendRedisCommand(&bytes, {"ZRANGE", keys.index(), "0", "-1", "WITHSCORES"});
  MCPS_TRY(const Replies replies, AskKey(keys.index(), std::move(bytes), 1));
  const std::vector<RedisReply>& words = replies[0].elements;
  for (std::size_t i = 0; i + 1 < words.size(); i += 2) {
    IndexMember member;
    if (!ParseIndexMember(words[i].text, &member)) continue;
    index[std::string(member.tag)] = {
        words[i].text, static_cast<std::uint64_t>(ParseDecimal(words[i + 1].text).value_or(0))};
  }
  return index;
}

Result<std::optional<StoredRecord>> RedisAdmin::State::Read(const StoredKey& key,
                                                            const Index& index, bool whole,
                                                            std::size_t* data_bytes,
                                                            bool* corrupt) {
  const RedisKeys keys(options_.prefix, key);
  const std::string header_and_kind = std::to_string(kRecordHeaderSize + kMaxKeyPartBytes - 1);
  std::string bytes;
  AppendRedisCommand(&bytes, {"PTTL", keys.record()});
  AppendRedisCommand(&bytes, {"TIME"});
  AppendRedisCommand(&bytes, {"STRLEN", keys.record()});
  AppendRedisCommand(&bytes,
                     {"GETRANGE", keys.record(), "0", whole ? "-1" : header_and_kind.c_str()});
  if (whole) AppendRedisCommand(&bytes, {"XRANGE", keys.stream(), "-", "+"});
  Result<Replies> asked = AskKey(keys.record(), std::move(bytes), whole ? 5 : 4);
  if (!asked && asked.error().code == ErrorCode::kCorrupt && corrupt != nullptr) {
    *corrupt = true;
    return std::nullopt;
  }
  if (!asked) return tl::unexpected(std::move(asked.error()));
  const Replies& replies = *asked;
  const std::string& value = replies[3].text;
  if (value.empty()) return std::nullopt;
  const std::optional<RedisRecordHeader> header = DecodeRedisHeader(value, key.record_tag);
  const std::optional<RedisRecord> record = DecodeRedisRecord(value, key.record_tag);
  if (!header || (whole && !record) || replies[0].integer == -1) {
    if (corrupt == nullptr) return Corrupt();
    *corrupt = true;
    return std::nullopt;
  }
  StoredRecord found;
  found.key = key;
  found.kind = value.substr(kRecordHeaderSize, header->kind_size);
  found.version = header->version;
  found.write_id = header->write_id;
  found.fence = header->fence;
  found.remember = header->remember;
  found.expires_in = Millis{replies[0].integer + 1 - header->remember.count};
  if (header->idle_ttl > Millis{}) found.idle_ttl = header->idle_ttl;
  if (header->last_end != kNoLastEnd) {
    found.max_life_left = Millis{header->last_end - RedisMillis(replies[1])};
  }
  if (const auto place = index.find(key.record_tag); place != index.end()) {
    IndexMember member;
    if (ParseIndexMember(place->second.member, &member)) found.id = member.id;
    found.order = place->second.order;
  }
  *data_bytes =
      static_cast<std::size_t>(replies[2].integer) - kRecordHeaderSize - header->kind_size;
  if (!whole) return found;
  found.data = record->data;
  for (const RedisReply& entry : replies[4].elements) {
    found.events.push_back(
        {SequenceOfEvent(entry), std::make_shared<const std::string>(DataOfEvent(entry))});
  }
  return found;
}

Result<std::optional<StoredRecord>> RedisAdmin::State::Find(const StoredKey& key) {
  if (!IsKey(key)) return Refuse("no such tag");
  MCPS_TRY(const Index index, ReadIndex(key));
  std::size_t ignored = 0;
  return Read(key, index, true, &ignored, nullptr);
}

Result<StoreAdmin::Imported> RedisAdmin::State::Import(const StoredRecord& record) {
  const bool owned = !record.key.owner_tag.empty();
  if (!IsKey(record.key) || record.kind.empty() || record.kind.size() > kMaxKeyPartBytes ||
      record.id.empty() != !owned || record.id.size() > kMaxKeyPartBytes) {
    return Refuse("a record that cannot be");
  }
  if (record.data.size() > options_.max_record_bytes) {
    return Failure(ErrorCode::kTooLarge, Blame::kCaller, "redis: the record is too large");
  }
  const RedisKeys keys(options_.prefix, record.key);
  const RedisBody body(record.kind, record.data);
  const auto text = [](std::int64_t number) { return std::to_string(number); };
  const std::int64_t life_left =
      record.max_life_left ? std::max<std::int64_t>(record.max_life_left->count, 0) : -1;
  std::vector<std::string> words = {
      record.key.record_tag,
      Digits16(record.version),
      text(record.idle_ttl.value_or(Millis{0}).count),
      text(life_left),
      text(record.remember.count),
      text(record.expires_in.count),
      Digits16(record.fence),
      Hex16(record.write_id),
      body.checksum,
      body.kind_size,
      body.bytes,
      std::string(body.padded),
      MakeIndexMember(keys, record.kind, record.id),
      owned ? Digits16(record.order) : "",
      /*most of the owner=*/"",
      /*move=*/"0",
      record.events.empty() ? "" : std::to_string(record.events[0].sequence)};
  for (const StreamEvent& event : record.events) {
    words.push_back(std::to_string(event.sequence));
    words.push_back(*event.data);
  }
  std::vector<std::string> names = {keys.record(), keys.stream(), keys.lock()};
  if (owned) names.push_back(keys.index());
  std::string bytes;
  AppendRedisScript(&bytes, RedisScriptName::kImport,
                    std::vector<std::string_view>(names.begin(), names.end()),
                    std::vector<std::string_view>(words.begin(), words.end()));
  MCPS_TRY(const Replies replies, AskKey(keys.record(), std::move(bytes), 1));
  const std::string_view status = RedisAnswer(replies[0]).status();
  if (status == "corrupt") return Corrupt();
  return Imported{status != "exists"};
}

Result<bool> RedisAdmin::State::End(const StoredKey& key) {
  if (!IsKey(key)) return Refuse("no such tag");
  MCPS_TRY(const Index index, ReadIndex(key));
  const RedisKeys keys(options_.prefix, key);
  const auto place = index.find(key.record_tag);
  const std::string member = place == index.end() ? std::string() : place->second.member;
  std::vector<std::string> names = {keys.record(), keys.stream()};
  if (!keys.index().empty()) names.push_back(keys.index());
  const std::string channel = keys.channel();
  std::string bytes;
  AppendRedisScript(
      &bytes, RedisScriptName::kEnd, std::vector<std::string_view>(names.begin(), names.end()),
      std::initializer_list<std::string_view>{key.record_tag, "", "0", member, channel, "0"});
  MCPS_TRY(const Replies replies, AskKey(keys.record(), std::move(bytes), 1));
  const std::string_view status = RedisAnswer(replies[0]).status();
  if (status == "corrupt") return Corrupt();
  return status == "ok";
}

Result<std::uint64_t> RedisAdmin::State::CountLive(const std::string& node,
                                                   const std::vector<std::string>& keys) {
  std::string bytes;
  std::vector<StoredKey> asked;
  for (const std::string& text : keys) {
    const std::optional<StoredKey> key = ParseKey(text);
    if (!key) continue;
    AppendRedisCommand(&bytes, {"PTTL", text});
    AppendRedisCommand(&bytes, {"GETRANGE", text, "0", "127"});
    asked.push_back(*key);
  }
  if (asked.empty()) return 0;
  Result<Replies> replies = AskNode(node, std::move(bytes), 2 * asked.size());
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
  std::uint64_t alive = 0;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const std::optional<RedisRecordHeader> header =
        DecodeRedisHeader((*replies)[2 * i + 1].text, asked[i].record_tag);
    if (header && (*replies)[2 * i].integer + 1 > header->remember.count) ++alive;
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

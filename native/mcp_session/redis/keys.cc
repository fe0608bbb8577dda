#include "mcp_session/redis/keys.h"

#include <functional>
#include <optional>
#include <utility>

#include "mcp_session/base/decimal.h"
#include "mcp_session/redis/record_codec.h"

namespace mcp_session {
namespace {

constexpr std::size_t kCachedKeys = 1024;

}  // namespace

RedisKeys::RedisKeys(std::string_view prefix, StoredKey key)
    : record_tag_(std::move(key.record_tag)) {
  const bool owned = !key.owner_tag.empty();
  record_.reserve(prefix.size() + 2 * kTagSize + 4);
  record_ += prefix;
  record_ += '{';
  record_ += owned ? key.owner_tag : record_tag_;
  record_ += '}';
  if (owned) {
    index_ = record_ + ":i";
    record_ += record_tag_;
  }
  record_ += ":s";
}

RedisKeysCache::RedisKeysCache(std::string prefix)
    : prefix_(std::move(prefix)), entries_(kCachedKeys) {}

std::shared_ptr<const RedisKeys> RedisKeysCache::Find(const RecordKey& key) {
  const std::hash<std::string_view> hash;
  const std::size_t place = hash(key.owner) ^ (3 * hash(key.kind)) ^ (5 * hash(key.id));
  Entry& entry = entries_[place % entries_.size()];
  if (entry.keys == nullptr || entry.owner != key.owner || entry.id != key.id ||
      entry.kind != key.kind) {
    entry.owner = key.owner;
    entry.kind = key.kind;
    entry.id = key.id;
    entry.keys = std::make_shared<const RedisKeys>(prefix_, MakeStoredKey(key));
  }
  return entry.keys;
}

std::string RedisIndexKey(std::string_view prefix, std::string_view owner_tag) {
  return std::string(prefix) + "{" + std::string(owner_tag) + "}:i";
}

std::string MakeIndexMember(const RedisKeys& keys, std::string_view kind, std::string_view id) {
  if (keys.index().empty()) return {};
  std::string member = keys.record_tag() + Decimal3(kind.size());
  member += kind;
  member += id;
  return member;
}

bool ParseIndexMember(std::string_view text, IndexMember* member) {
  if (text.size() < kTagSize + 3) return false;
  const std::optional<std::int64_t> kind_size = ParseDecimal(text.substr(kTagSize, 3));
  const std::string_view rest = text.substr(kTagSize + 3);
  if (!kind_size || rest.size() < static_cast<std::size_t>(*kind_size)) return false;
  member->tag = text.substr(0, kTagSize);
  member->kind = rest.substr(0, static_cast<std::size_t>(*kind_size));
  member->id = rest.substr(static_cast<std::size_t>(*kind_size));
  return true;
}

std::uint16_t RedisSlot(std::string_view key) {
  const std::size_t open = key.find('{');
  if (open != std::string_view::npos) {
    const std::size_t close = key.find('}', open + 1);
    if (close != std::string_view::npos && close > open + 1) {
      key = key.substr(open + 1, close - open - 1);
    }
  }
  std::uint16_t crc = 0;  // CRC-16/XMODEM
  for (const char c : key) {
    crc = static_cast<std::uint16_t>(crc ^ static_cast<unsigned char>(c) << 8);
    for (int bit = 0; bit < 8; ++bit) {
      crc = static_cast<std::uint16_t>(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
    }
  }
  return crc % kRedisSlots;
}

}  // namespace mcp_session

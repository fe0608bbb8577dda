// The names of the keys in Redis.
//
//   <prefix>{<owner tag>}<record tag>:s      a record of an owner
//   <prefix>{<owner tag>}:i                  which records the owner has
//   <prefix>{<record tag>}:s                 a record of the anonymous owner
//
// and with other endings what belongs to a record: ":x" its stream, ":l" who has its lock, ":f"
// the last token of its lock, ":e" the channel on which its stream is said to have changed. All
// that one owner has shares what is between the braces, and thereby a slot of Redis Cluster.
#ifndef MCP_SESSION_REDIS_KEYS_H_
#define MCP_SESSION_REDIS_KEYS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/store/command.h"
#include "mcp_session/stored/stored_key.h"

namespace mcp_session {

class RedisKeys {
 public:
  RedisKeys(std::string_view prefix, StoredKey key);

  const std::string& record_tag() const { return record_tag_; }
  const std::string& record() const { return record_; }
  std::string stream() const { return Other('x'); }
  std::string lock() const { return Other('l'); }
  std::string fence() const { return Other('f'); }
  std::string channel() const { return Other('e'); }
  // Empty for the anonymous owner.
  const std::string& index() const { return index_; }

 private:
  std::string Other(char ending) const {
    std::string key = record_;
    key.back() = ending;
    return key;
  }

  std::string record_tag_;
  std::string record_;
  std::string index_;
};

// The keys of the records that were asked for last: what is read is often written soon after, and
// to make them takes two digests. Bounded; one that finds its place taken takes it over.
class RedisKeysCache {
 public:
  explicit RedisKeysCache(std::string prefix);

  std::shared_ptr<const RedisKeys> Find(const RecordKey& key);

 private:
  struct Entry {
    std::string owner;
    std::string kind;
    std::string id;
    std::shared_ptr<const RedisKeys> keys;
  };
  const std::string prefix_;
  std::vector<Entry> entries_;  // each at the place its hash says
};

std::string RedisIndexKey(std::string_view prefix, std::string_view owner_tag);

// What the index says of a record: its tag, the size of its kind in three digits, kind and id.
std::string MakeIndexMember(const RedisKeys& keys, std::string_view kind, std::string_view id);
struct IndexMember {
  std::string_view tag;
  std::string_view kind;
  std::string_view id;
};
// False: it is none of ours.
bool ParseIndexMember(std::string_view text, IndexMember* member);

// The slot of Redis Cluster that a key belongs to: CRC16 of what is between its first braces.
inline constexpr int kRedisSlots = 16384;
std::uint16_t RedisSlot(std::string_view key);

}  // namespace mcp_session

#endif  // MCP_SESSION_REDIS_KEYS_H_

// The commands of the store as exchanges with Redis, and what Redis answers as replies of the
// store. Nothing here sends anything.
#ifndef MCP_SESSION_REDIS_OPERATIONS_H_
#define MCP_SESSION_REDIS_OPERATIONS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "mcp_session/base/entropy.h"
#include "mcp_session/redis/keys.h"
#include "mcp_session/redis/link.h"
#include "mcp_session/redis/options.h"
#include "mcp_session/redis/record_codec.h"
#include "mcp_session/redis/scripts.h"
#include "mcp_session/store/command.h"

namespace mcp_session {

struct RedisPlan {
  std::shared_ptr<const RedisKeys> keys;           // of the record it is about; null: of an owner's
  std::string index;                               // then: the owner's
  RedisExchange exchange;                          // without deadline and done
  std::function<StoreReply(RedisDelivery&)> read;  // takes what is in it
  // Get: whether Redis has to be told of the access, which `read` finds out as long as this lives.
  std::shared_ptr<bool> touch_due;

  // Says to which server.
  const std::string& key() const { return keys == nullptr ? index : keys->record(); }
};

// A reply that needs no Redis, or what to ask.
using RedisPlanned = std::variant<StoreReply, RedisPlan>;

// What a script answered: a word, then numbers and texts.
class RedisAnswer {
 public:
  explicit RedisAnswer(const RedisReply& reply) : reply_(reply) {}
  std::string_view status() const;  // empty: it is no answer of a script
  std::int64_t Number(std::size_t index) const;
  std::string_view Text(std::size_t index) const;
  std::size_t size() const { return reply_.elements.size(); }

 private:
  const RedisReply& reply_;
};

class RedisOperations {
 public:
  // All must outlive this.
  RedisOperations(const RedisOptions& options, RedisCounters& counters, Entropy& entropy)
      : options_(options), counters_(counters), entropy_(entropy), keys_(options.prefix) {}

  RedisPlanned Plan(store::Create command);
  RedisPlanned Plan(const store::Get& command);
  RedisPlanned Plan(store::Put command);
  RedisPlanned Plan(const store::Touch& command);
  RedisPlanned Plan(const store::Remove& command);
  RedisPlanned Plan(const store::Take& command);
  RedisPlanned Plan(const store::RemoveOwned& command);
  RedisPlanned Plan(const store::List& command);
  RedisPlanned Plan(const store::Lock& command);
  RedisPlanned Plan(const store::Extend& command);
  RedisPlanned Plan(const store::Unlock& command);
  RedisPlanned Plan(const store::Append& command);

  RedisPlan PlanTouch(std::shared_ptr<const RedisKeys> keys);

  // For the operations of several steps, and for the above.

  std::shared_ptr<const RedisKeys> Keys(const RecordKey& key) { return keys_.Find(key); }
  // Of no other write: these begin somewhere at random.
  std::uint64_t NewWriteId();

  // The reply if there is nothing to read in a delivery: it failed, or some reply is an error.
  std::optional<StoreReply> FailureOf(const RedisDelivery& delivery);
  StoreReply Corrupt();
  // A delivery that does not look like what was asked.
  StoreReply Desync();

  // The answer of a script that writes a record: this data, or what is there instead.
  StoreReply ReadWrite(const RedisAnswer& answer, std::string_view tag,
                       std::shared_ptr<const std::string> data);

  // What GET answered at the server's time, in milliseconds since 1970.
  StoreReply ReadGot(RedisReply value, std::int64_t server_now, std::string_view tag,
                     bool* touch_due);

  const RedisOptions& options() const { return options_; }

 private:
  RedisPlan ScriptPlan(RedisScriptName name, std::shared_ptr<const RedisKeys> keys,
                       std::initializer_list<std::string_view> words,
                       std::initializer_list<std::string_view> arguments, bool repeatable);
  RedisPlan PlanEnd(const RecordKey& key, const std::optional<std::uint64_t>& expected,
                    std::uint64_t fence, std::string_view take);
  StoreReply ReadPut(const RedisReply& answer, std::int64_t server_now, std::string_view tag,
                     std::shared_ptr<const std::string> data);
  StoreReply ReadStatus(const RedisDelivery& delivery);
  StoreReply ReadListed(const RedisAnswer& answer);

  const RedisOptions& options_;
  RedisCounters& counters_;
  Entropy& entropy_;
  RedisKeysCache keys_;
  std::uint64_t next_write_id_ = 0;
};

StoreReply FailedReply(ErrorCode code, bool maybe_done = false);

// The error that a status says; none for "ok" and "same".
std::optional<ErrorCode> ErrorOfStatus(std::string_view status);

// Version, what is left and what is left of max_life from an answer's place 1 on.
Record RecordOf(const RedisAnswer& answer, std::shared_ptr<const std::string> data);

// Numbers as scripts compare them, sixteen digits. What has more is as large as can be.
std::string Digits16(std::uint64_t number);

// Kind and data as a script wants them: with room for the header in front if they are large.
struct RedisBody {
  RedisBody(std::string_view kind, std::string_view data);
  std::string bytes;
  std::string_view padded;  // "1" or "0"
  std::string checksum;
  std::string kind_size;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_REDIS_OPERATIONS_H_

// RedisServerWatch: what a server says of itself that concerns its records: that it may drop live
// ones, has dropped some, or has lost them all. A value; it asks nobody.
#ifndef MCP_SESSION_REDIS_SERVER_WATCH_H_
#define MCP_SESSION_REDIS_SERVER_WATCH_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "mcp_session/base/time.h"

namespace mcp_session {

// The value of "name:value" in what INFO answers; empty if it is not there.
std::string_view RedisInfoField(std::string_view info, std::string_view name);

struct RedisVitals {
  std::string run_id;                 // another one after each start
  std::string eviction_policy;        // maxmemory-policy; empty: it does not say
  std::optional<std::uint64_t> keys;  // of the database; nothing: it does not say
  std::uint64_t expired = 0;          // keys that ended by themselves since it started
  std::uint64_t evicted = 0;          // keys that were dropped since it started

  // Each from the answer to INFO of that name.
  void ReadMemory(std::string_view info);
  void ReadStats(std::string_view info);
  void ReadKeyspace(std::string_view info, int database);
};

class RedisServerWatch {
 public:
  // `keys_move`: to other servers and from them, as in a cluster. Fewer keys then mean nothing,
  // unless the server was started again.
  explicit RedisServerWatch(bool keys_move) : keys_move_(keys_move) {}

  struct News {
    std::uint64_t evicted = 0;  // keys, since the last time
    // It has less than a tenth of the keys it had, and they did not end by themselves.
    bool reset = false;
  };
  News See(const RedisVitals& vitals, Instant now);

  // What the operator should know; empty: nothing. A reset is said for ten minutes.
  std::string Warning(Instant now) const;
  // Nothing: the server does not say.
  std::optional<bool> MayEvict() const;

 private:
  bool IsReset(const RedisVitals& vitals, bool is_other_run) const;

  const bool keys_move_;
  RedisVitals last_;
  std::string reset_;
  Instant reset_until_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_REDIS_SERVER_WATCH_H_

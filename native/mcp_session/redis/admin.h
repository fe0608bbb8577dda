// RedisAdmin: a RedisSessionStore's records as its operator sees them.
//
// A value under the prefix that is no record of ours, or is damaged, is passed over by Scan and
// Count; Find and End say kCorrupt, and leave it as it is.
#ifndef MCP_SESSION_REDIS_ADMIN_H_
#define MCP_SESSION_REDIS_ADMIN_H_

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "mcp_session/redis/options.h"
#include "mcp_session/stored/store_admin.h"

namespace mcp_session {

class RedisAdmin final : public StoreAdmin {
 public:
  // kInvalidArgument: an option is out of range. Each call is given five seconds, or
  // RedisOptions::command_timeout if that is more, for each thing that it asks Redis.
  static Result<std::unique_ptr<RedisAdmin>> Make(RedisOptions options);
  ~RedisAdmin() override;

  // It walks with SCAN, some keys at a time, over one server after the other, and changes nothing.
  Result<Page> Scan(std::string_view cursor, std::size_t limit, bool whole) override;

  // Many at once, each in one step. A record that is over and not remembered any more is imported
  // without a trace. The owner's share does not count. Which was the first event of a stream is not
  // known: the oldest that is there is taken for it.
  Result<std::vector<Imported>> Import(const std::vector<StoredRecord>& records) override;

  Result<std::optional<StoredRecord>> Find(const StoredKey& key) override;

  // False also for a record that is over; what is remembered of it is forgotten.
  Result<bool> End(const StoredKey& key) override;
  Result<std::uint64_t> EndUpTo(const std::vector<Ending>& endings) override;

  Result<std::uint64_t> Count() override;

  // Makes records of its own, under random ids, and ends them.
  std::vector<CheckLine> Check() override;

 private:
  class State;
  explicit RedisAdmin(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_REDIS_ADMIN_H_

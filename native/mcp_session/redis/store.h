// RedisSessionStore: records in Redis (or Valkey), shared by every process that uses the same
// server and prefix. The keys and values are described in docs/formats.md.
//
// It runs on the event loop it is given, over one connection to each server, and never blocks. All
// that is submitted in one turn of the loop goes out in one write. Time is the server's: no clock
// of ours decides when a record ends.
//
// While there is no connection, commands wait for one until RedisOptions::command_timeout is over,
// and are then kUnavailable. A command whose connection breaks is sent again once, if it can be
// without doing it twice; else it is kUnavailable with maybe_done. A server that refuses us, or is
// not one we can work with, makes every command kMisconfigured until it is set right: it is tried
// again each minute.
//
// What it needs of the server: Redis 6.2 or Valkey 7.2, a master, Lua. Its maxmemory-policy should
// be noeviction; with any other Status warns, because live records may vanish.
#ifndef MCP_SESSION_REDIS_STORE_H_
#define MCP_SESSION_REDIS_STORE_H_

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "mcp_session/base/entropy.h"
#include "mcp_session/base/result.h"
#include "mcp_session/redis/options.h"
#include "mcp_session/store/store.h"

namespace boost::asio {
class io_context;
}

namespace mcp_session {

class RedisSessionStore final : public SessionStore {
 public:
  // Starts to connect; does not wait for it. kInvalidArgument: an option is out of range. `loop`
  // and `entropy` (write ids, the waits between attempts) must outlive the store, and `loop` must
  // not be running in another thread when it is destroyed. Callbacks of the loop that are left over
  // then do nothing.
  static Result<std::unique_ptr<RedisSessionStore>> Make(boost::asio::io_context& loop,
                                                         RedisOptions options, Entropy& entropy);
  ~RedisSessionStore() override;

  void Submit(StoreTicket ticket, StoreCommand command, Instant now) override;
  void Drain(std::vector<StoreReply>* replies) override;
  void OnReady(std::function<void()> ready) override;

  // It has timers of its own on the loop: kNever, and nothing.
  Instant NextDeadline() const override { return kNever; }
  void Tick(Instant) override {}

  StoreStatus Status() const override;
  const RedisCounters& counters() const;
  // Whether a server may drop live records (maxmemory-policy). Nothing: none has said so far.
  std::optional<bool> MayEvict() const;

 private:
  class State;
  explicit RedisSessionStore(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_REDIS_STORE_H_

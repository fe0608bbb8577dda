// RedisRoute: which server an exchange goes to. One implementation for each RedisLayout.
#ifndef MCP_SESSION_REDIS_ROUTE_H_
#define MCP_SESSION_REDIS_ROUTE_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/base/entropy.h"
#include "mcp_session/redis/link.h"
#include "mcp_session/redis/options.h"
#include "mcp_session/store/store.h"

namespace mcp_session {

class RedisRoute {
 public:
  virtual ~RedisRoute() = default;

  // Sends an exchange, all of whose keys are in the slot of `key`. RedisExchange::done is called as
  // by RedisLink::Send.
  virtual void Send(std::string_view key, RedisExchange exchange) = 0;

  // The servers that have keys, in some order that stays; none while there is no connection.
  virtual std::vector<std::string> Nodes() const = 0;
  // Sends an exchange to one of them, whatever keys it has.
  virtual void SendTo(const std::string& node, RedisExchange exchange) = 0;

  // Whether one script may have both keys.
  virtual bool AreTogether(std::string_view key, std::string_view other) const = 0;

  // Finds a server to listen to for what is published.
  virtual RedisLocator EventsLocator() = 0;

  virtual StoreState state() const = 0;
  virtual std::string reason() const = 0;
  // Of the failure that `reason` tells of.
  virtual RedisCause cause() const = 0;
  // Whether one of the servers may drop live records. Nothing: none has said so far.
  virtual std::optional<bool> MayEvict() const = 0;

  // Drops all callbacks.
  virtual void Close() = 0;
};

// All that is referred to must outlive the route's Close.
std::unique_ptr<RedisRoute> MakeRedisRoute(boost::asio::io_context& loop,
                                           const RedisOptions& options, Entropy& entropy,
                                           RedisCounters& counters);

}  // namespace mcp_session

#endif  // MCP_SESSION_REDIS_ROUTE_H_

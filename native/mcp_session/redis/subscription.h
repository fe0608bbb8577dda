// RedisSubscription: a connection that hears what is published on some channels. It connects when
// there is a first channel, and again when the connection breaks.
#ifndef MCP_SESSION_REDIS_SUBSCRIPTION_H_
#define MCP_SESSION_REDIS_SUBSCRIPTION_H_

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "mcp_session/redis/connection.h"
#include "mcp_session/redis/link.h"
#include "mcp_session/redis/options.h"

namespace mcp_session {

class RedisSubscription : public std::enable_shared_from_this<RedisSubscription> {
 public:
  // Called on the loop with a channel on which something was published, or which has only now begun
  // to be heard: whatever came before may have been missed.
  using Heard = std::function<void(const std::string& channel)>;

  RedisSubscription(boost::asio::io_context& loop, const RedisOptions& options, RedisLocator locate,
                    Heard heard);

  // False: it is one of them already.
  bool Add(const std::string& channel);
  void Remove(const std::string& channel);
  void Close();

 private:
  void Connect();
  void OnReady();
  void OnReply(const RedisReply& reply);
  void OnFailed();
  void Write(std::string_view command, const std::string& channel);
  void Flush();
  void After(Millis length, void (RedisSubscription::*then)());
  void OnConnectTimeout();
  void OnIdle();

  boost::asio::io_context& loop_;
  const RedisOptions& options_;
  const RedisLocator locate_;
  const Heard heard_;
  std::set<std::string> channels_;
  std::shared_ptr<RedisConnection> connection_;
  boost::asio::steady_timer timer_;
  std::string unsent_;
  bool connecting_ = false;
  bool ready_ = false;
  bool writing_ = false;
  bool heard_since_ping_ = true;
  bool closed_ = false;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_REDIS_SUBSCRIPTION_H_

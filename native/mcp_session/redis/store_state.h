// The inside of RedisSessionStore: hands commands on as exchanges, and collects the replies. What
// takes several exchanges has a file of its own: regenerate.cc, events.h.
#ifndef MCP_SESSION_REDIS_STORE_STATE_H_
#define MCP_SESSION_REDIS_STORE_STATE_H_

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "mcp_session/redis/events.h"
#include "mcp_session/redis/operations.h"
#include "mcp_session/redis/route.h"
#include "mcp_session/redis/store.h"

namespace mcp_session {

class RedisSessionStore::State : public std::enable_shared_from_this<State> {
 public:
  State(boost::asio::io_context& loop, RedisOptions options, Entropy& entropy);

  void Submit(StoreTicket ticket, StoreCommand command);
  void Drain(std::vector<StoreReply>* replies);
  void OnReady(std::function<void()> ready) { ready_ = std::move(ready); }
  StoreStatus Status() const;
  const RedisCounters& counters() const { return counters_; }
  void Close();

 private:
  class Regeneration;

  void Run(StoreTicket ticket, RedisPlanned planned);
  void Run(StoreTicket ticket, store::Regenerate command);
  void Touch(const RedisKeys& keys);
  // The reply to the command with `ticket`.
  void Answer(StoreTicket ticket, StoreReply reply);

  boost::asio::io_context& loop_;
  const RedisOptions options_;
  RedisCounters counters_;
  RedisOperations operations_;
  const std::unique_ptr<RedisRoute> route_;
  RedisEvents events_;

  std::vector<StoreReply> replies_;
  std::function<void()> ready_;
  bool submitting_ = false;
  bool announced_ = false;  // ready_ was, or is about to be, called since the last Drain
  bool closed_ = false;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_REDIS_STORE_STATE_H_

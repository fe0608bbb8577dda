// RedisEvents: the ReadEvents of a store, those that wait included.
//
// Theory of operation. A read asks for what is left of the record, its header, and the stream from
// `after` on, in this order, so that events of a newer record are never taken for those of an older
// one: sequences have no holes, and a hole is a gap. If there is nothing to answer and the command
// wants to wait, it becomes a waiter: it is read again when something was published on the record's
// channel, when the record may have ended, when its wait is over, and whenever the subscription may
// have missed something. So what is published is only a hint, and nothing is lost with it.
//
// The subscription has a connection of its own, which is there only while somebody waits. If it
// cannot be had, waiters are read again from time to time.
#ifndef MCP_SESSION_REDIS_EVENTS_H_
#define MCP_SESSION_REDIS_EVENTS_H_

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "mcp_session/redis/connection.h"
#include "mcp_session/redis/operations.h"
#include "mcp_session/redis/route.h"
#include "mcp_session/redis/subscription.h"
#include "mcp_session/store/command.h"

namespace mcp_session {

class RedisEvents {
 public:
  // All must outlive this; `loop` and `route` until Close.
  RedisEvents(boost::asio::io_context& loop, RedisOperations& operations, RedisRoute& route);
  ~RedisEvents();

  using Done = std::function<void(StoreReply)>;
  // `until`, of MonotonicNow: when the wait is over.
  void Read(const RedisKeys& keys, std::uint64_t after, std::size_t limit, Instant until,
            Done done);

  // Forgets all waiters.
  void Close();

 private:
  struct Waiter {
    RedisKeys keys;
    std::string from;  // what XRANGE begins with
    std::uint64_t after = 0;
    std::size_t limit = 0;
    Instant until;    // the wait is over
    Instant look_at;  // the next read, if nothing is published
    bool reading = false;
    bool read_again = false;  // something was published while it was being read
    bool whole = false;       // the oldest event is asked for too: there is none from `after` on
    Done done;
  };

  void Look(std::uint64_t number);
  void OnRead(std::uint64_t number, const RedisDelivery& delivery);
  void Wait(std::uint64_t number, Millis left);
  void Finish(std::uint64_t number, StoreReply reply);
  void OnPublished(const std::string& channel);
  void SetTimer();
  void OnTimer();

  boost::asio::io_context& loop_;
  RedisOperations& operations_;
  RedisRoute& route_;
  std::map<std::uint64_t, Waiter> waiters_;
  std::map<std::string, std::set<std::uint64_t>> by_channel_;  // those that wait
  std::uint64_t last_number_ = 0;
  std::shared_ptr<RedisSubscription> subscription_;
  boost::asio::steady_timer timer_;
  Instant timer_at_ = kNever;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace mcp_session

#endif  // MCP_SESSION_REDIS_EVENTS_H_

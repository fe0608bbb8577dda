// The inside of RedisSessionStore: hands commands on as exchanges, and collects the replies. What
// takes several exchanges has a file of its own: regenerate.cc, events.h.
#ifndef MCP_SESSION_REDIS_STORE_STATE_H_
#define MCP_SESSION_REDIS_STORE_STATE_H_

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
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

  void Submit(StoreTicket ticket, StoreCommand&& command);
  void Drain(std::vector<StoreReply>* replies);
  void OnReady(std::function<void()> ready) { ready_ = std::move(ready); }
  StoreStatus Status() const;
  const RedisCounters& counters() const { return counters_; }
  std::optional<bool> MayEvict() const { return route_->MayEvict(); }
  void Close();

 private:
  class Regeneration;

  void Run(StoreTicket ticket, RedisPlanned&& planned, Instant now);
  void Run(StoreTicket ticket, const store::Regenerate& command);
  void Run(StoreTicket ticket, const store::ReadEvents& command);
  void Send(StoreTicket ticket, RedisPlan&& plan);
  void Touch(const std::shared_ptr<const RedisKeys>& keys);

  // What takes several exchanges has its records to itself, so that the commands on each key are
  // carried out in the order they were submitted. `go` is called at once, or when nothing that came
  // before has one of these records any more.
  using Tags = std::vector<std::string>;
  void InOrder(Tags tags, std::function<void()> go);
  void Occupy(const Tags& tags);
  void Release(const Tags& tags);
  // The reply to the command with `ticket`.
  void Answer(StoreTicket ticket, StoreReply reply);

  boost::asio::io_context& loop_;
  const RedisOptions options_;
  RedisCounters counters_;
  RedisOperations operations_;
  const std::unique_ptr<RedisRoute> route_;
  RedisEvents events_;

  struct Held {
    Tags tags;
    std::function<void()> go;
  };
  std::set<std::string> touching_;  // tags of records whose access is being told
  std::set<std::string> occupied_;
  std::deque<Held> held_;

  std::vector<StoreReply> replies_;
  std::function<void()> ready_;
  bool submitting_ = false;
  bool announcing_ = false;  // ready_ is about to be called
  bool announced_ = false;   // it was, since the last Drain
  bool closed_ = false;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_REDIS_STORE_STATE_H_

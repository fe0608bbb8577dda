// ClusterRoute: the nodes of a Redis Cluster, each reached over a RedisLink of its own that is made
// when something is to be sent there.
//
// Theory of operation. Which node has which slot is asked for at the start (CLUSTER SLOTS), and
// again, once at a time, when an answer or a silence shows that it has changed. An exchange that is
// answered MOVED, ASK or TRYAGAIN is sent again where the answer says, at most five times and
// within its deadline. All that is about the same record travels in one lane. Normally the lane
// only counts what is in flight; from a redirection on it is in trouble: nothing new is sent until
// all in flight is answered, then what has to be sent again and what came meanwhile goes one by
// one, in the order it came. Reads that overtook what they came after are sent again too. When
// nothing is left the trouble is over.
//
// While a slot is being moved, scripts with several keys are answered TRYAGAIN; they wait and try
// again until their deadline.
#ifndef MCP_SESSION_REDIS_CLUSTER_H_
#define MCP_SESSION_REDIS_CLUSTER_H_

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "mcp_session/redis/link.h"
#include "mcp_session/redis/question.h"
#include "mcp_session/redis/route.h"

namespace mcp_session {

class ClusterRoute final : public RedisRoute {
 public:
  ClusterRoute(boost::asio::io_context& loop, const RedisOptions& options, Entropy& entropy,
               RedisCounters& counters);
  ~ClusterRoute() override;

  void Send(std::string_view key, RedisExchange exchange) override;
  std::vector<std::string> Nodes() const override;
  void SendTo(const std::string& node, RedisExchange exchange) override;
  bool AreTogether(std::string_view key, std::string_view other) const override;
  RedisLocator EventsLocator() override;
  StoreState state() const override;
  std::string reason() const override;
  RedisCause cause() const override;
  std::optional<bool> MayEvict() const override;
  void Close() override;

 private:
  // An exchange on its way.
  struct Journey {
    std::uint64_t number = 0;  // in the order they came
    std::string lane;
    std::uint16_t slot = 0;
    RedisExchange exchange;
    int hops = 0;
    bool repeated = false;
    std::string ask;  // the node to ask this once; empty: the one that has the slot
  };
  struct Lane {
    int in_flight = 0;
    bool in_trouble = false;
    bool waiting = false;         // for a moment, before anything is sent again
    std::deque<Journey> waiters;  // in order; only in trouble
  };

  const std::pair<const std::string, std::shared_ptr<RedisLink>>* WorstLink() const;
  void Go(Journey journey);
  void OnDelivered(Journey journey, RedisDelivery delivery);
  bool Redirect(Journey* journey, const RedisReply& error, Lane* lane);
  void SendNext(const std::string& lane);
  void TryAgainLater(const std::string& lane);
  void Fail(Journey journey);
  RedisLink& LinkTo(const std::string& node);
  void LoadSlots();
  void LoadSlotsSoon();
  void AskNext();
  void OnSlots(const RedisAddress& asked, const tl::expected<RedisReply, RedisFailure>& answer);
  bool ReadSlots(const RedisAddress& asked, const RedisReply& reply);
  void DropIdleLinks();
  void ExpireUnplaced();
  void SendUnplaced();

  boost::asio::io_context& loop_;
  const RedisOptions& options_;
  Entropy& entropy_;
  RedisCounters& counters_;

  std::vector<std::string> nodes_of_slots_;    // "host:port"; empty: not known
  std::map<std::string, RedisAddress> nodes_;  // that have slots, or were named in an answer
  std::map<std::string, std::shared_ptr<RedisLink>> links_;
  std::unordered_map<std::string, Lane> lanes_;  // in use
  std::uint64_t last_number_ = 0;
  std::deque<Journey> unplaced_;  // until there is a map

  bool has_slots_ = false;
  bool loading_ = false;
  std::vector<RedisAddress> to_ask_;
  std::shared_ptr<RedisQuestion> question_;
  RedisFailure failure_{ErrorCode::kUnavailable, ""};
  StoreState state_ = StoreState::kConnecting;
  boost::asio::steady_timer timer_;   // the next LoadSlots
  boost::asio::steady_timer expiry_;  // of what is unplaced
  Instant load_at_ = kNever;
  Instant loaded_at_;
  std::size_t next_events_node_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace mcp_session

#endif  // MCP_SESSION_REDIS_CLUSTER_H_

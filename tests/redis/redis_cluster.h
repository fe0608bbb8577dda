// Groups of servers: three primaries of a Redis Cluster, and a master with a replica and sentinels.
#ifndef TESTS_REDIS_REDIS_CLUSTER_H_
#define TESTS_REDIS_REDIS_CLUSTER_H_

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "tests/redis/redis_server.h"

namespace mcp_session {

class RedisCluster {
 public:
  // All slots are served when this is made. `replicas`: each primary has one, in step with it, that
  // takes over about two seconds after it died; slots without a primary do not keep the others from
  // being served.
  explicit RedisCluster(bool replicas = false);

  // The primaries, then their replicas in the same order.
  RedisServer& node(std::size_t index) { return *nodes_[index]; }
  std::size_t size() const { return nodes_.size(); }
  std::vector<RedisServer*> nodes();

  // Of the node's own, as CLUSTER MYID answers.
  const std::string& id(std::size_t index) const { return ids_[index]; }

  // The index of the node that says a slot is its own.
  std::size_t OwnerOf(int slot);

  // The three steps of moving a slot: both know of it; the keys go; all nodes know the new owner.
  void StartMoving(int slot, std::size_t from, std::size_t to);
  void MoveKeys(int slot, std::size_t from, std::size_t to);
  void FinishMoving(int slot, std::size_t to);

  void FlushAll();

 private:
  void AddReplicas();

  std::vector<std::unique_ptr<RedisServer>> nodes_;
  std::vector<std::string> ids_;
};

// How long a failover may take. On a machine that stood still for two seconds sentinels do nothing
// for thirty, and an election that nobody won comes again after twice the failover timeout.
inline constexpr std::chrono::seconds kFailoverPatience(120);

class RedisSentinels {
 public:
  // The replica is in step and the sentinels know each other when this is made.
  RedisSentinels();

  RedisServer& master() { return *servers_[0]; }
  RedisServer& replica() { return *servers_[1]; }
  RedisServer& sentinel(std::size_t index) { return *sentinels_[index]; }
  std::size_t size() const { return sentinels_.size(); }

 private:
  std::vector<std::unique_ptr<RedisServer>> servers_;
  std::vector<std::unique_ptr<RedisServer>> sentinels_;
};

}  // namespace mcp_session

#endif  // TESTS_REDIS_REDIS_CLUSTER_H_

#include "tests/redis/redis_cluster.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <sstream>
#include <string_view>
#include <thread>

namespace mcp_session {
namespace {

constexpr std::size_t kNodes = 3;
constexpr std::size_t kSlots = 16384;
constexpr int kSentinels = 3;

void WaitFor(std::string_view what, const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(40);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) {
      std::fprintf(stderr, "redis_cluster: waited too long for %.*s\n",
                   static_cast<int>(what.size()), what.data());
      std::abort();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

bool Contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace

RedisCluster::RedisCluster(bool replicas) {
  std::vector<std::string> lines = {"cluster-enabled yes", "appendonly no"};
  lines.push_back(replicas ? "cluster-node-timeout 2000" : "cluster-node-timeout 5000");
  if (replicas) lines.push_back("cluster-require-full-coverage no");
  if (replicas) lines.push_back("repl-diskless-sync-delay 0");
  for (std::size_t i = 0; i < (replicas ? 2 * kNodes : kNodes); ++i) {
    nodes_.push_back(std::make_unique<RedisServer>(RedisServerOptions{.lines = lines}));
    ids_.push_back(nodes_.back()->Command({"CLUSTER", "MYID"}));
    if (i >= kNodes) continue;
    const std::size_t first = kSlots * i / kNodes;
    const std::size_t last = kSlots * (i + 1) / kNodes - 1;
    nodes_.back()->Command(
        {"CLUSTER", "ADDSLOTSRANGE", std::to_string(first), std::to_string(last)});
    nodes_.back()->Command({"CLUSTER", "SET-CONFIG-EPOCH", std::to_string(i + 1)});
  }
  // All pairs: hearing of each other from others takes seconds.
  for (const auto& node : nodes_) {
    for (const auto& other : nodes_) {
      if (node == other) continue;
      node->Command({"CLUSTER", "MEET", "127.0.0.1", std::to_string(other->port())});
    }
  }
  for (const auto& node : nodes_) {
    WaitFor("the cluster", [this, &node] {
      const std::string info = node->Command({"CLUSTER", "INFO"});
      return Contains(info, "cluster_state:ok") && Contains(info, "cluster_slots_ok:16384") &&
             Contains(info, "cluster_known_nodes:" + std::to_string(nodes_.size()));
    });
  }
  if (replicas) AddReplicas();
}

void RedisCluster::AddReplicas() {
  for (std::size_t i = 0; i < kNodes; ++i) {
    RedisServer& replica = *nodes_[kNodes + i];
    WaitFor("a replica", [&] {
      return replica.Command({"CLUSTER", "REPLICATE", ids_[i]}) == "OK";
    });
  }
  for (std::size_t i = 0; i < kNodes; ++i) {
    RedisServer& replica = *nodes_[kNodes + i];
    WaitFor("the replicas", [&] {
      return Contains(replica.Command({"INFO", "replication"}), "master_link_status:up");
    });
    // All must know of it, to vote for it.
    for (const auto& node : nodes_) {
      WaitFor("the votes", [&] {
        return Contains(node->Command({"CLUSTER", "REPLICAS", ids_[i]}), ids_[kNodes + i]);
      });
    }
  }
}

std::vector<RedisServer*> RedisCluster::nodes() {
  std::vector<RedisServer*> all;
  for (const auto& node : nodes_) all.push_back(node.get());
  return all;
}

std::size_t RedisCluster::OwnerOf(int slot) {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    // A key in no slot but this one would have to be found; the count is refused with MOVED by
    // nobody, so ask who has it.
    for (const std::string& line : Lines(nodes_[i]->Command({"CLUSTER", "NODES"}))) {
      if (!Contains(line, "myself")) continue;
      std::istringstream words(line);
      std::string word;
      for (int skip = 0; skip < 8; ++skip) words >> word;
      while (words >> word) {
        const std::size_t dash = word.find('-');
        const int first = std::atoi(word.c_str());
        const int last = dash == std::string::npos ? first : std::atoi(word.c_str() + dash + 1);
        if (word[0] != '[' && slot >= first && slot <= last) return i;
      }
    }
  }
  std::abort();
}

void RedisCluster::StartMoving(int slot, std::size_t from, std::size_t to) {
  const std::string number = std::to_string(slot);
  nodes_[to]->Command({"CLUSTER", "SETSLOT", number, "IMPORTING", ids_[from]});
  nodes_[from]->Command({"CLUSTER", "SETSLOT", number, "MIGRATING", ids_[to]});
}

void RedisCluster::MoveKeys(int slot, std::size_t from, std::size_t to) {
  const std::string keys =
      nodes_[from]->Command({"CLUSTER", "GETKEYSINSLOT", std::to_string(slot), "1000"});
  for (const std::string& key : Lines(keys)) {
    nodes_[from]->Command(
        {"MIGRATE", "127.0.0.1", std::to_string(nodes_[to]->port()), key, "0", "10000", "REPLACE"});
  }
}

void RedisCluster::FinishMoving(int slot, std::size_t to) {
  // The new owner first, then the others.
  nodes_[to]->Command({"CLUSTER", "SETSLOT", std::to_string(slot), "NODE", ids_[to]});
  for (const auto& node : nodes_) {
    node->Command({"CLUSTER", "SETSLOT", std::to_string(slot), "NODE", ids_[to]});
  }
}

void RedisCluster::FlushAll() {
  for (const auto& node : nodes_) node->Command({"FLUSHALL"});
}

RedisSentinels::RedisSentinels() {
  servers_.push_back(std::make_unique<RedisServer>());
  servers_.push_back(std::make_unique<RedisServer>(
      RedisServerOptions{.lines = {"replicaof 127.0.0.1 " + std::to_string(master().port()),
                                   "repl-diskless-sync-delay 0"}}));
  master().Command({"CONFIG", "SET", "repl-diskless-sync-delay", "0"});
  WaitFor("the replica", [this] {
    return Contains(replica().Command({"INFO", "replication"}), "master_link_status:up");
  });
  const std::string watch =
      "sentinel monitor sessions 127.0.0.1 " + std::to_string(master().port()) + " 2";
  for (int i = 0; i < kSentinels; ++i) {
    sentinels_.push_back(std::make_unique<RedisServer>(
        RedisServerOptions{.lines = {watch, "sentinel down-after-milliseconds sessions 1000",
                                     "sentinel failover-timeout sessions 6000"},
                           .sentinel = true}));
  }
  for (const auto& sentinel : sentinels_) {
    WaitFor("the sentinels", [&sentinel] {
      const std::string info = sentinel->Command({"INFO", "sentinel"});
      return Contains(info, "slaves=1") &&
             Contains(info, "sentinels=" + std::to_string(kSentinels));
    });
  }
}

}  // namespace mcp_session

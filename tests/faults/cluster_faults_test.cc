// A cluster whose slots move, and one of whose nodes ends, while eight callers are at work.
#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string>

#include "mcp_session/redis/keys.h"
#include "mcp_session/stored/stored_key.h"
#include "tests/faults/callers.h"
#include "tests/faults/failover_writers.h"
#include "tests/faults/fault_client.h"
#include "tests/redis/redis_cluster.h"
#include "tests/redis/redis_server.h"
#include "tests/store/matchers.h"

namespace mcp_session {
namespace {

constexpr Millis kTimeout = Seconds(5);
constexpr int kLastSlotOfFirst = kRedisSlots / 3 - 1;  // of the first primary

class ClusterFaults : public testing::Test {
 protected:
  ClusterFaults()
      : client_(OptionsFor(cluster_)),
        callers_(client_, {.command_timeout = kTimeout, .max_data = 500}) {
    EXPECT_TRUE(client_.RunUntil(StoreState::kConnected));
    callers_.Work(400);
    EXPECT_EQ(callers_.unavailable(), 0u);
    for (int i = 0; i < 8; ++i) {
      const std::string owner = std::string(kSecret) + "-owner-a-" + std::to_string(i);
      slots_.insert(RedisSlot(RedisIndexKey(RedisOptions().prefix, OwnerTag(owner))));
    }
  }

  static RedisOptions OptionsFor(RedisCluster& cluster) {
    RedisOptions options = FaultOptions(cluster.node(0).port());
    options.layout = RedisLayout::kCluster;
    options.command_timeout = kTimeout;
    return options;
  }

  void Move(int slot) {
    const std::size_t from = cluster_.OwnerOf(slot);
    const std::size_t to = (from + 1) % cluster_.size();
    cluster_.StartMoving(slot, from, to);
    // Some commands have to wait until all is moved, and are then carried out.
    callers_.WorkOnFor(Millis{60});
    // What is made while keys go is there after they went.
    do {
      cluster_.MoveKeys(slot, from, to);
      callers_.WorkOnFor(Millis{20});
    } while (cluster_.node(from).Command({"CLUSTER", "COUNTKEYSINSLOT", std::to_string(slot)}) !=
             "0");
    cluster_.FinishMoving(slot, to);
    callers_.WorkFor(Millis{50});
  }

  void ExpectRecovery() {
    ASSERT_TRUE(client_.RunUntil([this] {
      return client_.state() == StoreState::kConnected && client_.reason().empty();
    })) << client_.reason();
    callers_.CheckAll();
    const std::size_t before = callers_.done();
    callers_.Work(200);
    EXPECT_GT(callers_.done(), before + 100);
    EXPECT_EQ(client_.counters().desyncs, 0u);
    EXPECT_EQ(client_.counters().corrupt, 0u);
    RecordProperty("done", static_cast<int>(callers_.done()));
    RecordProperty("unavailable", static_cast<int>(callers_.unavailable()));
    RecordProperty("redirections", static_cast<int>(client_.counters().redirections));
  }

  RedisCluster cluster_;
  FaultClient client_;
  Callers callers_;
  std::set<int> slots_;  // in which the callers have their records
};

TEST_F(ClusterFaults, SlotsMoveAndWhoCanWaitNoticesNothing) {
  for (const int slot : slots_) Move(slot);
  EXPECT_GT(client_.counters().redirections, 0u);
  ExpectRecovery();
  EXPECT_EQ(callers_.unavailable(), 0u);
}

TEST_F(ClusterFaults, AllConnectionsBreakWhileASlotMoves) {
  for (const int slot : slots_) {
    for (RedisServer* node : cluster_.nodes()) {
      node->Command({"CLIENT", "KILL", "TYPE", "normal"});
    }
    Move(slot);
  }
  ExpectRecovery();
}

TEST_F(ClusterFaults, ANodeIsKilledAndStartedAgain) {
  for (RedisServer* node : cluster_.nodes()) {
    ASSERT_EQ(node->Command({"CONFIG", "SET", "appendfsync", "always", "appendonly", "yes"}), "OK");
    ASSERT_EQ(node->Command({"CONFIG", "REWRITE"}), "OK");
    ASSERT_TRUE(client_.RunUntil([node] {
      return node->Command({"INFO", "persistence"}).find("aof_rewrite_in_progress:0") !=
             std::string::npos;
    }));
  }
  callers_.Work(400);
  const std::size_t victim = cluster_.OwnerOf(*slots_.begin());
  cluster_.node(victim).Kill();
  callers_.WorkFor(Seconds(1));
  cluster_.node(victim).StartAgain();
  EXPECT_TRUE(client_.RunUntil([this, victim] {
    return cluster_.node(victim).Command({"CLUSTER", "INFO"}).find("cluster_state:ok") !=
           std::string::npos;
  }));
  ExpectRecovery();
  EXPECT_GT(callers_.live(), 20u);
}

// Records whose primary is there never fail; the others do until the replica has taken over.
TEST(ClusterFailover, AReplicaTakesOver) {
  RedisCluster cluster(true);
  RedisOptions options = FaultOptions(cluster.node(0).port());
  options.layout = RedisLayout::kCluster;
  options.command_timeout = kTimeout;
  FaultClient client(options);
  ASSERT_TRUE(client.RunUntil(StoreState::kConnected));
  FailoverWriters writers(client);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(writers.WriteAll(), FailoverWriters::kRecords);
  cluster.node(0).AwaitReplica();
  writers.NeverFails([&](const std::string& id) {
    const StoredKey key = MakeStoredKey({"", "session", id});
    return RedisSlot(RedisKeys(options.prefix, key).record()) > kLastSlotOfFirst;
  });
  const std::uint64_t connects = client.counters().connects;
  cluster.node(0).Kill();
  writers.WriteOver(connects, kFailoverPatience);
  writers.ExpectAll();
}

}  // namespace
}  // namespace mcp_session

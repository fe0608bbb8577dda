// Slots that move, nodes that fail, masters that change.
#include "tests/redis/redis_cluster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "mcp_session/redis/keys.h"
#include "mcp_session/redis/probe.h"
#include "mcp_session/redis/record_codec.h"
#include "tests/redis/redis_client.h"
#include "tests/redis/redis_server.h"
#include "tests/store/matchers.h"

namespace mcp_session {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr RecordKey kRecord{"alice", "session", "id-1"};

RedisOptions ClusterOptions(RedisCluster& cluster) {
  RedisOptions options;
  options.layout = RedisLayout::kCluster;
  options.endpoints = {{.port = cluster.node(0).port()}};
  options.connect_timeout = Seconds(10);
  options.command_timeout = Seconds(10);
  return options;
}

int SlotOf(const RecordKey& key) {
  return RedisSlot(RedisKeys("mcp:session:", MakeStoredKey(key)).record());
}

TEST(RedisClusterStore, FollowsASlotThatHasMoved) {
  RedisCluster cluster;
  RedisClient client(ClusterOptions(cluster));
  ASSERT_THAT(client.Create(kRecord, "0"), IsDone());
  const int slot = SlotOf(kRecord);
  const std::size_t from = cluster.OwnerOf(slot);
  const std::size_t to = (from + 1) % cluster.size();
  cluster.StartMoving(slot, from, to);
  cluster.MoveKeys(slot, from, to);
  cluster.FinishMoving(slot, to);
  // In one turn, so that all go to the old node, and still in order.
  std::vector<testing::Matcher<const StoreReply&>> expected;
  for (int i = 1; i <= 20; ++i) {
    client.Submit(store::Put{kRecord, std::to_string(i), std::nullopt});
    client.Submit(store::Get{kRecord});
    expected.push_back(Holds(std::to_string(i)));
    expected.push_back(Holds(std::to_string(i)));
  }
  EXPECT_THAT(client.Replies(), testing::ElementsAreArray(expected));
  EXPECT_GE(client.counters().redirections, 1u);
  const std::uint64_t redirections = client.counters().redirections;
  EXPECT_THAT(client.Get(kRecord), Holds("20"));
  EXPECT_EQ(client.counters().redirections, redirections) << "it did not learn where the slot is";
}

// One script may not have keys of two slots.
TEST(RedisClusterStore, PutsOfSeveralSlotsGoAlone) {
  RedisCluster cluster;
  RedisClient client(ClusterOptions(cluster));
  std::vector<std::string> ids;
  for (int i = 0; i < 12; ++i) ids.push_back("id-" + std::to_string(i));
  for (const std::string& id : ids) {
    ASSERT_THAT(client.Create({"", "session", id}, "old"), IsDone());
  }
  for (const std::string& id : ids) {
    client.Submit(store::Put{{"", "session", id}, "new", std::nullopt});
  }
  EXPECT_THAT(client.Replies(), testing::AllOf(testing::SizeIs(12), testing::Each(Holds("new"))));
  EXPECT_EQ(client.Run(store::Get{{"", "session", ids[0]}, RecordKey{"", "session", ids[1]}}).ahead,
            nullptr);
}

TEST(RedisClusterStore, ServesASlotThatIsMoving) {
  RedisCluster cluster;
  RedisClient client(ClusterOptions(cluster));
  const RecordKey bearer{"", "session", "id-2"};
  ASSERT_THAT(client.Create(bearer, "data"), IsDone());
  const int slot = SlotOf(bearer);
  const std::size_t from = cluster.OwnerOf(slot);
  const std::size_t to = (from + 1) % cluster.size();
  cluster.StartMoving(slot, from, to);
  EXPECT_THAT(client.Get(bearer), Holds("data")) << "before its key went";
  cluster.MoveKeys(slot, from, to);
  EXPECT_THAT(client.Get(bearer), Holds("data")) << "ASK";
  EXPECT_GE(client.counters().redirections, 1u);
  // A script with several keys has to wait until all of them are in one place.
  client.Submit(store::Put{bearer, "more", std::nullopt});
  client.Submit(store::Get{bearer});
  client.Submit(store::Put{bearer, "last", std::nullopt});
  client.RunFor(Millis{200});
  cluster.FinishMoving(slot, to);
  EXPECT_THAT(client.Replies(), ElementsAre(Holds("more"), Holds("more"), Holds("last")));
  EXPECT_EQ(client.counters().desyncs, 0u);
}

// As it is when nobody waits longer than usual: only who writes there has to, and is told so.
TEST(RedisClusterStore, WritesToASlotThatStaysHalfMovedEndAtTheirDeadline) {
  RedisCluster cluster;
  RedisOptions options = ClusterOptions(cluster);
  options.command_timeout = RedisOptions().command_timeout;
  RedisClient client(options);
  const RecordKey moving{"", "session", "id-2"};
  ASSERT_THAT(client.Create(moving, "data"), IsDone());
  RecordKey other{"", "session", "id-3"};
  ASSERT_NE(SlotOf(moving), SlotOf(other));
  const int slot = SlotOf(moving);
  const std::size_t from = cluster.OwnerOf(slot);
  const std::size_t to = (from + 1) % cluster.size();
  cluster.StartMoving(slot, from, to);
  EXPECT_THAT(client.Put(moving, "more", std::nullopt), FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(client.Get(moving), Holds("data"));
  EXPECT_THAT(client.Create(other, "other"), IsDone());
  cluster.MoveKeys(slot, from, to);
  EXPECT_THAT(client.Get(moving), Holds("data"));
  cluster.FinishMoving(slot, to);
  EXPECT_THAT(client.Put(moving, "more", std::nullopt), Holds("more"));
}

TEST(RedisClusterStore, LosesNothingWhileSlotsMoveUnderLoad) {
  RedisCluster cluster;
  RedisClient client(ClusterOptions(cluster));
  ASSERT_THAT(client.Create(kRecord, "0"), IsDone());
  const int slot = SlotOf(kRecord);
  std::size_t owner = cluster.OwnerOf(slot);
  int count = 0;
  for (int round = 0; round < 6; ++round) {
    const std::size_t to = (owner + 1) % cluster.size();
    const auto step = [&] {
      for (int i = 0; i < 5; ++i) {
        client.Submit(store::Put{kRecord, std::to_string(++count), std::nullopt});
        client.Submit(store::Get{kRecord});
      }
      client.RunFor(Millis{3});
    };
    step();
    cluster.StartMoving(slot, owner, to);
    step();
    cluster.MoveKeys(slot, owner, to);
    step();
    cluster.FinishMoving(slot, to);
    step();
    const std::vector<StoreReply> replies = client.Replies();
    for (std::size_t i = 0; i < replies.size(); ++i) {
      ASSERT_THAT(replies[i], Holds(std::to_string(count - 19 + static_cast<int>(i) / 2)));
    }
    owner = to;
  }
  EXPECT_THAT(client.Get(kRecord), Holds(std::to_string(count)));
}

TEST(RedisClusterStore, ANodeThatIsAwayTakesOnlyItsSlots) {
  RedisCluster cluster;
  for (RedisServer* node : cluster.nodes()) {
    node->Command({"CONFIG", "SET", "cluster-require-full-coverage", "no"});
  }
  RedisOptions options = ClusterOptions(cluster);
  options.command_timeout = Seconds(1);
  RedisClient client(options);
  std::vector<std::string> of_node(cluster.size());
  for (int i = 0; i < 60; ++i) {
    const std::string id = std::to_string(i);
    ASSERT_THAT(client.Create({"", "session", id}, id), IsDone());
    of_node[cluster.OwnerOf(SlotOf({"", "session", id}))] = id;
  }
  cluster.node(1).Kill();
  EXPECT_THAT(client.Get({"", "session", of_node[0]}), Holds(of_node[0]));
  EXPECT_THAT(client.Get({"", "session", of_node[1]}), FailsWith(ErrorCode::kUnavailable));
  EXPECT_THAT(client.Get({"", "session", of_node[2]}), Holds(of_node[2]));
  EXPECT_EQ(client.state(), StoreState::kConnected) << "for most of its slots";
  EXPECT_THAT(client.reason(), HasSubstr("refused"));
  cluster.node(0).Kill();
  cluster.node(2).Kill();
  EXPECT_TRUE(client.RunUntil(StoreState::kUnavailable));
}

TEST(RedisClusterStore, TheLayoutMustBeWhatTheServerIs) {
  RedisServer single;
  RedisOptions options;
  options.endpoints = {{.port = single.port()}};
  options.layout = RedisLayout::kCluster;
  const auto no_cluster = ProbeRedis(options, Seconds(10));
  ASSERT_FALSE(no_cluster.has_value());
  EXPECT_EQ(no_cluster.error().code, ErrorCode::kMisconfigured);
  EXPECT_THAT(no_cluster.error().reason, HasSubstr("no cluster"));
  RedisClient client(options);
  EXPECT_THAT(client.Get(kRecord), FailsWith(ErrorCode::kMisconfigured));

  options.password = "wrong-secret";
  RedisServer locked({.lines = {"cluster-enabled yes"}, .password = "right"});
  options.endpoints = {{.port = locked.port()}};
  EXPECT_EQ(ProbeRedis(options, Seconds(10)).error().code, ErrorCode::kMisconfigured);
}

TEST(RedisClusterStore, NobodyAnswers) {
  const RefusingPort port;
  RedisOptions options;
  options.endpoints = {{.port = port.port()}};
  options.layout = RedisLayout::kCluster;
  RedisClient client(options);
  EXPECT_THAT(client.Get(kRecord), FailsWith(ErrorCode::kUnavailable));
  EXPECT_EQ(client.state(), StoreState::kUnavailable);
  EXPECT_EQ(ProbeRedis(options, Seconds(10)).error().code, ErrorCode::kUnavailable);
}

// Regenerate from slot to slot ended after the new key was written: both are there.
TEST(RedisClusterStore, ARegenerateThatComesAgainFinishesWhatWasBegun) {
  RedisCluster cluster;
  RedisClient client(ClusterOptions(cluster));
  const RecordKey moved{"bob", "session", "id-2"};
  ASSERT_NE(SlotOf(kRecord), SlotOf(moved));
  const StoreReply created = client.Create(kRecord, "data");
  ASSERT_THAT(client.Run(store::Append{kRecord, "event"}), IsDone());
  ASSERT_THAT(client.Run(store::Regenerate{kRecord, moved, 77}), Holds("data"));
  // The old one again, as it was.
  const std::string old_key = RedisKeys("mcp:session:", MakeStoredKey(kRecord)).record();
  RedisServer& old_node = cluster.node(cluster.OwnerOf(SlotOf(kRecord)));
  old_node.Command({"SET", old_key,
                    EncodeRedisRecord({.tag = MakeStoredKey(kRecord).record_tag,
                                       .version = created.record.version,
                                       .end = kNoLastEnd - 1,
                                       .idle_ttl = Hours(1),
                                       .write_id = 5},
                                      "session", "data"),
                    "PX", "3600000"});
  ASSERT_THAT(client.Get(kRecord), Holds("data"));
  const StoreReply again = client.Run(store::Regenerate{kRecord, moved, 77});
  EXPECT_THAT(again, Holds("data"));
  EXPECT_THAT(client.Get(kRecord), FailsWith(ErrorCode::kNotFound)) << "two keys are alive";
  EXPECT_THAT(client.Get(moved), Holds("data"));
  EXPECT_EQ(client.Get(moved).record.version, again.record.version);
  EXPECT_EQ(client.Run(store::ReadEvents{moved}).events.size(), 1u);

  // One that was made since is another record.
  ASSERT_THAT(client.Create(kRecord, "new"), IsDone());
  EXPECT_THAT(client.Run(store::Regenerate{kRecord, moved, 77}), Holds("data"));
  EXPECT_THAT(client.Get(kRecord), Holds("new"));
}

RedisOptions SentinelOptions(RedisSentinels& group) {
  RedisOptions options;
  options.layout = RedisLayout::kSentinel;
  options.master_name = "sessions";
  options.endpoints.clear();
  for (std::size_t i = 0; i < group.size(); ++i) {
    options.endpoints.push_back({.port = group.sentinel(i).port()});
  }
  options.connect_timeout = Seconds(2);
  options.command_timeout = Seconds(2);
  return options;
}

TEST(RedisSentinelStore, FollowsTheMasterThroughAFailover) {
  RedisSentinels group;
  RedisClient client(SentinelOptions(group));
  ASSERT_THAT(client.Create(kRecord, "before"), IsDone());
  group.master().AwaitReplica();
  group.sentinel(0).Kill();  // two are enough
  group.master().Kill();
  EXPECT_THAT(client.Get(kRecord), FailsWith(ErrorCode::kUnavailable)) << "not kNotFound";
  ASSERT_TRUE(
      client.RunUntil([&] { return client.state() == StoreState::kConnected; }, kFailoverPatience));
  EXPECT_THAT(client.Get(kRecord), Holds("before"));
  EXPECT_THAT(client.Put(kRecord, "after"), Holds("after"));
  EXPECT_EQ(group.replica().Command({"ROLE"}).substr(0, 6), "master");
}

TEST(RedisSentinelStore, LooksAgainWhenTheServerIsNoMasterAnyMore) {
  RedisSentinels group;
  RedisClient client(SentinelOptions(group));
  ASSERT_THAT(client.Create(kRecord, "before"), IsDone());
  group.master().AwaitReplica();
  ASSERT_EQ(group.sentinel(1).Command({"SENTINEL", "FAILOVER", "sessions"}), "OK");
  ASSERT_TRUE(client.RunUntil(
      [&] {
        return group.replica().Command({"ROLE"}).starts_with("master") &&
               group.master().Command({"ROLE"}).starts_with("slave");
      },
      kFailoverPatience));
  // The old master is a replica now, and says so to whoever writes.
  ASSERT_TRUE(client.RunUntil([&] { return !client.Put(kRecord, "after").error; }));
  EXPECT_THAT(client.Get(kRecord), Holds("after"));
}

TEST(RedisSentinelStore, TheSentinelsMustKnowTheName) {
  RedisSentinels group;
  RedisOptions options = SentinelOptions(group);
  options.master_name = "others";
  const auto probed = ProbeRedis(options, Seconds(10));
  ASSERT_FALSE(probed.has_value());
  EXPECT_EQ(probed.error().code, ErrorCode::kMisconfigured);
  EXPECT_THAT(probed.error().reason, HasSubstr("no master of this name"));
  for (std::size_t i = 0; i < group.size(); ++i) group.sentinel(i).Kill();
  const auto gone = ProbeRedis(options, Seconds(10));
  ASSERT_FALSE(gone.has_value());
  EXPECT_EQ(gone.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(gone.error().reason, HasSubstr("sentinel"));
}

}  // namespace
}  // namespace mcp_session

// Random faults, one after the other and with pauses, under eight callers; and what is late.
#include <gtest/gtest.h>

#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "mcp_session/system/clock.h"
#include "tests/faults/callers.h"
#include "tests/faults/fault_client.h"
#include "tests/faults/fault_proxy.h"
#include "tests/redis/redis_server.h"
#include "tests/store/matchers.h"

namespace mcp_session {
namespace {

using Kind = Fault::Kind;
using Way = Fault::Way;

Fault RandomFault(SeededEntropy& random) {
  constexpr Kind kKinds[] = {Kind::kDelay, Kind::kStall,   Kind::kSlice, Kind::kCut,
                             Kind::kCut,   Kind::kSilence, Kind::kRefuse};
  constexpr Way kWays[] = {Way::kUp, Way::kDown, Way::kBoth};
  Fault fault;
  fault.kind = kKinds[random.Below(std::size(kKinds))];
  fault.way = kWays[random.Below(std::size(kWays))];
  fault.delay = Millis{static_cast<std::int64_t>(random.Below(random.Below(3) == 0 ? 1200 : 150))};
  fault.jitter = Millis{static_cast<std::int64_t>(random.Below(100))};
  fault.bytes = random.Below(20'000);
  fault.reset = random.Below(2) == 0;
  fault.late = random.Below(2) == 0;
  return fault;
}

class ProxySoak : public testing::TestWithParam<std::uint64_t> {};

TEST_P(ProxySoak, NothingWrongIsEverSaid) {
  constexpr Millis kTimeout{400};
  constexpr Millis kLength = Seconds(18);
  RedisServer server;
  FaultProxy proxy(server.port(), GetParam());
  RedisOptions options = FaultOptions(proxy.port());
  options.connect_timeout = Millis{600};
  options.command_timeout = kTimeout;
  FaultClient client(options);
  ASSERT_TRUE(client.RunUntil(StoreState::kConnected));
  const Holdings in_use = CountHoldings();
  Callers callers(client, {.callers = 8, .seed = GetParam(), .command_timeout = kTimeout});
  SeededEntropy random(GetParam());
  const Instant end = MonotonicNow() + kLength;
  int faults = 0;
  while (MonotonicNow() < end && !HasFailure()) {
    proxy.Set(RandomFault(random));
    ++faults;
    callers.WorkFor(Millis{static_cast<std::int64_t>(random.Below(600))});
    proxy.Heal();
    if (random.Below(3) == 0) proxy.EndAll(random.Below(2) == 0);
    callers.WorkFor(Millis{static_cast<std::int64_t>(random.Below(400))});
  }
  ASSERT_TRUE(client.RunUntil(StoreState::kConnected));
  callers.CheckAll();
  EXPECT_GT(callers.live(), 0u);
  EXPECT_GT(callers.unavailable(), 100u) << "nothing happened";
  EXPECT_GT(callers.done(), 1000u) << "it does not work in between";
  EXPECT_EQ(client.counters().desyncs, 0u);
  EXPECT_EQ(client.counters().corrupt, 0u);
  EXPECT_TRUE(client.RunUntil([&] { return CountHoldings() == in_use; })) << "something is kept";
  RecordProperty("faults", faults);
  RecordProperty("done", static_cast<int>(callers.done()));
  RecordProperty("unavailable", static_cast<int>(callers.unavailable()));
  RecordProperty("maybe_done", static_cast<int>(callers.maybe_done()));
}

INSTANTIATE_TEST_SUITE_P(Seeds, ProxySoak, testing::Values(1, 2, 3));

// What is still on its way over a connection that was given up.
class ProxyLate : public testing::Test {
 protected:
  ProxyLate() : proxy_(server_.port()), direct_(FaultOptions(server_.port())) {
    RedisOptions options = FaultOptions(proxy_.port());
    options.command_timeout = Millis{600};
    client_ = std::make_unique<FaultClient>(options);
    EXPECT_TRUE(client_->RunUntil(StoreState::kConnected));
  }

  RedisServer server_;
  FaultProxy proxy_;
  FaultClient direct_;
  std::unique_ptr<FaultClient> client_;
};

constexpr RecordKey kRecord{"hush-owner", "session", "hush-late"};

TEST_F(ProxyLate, AWriteThatComesLateOverwritesNothingNewer) {
  const StoreReply created = client_->Create(kRecord, "hush-0");
  proxy_.Set({.kind = Kind::kStall, .way = Way::kUp, .late = true});
  const StoreReply late = client_->Put(kRecord, "hush-late", created.record.version);
  EXPECT_THAT(late, FailsWith(ErrorCode::kUnavailable));
  EXPECT_TRUE(late.maybe_done);
  EXPECT_THAT(direct_.Put(kRecord, "hush-newer", created.record.version), IsDone());
  proxy_.Heal();
  ASSERT_TRUE(client_->RunUntil([this] { return proxy_.open() == 1; }));
  EXPECT_THAT(direct_.Get(kRecord), Holds("hush-newer"));
}

TEST_F(ProxyLate, AWriteAtAnyVersionThatComesLateOverwritesNothingEither) {
  ASSERT_THAT(client_->Create(kRecord, "hush-0"), IsDone());
  proxy_.Set({.kind = Kind::kDelay, .way = Way::kUp, .delay = Seconds(2)});
  const StoreReply late = client_->Put(kRecord, "hush-late");
  EXPECT_THAT(late, FailsWith(ErrorCode::kUnavailable));
  EXPECT_TRUE(late.maybe_done);
  proxy_.Heal();
  EXPECT_THAT(client_->Put(kRecord, "hush-newer"), IsDone());
  ASSERT_TRUE(client_->RunUntil([this] { return proxy_.open() == 1; }));
  EXPECT_THAT(direct_.Get(kRecord), Holds("hush-newer"));
}

// The store sends a Create again when its connection breaks. The first copy of it arrives after the
// record was made by the second, and ended.
TEST_F(ProxyLate, ACreateThatWasRepeatedBringsNothingBack) {
  ASSERT_THAT(direct_.Get(kRecord), FailsWith(ErrorCode::kNotFound));
  proxy_.Set({.kind = Kind::kDelay, .way = Way::kUp, .delay = Seconds(3)});
  client_->Submit(store::Touch{kRecord});
  client_->RunFor(Millis{300});
  client_->Submit(store::Create{kRecord, "hush-data", {.idle_ttl = Hours(1)}});
  client_->RunFor(Millis{1});
  proxy_.Heal();
  // The Touch is over its deadline, and takes the connection with it.
  const std::vector<StoreReply> replies = client_->Replies();
  ASSERT_EQ(replies.size(), 2u);
  EXPECT_THAT(replies[1], Holds("hush-data"));
  ASSERT_EQ(client_->counters().repeated, 1u);
  EXPECT_THAT(client_->Run(store::Remove{kRecord}), Removed(1));
  ASSERT_TRUE(client_->RunUntil([this] { return proxy_.open() == 1; })) << "not all has arrived";
  EXPECT_THAT(direct_.Get(kRecord), FailsWith(ErrorCode::kNotFound));
}

}  // namespace
}  // namespace mcp_session

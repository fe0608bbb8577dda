// What an outage, or a slow network, costs while many go on asking: time, memory, connections and
// lines in the log are bounded.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/redis/store.h"
#include "mcp_session/system/clock.h"
#include "mcp_session/system/entropy.h"
#include "tests/faults/callers.h"
#include "tests/faults/fault_client.h"
#include "tests/faults/fault_proxy.h"
#include "tests/redis/redis_server.h"
#include "tests/store/matchers.h"

namespace mcp_session {
namespace {

using Kind = Fault::Kind;
using Way = Fault::Way;

// Sanitizers keep what was freed.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kFreedMemoryIsFree = false;
#else
constexpr bool kFreedMemoryIsFree = true;
#endif

std::size_t ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t all = 0, resident = 0;
  file >> all >> resident;
  return resident * 4096;
}

class SlowNetwork : public testing::TestWithParam<int> {};

// Callers wait for no longer than they were promised, be it too slow or not.
TEST_P(SlowNetwork, CostsNoMoreThanTheDeadline) {
  constexpr Millis kTimeout{250};
  RedisServer server;
  FaultProxy proxy(server.port());
  RedisOptions options = FaultOptions(proxy.port());
  options.command_timeout = kTimeout;
  FaultClient client(options);
  ASSERT_TRUE(client.RunUntil(StoreState::kConnected));
  Callers callers(client, {.command_timeout = kTimeout, .max_data = 500});
  callers.Work(100);
  const std::size_t unavailable = callers.unavailable();
  const std::size_t done = callers.done();
  proxy.Set({.kind = Kind::kDelay, .way = Way::kDown, .delay = Millis{GetParam()}});
  callers.WorkFor(Millis{1200});
  if (GetParam() > kTimeout.count) {
    EXPECT_GT(callers.unavailable(), unavailable);
  } else {
    EXPECT_GT(callers.done(), done);
  }
  proxy.Heal();
  ASSERT_TRUE(client.RunUntil(StoreState::kConnected));
  callers.CheckAll();
}

INSTANTIATE_TEST_SUITE_P(Millis, SlowNetwork, testing::Values(50, 100, 200, 400));

// All that is asked during an outage is answered or waits for its deadline, and no more than
// max_in_flight wait.
TEST(Outage, TakesNoMemoryHoweverMuchIsAsked) {
  constexpr int kInTurn = 100;  // each 10 ms
  constexpr int kTurns = 250;
  RedisServer server;
  FaultProxy proxy(server.port());
  RedisOptions options = FaultOptions(proxy.port());
  options.command_timeout = Millis{250};
  FaultClient client(options);
  ASSERT_TRUE(client.RunUntil(StoreState::kConnected));
  const RecordKey key{"hush-owner", "session", "hush-id"};
  ASSERT_THAT(client.Create(key, "hush-data"), IsDone());
  proxy.Set({.kind = Kind::kSilence});
  std::size_t asked = 0, answered = 0, most = 0, resident = 0;
  std::vector<StoreReply> replies;
  const auto drain = [&] {
    replies.clear();
    client.store().Drain(&replies);
    answered += replies.size();
    for (const StoreReply& reply : replies) {
      ASSERT_THAT(reply, FailsWith(ErrorCode::kUnavailable));
    }
  };
  for (int turn = 0; turn < kTurns; ++turn) {
    for (int i = 0; i < kInTurn; ++i) {
      StoreCommand command = store::Get{key};
      if (i % 2 == 0) command = store::Put{key, std::string(2000, 'x'), std::nullopt};
      client.store().Submit({++asked}, std::move(command), MonotonicNow());
    }
    ASSERT_NO_FATAL_FAILURE(drain());
    most = std::max(most, asked - answered);
    client.RunFor(Millis{10});
    ASSERT_NO_FATAL_FAILURE(drain());
    if (turn == kTurns / 5) resident = ResidentBytes();
  }
  EXPECT_LE(most, options.max_in_flight);
  EXPECT_GE(most, options.max_in_flight / 2) << "not much was asked";
  if (kFreedMemoryIsFree) {
    EXPECT_LE(ResidentBytes(), resident + (4u << 20));
  }
  EXPECT_TRUE(client.RunUntil([&] {
    drain();
    return answered == asked;
  }));
  EXPECT_LE(client.log().size(), 10u);
  proxy.Heal();
  ASSERT_TRUE(client.RunUntil(StoreState::kConnected));
  EXPECT_THAT(client.Run(store::Touch{key}), IsDone());
}

// Fifty stores of one process lose the same server.
TEST(Outage, IsNoReasonForAStormOfConnections) {
  constexpr std::size_t kStores = 50;
  constexpr Millis kLength = Seconds(4);
  RedisServer server;
  boost::asio::io_context loop;
  SystemEntropy entropy;
  std::vector<std::size_t> lines(kStores);
  std::vector<std::unique_ptr<RedisSessionStore>> stores;
  for (std::size_t i = 0; i < kStores; ++i) {
    RedisOptions options = FaultOptions(server.port());
    options.connect_timeout = Seconds(10);
    options.log = [&lines, i](std::string_view) { ++lines[i]; };
    auto made = RedisSessionStore::Make(loop, options, entropy);
    ASSERT_TRUE(made.has_value());
    stores.push_back(std::move(*made));
  }
  const auto run_until = [&](const auto& condition) {
    const Instant end = MonotonicNow() + Seconds(30);
    while (!condition() && MonotonicNow() < end) loop.run_one_for(std::chrono::milliseconds(20));
    return condition();
  };
  const auto all_are = [&](StoreState state) {
    return std::all_of(stores.begin(), stores.end(),
                       [state](const auto& store) { return store->Status().state == state; });
  };
  const auto dials = [&] {
    std::uint64_t all = 0;
    for (const auto& store : stores) all += store->counters().failures + store->counters().connects;
    return all;
  };
  ASSERT_TRUE(run_until([&] { return all_are(StoreState::kConnected); }));
  EXPECT_EQ(dials(), kStores);
  server.Kill();
  const Instant start = MonotonicNow();
  std::uint64_t at_half = 0;
  run_until([&] {
    const Millis passed = MonotonicNow() - start;
    if (at_half == 0 && passed.count >= kLength.count / 2) at_half = dials();
    return passed >= kLength;
  });
  EXPECT_TRUE(all_are(StoreState::kUnavailable));
  // With waits that double from 50 ms on a store dials some 6 times in 4 s, and once in the second
  // half.
  const std::uint64_t in_outage = dials() - kStores;
  EXPECT_GE(in_outage, kStores);
  EXPECT_LE(in_outage, 10 * kStores);
  EXPECT_LE(dials() - at_half, 3 * kStores);
  server.StartAgain();
  EXPECT_TRUE(run_until([&] { return all_are(StoreState::kConnected); }));
  EXPECT_LE(*std::max_element(lines.begin(), lines.end()), 10u);
  RecordProperty("dials", static_cast<int>(in_outage));
}

}  // namespace
}  // namespace mcp_session

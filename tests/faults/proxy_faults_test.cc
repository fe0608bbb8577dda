// Each way a network can fail, again and again while several callers work: each command is answered
// in time, by something that can be true, and all goes on when the fault is over.
#include <gtest/gtest.h>

#include <memory>
#include <ostream>
#include <string>

#include "tests/faults/callers.h"
#include "tests/faults/fault_client.h"
#include "tests/faults/fault_proxy.h"
#include "tests/redis/redis_server.h"

namespace mcp_session {

using Kind = Fault::Kind;
using Way = Fault::Way;

struct Mode {
  std::string name;
  Fault fault;
  int every = 1;                // it happens at each so manieth command
  bool new_connection = false;  // it is about connections that are made
};

void PrintTo(const Mode& mode, std::ostream* os) { *os << mode.name; }

namespace {

constexpr int kCommands = 50;
constexpr Millis kTimeout{300};

Mode Cut(const std::string& name, Way way, std::size_t bytes, bool reset) {
  return {name, {.kind = Kind::kCut, .way = way, .bytes = bytes, .reset = reset}};
}

Mode Stall(const std::string& name, Way way, bool late = false) {
  return {name, {.kind = Kind::kStall, .way = way, .late = late}, 8};
}

Mode Delay(const std::string& name, Way way, Millis delay, Millis jitter) {
  return {name, {.kind = Kind::kDelay, .way = way, .delay = delay, .jitter = jitter}, 8};
}

const Mode kModes[] = {
    Delay("ADelay", Way::kBoth, Millis{20}, Millis{0}),
    Delay("Jitter", Way::kBoth, Millis{0}, Millis{40}),
    Delay("CommandsHeldForTwiceTheDeadline", Way::kUp, Millis{600}, Millis{0}),
    Delay("RepliesHeldForTwiceTheDeadline", Way::kDown, Millis{600}, Millis{0}),
    Stall("NothingGoesUp", Way::kUp),
    Stall("WhatWentUpArrivesLate", Way::kUp, true),
    Stall("NothingComesDown", Way::kDown),
    Stall("NothingGoesThrough", Way::kBoth),
    Cut("AFinBeforeTheCommand", Way::kUp, 0, false),
    Cut("AFinInTheCommand", Way::kUp, 40, false),
    Cut("AFinBeforeTheReply", Way::kDown, 0, false),
    Cut("AFinInTheReply", Way::kDown, 9, false),
    Cut("AnRstBeforeTheCommand", Way::kUp, 0, true),
    Cut("AnRstInTheCommand", Way::kUp, 40, true),
    Cut("AnRstBeforeTheReply", Way::kDown, 0, true),
    Cut("AnRstInTheReply", Way::kDown, 9, true),
    Cut("AnRstSomewhere", Way::kBoth, 2000, true),
    {"OneByteAtATime", {Kind::kSlice, Way::kBoth}, 4},
    {"AcceptedAndLeftAlone", {Kind::kSilence}, 8, true},
    {"Refused", {Kind::kRefuse}, 8},
};

class ProxyFaults : public testing::TestWithParam<Mode> {};

TEST_P(ProxyFaults, WhileThreeCallersWork) {
  const Mode& mode = GetParam();
  RedisServer server;
  const Holdings at_first = CountHoldings();
  {
    FaultProxy proxy(server.port());
    RedisOptions options = FaultOptions(proxy.port());
    options.connect_timeout = Millis{600};
    options.command_timeout = kTimeout;
    FaultClient client(options);
    ASSERT_TRUE(client.RunUntil(StoreState::kConnected));
    const Holdings in_use = CountHoldings();
    std::size_t unavailable = 0;
    for (int index = 0; index < kCommands; index += mode.every) {
      SCOPED_TRACE(index);
      Callers callers(client, {.callers = 3,
                               .seed = static_cast<std::uint64_t>(index + 1),
                               .name = std::to_string(index),
                               .command_timeout = kTimeout,
                               .max_data = 300});
      callers.Work(static_cast<std::size_t>(index));
      proxy.Set(mode.fault);
      if (mode.new_connection) proxy.EndAll(true);
      callers.Work(4);
      proxy.Heal();
      ASSERT_TRUE(client.RunUntil(StoreState::kConnected));
      callers.Work(static_cast<std::size_t>(kCommands - index));
      callers.CheckAll();
      unavailable += callers.unavailable();
      if (HasFailure()) return;
    }
    EXPECT_EQ(client.counters().desyncs, 0u);
    EXPECT_EQ(client.counters().corrupt, 0u);
    EXPECT_TRUE(client.RunUntil([&] { return CountHoldings() == in_use; }))
        << CountHoldings().descriptors << " descriptors instead of " << in_use.descriptors << ", "
        << CountHoldings().threads << " threads instead of " << in_use.threads;
    RecordProperty("unavailable", static_cast<int>(unavailable));
    RecordProperty("lost", static_cast<int>(client.counters().lost));
    if (mode.fault.kind == Kind::kStall || mode.fault.kind == Kind::kSilence) {
      EXPECT_GT(unavailable, 0u) << "nothing happened";
    }
    if (mode.fault.kind == Kind::kCut) {
      EXPECT_EQ(proxy.strikes(), static_cast<std::size_t>(kCommands / mode.every));
    }
  }
  EXPECT_EQ(CountHoldings(), at_first);
}

INSTANTIATE_TEST_SUITE_P(Every, ProxyFaults, testing::ValuesIn(kModes),
                         [](const auto& mode) { return mode.param.name; });

}  // namespace
}  // namespace mcp_session

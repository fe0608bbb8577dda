// Each way a network can fail, at each command of a script that has one of every kind: the command
// is answered in time, by something that can be true, and so are those after it.
#include <gtest/gtest.h>

#include <memory>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include "tests/faults/fault_client.h"
#include "tests/faults/fault_proxy.h"
#include "tests/faults/script.h"
#include "tests/redis/redis_server.h"
#include "tests/store/matchers.h"

namespace mcp_session {

using Kind = Fault::Kind;
using Way = Fault::Way;

struct ScriptMode {
  std::string name;
  Fault fault;
  bool new_connection = false;  // it is about connections that are made
  bool lasts = false;           // until the end of the script
};

void PrintTo(const ScriptMode& mode, std::ostream* os) { *os << mode.name; }

namespace {

// So many scripts run at the same time: they mostly wait.
constexpr int kAtOnce = 10;
constexpr Millis kTimeout{250};
constexpr Millis kRecovery = Seconds(2);

ScriptMode Cut(const std::string& name, Way way, std::size_t bytes, bool reset) {
  return {name, {.kind = Kind::kCut, .way = way, .bytes = bytes, .reset = reset}};
}

const ScriptMode kModes[] = {
    {"ADelay", {.kind = Kind::kDelay, .delay = Millis{20}}},
    {"Jitter", {.kind = Kind::kDelay, .jitter = Millis{40}}},
    {"CommandsHeldForTwiceTheDeadline",
     {.kind = Kind::kDelay, .way = Way::kUp, .delay = Millis{500}}},
    {"RepliesHeldForTwiceTheDeadline",
     {.kind = Kind::kDelay, .way = Way::kDown, .delay = Millis{500}}},
    {"NothingGoesUp", {.kind = Kind::kStall, .way = Way::kUp}},
    {"WhatWentUpArrivesLate", {.kind = Kind::kStall, .way = Way::kUp, .late = true}},
    {"NothingComesDown", {.kind = Kind::kStall, .way = Way::kDown}},
    {"NothingGoesThrough", {.kind = Kind::kStall}},
    Cut("AFinBeforeTheCommand", Way::kUp, 0, false),
    Cut("AFinInTheCommand", Way::kUp, 40, false),
    Cut("AFinBeforeTheReply", Way::kDown, 0, false),
    Cut("AFinInTheReply", Way::kDown, 3, false),
    Cut("AnRstBeforeTheCommand", Way::kUp, 0, true),
    Cut("AnRstInTheCommand", Way::kUp, 40, true),
    Cut("AnRstBeforeTheReply", Way::kDown, 0, true),
    Cut("AnRstInTheReply", Way::kDown, 3, true),
    {"AnRstSomewhere", {.kind = Kind::kCut, .bytes = 400, .reset = true}, false, true},
    {"OneByteAtATime", {.kind = Kind::kSlice}},
    {"AcceptedAndLeftAlone", {.kind = Kind::kSilence}, true},
    {"Refused", {.kind = Kind::kRefuse}},
};

// A store behind a network of its own, and who runs scripts on it.
class Runner {
 public:
  explicit Runner(std::uint16_t port) : proxy_(port), client_(OptionsFor(proxy_.port())) {
    EXPECT_TRUE(client_.RunUntil(StoreState::kConnected));
  }

  FaultClient& client() { return client_; }
  std::size_t strikes() const { return proxy_.strikes(); }
  int unavailable() const { return unavailable_; }

  void Run(const ScriptMode& mode, int faulty) {
    SCOPED_TRACE("at command " + std::to_string(faulty));
    Script script(mode.name + "-" + std::to_string(faulty));
    for (int index = 0; index < Script::kLength; ++index) {
      SCOPED_TRACE("command " + std::to_string(index));
      if (index == faulty) proxy_.Set(mode.fault);
      if (index == faulty && mode.new_connection) proxy_.EndAll(true);
      const StoreReply reply = RunInTime(script.Command(index));
      if (reply.error == ErrorCode::kUnavailable) ++unavailable_;
      ASSERT_EQ(script.Check(index, reply), "");
      if (index == faulty && !mode.lasts) Recover();
    }
    Recover();
  }

 private:
  static RedisOptions OptionsFor(std::uint16_t port) {
    RedisOptions options = FaultOptions(port);
    options.connect_timeout = Millis{400};
    options.command_timeout = kTimeout;
    return options;
  }

  StoreReply RunInTime(StoreCommand command) {
    const Instant due = MonotonicNow() + kTimeout + kSlack;
    const StoreReply reply = client_.Run(std::move(command));
    EXPECT_LE(client_.LoopNow(), due) << "a late reply";
    return reply;
  }

  void Recover() {
    proxy_.Heal();
    const Instant healed = client_.LoopNow();
    const RecordKey nothing{"", "session", "hush-nothing"};
    StoreReply reply;
    do {
      reply = RunInTime(store::Get{nothing});
    } while (reply.error == ErrorCode::kUnavailable && client_.LoopNow() - healed <= kRecovery);
    EXPECT_THAT(reply, FailsWith(ErrorCode::kNotFound)) << "it does not recover";
  }

  FaultProxy proxy_;
  FaultClient client_;
  int unavailable_ = 0;
};

class ProxyScript : public testing::TestWithParam<ScriptMode> {};

TEST_P(ProxyScript, AtEveryCommand) {
  const ScriptMode& mode = GetParam();
  RedisServer server;
  const Holdings at_first = CountHoldings();
  {
    std::vector<std::unique_ptr<Runner>> runners;
    for (int i = 0; i < kAtOnce; ++i) runners.push_back(std::make_unique<Runner>(server.port()));
    const Holdings in_use = CountHoldings();
    std::vector<std::thread> threads;
    for (int i = 0; i < kAtOnce; ++i) {
      threads.emplace_back([&mode, i, &runner = *runners[static_cast<std::size_t>(i)]] {
        for (int index = i; index < Script::kLength; index += kAtOnce) runner.Run(mode, index);
      });
    }
    for (std::thread& thread : threads) thread.join();
    int unavailable = 0;
    std::size_t strikes = 0;
    for (const auto& runner : runners) {
      EXPECT_EQ(runner->client().counters().desyncs, 0u);
      EXPECT_EQ(runner->client().counters().corrupt, 0u);
      unavailable += runner->unavailable();
      strikes += runner->strikes();
    }
    EXPECT_TRUE(runners[0]->client().RunUntil([&] { return CountHoldings() == in_use; }))
        << CountHoldings().descriptors << " descriptors instead of " << in_use.descriptors << ", "
        << CountHoldings().threads << " threads instead of " << in_use.threads;
    RecordProperty("unavailable", unavailable);
    if (mode.fault.kind == Kind::kStall || mode.fault.kind == Kind::kSilence) {
      EXPECT_GE(unavailable, Script::kLength) << "nothing happened";
    }
    if (mode.fault.kind == Kind::kCut) {
      // At the last commands there may not be so many bytes any more.
      EXPECT_GE(strikes, static_cast<std::size_t>(Script::kLength - (mode.lasts ? 3 : 0)));
    }
  }
  EXPECT_EQ(CountHoldings(), at_first);
}

INSTANTIATE_TEST_SUITE_P(Every, ProxyScript, testing::ValuesIn(kModes),
                         [](const auto& mode) { return mode.param.name; });

}  // namespace
}  // namespace mcp_session

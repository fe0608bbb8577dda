// Callers that go away at any time, while the network delays, breaks and falls silent: nobody is
// ever told what was meant for another, and nothing that was acknowledged is undone.
#include <gtest/gtest.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "mcp_session/face/awaitable_store.h"
#include "mcp_session/system/entropy.h"
#include "tests/faults/fault_client.h"
#include "tests/faults/fault_proxy.h"
#include "tests/redis/redis_server.h"
#include "tests/support/counting_entropy.h"

namespace mcp_session {
namespace {

using Kind = Fault::Kind;
using Way = Fault::Way;
using boost::asio::awaitable;
using namespace boost::asio::experimental::awaitable_operators;

constexpr int kCallers = 32;

// More by FAULT_COMMANDS in the environment.
int Commands() {
  const char* const given = std::getenv("FAULT_COMMANDS");
  return given == nullptr ? 30'000 : std::atoi(given);
}

struct Caller {
  std::string id;
  int written = 0;       // the number in what it wrote last
  int acknowledged = 0;  // the highest that the store said is there
  bool made = false;
};

class ProxyCancels : public testing::Test {
 protected:
  ProxyCancels() : proxy_(server_.port()), client_(OptionsFor(proxy_.port())), left_(Commands()) {
    EXPECT_TRUE(client_.RunUntil(StoreState::kConnected));
    store_ =
        std::make_unique<AwaitableStore>(client_.store(), client_.loop().get_executor(), entropy_);
  }

  static RedisOptions OptionsFor(std::uint16_t port) {
    RedisOptions options = FaultOptions(port);
    options.connect_timeout = Millis{400};
    options.command_timeout = Millis{200};
    return options;
  }

  // The answer to `call`; kCancelled if the caller went away before.
  template <typename T>
  awaitable<StoreResult<T>> MayLeave(awaitable<StoreResult<T>> call) {
    if (random_.Below(3) != 0) co_return co_await std::move(call);
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    timer.expires_after(std::chrono::microseconds(random_.Below(3000)));
    auto first = co_await (std::move(call) || timer.async_wait(boost::asio::use_awaitable));
    if (first.index() == 0) co_return std::get<0>(std::move(first));
    ++cancelled_;
    co_return tl::unexpected(StoreError{.code = ErrorCode::kCancelled, .maybe_done = true});
  }

  std::string NewData(Caller& caller) {
    return caller.id + " #" + std::to_string(++caller.written) + " " +
           std::string(random_.Below(800), '.');
  }

  // What is there is this caller's, and not older than what it knows to be there.
  void Saw(Caller& caller, const Record& record) {
    ++answered_;
    ASSERT_NE(record.data, nullptr);
    const std::string start = caller.id + " #";
    ASSERT_TRUE(record.data->starts_with(start)) << *record.data << " for " << caller.id;
    const int number = std::atoi(record.data->c_str() + start.size());
    ASSERT_GE(number, caller.acknowledged) << caller.id;
    ASSERT_LE(number, caller.written) << caller.id;
    caller.acknowledged = number;
    caller.made = true;
  }

  awaitable<void> Work(Caller& caller) {
    const RecordName name{.owner = caller.id, .kind = "session", .id = caller.id};
    while (left_ > 0 && !HasFailure()) {
      --left_;
      StoreResult<Record> result = tl::unexpected(StoreError{});
      if (!caller.made) {
        result = co_await MayLeave(store_->Create(name, NewData(caller), {.idle_ttl = Hours(1)}));
        if (!result && result.error().code == ErrorCode::kExists) {
          result = co_await MayLeave(store_->Get(name));
        }
      } else if (random_.Below(2) == 0) {
        result = co_await MayLeave(store_->Get(name));
      } else {
        result = co_await MayLeave(store_->Put(name, NewData(caller), std::nullopt));
      }
      if (result) {
        Saw(caller, *result);
        continue;
      }
      const ErrorCode code = result.error().code;
      if (code == ErrorCode::kNotFound) {
        EXPECT_FALSE(caller.made) << "it is not there, and must be";
      } else {
        EXPECT_TRUE(code == ErrorCode::kUnavailable || code == ErrorCode::kCancelled)
            << CodeName(code);
      }
      // Not at once again, or an outage is over in no time.
      if (code == ErrorCode::kUnavailable) co_await Pause();
    }
    --working_;
  }

  awaitable<void> Pause() {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    timer.expires_after(std::chrono::milliseconds(1 + random_.Below(20)));
    co_await timer.async_wait(boost::asio::use_awaitable);
  }

  Fault NextFault() {
    constexpr Kind kKinds[] = {Kind::kDelay, Kind::kCut,   Kind::kCut,
                               Kind::kStall, Kind::kStall, Kind::kSlice};
    constexpr Way kWays[] = {Way::kUp, Way::kDown, Way::kBoth};
    Fault fault;
    fault.kind = kKinds[random_.Below(std::size(kKinds))];
    fault.way = kWays[random_.Below(std::size(kWays))];
    fault.delay = Millis{static_cast<std::int64_t>(random_.Below(30))};
    fault.jitter = Millis{static_cast<std::int64_t>(random_.Below(60))};
    fault.bytes = random_.Below(20'000);
    fault.reset = random_.Below(2) == 0;
    return fault;
  }

  // One after the other, with time to recover.
  awaitable<void> Trouble() {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    while (working_ > 0) {
      const Fault fault = NextFault();
      proxy_.Set(fault);
      // What stalls is late, and then arrives.
      const std::uint64_t least = fault.kind == Kind::kStall ? 220 : 0;
      timer.expires_after(std::chrono::milliseconds(least + random_.Below(100)));
      co_await timer.async_wait(boost::asio::use_awaitable);
      proxy_.Heal();
      timer.expires_after(std::chrono::milliseconds(10 + random_.Below(50)));
      co_await timer.async_wait(boost::asio::use_awaitable);
    }
    troubled_ = false;
  }

  RedisServer server_;
  FaultProxy proxy_;
  FaultClient client_;
  SystemEntropy entropy_;
  SeededEntropy random_{20261127};
  std::unique_ptr<AwaitableStore> store_;
  int left_;
  int working_ = kCallers;
  bool troubled_ = true;
  int answered_ = 0;
  int cancelled_ = 0;
};

TEST_F(ProxyCancels, NobodyIsToldWhatWasMeantForAnother) {
  const Holdings in_use = CountHoldings();
  std::vector<Caller> callers(kCallers);
  for (int i = 0; i < kCallers; ++i) {
    Caller& caller = callers[static_cast<std::size_t>(i)];
    caller.id = "hush-" + std::to_string(i);
    boost::asio::co_spawn(client_.loop(), Work(caller), boost::asio::detached);
  }
  boost::asio::co_spawn(client_.loop(), Trouble(), boost::asio::detached);
  ASSERT_TRUE(
      client_.RunUntil([this] { return working_ == 0 && !troubled_; }, std::chrono::seconds(1800)));
  EXPECT_GT(answered_, Commands() / 4);
  EXPECT_GT(cancelled_, Commands() / 100);
  EXPECT_GE(client_.counters().timeouts, 10u) << "nothing happened";
  EXPECT_EQ(client_.counters().desyncs, 0u);
  EXPECT_EQ(client_.counters().corrupt, 0u);
  EXPECT_TRUE(client_.RunUntil(StoreState::kConnected));
  EXPECT_TRUE(client_.RunUntil([&] { return CountHoldings() == in_use; })) << "something is kept";
  RecordProperty("answered", answered_);
  RecordProperty("cancelled", cancelled_);
  RecordProperty("lost", static_cast<int>(client_.counters().lost));
  std::printf("%d commands, %d answered, %d left alone, %d connections lost\n", Commands(),
              answered_, cancelled_, static_cast<int>(client_.counters().lost));
  store_.reset();
}

}  // namespace
}  // namespace mcp_session

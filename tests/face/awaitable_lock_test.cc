// Waiting for locks, as coroutines do: one of a process asks, the others wait behind it.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "mcp_session/face/awaitable_store.h"
#include "mcp_session/store/memory_store.h"
#include "mcp_session/system/clock.h"
#include "tests/support/counting_entropy.h"
#include "tests/support/delaying_store.h"
#include "tests/support/printers.h"

namespace mcp_session {
namespace {

namespace asio = boost::asio;

const RecordName kName{"principal:p", "cart", "cart-id"};
const Lifetime kHour{.idle_ttl = Hours(1)};

class AwaitableLockTest : public testing::Test {
 protected:
  void Run(asio::awaitable<void> coroutine) {
    Spawn(std::move(coroutine));
    RunAll();
  }
  void Spawn(asio::awaitable<void> coroutine) {
    ++open_;
    asio::co_spawn(loop_, std::move(coroutine), [this](const std::exception_ptr& thrown) {
      --open_;
      if (thrown) std::rethrow_exception(thrown);
    });
  }
  // Until all coroutines are done. (The store has deadlines of its own.)
  void RunAll() {
    loop_.restart();
    while (open_ > 0 && loop_.run_one() > 0) {
    }
  }
  void Poll() {
    loop_.restart();
    loop_.poll();
  }

  // The lock, or its error, into `result`.
  asio::awaitable<void> Lock(LockOptions options, std::optional<StoreResult<LockGrant>>* result) {
    StoreResult<LockGrant> grant = co_await store_.Lock(kName, options);
    *result = std::move(grant);
  }
  StoreResult<LockGrant> LockNow(LockOptions options = {}) {
    std::optional<StoreResult<LockGrant>> result;
    Run(Lock(options, &result));
    return *result;
  }
  asio::awaitable<void> Unlock(LockGrant grant, ErrorCode* error = nullptr) {
    StoreResult<Done> done = co_await store_.Unlock(kName, grant);
    if (error != nullptr && !done) *error = done.error().code;
  }

  int open_ = 0;
  asio::io_context loop_{1};
  SeededEntropy entropy_{1};
  MemorySessionStore memory_{{}, entropy_};
  DelayingStore delaying_{memory_};
  AwaitableStore store_{delaying_, loop_.get_executor(), entropy_};
};

TEST_F(AwaitableLockTest, OneHasIt) {
  const Instant asked = MonotonicNow();
  const auto grant = LockNow();
  ASSERT_TRUE(grant);
  EXPECT_NE(grant->holder, 0u);
  EXPECT_NE(grant->token, 0u);
  EXPECT_GE(grant->valid_until, asked + Millis{29'000});
  EXPECT_LE(grant->valid_until, MonotonicNow() + Millis{29'698});
  const auto refused = LockNow();
  EXPECT_EQ(refused.error().code, ErrorCode::kLocked);
  EXPECT_GT(refused.error().locked_for, Seconds(20));
  Run(Unlock(*grant));
  EXPECT_TRUE(LockNow());
}

TEST_F(AwaitableLockTest, UnlockingTwiceIsTold) {
  const auto grant = LockNow();
  Run(Unlock(*grant));
  ErrorCode error{};
  Run(Unlock(*grant, &error));
  EXPECT_EQ(error, ErrorCode::kLockLost);
}

TEST_F(AwaitableLockTest, ExtendMovesTheEnd) {
  const auto grant = LockNow({.lease = Seconds(1)});
  std::optional<StoreResult<LockGrant>> extended;
  const auto extend = [](AwaitableStore& store, LockGrant old,
                         std::optional<StoreResult<LockGrant>>* out) -> asio::awaitable<void> {
    StoreResult<LockGrant> fresh = co_await store.Extend(kName, old, Seconds(20));
    *out = fresh;
  };
  Run(extend(store_, *grant, &extended));
  ASSERT_TRUE(extended->has_value());
  EXPECT_GT((*extended)->valid_until, grant->valid_until + Seconds(10));
  EXPECT_EQ((*extended)->token, grant->token);
}

TEST_F(AwaitableLockTest, AnOldTokenIsFenced) {
  std::optional<ErrorCode> error;
  const auto script = [](AwaitableStore& store,
                         std::optional<ErrorCode>* out) -> asio::awaitable<void> {
    StoreResult<Record> made = co_await store.Create(kName, "0", kHour);
    StoreResult<LockGrant> first = co_await store.Lock(kName, {});
    StoreResult<Done> unlocked = co_await store.Unlock(kName, *first);
    StoreResult<LockGrant> second = co_await store.Lock(kName, {});
    const WriteOptions late{.fence = first->token};
    StoreResult<Record> put = co_await store.Put(kName, "late", std::nullopt, late);
    *out = put.error().code;
    const WriteOptions current{.fence = second->token};
    StoreResult<Record> kept = co_await store.Put(kName, "kept", made->version, current);
    EXPECT_TRUE(kept);
  };
  Run(script(store_, &error));
  EXPECT_EQ(error, ErrorCode::kFenced);
}

TEST_F(AwaitableLockTest, WaitsUntilTheLeaseIsOver) {
  ASSERT_TRUE(LockNow({.lease = Millis{120}}));
  EXPECT_TRUE(LockNow({.wait = Seconds(10)}));
}

TEST_F(AwaitableLockTest, GivesUpAfterItsWait) {
  ASSERT_TRUE(LockNow());
  const Instant start = MonotonicNow();
  const auto refused = LockNow({.wait = Millis{80}});
  EXPECT_EQ(refused.error().code, ErrorCode::kLocked);
  EXPECT_GT(refused.error().locked_for, Seconds(10));
  EXPECT_GE(MonotonicNow() - start, Millis{80});
}

// 200 who wait cost the store what one does: some 20 commands in a second, at 10 to 250 ms.
TEST_F(AwaitableLockTest, OneAsksForAll) {
  const auto grant = LockNow();
  std::vector<std::optional<StoreResult<LockGrant>>> results(200);
  const std::size_t before = delaying_.commands();
  for (auto& result : results) Spawn(Lock({.wait = Millis{1000}}, &result));
  RunAll();
  for (const auto& result : results) EXPECT_EQ(result->error().code, ErrorCode::kLocked);
  EXPECT_GE(delaying_.commands() - before, 3u);
  EXPECT_LE(delaying_.commands() - before, 60u);
}

TEST_F(AwaitableLockTest, EachOfThoseThatWaitHasItInTurn) {
  constexpr int kWaiters = 20;
  int holders = 0;
  int most = 0;
  std::vector<int> order;
  const auto work = [&](AwaitableStore& store, int number) -> asio::awaitable<void> {
    const LockOptions patient{.wait = Seconds(30)};
    StoreResult<LockGrant> grant = co_await store.Lock(kName, patient);
    if (!grant) co_return;
    most = std::max(most, ++holders);
    order.push_back(number);
    asio::steady_timer timer(loop_, std::chrono::milliseconds(1));
    co_await timer.async_wait(asio::use_awaitable);
    --holders;
    StoreResult<Done> done = co_await store.Unlock(kName, *grant);
    EXPECT_TRUE(done);
  };
  for (int i = 0; i < kWaiters; ++i) Spawn(work(store_, i));
  RunAll();
  EXPECT_EQ(most, 1);
  ASSERT_EQ(order.size(), static_cast<std::size_t>(kWaiters));
  for (int i = 0; i < kWaiters; ++i) EXPECT_EQ(order[i], i);
}

TEST_F(AwaitableLockTest, WhoeverIsCancelledLeavesTheLine) {
  const auto grant = LockNow();
  asio::cancellation_signal signal;
  std::optional<StoreResult<LockGrant>> first;
  asio::co_spawn(loop_, store_.Lock(kName, {.wait = Seconds(60)}),
                 asio::bind_cancellation_slot(
                     signal.slot(), [&](const std::exception_ptr&, StoreResult<LockGrant> answer) {
                       first = std::move(answer);
                     }));
  std::optional<StoreResult<LockGrant>> second;
  Spawn(Lock({.wait = Seconds(60)}, &second));
  Poll();
  signal.emit(asio::cancellation_type::terminal);
  Poll();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->error().code, ErrorCode::kCancelled);
  Spawn(Unlock(*grant));
  RunAll();
  ASSERT_TRUE(second);
  EXPECT_TRUE(*second);
}

// The answer is on its way when nobody wants the lock any more.
TEST_F(AwaitableLockTest, ALockThatNobodyWantsAnyMoreIsGivenBack) {
  delaying_.Hold();
  asio::cancellation_signal signal;
  std::optional<StoreResult<LockGrant>> result;
  asio::co_spawn(loop_, store_.Lock(kName, {}),
                 asio::bind_cancellation_slot(
                     signal.slot(), [&](const std::exception_ptr&, StoreResult<LockGrant> answer) {
                       result = std::move(answer);
                     }));
  Poll();
  signal.emit(asio::cancellation_type::terminal);
  Poll();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->error().code, ErrorCode::kCancelled);
  delaying_.Release();
  Poll();
  EXPECT_TRUE(LockNow());
}

TEST_F(AwaitableLockTest, AnOutageEndsTheWait) {
  const auto grant = LockNow();
  delaying_.Fail(ErrorCode::kUnavailable);
  EXPECT_EQ(LockNow({.wait = Seconds(60)}).error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace mcp_session

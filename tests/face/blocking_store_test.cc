// BlockingStore: calls from several threads, deadlines, and locks that end with their scope.
#include "mcp_session/face/blocking_store.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "mcp_session/store/memory_store.h"
#include "mcp_session/system/clock.h"
#include "mcp_session/system/entropy.h"
#include "tests/support/printers.h"

namespace mcp_session {
namespace {

const RecordName kCart{"principal:p", "cart", "cart-id"};
const Lifetime kHour{.idle_ttl = Hours(1)};

// A store in memory whose thread can be kept busy, and whose answers can be kept back.
class StubbornStore final : public SessionStore {
 public:
  struct Orders {
    std::mutex mutex;
    std::condition_variable changed;
    bool stuck = false;    // Submit does not return
    bool silent = false;   // no answers
    bool entered = false;  // Submit was called
    int submitted = 0;

    void Set(bool stuck_now, bool silent_now) {
      const std::lock_guard guard(mutex);
      stuck = stuck_now;
      silent = silent_now;
      changed.notify_all();
    }
    void AwaitEntered() {
      std::unique_lock guard(mutex);
      changed.wait(guard, [this] { return entered; });
    }
  };

  StubbornStore(std::shared_ptr<Orders> orders, Entropy& entropy)
      : orders_(std::move(orders)), inner_({}, entropy) {}

  void Submit(StoreTicket ticket, StoreCommand command, Instant now) override {
    std::unique_lock guard(orders_->mutex);
    ++orders_->submitted;
    orders_->entered = true;
    orders_->changed.notify_all();
    orders_->changed.wait(guard, [this] { return !orders_->stuck; });
    inner_.Submit(ticket, std::move(command), now);
  }
  void Drain(std::vector<StoreReply>* replies) override {
    const std::lock_guard guard(orders_->mutex);
    if (!orders_->silent) inner_.Drain(replies);
  }
  void OnReady(std::function<void()>) override {}
  Instant NextDeadline() const override { return inner_.NextDeadline(); }
  void Tick(Instant now) override { inner_.Tick(now); }
  StoreStatus Status() const override { return inner_.Status(); }

 private:
  std::shared_ptr<Orders> orders_;
  MemorySessionStore inner_;
};

class BlockingStoreTest : public testing::Test {
 protected:
  std::unique_ptr<BlockingStore> Open(Millis deadline) {
    auto opened = BlockingStore::Open(
        [this](boost::asio::io_context&) -> Result<std::unique_ptr<SessionStore>> {
          return std::make_unique<StubbornStore>(orders_, entropy_);
        },
        entropy_, deadline);
    return std::move(*opened);
  }

  SystemEntropy entropy_;
  std::shared_ptr<StubbornStore::Orders> orders_ = std::make_shared<StubbornStore::Orders>();
  std::unique_ptr<BlockingStore> store_ = Open(Seconds(20));
};

TEST_F(BlockingStoreTest, EveryCommandReachesTheStore) {
  const auto made = store_->Create(kCart, "one", kHour);
  ASSERT_TRUE(made);
  EXPECT_EQ(*store_->Get(kCart)->data, "one");
  EXPECT_TRUE(store_->Put(kCart, "two", made->version));
  EXPECT_EQ(store_->Put(kCart, "three", made->version).error().code, ErrorCode::kConflict);
  EXPECT_TRUE(store_->Touch(kCart));
  EXPECT_GT(store_->Append(kCart, "event").value(), 0u);
  EXPECT_EQ(store_->ReadEvents(kCart, 0)->size(), 1u);
  EXPECT_EQ(store_->List(kCart.owner, "cart")->records.size(), 1u);
  const RecordName other{"principal:p", "cart", "other-id"};
  EXPECT_TRUE(store_->Regenerate(kCart, other));
  EXPECT_EQ(*store_->Take(other)->data, "two");
  ASSERT_TRUE(store_->Create(kCart, "three", kHour));
  EXPECT_TRUE(store_->Remove(kCart).value());
  ASSERT_TRUE(store_->Create(kCart, "four", kHour));
  EXPECT_EQ(store_->RemoveOwned(kCart.owner).value(), 1u);
  EXPECT_EQ(store_->Status().backend, "memory");
}

TEST_F(BlockingStoreTest, AWaitForEventsEndsByItself) {
  ASSERT_TRUE(store_->Create(kCart, "one", kHour));
  const auto events = store_->ReadEvents(kCart, 0, 10, Millis{50});
  ASSERT_TRUE(events);
  EXPECT_TRUE(events->empty());
}

TEST_F(BlockingStoreTest, SaysWhyThereIsNoStore) {
  const auto opened = BlockingStore::Open(
      [](boost::asio::io_context&) -> Result<std::unique_ptr<SessionStore>> {
        return Failure(ErrorCode::kMisconfigured, Blame::kEnvironment, "wrong password");
      },
      entropy_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().message, "wrong password");
}

TEST_F(BlockingStoreTest, ThreadsShareIt) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 50;
  ASSERT_TRUE(store_->Create(kCart, "0", kHour));
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([this] {
      for (int done = 0; done < kRounds;) {
        const auto updated = store_->Update(kCart, [](const std::string& data) {
          return std::optional<std::string>(std::to_string(std::stoi(data) + 1));
        });
        if (updated) {
          ++done;
        } else {
          ASSERT_EQ(updated.error().code, ErrorCode::kConflict);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(*store_->Get(kCart)->data, std::to_string(kThreads * kRounds));
}

TEST_F(BlockingStoreTest, ACallThatMissesItsDeadlineMayBeDone) {
  const auto store = Open(Millis{50});
  orders_->Set(false, true);
  const Instant start = MonotonicNow();
  const auto made = store->Create(kCart, "one", kHour);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(made.error().maybe_done);
  EXPECT_GE(MonotonicNow() - start, Millis{50});
  orders_->Set(false, false);
  const auto again = store->Create(kCart, "one", kHour);
  EXPECT_EQ(again.error().code, ErrorCode::kExists);
}

TEST_F(BlockingStoreTest, ACallThatNeverBeganIsNotDone) {
  const auto store = Open(Millis{50});
  orders_->Set(true, false);
  std::thread first([&] { EXPECT_FALSE(store->Touch(kCart)); });
  orders_->AwaitEntered();
  const auto made = store->Create(kCart, "one", kHour);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kUnavailable);
  EXPECT_FALSE(made.error().maybe_done);
  EXPECT_EQ(store->Status().state, StoreState::kUnavailable);
  first.join();
  orders_->Set(false, false);
  EXPECT_EQ(store->Get(kCart).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(orders_->submitted, 2);  // Touch and Get
}

// --- locks ---

TEST_F(BlockingStoreTest, ALockEndsWithItsScope) {
  {
    const auto lock = store_->Lock(kCart);
    ASSERT_TRUE(lock);
    EXPECT_TRUE(lock->valid());
    EXPECT_EQ(store_->Lock(kCart).error().code, ErrorCode::kLocked);
  }
  EXPECT_TRUE(store_->Lock(kCart));
}

TEST_F(BlockingStoreTest, ALockCanBeGivenBackBefore) {
  auto lock = store_->Lock(kCart);
  ASSERT_TRUE(lock);
  EXPECT_TRUE(lock->Unlock());
  EXPECT_FALSE(lock->valid());
  EXPECT_EQ(lock->Unlock().error().code, ErrorCode::kLockLost);
  EXPECT_TRUE(store_->Lock(kCart));
}

TEST_F(BlockingStoreTest, ALockThatIsOverCannotBeExtended) {
  auto lock = store_->Lock(kCart, {.lease = Millis{30}});
  ASSERT_TRUE(lock);
  const auto next = store_->Lock(kCart, {.wait = Seconds(10)});
  ASSERT_TRUE(next);
  EXPECT_FALSE(lock->valid());
  EXPECT_EQ(lock->Extend(Seconds(1)).error().code, ErrorCode::kLockLost);
  EXPECT_GT(next->token(), lock->token());
}

TEST_F(BlockingStoreTest, ExtendMovesTheEnd) {
  auto lock = store_->Lock(kCart, {.lease = Seconds(1)});
  ASSERT_TRUE(lock);
  ASSERT_TRUE(lock->Extend(Seconds(20)));
  EXPECT_GT(store_->Lock(kCart).error().locked_for, Seconds(10));
}

TEST_F(BlockingStoreTest, OneThreadAtATimeHasTheLock) {
  constexpr int kThreads = 4;
  int inside = 0;  // guarded by the lock of the store alone
  int rounds = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10; ++i) {
        const auto lock = store_->Lock(kCart, {.wait = Seconds(20)});
        ASSERT_TRUE(lock);
        EXPECT_EQ(++inside, 1);
        ++rounds;
        --inside;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(rounds, kThreads * 10);
}

}  // namespace
}  // namespace mcp_session

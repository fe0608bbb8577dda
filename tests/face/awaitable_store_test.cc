// AwaitableStore: commands as coroutines, many at once, late ones, cancelled ones, and Update.
#include "mcp_session/face/awaitable_store.h"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mcp_session/store/memory_store.h"
#include "mcp_session/system/clock.h"
#include "tests/support/counting_entropy.h"
#include "tests/support/delaying_store.h"
#include "tests/support/printers.h"

namespace mcp_session {
namespace {

namespace asio = boost::asio;

const RecordName kCart{"principal:p", "cart", "cart-id"};
const Lifetime kHour{.idle_ttl = Hours(1)};

class AwaitableStoreTest : public testing::Test {
 protected:
  // Starts a coroutine; what it throws ends the test program.
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
  template <typename T>
  StoreResult<T> Run(asio::awaitable<StoreResult<T>> call) {
    std::optional<StoreResult<T>> result;
    Spawn(Keep<T>(std::move(call), &result));
    RunAll();
    return std::move(*result);
  }
  // Runs what is ready, and does not wait for timers.
  void Poll() {
    loop_.restart();
    loop_.poll();
  }

  int open_ = 0;
  asio::io_context loop_{1};
  SeededEntropy entropy_{1};
  MemorySessionStore memory_{{}, entropy_};
  DelayingStore delaying_{memory_};
  std::unique_ptr<AwaitableStore> store_ =
      std::make_unique<AwaitableStore>(delaying_, loop_.get_executor(), entropy_);

 private:
  template <typename T>
  static asio::awaitable<void> Keep(asio::awaitable<StoreResult<T>> call,
                                    std::optional<StoreResult<T>>* result) {
    StoreResult<T> answer = co_await std::move(call);
    *result = std::move(answer);
  }
};

TEST_F(AwaitableStoreTest, EveryCommandReachesTheStore) {
  const auto made = Run(store_->Create(kCart, "one", kHour));
  ASSERT_TRUE(made);
  EXPECT_EQ(*made->data, "one");
  EXPECT_EQ(*Run(store_->Get(kCart))->data, "one");
  const auto put = Run(store_->Put(kCart, "two", made->version));
  ASSERT_TRUE(put);
  EXPECT_GT(put->version, made->version);
  EXPECT_TRUE(Run(store_->Touch(kCart)));
  const auto sequence = Run(store_->Append(kCart, "event"));
  ASSERT_TRUE(sequence);
  const auto events = Run(store_->ReadEvents(kCart, 0));
  ASSERT_TRUE(events);
  ASSERT_EQ(events->size(), 1u);
  EXPECT_EQ(*(*events)[0].data, "event");
  EXPECT_EQ((*events)[0].sequence, *sequence);
  const auto page = Run(store_->List(kCart.owner, "cart"));
  ASSERT_TRUE(page);
  ASSERT_EQ(page->records.size(), 1u);
  EXPECT_EQ(page->records[0].id, kCart.id);
  EXPECT_EQ(page->cursor, "");
  const RecordName other{"principal:p", "cart", "other-id"};
  EXPECT_EQ(*Run(store_->Regenerate(kCart, other))->data, "two");
  EXPECT_EQ(*Run(store_->Take(other))->data, "two");
  ASSERT_TRUE(Run(store_->Create(kCart, "three", kHour)));
  EXPECT_TRUE(Run(store_->Remove(kCart)).value());
  EXPECT_FALSE(Run(store_->Remove(kCart)).value());
  ASSERT_TRUE(Run(store_->Create(kCart, "four", kHour)));
  EXPECT_EQ(Run(store_->RemoveOwned(kCart.owner)).value(), 1u);
}

TEST_F(AwaitableStoreTest, ErrorsCarryWhatTheCallerNeeds) {
  EXPECT_EQ(Run(store_->Get(kCart)).error().code, ErrorCode::kNotFound);
  const auto made = Run(store_->Create(kCart, "one", kHour));
  const auto again = Run(store_->Create(kCart, "two", kHour));
  EXPECT_EQ(again.error().code, ErrorCode::kExists);
  const auto conflict = Run(store_->Put(kCart, "three", made->version + 100));
  EXPECT_EQ(conflict.error().code, ErrorCode::kConflict);
  EXPECT_EQ(*conflict.error().current.data, "one");
  const auto gap = Run(store_->ReadEvents(kCart, 7));
  EXPECT_EQ(gap.error().code, ErrorCode::kGap);
  EXPECT_NE(gap.error().message, "");
}

TEST_F(AwaitableStoreTest, OutagesAreTold) {
  delaying_.Fail(ErrorCode::kUnavailable);
  const auto found = Run(store_->Get(kCart));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kUnavailable);
  EXPECT_FALSE(found.error().maybe_done);
}

TEST_F(AwaitableStoreTest, AWriteThatComesAgainIsDoneOnce) {
  const auto first = Run(store_->Create(kCart, "one", kHour, 77));
  const auto again = Run(store_->Create(kCart, "one", kHour, 77));
  ASSERT_TRUE(again);
  EXPECT_EQ(first->version, again->version);
}

TEST_F(AwaitableStoreTest, AnswersFindTheirCoroutinesInAnyOrder) {
  constexpr int kCalls = 50;
  std::vector<std::string> found(kCalls);
  for (int i = 0; i < kCalls; ++i) {
    ASSERT_TRUE(Run(store_->Create({"", "n", std::to_string(i)}, std::to_string(i), kHour)));
  }
  delaying_.Hold();
  const auto get = [](AwaitableStore& store, int i, std::string* out) -> asio::awaitable<void> {
    const RecordName name{"", "n", std::to_string(i)};
    StoreResult<Record> record = co_await store.Get(name);
    *out = *record->data;
  };
  for (int i = 0; i < kCalls; ++i) Spawn(get(*store_, i, &found[i]));
  Poll();
  ASSERT_EQ(delaying_.held(), static_cast<std::size_t>(kCalls));
  while (delaying_.held() > 0) delaying_.ReleaseAt(delaying_.held() * 5 / 7);
  RunAll();
  for (int i = 0; i < kCalls; ++i) EXPECT_EQ(found[i], std::to_string(i));
}

// A store that waits for something answers when it ticks; nobody else moves the loop.
TEST_F(AwaitableStoreTest, TicksAtTheStoresDeadlines) {
  AwaitableStore store(memory_, loop_.get_executor(), entropy_);
  ASSERT_TRUE(Run(store.Create(kCart, "one", kHour)));
  const Instant start = MonotonicNow();
  const auto events = Run(store.ReadEvents(kCart, 0, 10, Millis{60}));
  ASSERT_TRUE(events);
  EXPECT_TRUE(events->empty());
  EXPECT_GE(MonotonicNow() - start, Millis{60});
}

TEST_F(AwaitableStoreTest, ACancelledCallIsAnsweredAtOnce) {
  ASSERT_TRUE(Run(store_->Create(kCart, "one", kHour)));
  delaying_.Hold();
  asio::cancellation_signal signal;
  std::optional<StoreResult<Record>> result;
  asio::co_spawn(loop_, store_->Get(kCart),
                 asio::bind_cancellation_slot(signal.slot(), [&](const std::exception_ptr& thrown,
                                                                 StoreResult<Record> answer) {
                   EXPECT_FALSE(thrown);
                   result = std::move(answer);
                 }));
  Poll();
  EXPECT_FALSE(result);
  signal.emit(asio::cancellation_type::terminal);
  Poll();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->error().code, ErrorCode::kCancelled);
  EXPECT_TRUE(result->error().maybe_done);
  // Its answer is for nobody, and harms nobody.
  delaying_.Release();
  EXPECT_EQ(*Run(store_->Get(kCart))->data, "one");
}

TEST_F(AwaitableStoreTest, OpenCallsEndWithTheStore) {
  delaying_.Hold();
  std::optional<ErrorCode> code;
  const auto get = [](AwaitableStore& store,
                      std::optional<ErrorCode>* out) -> asio::awaitable<void> {
    StoreResult<Record> record = co_await store.Get(kCart);
    *out = record.error().code;
  };
  Spawn(get(*store_, &code));
  Poll();
  store_.reset();
  RunAll();
  EXPECT_EQ(code, ErrorCode::kCancelled);
}

// --- Update ---

std::optional<std::string> AddOne(const std::string& data) {
  return std::to_string(std::stoi(data) + 1);
}

TEST_F(AwaitableStoreTest, UpdatesThatRaceAllCount) {
  constexpr int kWriters = 3;
  constexpr int kRounds = 20;
  ASSERT_TRUE(Run(store_->Create(kCart, "0", kHour)));
  int done = 0;
  const auto write = [](AwaitableStore& store, int* successes) -> asio::awaitable<void> {
    for (int i = 0; i < kRounds;) {
      StoreResult<Record> record = co_await store.Update(kCart, AddOne);
      if (!record) continue;  // five conflicts in a row
      ++*successes;
      ++i;
    }
  };
  for (int i = 0; i < kWriters; ++i) Spawn(write(*store_, &done));
  RunAll();
  EXPECT_EQ(done, kWriters * kRounds);
  EXPECT_EQ(*Run(store_->Get(kCart))->data, std::to_string(kWriters * kRounds));
}

TEST_F(AwaitableStoreTest, AnUpdateGivesUpAfterFiveConflicts) {
  ASSERT_TRUE(Run(store_->Create(kCart, "0", kHour)));
  delaying_.Interfere(4);
  EXPECT_EQ(*Run(store_->Update(kCart, AddOne))->data, "1");
  EXPECT_EQ(delaying_.puts(), 5u);
  delaying_.Interfere(5);
  const auto failed = Run(store_->Update(kCart, AddOne));
  EXPECT_EQ(failed.error().code, ErrorCode::kConflict);
  EXPECT_EQ(delaying_.puts(), 10u);
}

TEST_F(AwaitableStoreTest, AnUpdateThatWantsNothingWritesNothing) {
  const auto made = Run(store_->Create(kCart, "0", kHour));
  const auto same =
      Run(store_->Update(kCart, [](const std::string&) { return std::optional<std::string>(); }));
  EXPECT_EQ(same->version, made->version);
  EXPECT_EQ(delaying_.puts(), 0u);
}

TEST_F(AwaitableStoreTest, AnUpdateOfNothingMakesNothing) {
  EXPECT_EQ(Run(store_->Update(kCart, AddOne)).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(Run(store_->Get(kCart)).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace mcp_session

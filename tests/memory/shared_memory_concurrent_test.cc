// Eight threads, each with its loop and its store, on one SharedMemory. Also run under
// ThreadSanitizer (tools/test).
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "mcp_session/memory/shared_memory.h"
#include "tests/store/concurrent.h"
#include "tests/support/counting_entropy.h"

namespace mcp_session {
namespace {

namespace asio = boost::asio;

constexpr int kThreads = 8;
const Lifetime kHour{.idle_ttl = Hours(1)};

class SharingClient final : public StoreUnderTest {
 public:
  explicit SharingClient(SharedMemory& memory) : store_(memory, loop_.get_executor()) {}

  SessionStore& store() override { return store_; }
  Instant Now() override { return Instant{1}; }
  void Wait(Millis) override {}

  StoreReply Run(StoreCommand command) {
    store_.Submit({1}, std::move(command), Now());
    std::vector<StoreReply> replies;
    store_.Drain(&replies);
    EXPECT_EQ(replies.size(), 1u);
    return replies.empty() ? StoreReply{} : std::move(replies[0]);
  }

 private:
  asio::io_context loop_;
  SharedMemoryStore store_;
};

class SharedMemoryConcurrentTest : public testing::Test {
 protected:
  MakeStoreClient MakeClient() {
    return [this](int) { return std::make_unique<SharingClient>(memory_); };
  }

  CountingEntropy entropy_;
  SharedMemory memory_{{}, entropy_};
};

TEST_F(SharedMemoryConcurrentTest, WhatTheThreadsSeeCanBeExplained) {
  const auto violation = RunManyHistories(MakeClient(), 60, {.clients = kThreads});
  EXPECT_EQ(violation, std::nullopt) << *violation;
}

TEST_F(SharedMemoryConcurrentTest, NoUpdateIsLost) {
  EXPECT_EQ(RunConcurrentCounters(MakeClient(), kThreads, 500), std::nullopt);
}

TEST_F(SharedMemoryConcurrentTest, ALockHasOneHolder) {
  const RecordKey key{"alice", "counter", "1"};
  std::atomic<int> holders{0}, overlaps{0};
  std::vector<std::thread> threads;
  for (int t = 1; t <= kThreads; ++t) {
    threads.emplace_back([&, t] {
      SharingClient client(memory_);
      for (int granted = 0; granted < 100;) {
        const auto holder = static_cast<std::uint64_t>(t * 1000 + granted);
        if (!client.Run(store::Lock{key, holder, Seconds(10)}).error) {
          ++granted;
          if (++holders != 1) ++overlaps;
          std::this_thread::yield();
          --holders;
          client.Run(store::Unlock{key, holder});
        }
        std::this_thread::yield();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(overlaps, 0);
}

TEST_F(SharedMemoryConcurrentTest, ARecordThatMovesBetweenShardsIsNeverTwiceNorNowhere) {
  SharingClient main(memory_);
  // One ball, eight hands in different shards.
  const auto hand = [](int i) { return std::to_string(i); };
  const std::string first = hand(0);
  ASSERT_EQ(main.Run(store::Create{{"", "ball", first}, "ball", kHour}).error, std::nullopt);
  std::atomic<int> moves{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      SharingClient client(memory_);
      for (int i = 0; i < 1000; ++i) {
        const std::string from = hand((i + t) % 8);
        const std::string to = hand((i * 5 + t * 3 + 1) % 8);
        const StoreReply reply =
            client.Run(store::Regenerate{{"", "ball", from}, {"", "ball", to}});
        if (!reply.error) ++moves;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  int found = 0;
  for (int i = 0; i < 8; ++i) {
    const std::string id = hand(i);
    if (!main.Run(store::Get{{"", "ball", id}}).error) ++found;
  }
  EXPECT_EQ(found, 1);
  EXPECT_GT(moves, 0);
  EXPECT_EQ(memory_.size(), 1u);
}

// Each thread appends to the stream of the next and waits for what the one before it appends: the
// replies of all of them come from other threads.
TEST_F(SharedMemoryConcurrentTest, EachThreadHearsOfEveryEvent) {
  constexpr int kEvents = 200;
  const auto id = [](int thread) { return std::to_string(thread % kThreads); };
  SharingClient main(memory_);
  for (int i = 0; i < kThreads; ++i) {
    const std::string name = id(i);
    ASSERT_EQ(main.Run(store::Create{{"", "stream", name}, "", kHour}).error, std::nullopt);
  }
  std::vector<int> heard(kThreads);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      asio::io_context loop;
      const auto work = asio::make_work_guard(loop);
      SharedMemoryStore store(memory_, loop.get_executor());
      store.OnReady([] {});
      const std::string own = id(i), next = id(i + 1);
      std::uint64_t after = 0;
      bool waits = false;
      int& count = heard[static_cast<std::size_t>(i)];
      const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
      for (int sent = 0; sent < kEvents || count < kEvents;) {
        if (!waits) {
          store.Submit({1}, store::ReadEvents{{"", "stream", own}, after, 100, kMaxEventWait},
                       Instant{1});
        }
        waits = true;
        if (sent < kEvents) {
          store.Submit({2}, store::Append{{"", "stream", next}, "event", kMaxEventLimit},
                       Instant{1});
          ++sent;
        }
        std::this_thread::yield();
        loop.poll();
        std::vector<StoreReply> replies;
        store.Drain(&replies);
        for (const StoreReply& reply : replies) {
          if (reply.ticket.number != 1) continue;
          waits = false;
          count += static_cast<int>(reply.events.size());
          if (!reply.events.empty()) after = reply.events.back().sequence;
        }
        if (!waits || sent < kEvents || count == kEvents) continue;
        loop.run_one_for(std::chrono::seconds(10));
        if (std::chrono::steady_clock::now() > end) return;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(heard, std::vector<int>(kThreads, kEvents));
}

}  // namespace
}  // namespace mcp_session

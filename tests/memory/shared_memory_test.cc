// SharedMemory: the contract through one store, and what several loops do to each other.
#include "mcp_session/memory/shared_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/memory/shared_memory_backend.h"
#include "tests/store/contract.h"
#include "tests/store/matchers.h"
#include "tests/support/counting_entropy.h"

namespace mcp_session {
namespace {

namespace asio = boost::asio;

INSTANTIATE_TEST_SUITE_P(SharedMemory, StoreContract, testing::Values(SharedMemoryBackend()),
                         StoreBackendName);
INSTANTIATE_TEST_SUITE_P(SharedMemory, StoreExtrasContract, testing::Values(SharedMemoryBackend()),
                         StoreBackendName);

// A loop's own store, as the thread of that loop uses it.
class Client {
 public:
  explicit Client(SharedMemory& memory) : store_(memory, loop_.get_executor()) {
    store_.OnReady([this] { ++told_; });
  }

  StoreReply Run(StoreCommand command, Instant now = Instant{0}) {
    store_.Submit(StoreTicket{++last_ticket_}, std::move(command), now);
    std::vector<StoreReply> replies;
    store_.Drain(&replies);
    if (replies.size() != 1) return StoreReply{.error = ErrorCode::kInternal};
    return std::move(replies[0]);
  }

  void Submit(StoreCommand command, Instant now = Instant{0}) {
    store_.Submit(StoreTicket{++last_ticket_}, std::move(command), now);
  }

  std::vector<StoreReply> Drain() {
    std::vector<StoreReply> replies;
    store_.Drain(&replies);
    return replies;
  }

  SharedMemoryStore& store() { return store_; }
  asio::io_context& loop() { return loop_; }
  int told() const { return told_; }

 private:
  asio::io_context loop_;
  SharedMemoryStore store_;
  std::uint64_t last_ticket_ = 0;
  int told_ = 0;
};

const Lifetime kHour{.idle_ttl = Hours(1)};

TEST(SharedMemory, WhatOneLoopCreatesTheOthersFind) {
  CountingEntropy entropy;
  SharedMemory memory({}, entropy);
  Client a(memory), b(memory);
  const RecordKey key{"alice", "session", "1"};
  ASSERT_THAT(a.Run(store::Create{key, "data", kHour}), IsDone());
  EXPECT_THAT(b.Run(store::Get{key}), Holds("data"));
  EXPECT_THAT(b.Run(store::Create{key, "other", kHour}), FailsWith(ErrorCode::kExists));
  EXPECT_EQ(b.Run(store::List{"alice", "session", {}, 10}).listed.size(), 1u);
}

TEST(SharedMemory, AnEventWakesTheReaderOfAnotherLoop) {
  CountingEntropy entropy;
  SharedMemory memory({}, entropy);
  Client a(memory), b(memory);
  const RecordKey key{"alice", "session", "1"};
  ASSERT_THAT(a.Run(store::Create{key, "data", kHour}), IsDone());
  a.Submit(store::ReadEvents{key, 0, 10, Seconds(30)});
  EXPECT_THAT(a.Drain(), testing::IsEmpty());
  ASSERT_THAT(b.Run(store::Append{key, "event"}), IsDone());
  EXPECT_THAT(b.Drain(), testing::IsEmpty());
  EXPECT_EQ(a.told(), 0) << "it is told on its own loop";
  a.loop().run();
  EXPECT_EQ(a.told(), 1);
  const std::vector<StoreReply> replies = a.Drain();
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies[0].ticket, StoreTicket{2});
  ASSERT_EQ(replies[0].events.size(), 1u);
  EXPECT_EQ(*replies[0].events[0].data, "event");
}

TEST(SharedMemory, ALoopIsToldOnceUntilItDrains) {
  CountingEntropy entropy;
  SharedMemory memory({}, entropy);
  Client a(memory), b(memory);
  for (const char* id : {"1", "2", "3"}) {
    ASSERT_THAT(b.Run(store::Create{{"alice", "session", id}, "", kHour}), IsDone());
    a.Submit(store::ReadEvents{{"alice", "session", id}, 0, 10, Seconds(30)});
  }
  const auto append_to = [&b](std::string_view id) {
    return b.Run(store::Append{{"alice", "session", id}, "event"});
  };
  ASSERT_THAT(append_to("1"), IsDone());
  ASSERT_THAT(append_to("2"), IsDone());
  a.loop().run();
  EXPECT_EQ(a.told(), 1);
  EXPECT_EQ(a.Drain().size(), 2u);
  ASSERT_THAT(append_to("3"), IsDone());
  a.loop().restart();
  a.loop().run();
  EXPECT_EQ(a.told(), 2);
  EXPECT_EQ(a.Drain().size(), 1u);
}

TEST(SharedMemory, AWaitEndsWhicheverLoopTicks) {
  CountingEntropy entropy;
  SharedMemory memory({}, entropy);
  Client a(memory), b(memory);
  const RecordKey key{"alice", "session", "1"};
  ASSERT_THAT(a.Run(store::Create{key, "data", kHour}), IsDone());
  a.Submit(store::ReadEvents{key, 0, 10, Seconds(30)});
  EXPECT_LE(b.store().NextDeadline(), Instant{30'000});
  b.store().Tick(Instant{30'000});
  a.loop().run();
  const std::vector<StoreReply> replies = a.Drain();
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_THAT(replies[0], IsDone());
  EXPECT_TRUE(replies[0].events.empty());
}

TEST(SharedMemory, AReaderThatIsGoneIsNotAnswered) {
  CountingEntropy entropy;
  SharedMemory memory({}, entropy);
  Client b(memory);
  const RecordKey key{"alice", "session", "1"};
  {
    Client a(memory);
    ASSERT_THAT(a.Run(store::Create{key, "data", kHour}), IsDone());
    a.Submit(store::ReadEvents{key, 0, 10, Seconds(30)});
  }
  EXPECT_THAT(b.Run(store::Append{key, "event"}), IsDone());
}

TEST(SharedMemory, ALoopThatLooksAtTheClockLateDoesNoHarm) {
  CountingEntropy entropy;
  SharedMemory memory({}, entropy);
  Client a(memory), b(memory);
  const RecordKey key{"alice", "session", "1"};
  ASSERT_THAT(a.Run(store::Create{key, "data", kHour}, Instant{5000}), IsDone());
  EXPECT_THAT(b.Run(store::Get{key}, Instant{4990}), Holds("data"));
  EXPECT_EQ(b.Run(store::Get{key}, Instant{4990}).record.expires_in, Hours(1));
}

TEST(SharedMemory, LimitsAreForAllShardsTogether) {
  CountingEntropy entropy;
  SharedMemory memory({.max_records = 1000}, entropy);
  Client a(memory);
  int created = 0;
  for (int i = 0; i < 2000; ++i) {
    const std::string id = std::to_string(i);
    const StoreReply reply = a.Run(store::Create{{"", "session", id}, "", kHour});
    if (!reply.error) {
      ++created;
    } else {
      ASSERT_EQ(reply.error, ErrorCode::kCapacity);
    }
  }
  EXPECT_EQ(created, 1000);
  EXPECT_EQ(memory.size(), 1000u);
}

TEST(SharedMemory, TheAnonymousShareIsOfAllShardsTogether) {
  CountingEntropy entropy;
  SharedMemory memory({.max_records = 100, .anonymous_percent = 20}, entropy);
  Client client(memory);
  int created = 0;
  for (int i = 0; i < 200; ++i) {
    const std::string id = std::to_string(i);
    if (!client.Run(store::Create{{"", "session", id}, "x", kHour}).error) ++created;
  }
  EXPECT_EQ(created, 20);
  for (int i = 0; i < 80; ++i) {
    const std::string owner = "user-" + std::to_string(i);
    EXPECT_THAT(client.Run(store::Create{{owner, "session", "1"}, "x", kHour}), IsDone()) << i;
  }
}

TEST(SharedMemory, BytesAreCountedOverAllShards) {
  CountingEntropy entropy;
  SharedMemory memory({.max_bytes = 4u << 20}, entropy);
  Client a(memory);
  const std::size_t empty = memory.MemoryUse();
  int created = 0;
  while (!a.Run(store::Create{
                    {"", "session", std::to_string(created)}, std::string(10'000, 'x'), kHour})
              .error) {
    ++created;
  }
  EXPECT_LE(memory.MemoryUse(), 4u << 20);
  EXPECT_GT(created, 300);
  a.store().Tick(Instant{Hours(1).count});
  for (int i = 0; i < 100 && memory.size() > 0; ++i)
    a.store().Tick(Instant{Hours(1).count + i * 1000});
  EXPECT_EQ(memory.size(), 0u);
  EXPECT_EQ(memory.MemoryUse(), empty);
}

}  // namespace
}  // namespace mcp_session

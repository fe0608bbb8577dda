// The contract, and what MemorySessionStore promises beyond it: bounds on memory and on work.
#include "mcp_session/store/memory_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/store/contract.h"
#include "tests/store/matchers.h"
#include "tests/store/memory_backend.h"
#include "tests/support/counting_entropy.h"
#include "tests/support/manual_clock.h"

namespace mcp_session {
namespace {

INSTANTIATE_TEST_SUITE_P(Memory, StoreContract, testing::Values(MemoryBackend()), StoreBackendName);
INSTANTIATE_TEST_SUITE_P(Memory, StoreExtrasContract, testing::Values(MemoryBackend()),
                         StoreBackendName);

constexpr RecordKey kRecord{"", "session", "id-1"};
constexpr Lifetime kHalfHour{.idle_ttl = Minutes(30)};

// A store with its clock, and commands that answer at once.
class Memory {
 public:
  explicit Memory(const MemoryStoreOptions& options = {}) : store(options, entropy_) {}

  StoreReply Run(StoreCommand command) {
    std::vector<StoreReply> replies;
    store.Submit({1}, std::move(command), clock.Now());
    store.Drain(&replies);
    EXPECT_EQ(replies.size(), 1u);
    return std::move(replies.front());
  }

  StoreReply Create(const RecordKey& key, std::string data = "data",
                    const Lifetime& lifetime = kHalfHour) {
    return Run(store::Create{key, std::move(data), lifetime});
  }

  // Ticks as a host does until the store wants nothing more now. Answers how often.
  int TickWhileDue() {
    int ticks = 0;
    while (store.NextDeadline() <= clock.Now()) {
      store.Tick(clock.Now());
      ++ticks;
      if (store.NextDeadline() < clock.Now() + Millis{50}) clock.AdvanceTo(store.NextDeadline());
    }
    return ticks;
  }

  ManualClock clock;

 private:
  CountingEntropy entropy_;

 public:
  MemorySessionStore store;
};

TEST(MemorySessionStore, GetAnswersTheSameBytesWithoutCopyingThem) {
  Memory memory;
  const StoreReply created = memory.Create(kRecord, std::string(1000, 'x'));
  EXPECT_EQ(memory.Run(store::Get{kRecord}).record.data, created.record.data);
}

struct TouchCase {
  Millis idle_ttl;
  Millis after;  // creation
  bool moves;
};

class LazyTouch : public testing::TestWithParam<TouchCase> {};

TEST_P(LazyTouch, GetMovesTheEndOnlyWhenThatIsDue) {
  const auto& [idle_ttl, after, moves] = GetParam();
  Memory memory;
  memory.Create(kRecord, "x", {.idle_ttl = idle_ttl});
  memory.clock.Advance(after);
  const Millis unmoved{idle_ttl.count - after.count};
  EXPECT_EQ(memory.Run(store::Get{kRecord}).record.expires_in, moves ? idle_ttl : unmoved);
}

INSTANTIATE_TEST_SUITE_P(Cases, LazyTouch,
                         testing::Values(TouchCase{Seconds(100), Millis{9'999}, false},
                                         TouchCase{Seconds(100), Millis{10'000}, true},
                                         TouchCase{Millis{15}, Millis{1}, false},
                                         TouchCase{Millis{15}, Millis{2}, true},
                                         TouchCase{Hours(24), Millis{59'999}, false},
                                         TouchCase{Hours(24), Millis{60'000}, true},
                                         TouchCase{kMaxLifetime, Minutes(1), true}));

// The last accesses before max_life are due although they can move the end only a little.
TEST(MemorySessionStore, GetMovesTheEndUpToMaxLife) {
  Memory memory;
  memory.Create(kRecord, "x", {.idle_ttl = Seconds(1), .max_life = Millis{1'050}});
  memory.clock.Advance(Millis{900});
  EXPECT_EQ(memory.Run(store::Get{kRecord}).record.expires_in, Millis{150});
}

TEST(MemorySessionStore, AnEmptyStoreWantsNothing) {
  Memory memory;
  EXPECT_EQ(memory.store.NextDeadline(), kNever);
  memory.Create(kRecord);
  EXPECT_NE(memory.store.NextDeadline(), kNever);
  memory.Run(store::Remove{kRecord});
  EXPECT_EQ(memory.store.NextDeadline(), kNever);
}

TEST(MemorySessionStore, ALoneSessionIsLeftAlone) {
  Memory memory;
  memory.Create(kRecord);
  int ticks = 0;
  for (int minute = 0; minute < 600; ++minute) {
    memory.clock.Advance(Minutes(1));
    ASSERT_THAT(memory.Run(store::Touch{kRecord}), IsDone());
    ticks += memory.TickWhileDue();
  }
  EXPECT_LE(ticks, 600 / 29);
  memory.clock.Advance(Minutes(30));
  EXPECT_EQ(memory.TickWhileDue(), 1);
  EXPECT_EQ(memory.store.size(), 0u);
}

TEST(MemorySessionStore, ItIsSweptOnceASecondAtMost) {
  Memory memory;
  for (int i = 0; i < 1000; ++i) {  // one ends every 10 ms
    memory.Create({"", "session", std::to_string(i)}, "x", {.max_life = Millis{1000 + 10 * i}});
  }
  int ticks = 0;
  for (int step = 0; step < 12'000; ++step, memory.clock.Advance(Millis{1})) {
    if (memory.store.NextDeadline() > memory.clock.Now()) continue;
    memory.store.Tick(memory.clock.Now());
    ++ticks;
  }
  EXPECT_LE(ticks, 12);
  EXPECT_EQ(memory.store.size(), 0u);
}

TEST(MemorySessionStore, ATickFrees250RecordsAtMost) {
  Memory memory;
  for (int i = 0; i < 875; ++i) memory.Create({"", "session", std::to_string(i)});
  memory.clock.Advance(Minutes(30));
  for (const std::size_t left : {625u, 375u, 125u, 0u}) {
    ASSERT_LE(memory.store.NextDeadline(), memory.clock.Now());
    memory.store.Tick(memory.clock.Now());
    EXPECT_EQ(memory.store.size(), left);
    EXPECT_GT(memory.store.NextDeadline(), memory.clock.Now()) << "the host would spin";
    memory.clock.Advance(Millis{1});
  }
  EXPECT_EQ(memory.store.NextDeadline(), kNever);
}

TEST(MemorySessionStore, ATickThatIsNotDueDoesNothing) {
  Memory memory;
  memory.Create(kRecord);
  const Instant due = memory.store.NextDeadline();
  memory.clock.AdvanceTo(due + Millis{-1});
  memory.store.Tick(memory.clock.Now());
  EXPECT_EQ(memory.store.NextDeadline(), due);
  EXPECT_EQ(memory.store.size(), 1u);
}

// Records come, go and are replaced between the steps of each sweep, and move the others about;
// some seconds later every dead one is gone all the same.
TEST(MemorySessionStore, ASweepMissesNothingWhileRecordsComeAndGo) {
  Memory memory({.max_records_per_owner = 100'000});
  SeededEntropy random(7);
  std::vector<std::pair<std::string, Instant>> live;  // ids and ends
  for (int round = 0; round < 30; ++round) {
    for (int i = 0; i < 600; ++i) {
      const std::string id = std::to_string(round) + "-" + std::to_string(i);
      const Millis life{1 + static_cast<std::int64_t>(random.Below(9000))};
      ASSERT_THAT(memory.Create({"", "session", id}, "x", {.max_life = life}), IsDone());
      live.emplace_back(id, memory.clock.Now() + life);
    }
    for (int step = 0; step < 10; ++step) {
      memory.clock.Advance(Millis{250});
      memory.store.Tick(memory.clock.Now());
      for (int i = 0; i < 20; ++i) {
        const std::size_t victim = random.Below(live.size());
        const bool alive = memory.clock.Now() < live[victim].second;
        ASSERT_THAT(memory.Run(store::Remove{{"", "session", live[victim].first}}),
                    Removed(alive ? 1 : 0));
        live[victim] = live.back();
        live.pop_back();
      }
    }
    memory.clock.Advance(Millis{1001});
    memory.TickWhileDue();
    const Instant now = memory.clock.Now();
    live.erase(std::remove_if(live.begin(), live.end(),
                              [now](const auto& record) { return record.second <= now; }),
               live.end());
    ASSERT_EQ(memory.store.size(), live.size()) << "round " << round;
  }
}

TEST(MemorySessionStore, AFloodIsRefusedAndHurtsNobody) {
  Memory memory({.max_records = 10'000});
  const RecordKey resident{"alice", "session", "resident"};
  ASSERT_THAT(memory.Create(resident, "mine"), IsDone());
  std::size_t most = 0;
  int refused = 0;
  for (int i = 0; i < 100'000; ++i) {
    const StoreReply reply = memory.Create({"", "session", "flood-" + std::to_string(i)});
    if (reply.error == ErrorCode::kCapacity) ++refused;
    most = std::max(most, memory.store.MemoryUse());
  }
  EXPECT_EQ(refused, 90'001);
  EXPECT_EQ(memory.store.size(), 10'000u);
  EXPECT_LT(most, 10'000u * 400);
  EXPECT_THAT(memory.Run(store::Get{resident}), Holds("mine"));
}

TEST(MemorySessionStore, AFullStoreTakesNewRecordsAsOldOnesDie) {
  Memory memory({.max_records = 1000});
  for (int i = 0; i < 1000; ++i) {
    memory.Create({"", "session", std::to_string(i)}, "x", {.max_life = Millis{1000 + i}});
  }
  memory.clock.Advance(Millis{999});
  EXPECT_THAT(memory.Create({"", "session", "new"}), FailsWith(ErrorCode::kCapacity));
  for (int i = 0; i < 1000; ++i) {
    memory.clock.Advance(Millis{1});
    const std::string id = "new-" + std::to_string(i);
    ASSERT_THAT(memory.Create({"", "session", id}), IsDone());
    ASSERT_THAT(memory.Create({"", "session", "more"}), FailsWith(ErrorCode::kCapacity));
  }
}

// The largest MemoryUse of a store without limits that does `work`, and the same work under that
// limit and one byte less.
template <typename Work>
void ExpectExactByteLimit(Work work) {
  Memory unlimited;
  ASSERT_THAT(work(unlimited), IsDone());
  const std::size_t use = unlimited.store.MemoryUse();
  Memory enough({.max_bytes = use});
  EXPECT_THAT(work(enough), IsDone());
  EXPECT_EQ(enough.store.MemoryUse(), use);
  Memory less({.max_bytes = use - 1});
  EXPECT_THAT(work(less), FailsWith(ErrorCode::kCapacity));
  EXPECT_LE(less.store.MemoryUse(), use - 1);
}

TEST(MemorySessionStore, TheByteLimitIsExactForCreate) {
  for (const int count : {1, 14, 15, 28, 29, 100}) {  // at 15 and 29 the index grows
    for (const bool owned : {false, true}) {
      SCOPED_TRACE(testing::Message() << count << (owned ? " owners" : " bearer records"));
      ExpectExactByteLimit([&](Memory& memory) {
        for (int i = 1; i < count; ++i) {
          const std::string id = std::to_string(i);
          memory.Create({owned ? id : "", "session", id});
        }
        return memory.Create({owned ? "last" : "", "session", "last"}, std::string(1000, 'x'));
      });
    }
  }
}

TEST(MemorySessionStore, TheByteLimitIsExactForPut) {
  ExpectExactByteLimit([](Memory& memory) {
    memory.Create(kRecord, "small");
    return memory.Run(store::Put{kRecord, std::string(1000, 'x'), std::nullopt});
  });
}

TEST(MemorySessionStore, APutWithoutRoomChangesNothing) {
  Memory memory({.max_bytes = 10'000});
  const StoreReply created = memory.Create(kRecord, std::string(5000, 'x'));
  memory.clock.Advance(Minutes(1));
  EXPECT_THAT(memory.Run(store::Put{kRecord, std::string(20'000, 'y'), std::nullopt}),
              FailsWith(ErrorCode::kCapacity));
  EXPECT_THAT(memory.Run(store::Put{kRecord, std::string(5000, 'z'), std::nullopt}), IsDone());
  EXPECT_THAT(memory.Run(store::Put{kRecord, "less", std::nullopt}), Holds("less"));
}

TEST(MemorySessionStore, DeadBytesMakeRoom) {
  Memory memory({.max_bytes = 20'000});
  for (int i = 0; i < 10; ++i)
    memory.Create({"", "session", std::to_string(i)}, std::string(1500, 'x'));
  ASSERT_THAT(memory.Create(kRecord, std::string(9000, 'x')), FailsWith(ErrorCode::kCapacity));
  memory.clock.Advance(Minutes(30));
  ASSERT_THAT(memory.Create(kRecord, std::string(9000, 'x')), IsDone());
  for (int i = 0; i < 4; ++i) {
    memory.Create({"", "session", std::to_string(i)}, std::string(1500, 'x'),
                  {.max_life = Seconds(1)});
  }
  const store::Put grow{kRecord, std::string(15'000, 'x'), std::nullopt};
  ASSERT_THAT(memory.Run(grow), FailsWith(ErrorCode::kCapacity));
  memory.clock.Advance(Seconds(1));
  EXPECT_THAT(memory.Run(grow), IsDone());
  EXPECT_EQ(memory.store.size(), 1u);
}

TEST(MemorySessionStore, MemoryUseFollowsTheData) {
  Memory memory;
  memory.Create(kRecord, "small");
  const std::size_t small = memory.store.MemoryUse();
  memory.Run(store::Put{kRecord, std::string(50'000, 'x'), std::nullopt});
  EXPECT_GE(memory.store.MemoryUse(), small + 50'000);
  memory.Run(store::Put{kRecord, "small", std::nullopt});
  EXPECT_EQ(memory.store.MemoryUse(), small);
}

TEST(MemorySessionStore, RoomThatAStringKeptForGrowthIsGivenBack) {
  const auto make_data = [] {
    std::string data = "little";
    data.reserve(60'000);
    return data;
  };
  Memory memory;
  memory.Create(kRecord, make_data());
  const std::size_t created = memory.store.MemoryUse();
  EXPECT_LT(created, 5'000u);
  memory.Run(store::Put{kRecord, make_data(), std::nullopt});
  EXPECT_EQ(memory.store.MemoryUse(), created);
}

TEST(MemorySessionStore, MemoryUseReturnsToTheBeginning) {
  Memory memory({.max_records_per_owner = 1000});
  const std::size_t empty = memory.store.MemoryUse();
  for (const bool expire : {false, true}) {
    for (int i = 0; i < 5000; ++i) {
      const std::string owner = "owner-" + std::to_string(i % 50);
      memory.Create({i % 2 ? owner : "", "session", std::to_string(i)}, std::string(i % 700, 'x'));
    }
    if (expire) {
      memory.clock.Advance(Minutes(30));
      memory.TickWhileDue();
    } else {
      for (int i = 0; i < 5000; ++i) {
        const std::string owner = "owner-" + std::to_string(i % 50);
        memory.Run(store::RemoveOwned{owner});
        memory.Run(store::Remove{{"", "session", std::to_string(i)}});
      }
    }
    EXPECT_EQ(memory.store.size(), 0u);
    EXPECT_EQ(memory.store.MemoryUse(), empty);
  }
}

TEST(MemorySessionStore, ItMayBeDestroyedWithAllItHolds) {
  StoreReply kept;
  {
    Memory memory;
    for (int i = 0; i < 100; ++i) memory.Create({"alice", "session", std::to_string(i)});
    kept = memory.Run(store::Get{{"alice", "session", "7"}});
    memory.store.Submit({1}, store::Get{kRecord}, memory.clock.Now());  // never drained
  }
  ASSERT_THAT(kept, IsDone());
  EXPECT_EQ(*kept.record.data, "data");
}

}  // namespace
}  // namespace mcp_session

// Whether MemoryUse is what a store really takes: this program counts what it allocates.
#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "mcp_session/store/memory_store.h"
#include "tests/support/counting_entropy.h"

namespace {
std::size_t allocated = 0;  // now, with what the allocator adds to each block

std::size_t SizeOf(void* block) { return malloc_usable_size(block) + sizeof(void*); }
}  // namespace

void* operator new(std::size_t size) {
  void* block = std::malloc(size);
  if (block == nullptr) std::abort();
  allocated += SizeOf(block);
  return block;
}
void operator delete(void* block) noexcept {
  if (block == nullptr) return;
  allocated -= SizeOf(block);
  std::free(block);
}
void operator delete(void* block, std::size_t) noexcept { operator delete(block); }

namespace mcp_session {
namespace {

struct Population {
  int records;
  std::size_t data_bytes;
  int owners;  // 0: bearer records
};

std::string IdOf(int i) {
  std::string id = "record-" + std::to_string(i);
  id.resize(43, '_');
  return id;
}

std::string OwnerOf(int i, const Population& population) {
  if (population.owners == 0) return "";
  return "https://issuer.example|user-" + std::to_string(i % population.owners);
}

// Creates them, replaces the data of every third, and removes every tenth.
int Populate(MemorySessionStore& store, const Population& population) {
  int live = 0;
  for (int i = 0; i < population.records; ++i) {
    const std::string owner = OwnerOf(i, population);
    const std::string id = IdOf(i);
    const RecordKey key{owner, "session", id};
    store.Submit(
        {}, store::Create{key, std::string(population.data_bytes, 'x'), {.idle_ttl = Minutes(30)}},
        Instant{0});
    if (i % 3 == 0) {
      store.Submit({}, store::Put{key, std::string(population.data_bytes, 'y'), std::nullopt},
                   Instant{0});
    }
    if (i % 10 == 9) store.Submit({}, store::Remove{key}, Instant{0});
    live += i % 10 == 9 ? 0 : 1;
    std::vector<StoreReply> replies;
    store.Drain(&replies);
    for (const StoreReply& reply : replies) EXPECT_FALSE(reply.error);
  }
  return live;
}

class MemoryUse : public testing::TestWithParam<Population> {};

TEST_P(MemoryUse, IsWhatIsAllocated) {
  CountingEntropy entropy;
  const std::size_t before = allocated;
  MemorySessionStore store({.max_records_per_owner = 100'000}, entropy);
  Populate(store, GetParam());
  const auto real = static_cast<double>(allocated - before);
  // Allocators round differently, those of sanitizers hardly at all.
  EXPECT_NEAR(static_cast<double>(store.MemoryUse()), real, 0.15 * real + 1000);
}

INSTANTIATE_TEST_SUITE_P(Populations, MemoryUse,
                         testing::Values(Population{0, 0, 0}, Population{1, 10, 0},
                                         Population{1000, 0, 0}, Population{10'000, 512, 0},
                                         Population{10'000, 512, 10'000}, Population{10'000, 40, 7},
                                         Population{100, 60'000, 10}),
                         [](const auto& info) {
                           return std::to_string(info.param.records) + "x" +
                                  std::to_string(info.param.data_bytes) + "of" +
                                  std::to_string(info.param.owners);
                         });

// 43 characters of id, 7 of kind; all that is not data counts, the key too.
TEST(MemoryUse, OverheadIsAtMost260BytesPerRecord) {
  CountingEntropy entropy;
  for (const int records : {10'000, 50'000, 100'000}) {
    const std::size_t before = allocated;
    MemorySessionStore store({}, entropy);
    const int live = Populate(store, {records, 512, 0});
    const auto real = static_cast<double>(allocated - before);
    EXPECT_LE(real / live - 512, 260.0) << records << " records";
  }
}

TEST(MemoryUse, IsBackAtTheBeginningWhenAllIsGone) {
  CountingEntropy entropy;
  MemorySessionStore store({.max_records_per_owner = 100'000}, entropy);
  const std::size_t empty = store.MemoryUse();
  const std::size_t before = allocated;
  for (int round = 0; round < 3; ++round) {
    Populate(store, {20'000, 100, round * 100});
    const Instant later{Hours(1).count * (round + 1)};
    while (store.NextDeadline() != kNever) {
      store.Tick(std::max(store.NextDeadline(), later));
    }
    EXPECT_EQ(store.size(), 0u);
    EXPECT_EQ(store.MemoryUse(), empty);
    // The buffer of replies grew.
    EXPECT_NEAR(static_cast<double>(allocated), static_cast<double>(before), 1000);
  }
}

}  // namespace
}  // namespace mcp_session

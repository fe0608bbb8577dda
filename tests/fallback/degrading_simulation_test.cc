// Random outages against a DegradingStore, and a referee who sees both sides. Each seed is one
// world, and plays the same each time:
//
//   - callers create, read, write, touch, take, remove and list records, give them new keys, lock
//     them and write under tokens; one command at a time on each key, replies late
//   - sessions that own records of their own, and strangers who know the ids but not the owner
//   - the backend goes away at any time; of what is under way nobody hears whether it was done
//   - another process creates records in the backend meanwhile
//
// The environment variable FALLBACK_WORLDS says how many worlds, FALLBACK_SEED which is the first.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "tests/fallback/simulated_world.h"

namespace mcp_session {
namespace {

std::uint64_t FromEnvironment(const char* name, std::uint64_t by_default) {
  const char* wanted = std::getenv(name);
  return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : by_default;
}

TEST(DegradingSimulation, NothingIsLostOverwrittenOrRevived) {
  const std::uint64_t worlds = FromEnvironment("FALLBACK_WORLDS", 1000);
  const std::uint64_t first = FromEnvironment("FALLBACK_SEED", 1);
  DegradingCounters sum;
  for (std::uint64_t seed = first; seed < first + worlds; ++seed) {
    SCOPED_TRACE("FALLBACK_SEED=" + std::to_string(seed));
    SimulatedWorld world(seed);
    world.Play();
    if (HasFailure()) return;
    sum.moved += world.counters().moved;
    sum.lost += world.counters().lost;
    sum.removed += world.counters().removed;
    sum.refused += world.counters().refused;
  }
  // The worlds are not empty.
  EXPECT_GE(sum.moved, worlds);
  EXPECT_GE(sum.lost, worlds / 8);
  EXPECT_GE(sum.removed, worlds / 2);
  EXPECT_GE(sum.refused, worlds);
}

}  // namespace
}  // namespace mcp_session

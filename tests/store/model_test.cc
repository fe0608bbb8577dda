// MemorySessionStore agrees with the model, and gives back what it took.
#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

#include "mcp_session/store/memory_store.h"
#include "tests/store/memory_backend.h"
#include "tests/store/model_suite.h"

namespace mcp_session {
namespace {

// The index of the locks stays as large as it once was until there are more of them.
bool IsLockIndex(std::size_t bytes) {
  constexpr std::size_t kSmallest = 16, kSlotBytes = 16;
  for (std::size_t slots = kSmallest; slots <= 128; slots += slots / 4) {
    if (bytes == (slots - kSmallest) * kSlotBytes) return true;
  }
  return false;
}

std::string FindRemains(StoreUnderTest& under_test) {
  auto& store = static_cast<MemorySessionStore&>(under_test.store());
  if (store.size() != 0) return "dead records are kept";
  // Locks whose lease was over are counted until the next one is granted.
  std::vector<StoreReply> replies;
  const RecordKey key{"", "session", "any"};
  store.Submit({1}, store::Lock{key, 1, kMaxLease}, under_test.Now());
  store.Submit({2}, store::Unlock{key, 1}, under_test.Now());
  store.Drain(&replies);
  MemoryStoreUnderTest empty({});
  const std::size_t fresh = static_cast<MemorySessionStore&>(empty.store()).MemoryUse();
  if (store.MemoryUse() < fresh) return "bytes are freed that were not counted";
  return IsLockIndex(store.MemoryUse() - fresh) ? "" : "bytes are counted that are not there";
}

INSTANTIATE_TEST_SUITE_P(Memory, StoreModel,
                         testing::Values(ModelBackend{.backend = MemoryBackend(),
                                                      .sequences = 10'000,
                                                      .has_manual_clock = true,
                                                      .find_remains = FindRemains}),
                         ModelBackendName);

}  // namespace
}  // namespace mcp_session

// MemorySessionStore agrees with the model, and gives back what it took.
#include <gtest/gtest.h>

#include <string>

#include "mcp_session/store/memory_store.h"
#include "tests/store/memory_backend.h"
#include "tests/store/model_suite.h"

namespace mcp_session {
namespace {

std::string FindRemains(StoreUnderTest& under_test) {
  const auto& store = static_cast<const MemorySessionStore&>(under_test.store());
  if (store.size() != 0) return "dead records are kept";
  MemoryStoreUnderTest empty({});
  const auto& fresh = static_cast<const MemorySessionStore&>(empty.store());
  return store.MemoryUse() == fresh.MemoryUse() ? "" : "bytes are counted that are not there";
}

INSTANTIATE_TEST_SUITE_P(Memory, StoreModel,
                         testing::Values(ModelBackend{.backend = MemoryBackend(),
                                                      .sequences = 10'000,
                                                      .has_manual_clock = true,
                                                      .lists_by_age = true,
                                                      .find_remains = FindRemains}),
                         ModelBackendName);

}  // namespace
}  // namespace mcp_session

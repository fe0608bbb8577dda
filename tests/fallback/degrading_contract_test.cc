// The contract of SessionStore through a DegradingStore whose backend is up.
#include <gtest/gtest.h>

#include <memory>

#include "mcp_session/fallback/degrading_store.h"
#include "mcp_session/store/memory_store.h"
#include "tests/store/contract.h"
#include "tests/support/counting_entropy.h"
#include "tests/support/manual_clock.h"

namespace mcp_session {
namespace {

class DegradingStoreUnderTest final : public StoreUnderTest {
 public:
  explicit DegradingStoreUnderTest(const StoreLimits& limits)
      : store_(std::make_unique<MemorySessionStore>(
                   MemoryStoreOptions{.max_records = limits.max_records,
                                      .max_record_bytes = limits.max_record_bytes,
                                      .max_records_per_owner = limits.max_records_per_owner},
                   entropy_),
               {}, entropy_) {}

  SessionStore& store() override { return store_; }
  Instant Now() override { return clock_.Now(); }
  void Wait(Millis length) override { clock_.Advance(length); }

 private:
  CountingEntropy entropy_;
  ManualClock clock_;
  DegradingStore store_;
};

StoreBackend DegradingBackend() {
  return {.name = "Degrading", .make = [](const StoreLimits& limits) {
            return std::make_unique<DegradingStoreUnderTest>(limits);
          }};
}

INSTANTIATE_TEST_SUITE_P(Degrading, StoreContract, testing::Values(DegradingBackend()),
                         StoreBackendName);
INSTANTIATE_TEST_SUITE_P(Degrading, StoreExtrasContract, testing::Values(DegradingBackend()),
                         StoreBackendName);

}  // namespace
}  // namespace mcp_session

// The contract of SessionStore through a MeteredStore.
#include <gtest/gtest.h>

#include <memory>

#include "mcp_session/metrics/metered_store.h"
#include "mcp_session/store/memory_store.h"
#include "tests/store/contract.h"
#include "tests/support/counting_entropy.h"
#include "tests/support/manual_clock.h"

namespace mcp_session {
namespace {

class MeteredStoreUnderTest final : public StoreUnderTest {
 public:
  explicit MeteredStoreUnderTest(const StoreLimits& limits)
      : memory_({.max_records = limits.max_records,
                 .max_record_bytes = limits.max_record_bytes,
                 .max_records_per_owner = limits.max_records_per_owner},
                entropy_) {}

  SessionStore& store() override { return store_; }
  Instant Now() override { return clock_.Now(); }
  void Wait(Millis length) override { clock_.Advance(length); }

 private:
  CountingEntropy entropy_;
  ManualClock clock_;
  MemorySessionStore memory_;
  MeteredStore store_{memory_};
};

StoreBackend MeteredBackend() {
  return {.name = "Metered", .make = [](const StoreLimits& limits) {
            return std::make_unique<MeteredStoreUnderTest>(limits);
          }};
}

INSTANTIATE_TEST_SUITE_P(Metered, StoreContract, testing::Values(MeteredBackend()),
                         StoreBackendName);
INSTANTIATE_TEST_SUITE_P(Metered, StoreExtrasContract, testing::Values(MeteredBackend()),
                         StoreBackendName);

}  // namespace
}  // namespace mcp_session

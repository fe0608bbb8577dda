// The stores in memory for the contract.
#ifndef TESTS_STORE_MEMORY_BACKEND_H_
#define TESTS_STORE_MEMORY_BACKEND_H_

#include <memory>

#include "mcp_session/store/memory_store.h"
#include "tests/store/backend.h"
#include "tests/support/counting_entropy.h"
#include "tests/support/manual_clock.h"

namespace mcp_session {

template <typename Store>
class InMemoryUnderTest final : public StoreUnderTest {
 public:
  explicit InMemoryUnderTest(const StoreLimits& limits)
      : store_({.max_records = limits.max_records,
                .max_record_bytes = limits.max_record_bytes,
                .max_records_per_owner = limits.max_records_per_owner},
               entropy_) {}

  SessionStore& store() override { return store_; }
  Instant Now() override { return clock_.Now(); }
  void Wait(Millis length) override { clock_.Advance(length); }

 private:
  CountingEntropy entropy_;
  ManualClock clock_;
  Store store_;
};

using MemoryStoreUnderTest = InMemoryUnderTest<MemorySessionStore>;

inline StoreBackend MemoryBackend() {
  return {.name = "Memory", .make = [](const StoreLimits& limits) {
            return std::make_unique<MemoryStoreUnderTest>(limits);
          }};
}

}  // namespace mcp_session

#endif  // TESTS_STORE_MEMORY_BACKEND_H_

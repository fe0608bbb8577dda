// SharedMemory, used by one loop, for the suites of tests/store.
#ifndef TESTS_MEMORY_SHARED_MEMORY_BACKEND_H_
#define TESTS_MEMORY_SHARED_MEMORY_BACKEND_H_

#include <boost/asio/io_context.hpp>
#include <memory>

#include "mcp_session/memory/shared_memory.h"
#include "tests/store/backend.h"
#include "tests/support/counting_entropy.h"
#include "tests/support/manual_clock.h"

namespace mcp_session {

class SharedMemoryUnderTest final : public StoreUnderTest {
 public:
  explicit SharedMemoryUnderTest(const StoreLimits& limits)
      : memory_({.max_records = limits.max_records,
                 .max_record_bytes = limits.max_record_bytes,
                 .max_records_per_owner = limits.max_records_per_owner},
                entropy_),
        store_(memory_, loop_.get_executor()) {}

  const SharedMemory& memory() const { return memory_; }
  SessionStore& store() override { return store_; }
  Instant Now() override { return clock_.Now(); }
  void Wait(Millis length) override {
    clock_.Advance(length);
    if (store_.NextDeadline() <= clock_.Now()) store_.Tick(clock_.Now());
  }

 private:
  CountingEntropy entropy_;
  ManualClock clock_;
  boost::asio::io_context loop_;
  SharedMemory memory_;
  SharedMemoryStore store_;
};

inline StoreBackend SharedMemoryBackend() {
  return {.name = "SharedMemory", .make = [](const StoreLimits& limits) {
            return std::make_unique<SharedMemoryUnderTest>(limits);
          }};
}

}  // namespace mcp_session

#endif  // TESTS_MEMORY_SHARED_MEMORY_BACKEND_H_

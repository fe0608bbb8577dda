// What the suites of tests/store ask of a store: how to make one, and how its time passes.
#ifndef TESTS_STORE_BACKEND_H_
#define TESTS_STORE_BACKEND_H_

#include <gtest/gtest.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "mcp_session/base/time.h"
#include "mcp_session/store/store.h"

namespace mcp_session {

struct StoreLimits {
  std::size_t max_record_bytes = 4096;
  std::size_t max_records = 100'000;
  std::size_t max_records_per_owner = 1000;
};

// A new and empty store, and the time it lives in.
class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;

  virtual SessionStore& store() = 0;

  // What commands are submitted with, and what the store goes by.
  virtual Instant Now() = 0;

  // Lets time pass: moves a manual clock, or really waits.
  virtual void Wait(Millis length) = 0;

  // Lets the backend work until more replies may be ready: one turn of a loop, at most some 10 ms.
  // Not needed where Submit leaves the reply ready.
  virtual void Pump() {}
};

struct StoreBackend {
  std::string name;
  std::function<std::unique_ptr<StoreUnderTest>(const StoreLimits&)> make;

  // How far the store's clock and Now may be apart, and what it says about time be off: 0 with a
  // manual clock. How late the machine is does not count.
  Millis tolerance{0};

  // What some dozen commands take: 0 with a manual clock. So long before a point in time the tests
  // look at what must still be so; if that was too short, again with more.
  Millis dozen{0};

  // The idle_ttl of the records in the tests. Some wait for five times that.
  Millis idle_ttl = Seconds(1);

  // Whether it keeps StoreLimits::max_records by itself.
  bool caps_records = true;

  // Whether it has more than records: Take, Regenerate, locks and streams. If not, their commands
  // are kInvalidArgument.
  bool has_extras = true;
};

void PrintTo(const StoreBackend& backend, std::ostream* os);
std::string StoreBackendName(const testing::TestParamInfo<StoreBackend>& info);

}  // namespace mcp_session

#endif  // TESTS_STORE_BACKEND_H_

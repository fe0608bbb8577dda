// The contract, run by a store with the bug that the environment variable STORE_MUTANT names;
// "none" for none. Not a test by itself: mutants_test runs it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "mcp_session/base/check.h"
#include "tests/store/contract.h"
#include "tests/store/mutants/mutant_store.h"
#include "tests/support/manual_clock.h"

namespace mcp_session {
namespace {

std::unique_ptr<Bug> MakeBugFromEnvironment() {
  const char* wanted = std::getenv("STORE_MUTANT");
  MCPS_CHECK(wanted != nullptr);
  for (const auto& bugs : {BugsInRecords(), BugsInExtras()}) {
    for (const NamedBug& bug : bugs) {
      if (bug.name == wanted) return bug.make();
    }
  }
  MCPS_CHECK(std::string("none") == wanted);
  return std::make_unique<Bug>();
}

class MutantUnderTest final : public StoreUnderTest {
 public:
  explicit MutantUnderTest(const StoreLimits& limits)
      : store_({.max_records = limits.max_records,
                .max_record_bytes = limits.max_record_bytes,
                .max_records_per_owner = limits.max_records_per_owner},
               MakeBugFromEnvironment()) {}

  SessionStore& store() override { return store_; }
  Instant Now() override { return clock_.Now(); }
  void Wait(Millis length) override { clock_.Advance(length); }

 private:
  ManualClock clock_;
  MutantStore store_;
};

StoreBackend MutantBackend() {
  return {.name = "Mutant", .make = [](const StoreLimits& limits) {
            return std::make_unique<MutantUnderTest>(limits);
          }};
}

INSTANTIATE_TEST_SUITE_P(Mutant, StoreContract, testing::Values(MutantBackend()), StoreBackendName);
INSTANTIATE_TEST_SUITE_P(Mutant, StoreExtrasContract, testing::Values(MutantBackend()),
                         StoreBackendName);

}  // namespace
}  // namespace mcp_session

// Random sequences of commands, run by a store and by a model of the contract (model.h). On a
// difference the test prints the seed and the fewest steps it found that still show it.
//
//   INSTANTIATE_TEST_SUITE_P(Redis, StoreModel,
//                            testing::Values(ModelBackend{.backend = RedisBackend(),
//                                                         .sequences = 10'000,
//                                                         .together = 100}),
//                            ModelBackendName);
//
// in a test that depends on //tests/store:model_suite runs it. The environment variable
// MODEL_SEQUENCES is another number of sequences, for all backends; MODEL_SEQUENCES_AT_MOST bounds it.
#ifndef TESTS_STORE_MODEL_SUITE_H_
#define TESTS_STORE_MODEL_SUITE_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <ostream>
#include <string>

#include "tests/store/backend.h"

namespace mcp_session {

struct ModelBackend {
  StoreBackend backend;
  int sequences = 100;
  std::uint64_t first_seed = 1;

  // How many sequences are run at the same time, on one store but with keys of their own. More than
  // one only without a manual clock.
  std::size_t together = 1;

  // Whether its time is a manual clock's. Then waits are among the steps and all ends are checked
  // to the millisecond; else a sequence takes no time worth mentioning.
  bool has_manual_clock = false;

  // Called after a sequence, when every record and lock has ended, and only with a manual clock:
  // what is left that should not be, or empty.
  std::function<std::string(StoreUnderTest&)> find_remains;
};

void PrintTo(const ModelBackend& backend, std::ostream* os);
std::string ModelBackendName(const testing::TestParamInfo<ModelBackend>& info);

class StoreModel : public testing::TestWithParam<ModelBackend> {};

}  // namespace mcp_session

#endif  // TESTS_STORE_MODEL_SUITE_H_

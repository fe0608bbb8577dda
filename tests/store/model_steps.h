// The steps of a random sequence. Each means something by itself, whatever the steps before it did,
// so that any may be left out.
#ifndef TESTS_STORE_MODEL_STEPS_H_
#define TESTS_STORE_MODEL_STEPS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "mcp_session/store/store.h"
#include "tests/store/model.h"
#include "tests/support/counting_entropy.h"

namespace mcp_session {

enum class Action {
  kCreate,
  kGet,
  kPut,
  kTouch,
  kRemove,
  kTake,
  kRegenerate,
  kRemoveOwned,
  kList,
  kLock,
  kExtend,
  kUnlock,
  kAppend,
  kReadEvents,
  kTick,  // this and the following only with a manual clock
  kWait,
  kWaitForAnEnd,
};

struct Step {
  Action action;
  ModelKey key;
  ModelKey to;           // of Regenerate
  std::uint64_t choice;  // of sizes, lifetimes, versions, lengths of time
};

// The keys' owners and ids end in `space`: sequences that share a store have different ones.
std::vector<Step> MakeSteps(std::uint64_t seed, bool with_time, const std::string& space);
std::string Describe(const Step& step);

// Fractions of a step's choice, each call another: numbers from 0 to bound - 1.
class Choices {
 public:
  explicit Choices(std::uint64_t choice) : random_(choice) {}
  std::uint64_t Below(std::uint64_t bound) { return random_.Below(bound); }

 private:
  SeededEntropy random_;
};

}  // namespace mcp_session

#endif  // TESTS_STORE_MODEL_STEPS_H_

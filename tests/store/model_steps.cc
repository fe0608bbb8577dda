#include "tests/store/model_steps.h"

#include <iterator>
#include <sstream>
#include <tuple>
#include <utility>

namespace mcp_session {
namespace {

struct Kind {
  Action action;
  const char* name;
  unsigned weight;  // many more creates and gets than ends of everything
};
constexpr Kind kKinds[] = {{Action::kCreate, "create", 28},
                           {Action::kGet, "get", 12},
                           {Action::kPut, "put", 20},
                           {Action::kTouch, "touch", 5},
                           {Action::kRemove, "remove", 8},
                           {Action::kTake, "take", 3},
                           {Action::kRegenerate, "regenerate", 8},
                           {Action::kRemoveOwned, "remove owned", 1},
                           {Action::kList, "list", 8},
                           {Action::kLock, "lock", 10},
                           {Action::kExtend, "extend", 4},
                           {Action::kUnlock, "unlock", 5},
                           {Action::kAppend, "append", 14},
                           {Action::kReadEvents, "read events", 12},
                           {Action::kTick, "tick", 5},
                           {Action::kWait, "wait", 10},
                           {Action::kWaitForAnEnd, "wait for an end", 7}};

const Kind& Draw(SeededEntropy& random, bool with_time) {
  const std::size_t kinds = std::size(kKinds) - (with_time ? 0 : 3);
  unsigned sum = 0;
  for (std::size_t i = 0; i < kinds; ++i) sum += kKinds[i].weight;
  auto at = static_cast<unsigned>(random.Below(sum));
  const Kind* kind = kKinds;
  for (; at >= kind->weight; ++kind) at -= kind->weight;
  return *kind;
}

ModelKey DrawKey(SeededEntropy& random, std::uint64_t ids, const std::string& space) {
  static constexpr const char* kOwners[] = {"", "alice", "bob"};
  static constexpr const char* kRecordKinds[] = {"session", "basket"};
  std::string owner = kOwners[random.Below(std::size(kOwners))];
  if (!owner.empty()) owner += space;
  std::string kind = kRecordKinds[random.Below(std::size(kRecordKinds))];
  return {std::move(owner), std::move(kind), "id-" + std::to_string(random.Below(ids)) + space};
}

std::string Describe(const ModelKey& key) {
  return std::get<0>(key) + "/" + std::get<1>(key) + "/" + std::get<2>(key);
}

}  // namespace

std::vector<Step> MakeSteps(std::uint64_t seed, bool with_time, const std::string& space) {
  SeededEntropy random(seed);
  std::vector<Step> steps(1 + random.Below(200));
  const std::uint64_t ids = random.Below(2) == 0 ? 10 : 2;  // few, so that more happens to each
  for (Step& step : steps) {
    step.action = Draw(random, with_time).action;
    step.key = DrawKey(random, ids, space);
    step.to = DrawKey(random, ids, space);
    step.choice = random.Next();
  }
  return steps;
}

std::string Describe(const Step& step) {
  std::ostringstream text;
  for (const Kind& kind : kKinds) {
    if (kind.action == step.action) text << kind.name;
  }
  if (step.action < Action::kTick) text << " " << Describe(step.key);
  if (step.action == Action::kRegenerate) text << " to " << Describe(step.to);
  text << " (" << step.choice << ")";
  return text.str();
}

}  // namespace mcp_session

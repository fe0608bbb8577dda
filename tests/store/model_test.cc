// Random sequences of commands and waits, run by MemorySessionStore and by a model. On a
// difference the test prints the seed and the fewest steps it found that still show it.
#include "tests/store/model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "mcp_session/store/memory_store.h"
#include "tests/store/matchers.h"
#include "tests/support/counting_entropy.h"
#include "tests/support/manual_clock.h"

namespace mcp_session {
namespace {

constexpr ModelLimits kLimits{
    .max_records = 25, .max_records_per_owner = 9, .max_record_bytes = 40};

const std::string kOwners[] = {"", "alice", "bob"};
const std::string kKinds[] = {"session", "basket"};
constexpr int kIds = 10;  // with the kinds, 20 keys for each owner

enum class Action {
  kCreate,
  kGet,
  kPut,
  kTouch,
  kRemove,
  kRemoveOwned,
  kList,
  kWait,
  kWaitForAnEnd,
  kTick,
  kCount
};
constexpr const char* kActionNames[] = {"create",       "get",  "put",  "touch",           "remove",
                                        "remove owned", "list", "wait", "wait for an end", "tick"};

// Means something by itself, whatever the steps before it did, so that any may be left out.
struct Step {
  Action action;
  int owner, kind, id;
  std::uint64_t choice;  // of sizes, lifetimes, versions, lengths of time
};

Step MakeStep(SeededEntropy& random) {
  // Many more creates and gets than ends of everything.
  static constexpr int kWeights[] = {30, 20, 15, 8, 6, 1, 8, 10, 6, 5};
  static_assert(std::size(kWeights) == static_cast<std::size_t>(Action::kCount));
  int action = 0;
  for (auto at = static_cast<int>(random.Below(109)); at >= kWeights[action]; ++action) {
    at -= kWeights[action];
  }
  return {static_cast<Action>(action), static_cast<int>(random.Below(std::size(kOwners))),
          static_cast<int>(random.Below(std::size(kKinds))), static_cast<int>(random.Below(kIds)),
          random.Next() >> 1};
}

std::string Describe(const Step& step) {
  std::ostringstream text;
  text << kActionNames[static_cast<int>(step.action)] << " " << kOwners[step.owner] << "/"
       << kKinds[step.kind] << "/" << step.id << " (" << step.choice % 1000 << ")";
  return text.str();
}

// Both stores, and the steps they are taken through.
class Pair {
 public:
  Pair()
      : store_({.max_records = kLimits.max_records,
                .max_record_bytes = kLimits.max_record_bytes,
                .max_records_per_owner = kLimits.max_records_per_owner},
               entropy_),
        model_(kLimits),
        empty_use_(store_.MemoryUse()) {
    model_.SetNow(clock_.Now());
  }

  // What differs after the step; empty: nothing.
  std::string Take(const Step& step) {
    const ModelKey model_key{kOwners[step.owner], kKinds[step.kind],
                             "id-" + std::to_string(step.id)};
    const RecordKey key{std::get<0>(model_key), std::get<1>(model_key), std::get<2>(model_key)};
    const std::uint64_t choice = step.choice;
    switch (step.action) {
      case Action::kCreate: {
        const std::string data = DataOf(choice);
        const Lifetime lifetime = LifetimeOf(choice / 64);
        return Compare(model_key, Run(store::Create{key, data, lifetime}),
                       model_.Create(model_key, data, lifetime));
      }
      case Action::kGet:
        return Compare(model_key, Run(store::Get{key}), model_.Get(model_key));
      case Action::kPut: {
        const std::string data = DataOf(choice);
        const auto expected = VersionOf(model_key, choice / 64);
        return Compare(model_key, Run(store::Put{key, data, expected}),
                       model_.Put(model_key, data, expected));
      }
      case Action::kTouch:
        return Compare(model_key, Run(store::Touch{key}), model_.Touch(model_key));
      case Action::kRemove:
        return Compare(model_key, Run(store::Remove{key}), model_.Remove(model_key));
      case Action::kRemoveOwned:
        return Compare(model_key, Run(store::RemoveOwned{key.owner}),
                       model_.RemoveOwned(kOwners[step.owner]));
      case Action::kList:
        return TakeList(step, key);
      default:
        return TakeTime(step);
    }
  }

  // Everything ends: the books must be back where they began.
  std::string Finish() {
    clock_.Advance(kMaxLifetime);
    model_.SetNow(clock_.Now());
    for (int i = 0; i < 100 && store_.NextDeadline() != kNever; ++i) {
      clock_.AdvanceTo(store_.NextDeadline());
      store_.Tick(clock_.Now());
    }
    if (store_.size() != 0) return "dead records are kept";
    return store_.MemoryUse() == empty_use_ ? "" : "bytes are counted that are not there";
  }

 private:
  struct Page {
    std::string cursor;
    std::uint64_t listed_up_to = 0;
  };

  static std::string DataOf(std::uint64_t choice) {
    return std::string(choice % 64 % 42, static_cast<char>(choice % 256));  // 41 is too large
  }

  static Lifetime LifetimeOf(std::uint64_t choice) {
    const Millis idle{choice % 5 == 0 ? 3'600'000 : 1000}, life{choice % 7 == 0 ? 90'000 : 1500};
    switch (choice / 64 % 3) {
      case 0:
        return {.idle_ttl = idle};
      case 1:
        return {.max_life = life};
      default:
        return {.idle_ttl = idle, .max_life = life};
    }
  }

  // The current version, one of before, or none.
  std::optional<std::uint64_t> VersionOf(const ModelKey& key, std::uint64_t choice) const {
    const auto record = model_.records().find(key);
    switch (choice % 4) {
      case 0:
        return std::nullopt;
      case 1:
        return choice / 4 % 40;
      default:
        return record == model_.records().end() ? choice / 4 % 40 : record->second.version;
    }
  }

  StoreReply Run(StoreCommand command) {
    std::vector<StoreReply> replies;
    store_.Submit({++ticket_}, std::move(command), clock_.Now());
    store_.Drain(&replies);
    if (replies.size() != 1 || replies[0].ticket.number != ticket_) return {};
    return std::move(replies[0]);
  }

  std::string TakeList(const Step& step, const RecordKey& key) {
    Page& page = pages_[step.owner][step.kind];
    const bool go_on = step.choice % 3 != 0 && page.listed_up_to != 0;
    if (!go_on) page = {};
    const std::size_t limit = 1 + step.choice / 3 % 6;
    const StoreReply reply = Run(store::List{key.owner, key.kind, page.cursor, limit});
    const ModelReply model =
        model_.List(kOwners[step.owner], kKinds[step.kind], limit, page.listed_up_to);
    page = {reply.cursor, model.listed_up_to};
    return Compare({}, reply, model);
  }

  std::string TakeTime(const Step& step) {
    static constexpr std::int64_t kWaits[] = {0, 1, 50, 99, 100, 101, 400, 899, 900, 1000, 61'000};
    if (step.action == Action::kTick) store_.Tick(clock_.Now());
    if (step.action == Action::kWait) {
      clock_.Advance(Millis{kWaits[step.choice % std::size(kWaits)]});
    } else if (step.action == Action::kWaitForAnEnd && !model_.records().empty()) {
      const auto at = std::next(model_.records().begin(), step.choice % model_.records().size());
      clock_.AdvanceTo(at->second.End() + Millis{static_cast<int>(step.choice / 64 % 3) - 1});
    }
    model_.SetNow(clock_.Now());
    return store_.size() >= model_.records().size() ? "" : "a live record is gone";
  }

  std::string Compare(const ModelKey& key, const StoreReply& reply, const ModelReply& model) {
    std::ostringstream text;
    if (reply.error != model.error) text << "another outcome; ";
    if (reply.removed != model.removed) text << "another number removed; ";
    if (reply.cursor.empty() != (model.listed_up_to == 0)) text << "the list ends elsewhere; ";
    if ((reply.record.data != nullptr) != (model.record != nullptr)) text << "no record or one; ";
    if (model.record != nullptr && reply.record.data != nullptr) {
      CompareRecord(reply.record, *model.record, text);
      std::uint64_t& highest = highest_version_[key];
      if (reply.record.version < highest) text << "a version came back; ";
      highest = reply.record.version;
    }
    if (reply.listed.size() != model.listed.size()) text << "listed another number; ";
    for (std::size_t i = 0; i < std::min(reply.listed.size(), model.listed.size()); ++i) {
      if (reply.listed[i].id != model.listed[i].first) text << "listed another id; ";
      CompareRecord(reply.listed[i], model.listed[i].second, text);
    }
    if (text.str().empty()) return "";
    text << "the store answered " << testing::PrintToString(reply) << ", the model "
         << (model.error ? CodeName(*model.error) : "done");
    if (model.record != nullptr) text << ", version " << model.record->version;
    return text.str();
  }

  void CompareRecord(const Record& record, const ModelRecord& model, std::ostream& text) const {
    if (*record.data != model.data) text << "other data; ";
    if (record.version != model.version) text << "another version; ";
    if (record.expires_in != model.End() - clock_.Now()) {
      text << "another end than in " << (model.End() - clock_.Now()).count << " ms; ";
    }
    std::optional<Millis> life_left;
    if (model.lifetime.max_life)
      life_left = model.created + *model.lifetime.max_life - clock_.Now();
    if (record.max_life_left != life_left) text << "another max_life_left; ";
  }

  CountingEntropy entropy_;
  ManualClock clock_;
  MemorySessionStore store_;
  Model model_;
  const std::size_t empty_use_;
  std::uint64_t ticket_ = 0;
  Page pages_[std::size(kOwners)][std::size(kKinds)];
  std::map<ModelKey, std::uint64_t> highest_version_;
};

struct Difference {
  std::size_t steps;  // that show it
  std::string what;
};

std::optional<Difference> FindDifference(const std::vector<Step>& steps) {
  Pair pair;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    std::string what = pair.Take(steps[i]);
    if (!what.empty()) return Difference{i + 1, std::move(what)};
  }
  std::string what = pair.Finish();
  if (what.empty()) return std::nullopt;
  return Difference{steps.size(), std::move(what)};
}

// Leaves out all steps that are not needed.
Difference Minimize(std::vector<Step>& steps, Difference difference) {
  steps.resize(difference.steps);
  for (std::size_t i = steps.size(); i-- > 0;) {
    std::vector<Step> fewer = steps;
    fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
    if (const auto still = FindDifference(fewer)) {
      fewer.resize(still->steps);
      steps = std::move(fewer);
      difference = *still;
      i = std::min(i, steps.size());
    }
  }
  return difference;
}

TEST(MemorySessionStoreModel, AgreesWithTheModel) {
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    SeededEntropy random(seed);
    std::vector<Step> steps(1 + random.Below(200));
    for (Step& step : steps) step = MakeStep(random);
    const auto difference = FindDifference(steps);
    if (!difference) continue;
    const Difference shortest = Minimize(steps, *difference);
    std::ostringstream text;
    for (const Step& step : steps) text << "  " << Describe(step) << "\n";
    FAIL() << "seed " << seed << ", at step " << difference->steps << ": " << shortest.what
           << "\nafter\n"
           << text.str();
  }
}

}  // namespace
}  // namespace mcp_session

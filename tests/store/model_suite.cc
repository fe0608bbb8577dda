#include "tests/store/model_suite.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <sstream>
#include <utility>
#include <vector>

#include "tests/store/model_run.h"
#include "tests/store/model_steps.h"

namespace mcp_session {
namespace {

struct Difference {
  std::size_t steps;  // that show it
  std::string what;
};

std::optional<Difference> FindDifference(const ModelBackend& backend, bool tight,
                                         const std::vector<Step>& steps) {
  ModelRun run(backend, tight);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    std::string what = run.Take(steps[i]);
    if (!what.empty()) return Difference{i + 1, std::move(what)};
  }
  std::string what = run.Finish();
  if (what.empty()) return std::nullopt;
  return Difference{steps.size(), std::move(what)};
}

// Leaves out all steps that are not needed.
Difference Minimize(const ModelBackend& backend, bool tight, std::vector<Step>& steps,
                    Difference difference) {
  steps.resize(difference.steps);
  for (std::size_t i = steps.size(); i-- > 0;) {
    std::vector<Step> fewer = steps;
    fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
    if (const auto still = FindDifference(backend, tight, fewer)) {
      fewer.resize(still->steps);
      steps = std::move(fewer);
      difference = *still;
      i = std::min(i, steps.size());
    }
  }
  return difference;
}

TEST_P(StoreModel, AgreesWithTheModel) {
  const ModelBackend& backend = GetParam();
  for (int i = 0; i < backend.sequences; ++i) {
    const std::uint64_t seed = backend.first_seed + static_cast<std::uint64_t>(i);
    const bool tight = seed % 2 == 0;
    std::vector<Step> steps = MakeSteps(seed, backend.has_manual_clock);
    const auto difference = FindDifference(backend, tight, steps);
    if (!difference) continue;
    const Difference shortest = Minimize(backend, tight, steps, *difference);
    std::ostringstream text;
    for (const Step& step : steps) text << "  " << Describe(step) << "\n";
    FAIL() << "seed " << seed << ", at step " << difference->steps << ": " << difference->what
           << "\nthe fewest steps: " << shortest.what << "\nafter\n"
           << text.str();
  }
}

}  // namespace

void PrintTo(const ModelBackend& backend, std::ostream* os) { *os << backend.backend.name; }

std::string ModelBackendName(const testing::TestParamInfo<ModelBackend>& info) {
  return info.param.backend.name;
}

}  // namespace mcp_session

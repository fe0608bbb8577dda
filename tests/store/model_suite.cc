#include "tests/store/model_suite.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/store/model_run.h"
#include "tests/store/model_steps.h"

namespace mcp_session {
namespace {

struct Sequence {
  std::uint64_t seed = 0;
  std::vector<Step> steps;
};

struct Difference {
  const Sequence* sequence;
  std::size_t steps;  // that show it
  std::string what;
};

bool IsTight(const ModelBackend& backend, std::uint64_t seed) {
  return backend.together == 1 && seed % 2 == 0;
}

constexpr int kTicketBits = 16;  // of one run

// Takes all sequences through their steps, on one store: each waits for its own replies only.
std::optional<Difference> FindDifference(const ModelBackend& backend, bool tight,
                                         const std::vector<Sequence>& sequences) {
  const auto under_test = backend.backend.make(LimitsOf(backend, tight, sequences.size()));
  std::vector<ModelRun> runs;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    runs.emplace_back(backend, tight, *under_test, i << kTicketBits);
  }
  std::vector<std::size_t> next(sequences.size());
  int idle_turns = 0;
  for (bool any = true; any;) {
    any = false;
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const std::vector<Step>& steps = sequences[i].steps;
      if (!runs[i].is_busy() && next[i] < steps.size()) runs[i].Start(steps[next[i]++]);
      any |= runs[i].is_busy() || next[i] < steps.size();
    }
    std::vector<StoreReply> replies;
    under_test->store().Drain(&replies);
    if (replies.empty()) under_test->Pump();
    idle_turns = replies.empty() ? idle_turns + 1 : 0;
    for (StoreReply& reply : replies) {
      const std::size_t i = reply.ticket.number >> kTicketBits;
      if (i >= runs.size()) return Difference{&sequences[0], 0, "a reply to nobody"};
      runs[i].Hear(std::move(reply));
    }
    for (std::size_t i = 0; i < runs.size(); ++i) {
      if (runs[i].is_busy() && idle_turns < 1000) continue;
      std::string what = runs[i].End();
      if (!what.empty()) return Difference{&sequences[i], next[i], std::move(what)};
    }
  }
  if (sequences.size() > 1) return std::nullopt;
  std::string what = runs[0].Finish();
  if (what.empty()) return std::nullopt;
  return Difference{&sequences[0], sequences[0].steps.size(), std::move(what)};
}

// Leaves out all steps that are not needed, if it is there without the other sequences at all.
std::string Minimize(const ModelBackend& backend, Sequence sequence, std::size_t steps) {
  sequence.steps.resize(steps);
  std::vector<Sequence> alone = {std::move(sequence)};
  const bool tight = IsTight(backend, alone[0].seed);
  auto difference = FindDifference(backend, tight, alone);
  if (!difference) return "\nit is not there when the sequence is run alone";
  std::string what = difference->what;
  alone[0].steps.resize(difference->steps);
  for (std::size_t i = alone[0].steps.size(); i-- > 0;) {
    std::vector<Sequence> fewer = alone;
    fewer[0].steps.erase(fewer[0].steps.begin() + static_cast<std::ptrdiff_t>(i));
    if (const auto still = FindDifference(backend, tight, fewer)) {
      what = still->what;
      fewer[0].steps.resize(still->steps);
      alone = std::move(fewer);
      i = std::min(i, alone[0].steps.size());
    }
  }
  std::ostringstream text;
  text << "\nthe fewest steps: " << what << "\nafter\n";
  for (const Step& step : alone[0].steps) text << "  " << Describe(step) << "\n";
  return text.str();
}

int SequencesOf(const ModelBackend& backend) {
  if (const char* wanted = std::getenv("MODEL_SEQUENCES")) return std::atoi(wanted);
  const char* most = std::getenv("MODEL_SEQUENCES_AT_MOST");
  return most != nullptr ? std::min(std::atoi(most), backend.sequences) : backend.sequences;
}

TEST_P(StoreModel, AgreesWithTheModel) {
  const ModelBackend& backend = GetParam();
  const auto count = static_cast<std::uint64_t>(SequencesOf(backend));
  const std::uint64_t end = backend.first_seed + count;
  for (std::uint64_t seed = backend.first_seed; seed < end;) {
    std::vector<Sequence> together;
    const bool tight = IsTight(backend, seed);
    for (std::size_t i = 0; i < backend.together && seed < end; ++i, ++seed) {
      const std::string space = backend.together > 1 ? " of " + std::to_string(seed) : "";
      together.push_back({seed, MakeSteps(seed, backend.has_manual_clock, space)});
    }
    const auto difference = FindDifference(backend, tight, together);
    if (!difference) continue;
    FAIL() << "seed " << difference->sequence->seed << ", at step " << difference->steps << ": "
           << difference->what << Minimize(backend, *difference->sequence, difference->steps);
  }
}

}  // namespace

void PrintTo(const ModelBackend& backend, std::ostream* os) { *os << backend.backend.name; }

std::string ModelBackendName(const testing::TestParamInfo<ModelBackend>& info) {
  return info.param.backend.name;
}

}  // namespace mcp_session

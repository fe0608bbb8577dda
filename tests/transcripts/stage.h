// Where a transcript is played: a server with the test tools, a clock, and what the host keeps of
// exchanges and channels. stage.mjs is the same around the shipped core.wasm.
#ifndef TESTS_TRANSCRIPTS_STAGE_H_
#define TESTS_TRANSCRIPTS_STAGE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "mcp_session/store/memory_store.h"
#include "tests/support/counting_entropy.h"
#include "tests/support/manual_clock.h"
#include "tests/transcripts/test_tools.h"
#include "tests/transcripts/transcript.h"

namespace mcp_session {

class Stage {
 public:
  explicit Stage(const Transcript& transcript);
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  // Lets a step happen; what came of it, as lines of a transcript.
  std::vector<std::string> Play(const TranscriptStep& step);

 private:
  using Lines = std::vector<std::string>;

  void Happen(const TranscriptStep& step, Lines* lines);
  void Request(const TranscriptStep& step, Lines* lines);
  void Tell(const Event& event);
  void Write(const Effect& effect, Lines* lines);
  std::string HeadOf(ExchangeId exchange, bool last);

  ManualClock clock_;
  CountingEntropy entropy_;
  MemorySessionStore store_;
  TestTools tools_;
  McpServer server_;
  bool woken_ = false;
  Effects effects_;
  std::uint64_t last_id_ = 0;
  // Those that are open, by name and by number.
  std::map<std::string, std::uint64_t> numbers_;
  std::map<std::uint64_t, std::string> names_;
};

}  // namespace mcp_session

#endif  // TESTS_TRANSCRIPTS_STAGE_H_

// A transcript: one scenario as text (README.md has the format). transcript.mjs reads the same
// files in the same way.
#ifndef TESTS_TRANSCRIPTS_TRANSCRIPT_H_
#define TESTS_TRANSCRIPTS_TRANSCRIPT_H_

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mcp_session/base/result.h"
#include "mcp_session/server/mcp_server.h"
#include "mcp_session/store/memory_store.h"

namespace mcp_session {

using HeaderLines = std::vector<std::pair<std::string, std::string>>;

// One thing that happens, and what has to come of it.
struct TranscriptStep {
  enum class Kind {
    kHttp,     // >NAME METHOD
    kMessage,  // >NAME TEXT, on a channel
    kPass,     // ~ TIME
    kGone,     // ! gone NAME
    kOpen,     // ! open NAME
    kClose,    // ! close NAME
    kTool,     // ! NAME progress, reply, fail
  };
  Kind kind = Kind::kHttp;
  std::size_t line = 0;  // where it starts, from 1
  std::size_t end = 0;   // the line after it, where what is expected starts

  std::string name;       // of the exchange, the channel or the waiting call
  std::string principal;  // kHttp, kOpen
  std::string method;     // kHttp
  HeaderLines headers;    // kHttp
  std::string text;       // the body, the message, or what a tool is to do
  Millis time;            // kPass

  std::vector<std::string> expected;
};

struct Transcript {
  ServerOptions options;
  MemoryStoreOptions store;
  bool keeps_streams = false;  // McpServer::KeepStreams
  std::vector<TranscriptStep> steps;
};

// The error's message starts with the number of the line it is about.
Result<Transcript> ParseTranscript(std::string_view text);

// `text` with what its steps expect replaced by `actual`, which has one entry for each.
std::string UpdateTranscript(std::string_view text, const Transcript& transcript,
                             const std::vector<std::vector<std::string>>& actual);

}  // namespace mcp_session

#endif  // TESTS_TRANSCRIPTS_TRANSCRIPT_H_

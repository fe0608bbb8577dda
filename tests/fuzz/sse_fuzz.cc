// Server-sent events: however a stream is cut, the events are the same.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "mcp_session/base/check.h"
#include "mcp_session/protocol/sse.h"

using namespace mcp_session;

namespace {

constexpr std::size_t kMaxEventBytes = 256;

struct Heard {
  std::vector<SseEvent> events;
  bool failed = false;
};

Heard Listen(std::string_view bytes, std::size_t piece) {
  Heard heard;
  SseReader reader(kMaxEventBytes);
  for (; !bytes.empty() && !heard.failed; bytes.remove_prefix(std::min(piece, bytes.size()))) {
    heard.failed = !reader.Read(bytes.substr(0, piece), &heard.events);
  }
  return heard;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Heard whole = Listen(bytes, size);
  const Heard cut = Listen(bytes, 1);
  MCPS_CHECK(whole.failed == cut.failed);
  MCPS_CHECK(whole.events == cut.events);
  return 0;
}

// A load of MCP requests over HTTP: so many callers, each with a connection, each sending its next
// request when it has the answer to the last one. Every answer is looked at.
#ifndef TESTS_BENCH_HTTP_LOAD_H_
#define TESTS_BENCH_HTTP_LOAD_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "mcp_session/base/time.h"

namespace mcp_session {

enum class LoadKind : std::uint8_t {
  kCalls,      // 2025-11-25: tools/call, each caller in a session of its own
  kStateless,  // 2026-07-28: tools/call
  kChurn,      // initialize, notifications/initialized, tools/call, DELETE; counted as one
};

struct Load {
  LoadKind kind = LoadKind::kCalls;
  std::string tool = "echo";
  std::size_t callers = 64;
  Millis length{};
};

struct LoadResult {
  std::size_t done = 0;
  std::size_t wrong = 0;  // answers that were none, or not the right one
  double seconds = 0;
  double p50_millis = 0;
  double p99_millis = 0;
};

LoadResult RunLoad(std::uint16_t port, const Load& load);

// Opens so many sessions and leaves them alone; how many it got.
std::size_t OpenSessions(std::uint16_t port, std::size_t count);

// Opens so many sessions with a GET stream each, holds the streams, and calls `measure`; then
// closes them. How many streams were open.
std::size_t HoldStreams(std::uint16_t port, std::size_t count,
                        const std::function<void()>& measure);

}  // namespace mcp_session

#endif  // TESTS_BENCH_HTTP_LOAD_H_

// The clock that native hosts hand to the core.
#ifndef MCP_SESSION_SYSTEM_CLOCK_H_
#define MCP_SESSION_SYSTEM_CLOCK_H_

#include <chrono>
#include <cstdint>

#include "mcp_session/base/time.h"

namespace mcp_session {

// Milliseconds of std::chrono::steady_clock, rounded down: never goes back, in any thread.
Instant MonotonicNow();

// Milliseconds since 1970 of std::chrono::system_clock, which may be set. Any thread.
std::int64_t UnixMillis();

// The other way round, for timers. kNever becomes the end of the clock.
std::chrono::steady_clock::time_point ToSteadyTime(Instant instant);

}  // namespace mcp_session

#endif  // MCP_SESSION_SYSTEM_CLOCK_H_

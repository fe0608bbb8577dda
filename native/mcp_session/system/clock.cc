#include "mcp_session/system/clock.h"

namespace mcp_session {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

Instant MonotonicNow() {
  return Instant{duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count()};
}

std::int64_t UnixMillis() {
  return duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

steady_clock::time_point ToSteadyTime(Instant instant) {
  constexpr auto kEnd = steady_clock::time_point::max();
  if (instant.millis >= duration_cast<milliseconds>(kEnd.time_since_epoch()).count()) return kEnd;
  return steady_clock::time_point(milliseconds(instant.millis));
}

}  // namespace mcp_session

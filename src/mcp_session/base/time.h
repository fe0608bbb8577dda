// Time is an argument. Nothing in src/ reads a clock; the host says what time it is.
#ifndef MCP_SESSION_BASE_TIME_H_
#define MCP_SESSION_BASE_TIME_H_

#include <compare>
#include <cstdint>
#include <limits>

namespace mcp_session {

// A length of time in milliseconds. May be negative only as the result of a subtraction.
struct Millis {
  std::int64_t count = 0;
  friend constexpr auto operator<=>(Millis, Millis) = default;
};

constexpr Millis Seconds(std::int64_t n) { return Millis{n * 1000}; }
constexpr Millis Minutes(std::int64_t n) { return Millis{n * 60'000}; }
constexpr Millis Hours(std::int64_t n) { return Millis{n * 3'600'000}; }

// A point on the host's monotonic clock, in milliseconds since an arbitrary start. It never goes
// backwards; what is passed to one object must not either.
struct Instant {
  std::int64_t millis = 0;
  friend constexpr auto operator<=>(Instant, Instant) = default;
};

inline constexpr Instant kNever{std::numeric_limits<std::int64_t>::max()};

constexpr Instant operator+(Instant t, Millis d) { return Instant{t.millis + d.count}; }
constexpr Millis operator-(Instant a, Instant b) { return Millis{a.millis - b.millis}; }

}  // namespace mcp_session

#endif  // MCP_SESSION_BASE_TIME_H_

// CallerLimits: how much one caller may ask for. Knows no socket and no clock. May be used from any
// thread.
#ifndef MCP_SESSION_HTTP_CALLER_LIMITS_H_
#define MCP_SESSION_HTTP_CALLER_LIMITS_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "mcp_session/base/time.h"

namespace mcp_session {

// Of one caller: a principal, or without an authenticator a network address (of IPv6 the /64). 0 is
// no limit. What is refused is 429.
struct HttpCallerLimits {
  double requests_per_second = 0;  // sustained
  double burst = 100;              // requests at once, after a while without any
  std::size_t max_open = 0;        // requests that are being answered, without streams
  std::size_t max_streams = 0;     // GETs that are being answered
  // Callers that are remembered. Beyond, those who have been silent for longest are forgotten, and
  // begin anew.
  std::size_t max_callers = 10'000;
};

class CallerLimits {
 public:
  explicit CallerLimits(const HttpCallerLimits& limits);

  bool limits_anything() const;

  enum class Kind : std::uint8_t { kRequest, kStream };
  class Caller;
  struct Admission {
    Caller* caller = nullptr;  // null: refused; else Close it, with the same kind
    Millis retry_after{};      // of a refusal: when it may be better
  };
  Admission Open(std::string_view name, Kind kind, Instant now);
  void Close(Caller* caller, Kind kind);

  std::size_t callers() const;

  class Caller {
    friend class CallerLimits;
    std::string name_;
    double tokens_ = 0;
    Instant since_{};  // when there were so many
    std::size_t open_ = 0;
    std::size_t streams_ = 0;
    std::list<Caller>::iterator self_;
  };

 private:
  Caller* Find(std::string_view name, Instant now);

  const HttpCallerLimits limits_;
  mutable std::mutex mutex_;  // of all that follows, the callers included
  std::list<Caller> active_;  // with something open
  std::list<Caller> idle_;    // the silent for longest first
  std::unordered_map<std::string_view, Caller*> callers_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_HTTP_CALLER_LIMITS_H_

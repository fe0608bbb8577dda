// A clock that goes when it is told to.
#ifndef TESTS_SUPPORT_MANUAL_CLOCK_H_
#define TESTS_SUPPORT_MANUAL_CLOCK_H_

#include "mcp_session/base/check.h"
#include "mcp_session/base/time.h"

namespace mcp_session {

class ManualClock {
 public:
  explicit ManualClock(Instant start = Instant{1'000'000}) : now_(start) {}

  Instant Now() const { return now_; }

  void Advance(Millis by) {
    MCPS_CHECK(by >= Millis{});
    now_ = now_ + by;
  }

  // Does nothing if it is later already.
  void AdvanceTo(Instant then) {
    if (now_ < then) now_ = then;
  }

 private:
  Instant now_;
};

}  // namespace mcp_session

#endif  // TESTS_SUPPORT_MANUAL_CLOCK_H_

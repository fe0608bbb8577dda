// LoopClock: how far a loop has come with its timers. It is behind the real time by what the loop
// is behind, so that on a busy machine what was due before is done before, and only what the loop
// forgot is late.
#ifndef TESTS_FAULTS_LOOP_CLOCK_H_
#define TESTS_FAULTS_LOOP_CLOCK_H_

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "mcp_session/base/time.h"
#include "mcp_session/system/clock.h"

namespace mcp_session {

class LoopClock {
 public:
  // The loop must not run any more when this ends.
  explicit LoopClock(boost::asio::io_context& loop) : timer_(loop), now_(MonotonicNow()) { Tick(); }

  Instant Now() const { return now_; }

 private:
  static constexpr Millis kTick{10};

  // One by one, whatever the time is.
  void Tick() {
    timer_.expires_at(ToSteadyTime(now_ + kTick));
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (error) return;
      now_ = now_ + kTick;
      Tick();
    });
  }

  boost::asio::steady_timer timer_;
  Instant now_;
};

}  // namespace mcp_session

#endif  // TESTS_FAULTS_LOOP_CLOCK_H_

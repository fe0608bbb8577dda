#include "mcp_session/http/caller_limits.h"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace mcp_session {
namespace {

// When something that is open may have ended.
constexpr Millis kSoon = Seconds(1);
// What sums of fractions may be short of a whole request.
constexpr double kRounding = 1e-6;

bool Within(std::size_t count, std::size_t limit) { return limit == 0 || count < limit; }

}  // namespace

CallerLimits::CallerLimits(const HttpCallerLimits& limits) : limits_(limits) {}

bool CallerLimits::limits_anything() const {
  return limits_.requests_per_second > 0 || limits_.max_open > 0 || limits_.max_streams > 0;
}

std::size_t CallerLimits::callers() const {
  const std::lock_guard lock(mutex_);
  return callers_.size();
}

CallerLimits::Caller* CallerLimits::Find(std::string_view name, Instant now) {
  const auto found = callers_.find(name);
  if (found != callers_.end()) return found->second;
  if (callers_.size() >= limits_.max_callers) {
    if (idle_.empty()) return nullptr;
    callers_.erase(idle_.front().name_);
    idle_.pop_front();
  }
  Caller& caller = idle_.emplace_back();
  caller.name_ = name;
  caller.tokens_ = limits_.burst;
  caller.since_ = now;
  caller.self_ = std::prev(idle_.end());
  callers_.emplace(caller.name_, &caller);
  return &caller;
}

CallerLimits::Admission CallerLimits::Open(std::string_view name, Kind kind, Instant now) {
  const std::lock_guard lock(mutex_);
  Caller* caller = Find(name, now);
  if (caller == nullptr) return {nullptr, kSoon};
  const bool idle = caller->open_ + caller->streams_ == 0;
  if (idle) idle_.splice(idle_.end(), idle_, caller->self_);
  const double rate = limits_.requests_per_second;
  if (rate > 0) {
    now = std::max(now, caller->since_);  // the loops do not look at the clock in turn
    const double passed = static_cast<double>((now - caller->since_).count) / 1000;
    caller->tokens_ = std::min(limits_.burst, caller->tokens_ + passed * rate);
    caller->since_ = now;
    if (caller->tokens_ < 1 - kRounding) {
      const double wait = std::ceil((1 - kRounding - caller->tokens_) / rate * 1000);
      return {nullptr, Millis{static_cast<std::int64_t>(wait)}};
    }
  }
  std::size_t& count = kind == Kind::kStream ? caller->streams_ : caller->open_;
  if (!Within(count, kind == Kind::kStream ? limits_.max_streams : limits_.max_open)) {
    return {nullptr, kSoon};
  }
  caller->tokens_ -= 1;
  ++count;
  if (idle) active_.splice(active_.end(), idle_, caller->self_);
  return {caller, {}};
}

void CallerLimits::Close(Caller* caller, Kind kind) {
  const std::lock_guard lock(mutex_);
  --(kind == Kind::kStream ? caller->streams_ : caller->open_);
  if (caller->open_ + caller->streams_ == 0) {
    idle_.splice(idle_.end(), active_, caller->self_);
  }
}

}  // namespace mcp_session

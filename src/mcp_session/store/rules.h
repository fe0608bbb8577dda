// The rules of the contract (store.h) that need no records to be checked, so that every store
// draws the same lines.
#ifndef MCP_SESSION_STORE_RULES_H_
#define MCP_SESSION_STORE_RULES_H_

#include <algorithm>
#include <cstddef>
#include <optional>

#include "mcp_session/base/time.h"
#include "mcp_session/store/store.h"

namespace mcp_session {

inline constexpr std::size_t kMaxKeyPartBytes = 256;  // of an owner, a kind, an id
inline constexpr std::size_t kMaxListLimit = 1000;

// A Get moves the end of a record at the latest when its last recorded access is this long ago;
// sooner, after a tenth of its idle_ttl, if that is less.
inline constexpr Millis kMaxTouchDelay = Minutes(1);

// Whether a record can have this key. If not, Create is kInvalidArgument, and for every other
// command there is no such record.
inline bool IsStorable(const RecordKey& key) {
  return key.owner.size() <= kMaxKeyPartBytes && !key.kind.empty() &&
         key.kind.size() <= kMaxKeyPartBytes && !key.id.empty() &&
         key.id.size() <= kMaxKeyPartBytes;
}

inline bool IsValid(const Lifetime& lifetime) {
  const auto in_range = [](const std::optional<Millis>& length) {
    return !length || (*length > Millis{} && *length <= kMaxLifetime);
  };
  return (lifetime.idle_ttl || lifetime.max_life) && in_range(lifetime.idle_ttl) &&
         in_range(lifetime.max_life) && lifetime.remember >= Millis{} &&
         lifetime.remember <= kMaxLifetime;
}

inline bool IsValid(const store::Lock& lock) {
  return IsStorable(lock.key) && lock.holder != 0 && lock.lease > Millis{} &&
         lock.lease <= kMaxLease;
}
inline bool IsValid(const store::Extend& extend) {
  return extend.lease > Millis{} && extend.lease <= kMaxLease;
}
inline bool IsValid(const store::Append& append) {
  return append.keep > 0 && append.keep <= kMaxEventLimit;
}
inline bool IsValid(const store::ReadEvents& read) {
  return read.limit > 0 && read.limit <= kMaxEventLimit && read.wait >= Millis{} &&
         read.wait <= kMaxEventWait;
}

// Whether a command found no live record.
inline bool IsAbsent(const std::optional<ErrorCode>& error) {
  return error == ErrorCode::kNotFound || error == ErrorCode::kExpired;
}

// Whether a Get at `now` must count as an access: nine tenths of `idle_ttl` or less are left until
// `end`, or kMaxTouchDelay is used up.
inline bool IsTouchDue(Instant end, Millis idle_ttl, Instant now) {
  const Millis unrecorded{idle_ttl.count - (end - now).count};
  return unrecorded.count * 10 >= idle_ttl.count || unrecorded >= kMaxTouchDelay;
}

// The end after an access at `now` of a record that ended at `end` so far. `last_end` is creation
// plus max_life, or kNever.
inline Instant EndAfterAccess(Instant end, Millis idle_ttl, Instant last_end, Instant now) {
  return std::max(end, std::min(now + idle_ttl, last_end));
}

}  // namespace mcp_session

#endif  // MCP_SESSION_STORE_RULES_H_

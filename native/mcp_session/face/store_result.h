// What the faces of a store (awaitable_store.h, blocking_store.h) take and answer: keys that own
// their text, and results that carry what the caller needs to go on.
#ifndef MCP_SESSION_FACE_STORE_RESULT_H_
#define MCP_SESSION_FACE_STORE_RESULT_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "mcp_session/base/error.h"
#include "mcp_session/base/time.h"
#include "mcp_session/store/command.h"

namespace mcp_session {

// A RecordKey (store/command.h) that may outlive the call it is passed to.
struct RecordName {
  std::string owner;
  std::string kind;
  std::string id;

  RecordKey key() const { return {owner, kind, id}; }
  bool operator==(const RecordName&) const = default;
};

// Why a store did not do what it was asked.
struct StoreError {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;         // in words; says nothing of keys and data
  bool maybe_done = false;     // with kUnavailable and kCancelled: it may have been done
  Record current;              // with kConflict: the record as it is
  Millis locked_for{0};        // with kLocked: what is left of the lease, when it was looked at
  std::uint64_t sequence = 0;  // with kGap: the `after` to go on with
};

template <typename T>
using StoreResult = tl::expected<T, StoreError>;

// How a write is done; see store::Put for each.
struct WriteOptions {
  std::uint64_t fence = 0;
  // 0: one is drawn. To ask again after maybe_done, draw one, and give the same both times.
  std::uint64_t write_id = 0;
};

struct RecordPage {
  std::vector<Record> records;
  std::string cursor;  // where to go on; empty at the end
};

// How to wait for a lock.
struct LockOptions {
  Millis lease = Seconds(30);
  Millis wait{0};  // at most; 0: kLocked at once if somebody else has it
};

// A lock that is held.
struct LockGrant {
  std::uint64_t holder = 0;  // for Extend and Unlock; a secret of the holder's
  std::uint64_t token = 0;   // WriteOptions::fence
  // Until then nobody else has it, by the clock of this process: the lease, counted from before
  // it was asked for, less 1 % and 2 ms.
  Instant valid_until{};
};

// What Update makes of the data: the new data, or nothing to leave the record as it is.
using UpdateFunction = std::function<std::optional<std::string>(const std::string& data)>;
inline constexpr int kUpdateTries = 5;  // then kConflict

}  // namespace mcp_session

#endif  // MCP_SESSION_FACE_STORE_RESULT_H_

// Whether what several clients saw of two keys can be explained by doing their commands one at a
// time, each at some point between its start and its end (linearizability, after Herlihy and Wing).
// The search is the one of Wing and Gong: try every command that may come next, and remember which
// sets of done commands and which states were seen already.
#ifndef TESTS_STORE_LINEARIZABILITY_H_
#define TESTS_STORE_LINEARIZABILITY_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "mcp_session/base/error.h"

namespace mcp_session {

// One command as its client saw it. Times are points on a clock that all clients share.
struct Operation {
  enum class Kind {
    kGet,
    kCreate,
    kPut,
    kTouch,
    kRemove,
    kTake,
    kRegenerate,
    kLock,
    kExtend,
    kUnlock
  };
  static constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

  Kind kind = Kind::kGet;
  int place = 0;  // which of the two keys; of Regenerate the old one
  int client = 0;
  std::uint64_t invoked = 0;
  std::uint64_t returned =
      kNever;  // never: it may have been done, at any later time, or not at all

  std::string data;                       // Create, Put: written; each should be another
  std::optional<std::uint64_t> expected;  // Put, Remove
  std::uint64_t fence = 0;                // Put, Remove
  std::uint64_t holder = 0;               // Lock, Extend, Unlock

  std::optional<ErrorCode> error;
  std::string seen;           // data of the record in the reply
  std::uint64_t version = 0;  // of that record
  std::uint64_t removed = 0;  // Remove
  std::uint64_t token = 0;    // Lock, Extend
};

void PrintTo(const Operation& operation, std::ostream* os);

// Nothing if `history`, all commands on two keys that had no record and no lock at first, can be
// explained; else, in words, how far an explanation gets. Leases do not end in it, and neither do
// records by time.
std::optional<std::string> FindViolation(std::vector<Operation> history);

}  // namespace mcp_session

#endif  // TESTS_STORE_LINEARIZABILITY_H_

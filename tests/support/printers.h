// How googletest prints the values of the core; without these it prints their bytes.
#ifndef TESTS_SUPPORT_PRINTERS_H_
#define TESTS_SUPPORT_PRINTERS_H_

#include <ostream>

#include "mcp_session/base/error.h"
#include "mcp_session/base/time.h"

namespace mcp_session {

inline void PrintTo(ErrorCode code, std::ostream* os) { *os << CodeName(code); }

inline void PrintTo(Millis length, std::ostream* os) { *os << length.count << " ms"; }

inline void PrintTo(Instant time, std::ostream* os) {
  if (time == kNever) {
    *os << "never";
  } else {
    *os << "at " << time.millis << " ms";
  }
}

}  // namespace mcp_session

#endif  // TESTS_SUPPORT_PRINTERS_H_

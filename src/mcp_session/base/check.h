// MCPS_CHECK: a broken promise inside this library is a bug, and a bug stops the program.
// Never for what a peer, a caller or a backend may do: those get an Error (base/error.h).
#ifndef MCP_SESSION_BASE_CHECK_H_
#define MCP_SESSION_BASE_CHECK_H_

#include <cstdlib>

#define MCPS_CHECK(condition)       \
  do {                              \
    if (!(condition)) std::abort(); \
  } while (false)

#endif  // MCP_SESSION_BASE_CHECK_H_

// What an error reply of Redis means for us: one table.
#ifndef MCP_SESSION_REDIS_ERRORS_H_
#define MCP_SESSION_REDIS_ERRORS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "mcp_session/base/error.h"

namespace mcp_session {

// What is to be done about it, besides answering.
enum class RedisRemedy : std::uint8_t {
  kNone,
  kReconnect,    // this server does not take writes: drop the connection and look for one that does
  kLoadScripts,  // NOSCRIPT
  kMoved,        // MOVED: the slot lives elsewhere, and the map of slots is old
  kAsk,          // ASK: this once, elsewhere
  kTryAgain,     // TRYAGAIN: the slot is on its way
};

struct RedisErrorMeaning {
  ErrorCode code = ErrorCode::kUnavailable;
  RedisRemedy remedy = RedisRemedy::kNone;
  std::string_view words;  // for the operator
};

// The meaning of an error reply, without its '-'. The command it answers was not carried out. What
// is not in the table is kMisconfigured: a server that does not do what we ask for.
RedisErrorMeaning ClassifyRedisError(std::string_view text);

// Why there is no connection, or none any more.
struct RedisFailure {
  ErrorCode code = ErrorCode::kUnavailable;  // or kMisconfigured
  std::string reason;                        // in words; no secret
};

}  // namespace mcp_session

#endif  // MCP_SESSION_REDIS_ERRORS_H_

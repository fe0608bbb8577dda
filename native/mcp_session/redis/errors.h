// What an error reply of Redis means for us, and why a connection fails: one table for each.
#ifndef MCP_SESSION_REDIS_ERRORS_H_
#define MCP_SESSION_REDIS_ERRORS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "mcp_session/base/error.h"

namespace mcp_session {

// Why there is no connection, or none any more.
enum class RedisCause : std::uint8_t {
  // It cannot be reached.
  kRefused,
  kHostNotFound,
  kTimedOut,
  kClosed,   // by the server
  kNetwork,  // something else on the way
  // It is there, and cannot work for us now.
  kLoading,
  kReadOnly,
  kNotReady,  // it is busy, or lacks something: a disk, replicas, slots
  // It will not, until somebody changes something.
  kTls,
  kAuth,        // user or password
  kPermission,  // of the user, or of this process
  kProtocol,
  kSettings,  // its version, what kind of server it is, what it has: not what was asked for
};

// Whether nobody was there who could have said anything about us.
constexpr bool CannotBeReached(RedisCause cause) { return cause <= RedisCause::kNetwork; }

// kMisconfigured, or else kUnavailable.
constexpr ErrorCode CodeOf(RedisCause cause) {
  return cause >= RedisCause::kTls ? ErrorCode::kMisconfigured : ErrorCode::kUnavailable;
}

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
  RedisCause cause = RedisCause::kNotReady;
};

// The meaning of an error reply, without its '-'. The command it answers was not carried out. What
// is not in the table is kMisconfigured: a server that does not do what we ask for.
RedisErrorMeaning ClassifyRedisError(std::string_view text);

struct RedisFailure {
  ErrorCode code = ErrorCode::kUnavailable;  // or kMisconfigured
  std::string reason;                        // in words; no secret
  RedisCause cause = RedisCause::kNetwork;
};

// `words`, if there are any, are more exact than those of the cause.
RedisFailure MakeRedisFailure(RedisCause cause, std::string words = {});

}  // namespace mcp_session

#endif  // MCP_SESSION_REDIS_ERRORS_H_

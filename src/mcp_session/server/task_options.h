// Tasks: what McpServer::ServeTasks can be told, and what a tool says of its own (ToolDecoration).
#ifndef MCP_SESSION_SERVER_TASK_OPTIONS_H_
#define MCP_SESSION_SERVER_TASK_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <functional>

#include "mcp_session/base/time.h"

namespace mcp_session {

// Whether calls of a tool go on as tasks (spec K-02). Only stateless clients that say with the call
// that they know tasks are ever given one.
struct TaskUse {
  enum class Support : std::uint8_t {
    kNever,
    kOptional,  // for other clients the tool runs in the call, as ever
    kRequired,  // other clients are refused, as for required_capabilities
  };
  enum class Start : std::uint8_t {
    kAtOnce,  // the client has the task before the handler runs
    // The handler runs in the call. What it answers, or asks, before it returns goes out as ever;
    // if it keeps the call, the task begins.
    kWhenKept,
  };
  Support support = Support::kNever;
  Start start = Start::kAtOnce;
};

struct TaskOptions {
  // The wall clock, in milliseconds since 1970: when a task was made and changed. Required; the
  // native one is UnixMillis (mcp_session/system/clock.h).
  std::function<std::int64_t()> unix_millis;
  // From its creation on a task is kept this long, whatever becomes of it; then it is unknown. One
  // of an anonymous caller is only as safe as its id. 1 ms to kMaxLifetime.
  Millis ttl = Hours(1);
  // How often clients are to ask; 1 ms at least.
  Millis poll_interval = Seconds(1);
  // What runs at once, of one principal on all nodes, and of all on this one. More is refused
  // (kTooManyRequests). How many can be kept is the store's to limit (kCapacity). Of one principal
  // less than 1000.
  std::size_t max_running_per_caller = 16;
  std::size_t max_running = 1000;
  // Of a result as JSON text. A task with a larger one has failed.
  std::size_t max_result_bytes = 1 << 20;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_TASK_OPTIONS_H_

// Every collection a peer can grow has its cap here, with a test at the cap and one past it.
#ifndef MCP_SESSION_BASE_LIMITS_H_
#define MCP_SESSION_BASE_LIMITS_H_

#include <cstddef>
#include <cstdint>

#include "mcp_session/base/time.h"

namespace mcp_session {

struct Limits {
  std::size_t max_message_bytes = 4 << 20;   // one JSON-RPC message, either direction
  std::size_t max_json_depth = 64;           // nested arrays and objects
  std::size_t max_json_values = 200'000;     // values of one message, members and elements alike
  std::size_t max_session_id_bytes = 256;    // spec H-21; longer ids are unknown ids
  std::size_t max_calls_per_session = 64;    // requests of one session that wait for an answer
  std::size_t max_calls = 10'000;            // the same over all sessions of one engine
  std::size_t max_requests_per_call = 16;    // to the client, unanswered
  std::size_t max_streams_per_session = 32;  // that one session listens to by GET, on one node
  std::size_t max_kept_streams = 16;         // of ended calls of one session, on one node
  std::size_t max_all_kept_streams = 4096;   // the same over all sessions of one engine
  std::size_t max_events_per_stream = 256;   // kept to be replayed, the last ones
  std::size_t max_request_state_bytes = 256 << 10;  // kept by a client between rounds of questions
  std::int64_t max_rounds = 8;                      // of questions in one call (spec M-09)
  Millis max_answer_time = Minutes(5);        // for a client to answer what a session's call asked
  std::size_t max_sse_event_bytes = 4 << 20;  // one event read from a peer's stream
};

}  // namespace mcp_session

#endif  // MCP_SESSION_BASE_LIMITS_H_

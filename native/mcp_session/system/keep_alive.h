// TCP's own watch over a connection: without it nobody who only reads notices that the other end
// vanished without a word, by a power cut or a router that forgot.
#ifndef MCP_SESSION_SYSTEM_KEEP_ALIVE_H_
#define MCP_SESSION_SYSTEM_KEEP_ALIVE_H_

#include "mcp_session/base/time.h"

namespace mcp_session {

struct KeepAlive {
  Millis idle;      // without a byte from the peer, until its system is asked for a sign of life
  Millis interval;  // from one such question to the next
  // Without the sign, or without an acknowledgement of what was sent: then the connection fails.
  Millis lost;
};

// For HTTP, at both ends: a connection whose peer vanished fails within 80 s.
inline constexpr KeepAlive kHttpKeepAlive{Seconds(20), Seconds(10), Seconds(60)};

// `idle` and `interval` count in whole seconds. What a listening socket has, it hands to those it
// accepts. Changes nothing where the socket knows no such options. Any thread.
void SetKeepAlive(int socket, const KeepAlive& times);

}  // namespace mcp_session

#endif  // MCP_SESSION_SYSTEM_KEEP_ALIVE_H_

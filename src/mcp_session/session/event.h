// What happens to a server, as its engine is told (session/server_engine.h). The answer to each
// event is a list of effects (session/effect.h).
#ifndef MCP_SESSION_SESSION_EVENT_H_
#define MCP_SESSION_SESSION_EVENT_H_

#include <string_view>
#include <variant>

#include "mcp_session/protocol/http.h"
#include "mcp_session/session/ids.h"

namespace mcp_session {
namespace event {

// A whole HTTP request arrived. `principal` is the verified identity of the caller, empty if
// there is no authentication; it never comes from the request's own claims (spec A-04).
struct HttpRequested {
  ExchangeId exchange;
  const HttpRequest& request;
  std::string_view principal;
};

// The client is gone before its response was complete. Nothing more can be sent to it.
struct ExchangeClosed {
  ExchangeId exchange;
};

struct ChannelOpened {
  ChannelId channel;
  std::string_view principal;
};

// One message, without the line break that framed it.
struct MessageArrived {
  ChannelId channel;
  std::string_view text;
};

struct ChannelClosed {
  ChannelId channel;
};

// The host is about to end and lets calls finish: what is open only for news is to end.
struct Stopping {};

// The store has replies to collect, or a deadline passed, or a handler answered outside an event.
struct Woken {};

}  // namespace event

// Text in an event is only read during the call that it is passed to.
using Event =
    std::variant<event::HttpRequested, event::ExchangeClosed, event::ChannelOpened,
                 event::MessageArrived, event::ChannelClosed, event::Stopping, event::Woken>;

}  // namespace mcp_session

#endif  // MCP_SESSION_SESSION_EVENT_H_

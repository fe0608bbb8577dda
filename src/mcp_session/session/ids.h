// The names that engines and hosts use for each other's things.
#ifndef MCP_SESSION_SESSION_IDS_H_
#define MCP_SESSION_SESSION_IDS_H_

#include <cstdint>
#include <functional>

namespace mcp_session {

// One HTTP request and its response. Chosen by whoever starts it (the host on a server, the
// engine on a client), never used twice.
struct ExchangeId {
  std::uint64_t number = 0;
  friend bool operator==(ExchangeId, ExchangeId) = default;
};

// A channel that carries whole messages both ways: stdin and stdout, a MessagePort.
struct ChannelId {
  std::uint64_t number = 0;
  friend bool operator==(ChannelId, ChannelId) = default;
};

// A request that is being worked on: on a server one for the application, on a client one it made.
struct CallId {
  std::uint64_t number = 0;
  friend bool operator==(CallId, CallId) = default;
};

// Something that a server asked the application of a client.
struct QuestionId {
  std::uint64_t number = 0;
  friend bool operator==(QuestionId, QuestionId) = default;
};

struct IdHash {
  template <typename Id>
  std::size_t operator()(Id id) const {
    return std::hash<std::uint64_t>()(id.number);
  }
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SESSION_IDS_H_

// What a server's engine wants done. The host does it in the order given; it owns the sockets.
#ifndef MCP_SESSION_SESSION_EFFECT_H_
#define MCP_SESSION_SESSION_EFFECT_H_

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "mcp_session/session/ids.h"

namespace mcp_session {

// Response headers, lower case. The names are literals.
using ResponseHeaders = std::vector<std::pair<std::string_view, std::string>>;

namespace effect {

// The whole response of an exchange. The host adds what HTTP itself needs (length, date).
struct HttpRespond {
  ExchangeId exchange;
  int status = 200;
  ResponseHeaders headers;
  std::string body;
};

// The head of a response whose body follows in HttpChunk and ends with HttpEnd.
struct HttpStream {
  ExchangeId exchange;
  int status = 200;
  ResponseHeaders headers;
};

struct HttpChunk {
  ExchangeId exchange;
  std::string bytes;
};

struct HttpEnd {
  ExchangeId exchange;
};

// One message on a channel; the host frames it.
struct Send {
  ChannelId channel;
  std::string text;
};

}  // namespace effect

using Effect = std::variant<effect::HttpRespond, effect::HttpStream, effect::HttpChunk,
                            effect::HttpEnd, effect::Send>;
using Effects = std::vector<Effect>;

}  // namespace mcp_session

#endif  // MCP_SESSION_SESSION_EFFECT_H_

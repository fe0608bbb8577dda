// What a client engine is told and what it wants done (session/client_engine.h).
#ifndef MCP_SESSION_SESSION_CLIENT_EVENT_H_
#define MCP_SESSION_SESSION_CLIENT_EVENT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "mcp_session/base/error.h"
#include "mcp_session/base/time.h"
#include "mcp_session/json/json.h"
#include "mcp_session/protocol/message.h"
#include "mcp_session/protocol/version.h"
#include "mcp_session/session/ids.h"

namespace mcp_session {
namespace client_event {

// --- from the application ---

// Finds the era out and, in the handshake era, initializes. Answered by Opened or OpenFailed, as
// is every opening that a Request begins; at once if the engine is open.
struct Open {};

// A request. Answered exactly once, by Answered or Failed.
struct Request {
  CallId call;  // chosen by the application, of none that is not answered
  std::string_view method;
  Json params;                    // an object or null; what the era wants in _meta is added
  bool wants_progress = false;    // deliver Progressed
  std::optional<Millis> timeout;  // else ClientOptions::request_timeout; progress extends it
  // Doing it twice is as good as once: it is sent again, once, if the connection breaks before the
  // answer. Whatever may have been done is otherwise never asked for again.
  bool repeatable = false;
  // More headers over HTTP in the stateless era, as they are to be sent (spec S-37).
  std::vector<std::pair<std::string, std::string>> headers = {};
};

// The answer to Asked: a result (an object), or why there is none. What is withdrawn is ignored.
struct Reply {
  QuestionId question;
  std::variant<Json, RpcError> outcome;
};

// Gives a request up: the server is told, and Failed{kCancelled} comes at once.
struct Cancel {
  CallId call;
};

// roots/list would be answered otherwise now. A session is told (spec G-09), if roots.listChanged
// was declared; a stateless server hears of it when it asks.
struct RootsChanged {};

// Ends the session politely (DELETE); what waits fails with kCancelled. Answered by Closed.
struct Close {};

// --- from the transport ---

// The head of the response to an HttpSend. Only these headers matter: content-type and
// mcp-session-id.
struct ResponseStarted {
  ExchangeId exchange;
  int status = 0;
  std::string_view content_type;
  std::string_view session_id;  // empty if the header is not there
};
// A piece of its body; and its end.
struct ResponseBytes {
  ExchangeId exchange;
  std::string_view bytes;
};
struct ResponseEnded {
  ExchangeId exchange;
};
// No response, or none to its end. `opaque` is a browser's refusal to say why: what a server
// without the right CORS answers looks like (spec section 13).
// `reason`, if not empty, becomes the error's message, so it follows the rules for those.
struct ExchangeFailed {
  ExchangeId exchange;
  bool opaque = false;
  std::string_view reason;
};
// On a channel: one message; and its end, after which only Open, on a new channel, starts again.
struct MessageArrived {
  std::string_view text;
};
struct ChannelClosed {};

// A deadline passed (ClientEngine::NextDeadline).
struct Woken {};

}  // namespace client_event

using ClientEvent =
    std::variant<client_event::Open, client_event::Request, client_event::Reply,
                 client_event::Cancel, client_event::RootsChanged, client_event::Close,
                 client_event::ResponseStarted, client_event::ResponseBytes,
                 client_event::ResponseEnded, client_event::ExchangeFailed,
                 client_event::MessageArrived, client_event::ChannelClosed, client_event::Woken>;

namespace client_effect {

// --- to the transport ---

struct HttpSend {
  ExchangeId exchange;
  std::string_view method;  // "POST", "GET", "DELETE"
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};
// Nobody waits for this exchange any more.
struct HttpAbort {
  ExchangeId exchange;
};
// On a channel.
struct Send {
  std::string text;
};

// --- to the application ---

// Also what a later client goes on from (ClientOptions::resume).
struct Opened {
  Era era = Era::kHandshake;
  Revision revision = kNewestHandshake;
  std::string session_id;  // empty in the stateless era, and if the server keeps none
  Json server;             // {serverInfo, capabilities, instructions?, _meta?}
};
struct OpenFailed {
  Error error;
};
struct Answered {
  CallId call;
  Json result;
};
// `rpc` is set when the server answered with a JSON-RPC error. Then error.code is the code of ours
// with that number, or kPeer; unless the HTTP status says more: kForbidden (401, 403),
// kSessionNotFound, kTimeout (408), kTooLarge (413), kTooManyRequests (429), kUnavailable (5xx).
struct Failed {
  CallId call;
  Error error;
  std::optional<RpcError> rpc;
};
struct Progressed {
  CallId call;
  Json params;  // progress, total?, message?
};
// Any other notification of the server.
struct Notified {
  std::string method;
  Json params;
};
// The server wants something of the application, which answers by Reply: sampling/createMessage,
// elicitation/create or roots/list, of a kind that was declared. Both eras ask like this, whether
// by a request of the server or by a result of type input_required (spec G-02, M-10). Meanwhile
// the call's time is max_request_time alone. A reply that is an error ends a stateless call with
// kCancelled.
struct Asked {
  QuestionId question;
  CallId call;  // the one it is asked for; 0: the server does not say
  std::string method;
  Json params;  // an object or null
};
// Nobody waits for the reply any more: the server said so, or the call or session is over.
struct Withdrawn {
  QuestionId question;
};
// The server no longer knows the session (404). What it refuses for that reason is sent again in a
// new session, once, or fails with kSessionNotFound (ClientOptions::renews_session); what it had
// accepted before may still be answered. The next Request opens a new one by itself.
struct SessionLost {};
struct Closed {};

}  // namespace client_effect

using ClientEffect =
    std::variant<client_effect::HttpSend, client_effect::HttpAbort, client_effect::Send,
                 client_effect::Opened, client_effect::OpenFailed, client_effect::Answered,
                 client_effect::Failed, client_effect::Progressed, client_effect::Notified,
                 client_effect::Asked, client_effect::Withdrawn, client_effect::SessionLost,
                 client_effect::Closed>;
using ClientEffects = std::vector<ClientEffect>;

}  // namespace mcp_session

#endif  // MCP_SESSION_SESSION_CLIENT_EVENT_H_

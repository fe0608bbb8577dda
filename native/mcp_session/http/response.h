// Responses as bytes, appended to what a connection has to send.
#ifndef MCP_SESSION_HTTP_RESPONSE_H_
#define MCP_SESSION_HTTP_RESPONSE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "mcp_session/session/effect.h"

namespace mcp_session {

// How a response goes over its connection.
struct ResponseForm {
  bool keep_alive = true;
  bool http_1_0 = false;    // no chunks; keep-alive must be said
  bool head_only = false;   // the answer to HEAD: no body, whatever the headers say
  std::string_view origin;  // whose pages may read it; empty: our own
};

void AppendResponse(int status, const ResponseHeaders& headers, std::string_view body,
                    const ResponseForm& form, std::string* out);

// The head of a body that follows in pieces. To HTTP/1.0 it ends with the connection.
void AppendStreamHead(int status, const ResponseHeaders& headers, const ResponseForm& form,
                      std::string* out);
void AppendChunk(std::string_view bytes, const ResponseForm& form, std::string* out);
void AppendStreamEnd(const ResponseForm& form, std::string* out);

// The body of a refusal: a JSON-RPC error without id. `message` needs no escapes.
std::string RefusalBody(int status, std::string_view message);

}  // namespace mcp_session

#endif  // MCP_SESSION_HTTP_RESPONSE_H_

// MCP over HTTP, without the sockets: the request as the engines see it, and the rules for its
// headers (spec sections 6 and 8).
#ifndef MCP_SESSION_PROTOCOL_HTTP_H_
#define MCP_SESSION_PROTOCOL_HTTP_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mcp_session/base/result.h"

namespace mcp_session {

// The request headers that mean something to a server. Everything else is dropped on arrival.
enum class Header : std::uint8_t {
  kAccept,
  kContentType,
  kHost,
  kLastEventId,
  kMcpMethod,
  kMcpName,
  kOrigin,
  kProtocolVersion,
  kSessionId,
};
inline constexpr std::size_t kHeaderCount = 9;

// Of ASCII letters.
bool EqualIgnoringCase(std::string_view a, std::string_view b);

// Whether a header can have this name: a token of RFC 9110, 5.6.2.
bool IsHeaderName(std::string_view text);

// As it goes over the wire in requests we make ("Mcp-Method").
std::string_view HeaderName(Header header);

enum class HttpMethod : std::uint8_t { kGet, kPost, kDelete, kOther };

// One request. All views point into memory of whoever made it and are read only while the engine
// handles the event that carries it.
class HttpRequest {
 public:
  HttpRequest(std::string_view method, std::string_view body);

  // Names are matched without regard to case; spaces and tabs around the value are not part of
  // it (spec S-35). A known header that comes twice makes the request ambiguous(), but for Accept.
  void AddHeader(std::string_view name, std::string_view value);

  HttpMethod method() const { return method_; }
  std::string_view body() const { return body_; }
  // nullopt: not sent. Empty: sent without a value. Of several Accept lines, the first.
  std::optional<std::string_view> Find(Header header) const;
  // The lines of Accept after the first: a list may rightly come in several.
  const std::vector<std::string_view>& more_accept() const { return more_accept_; }
  // The Mcp-Param-* headers, name without the prefix.
  const std::vector<std::pair<std::string_view, std::string_view>>& params() const {
    return params_;
  }
  bool ambiguous() const { return ambiguous_; }

 private:
  HttpMethod method_;
  std::string_view body_;
  std::array<std::string_view, kHeaderCount> values_;
  std::uint16_t present_ = 0;
  bool ambiguous_ = false;
  std::vector<std::string_view> more_accept_;
  std::vector<std::pair<std::string_view, std::string_view>> params_;
};

// Who may talk to a server through a browser (spec H-41, S-32). Compared without regard to case.
struct HostPolicy {
  // Host header values, with or without a port ("localhost" admits every port of it). Empty:
  // any host, for servers that are reached by names they do not know.
  std::vector<std::string> hosts;
  // Origins besides those whose host is admitted by `hosts` ("https://app.example"); "*" is any.
  std::vector<std::string> origins;
};
// Admits what a server bound to a loopback address should answer to, and nothing else.
HostPolicy LoopbackHosts();
// A request without a Host or Origin header passes that part: it comes from no browser.
bool Admits(const HostPolicy& policy, const HttpRequest& request);

// Whether the Accept header admits both application/json and text/event-stream, wildcards
// counted, quality values not (spec H-42).
bool AcceptsJsonAndEvents(std::string_view accept);
bool AcceptsJsonAndEvents(const HttpRequest& request);
bool AcceptsEvents(std::string_view accept);
// Whether a Content-Type names application/json, whatever its parameters.
bool IsJson(std::string_view content_type);

// A session id as the protocol admits it: 1 to 256 characters of 0x21-0x7E (spec H-21).
bool IsSessionId(std::string_view text);

// Header values with text beyond visible ASCII travel as =?base64?...?= (spec S-36). Decode
// answers the text; kHeaderMismatch if it looks encoded and is not well-formed, or holds bytes
// no header may hold.
std::string EncodeHeaderValue(std::string_view text);
Result<std::string> DecodeHeaderValue(std::string_view value);

}  // namespace mcp_session

#endif  // MCP_SESSION_PROTOCOL_HTTP_H_

// What can go wrong, in one closed list, and what each of it is called on every face of the
// library: JSON-RPC number, HTTP status, JavaScript code. error.cc holds the only such table.
#ifndef MCP_SESSION_BASE_ERROR_H_
#define MCP_SESSION_BASE_ERROR_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace mcp_session {

// The comment gives the meaning; spec ids are those of docs/protocol-support.md.
enum class ErrorCode : std::uint8_t {
  // Messages.
  kParseError,          // not JSON, not UTF-8, or nested too deep (-32700)
  kInvalidRequest,      // JSON, but no JSON-RPC message; a batch; a second initialize (-32600)
  kMethodNotFound,      // unknown method, or its capability was not advertised (-32601)
  kInvalidParams,       // unknown tool, malformed params, missing _meta field (-32602)
  kInternal,            // our fault; says nothing of the inside (-32603)
  kHeaderMismatch,      // stateless: a header is missing, malformed or unlike the body (-32020)
  kMissingCapability,   // stateless: needs an undeclared client capability (-32021)
  kUnsupportedVersion,  // the revision is not served (-32022)
  // HTTP, before a message is looked at.
  kForbidden,             // Origin or Host not allowed (403)
  kMethodNotAllowed,      // not an HTTP method of this endpoint (405)
  kNotAcceptable,         // Accept lacks a type the answer may have (406)
  kUnsupportedMediaType,  // the body is not application/json (415)
  kBadHeader,             // a header that cannot be used: malformed, doubled, bad version (400)
  kSessionRequired,       // the request names no session and needs one (400)
  kSessionNotFound,       // never issued, ended, expired, or somebody else's (404)
  kTooManyRequests,       // a limit on what one peer may have open (429)
  // The store (store/store.h).
  kNotFound,         // the backend answered: no live record for this owner
  kExpired,          // the same, and it is known that its time was over
  kExists,           // create met a live record
  kConflict,         // the version differs from the expected one
  kFenced,           // somebody else was granted the lock since; stop working
  kLocked,           // somebody else has the lock
  kLockLost,         // not, or no longer, the holder of the lock
  kGap,              // some of the events asked for are not kept any more
  kTooLarge,         // over a size limit; refused before any I/O (413)
  kInvalidArgument,  // the caller's mistake: an option or value out of range
  kCapacity,         // full: memory cap, out of memory, disk full (503)
  kUnavailable,      // the backend did not answer. Never the same as kNotFound (503)
  kMisconfigured,    // credentials, TLS, URL, version: needs a human (500)
  kCorrupt,          // a stored record cannot be read
  // Both sides.
  kCancelled,  // the caller or the peer cancelled
  kTimeout,    // no answer in time
  kTransport,  // the connection failed or broke
  kPeer,       // the peer answered with an error of its own, or against the protocol
};

// Who must hear of it.
enum class Blame : std::uint8_t {
  kCaller,       // whoever called this library
  kPeer,         // the other end of the wire
  kEnvironment,  // network, backend, machine
};

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  Blame blame = Blame::kCaller;
  // Lower case, no trailing dot, no payload, no secrets, at most six characters of an id.
  std::string message;

  bool operator==(const Error&) const = default;
};

// The JSON-RPC error number, HTTP status and JavaScript code ("SESSION_NOT_FOUND") of `code`.
int JsonRpcNumber(ErrorCode code);
int HttpStatus(ErrorCode code);
std::string_view CodeName(ErrorCode code);

}  // namespace mcp_session

#endif  // MCP_SESSION_BASE_ERROR_H_

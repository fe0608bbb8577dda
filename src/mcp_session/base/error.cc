#include "mcp_session/base/error.h"

#include <iterator>

#include "mcp_session/base/check.h"

namespace mcp_session {
namespace {

struct Row {
  ErrorCode code;
  int json_rpc;
  int http;
  std::string_view name;
};

// In the order of the enumeration. -32000 and -32001 are what handshake-era peers send for
// refusals at the HTTP level and for a session that is not there (docs/protocol-support.md).
constexpr Row kRows[] = {
    {ErrorCode::kParseError, -32700, 400, "PARSE_ERROR"},
    {ErrorCode::kInvalidRequest, -32600, 400, "INVALID_REQUEST"},
    {ErrorCode::kMethodNotFound, -32601, 404, "METHOD_NOT_FOUND"},
    {ErrorCode::kInvalidParams, -32602, 200, "INVALID_PARAMS"},
    {ErrorCode::kInternal, -32603, 200, "INTERNAL"},
    {ErrorCode::kHeaderMismatch, -32020, 400, "HEADER_MISMATCH"},
    {ErrorCode::kMissingCapability, -32021, 400, "MISSING_CAPABILITY"},
    {ErrorCode::kUnsupportedVersion, -32022, 400, "UNSUPPORTED_VERSION"},
    {ErrorCode::kForbidden, -32000, 403, "FORBIDDEN"},
    {ErrorCode::kMethodNotAllowed, -32000, 405, "METHOD_NOT_ALLOWED"},
    {ErrorCode::kNotAcceptable, -32000, 406, "NOT_ACCEPTABLE"},
    {ErrorCode::kUnsupportedMediaType, -32000, 415, "UNSUPPORTED_MEDIA_TYPE"},
    {ErrorCode::kBadHeader, -32000, 400, "BAD_HEADER"},
    {ErrorCode::kSessionRequired, -32000, 400, "SESSION_REQUIRED"},
    {ErrorCode::kSessionNotFound, -32001, 404, "SESSION_NOT_FOUND"},
    {ErrorCode::kTooManyRequests, -32000, 429, "TOO_MANY_REQUESTS"},
    {ErrorCode::kNotFound, -32603, 404, "NOT_FOUND"},
    {ErrorCode::kExpired, -32603, 404, "EXPIRED"},
    {ErrorCode::kExists, -32603, 409, "EXISTS"},
    {ErrorCode::kConflict, -32603, 409, "CONFLICT"},
    {ErrorCode::kFenced, -32603, 409, "FENCED"},
    {ErrorCode::kLocked, -32603, 409, "LOCKED"},
    {ErrorCode::kLockLost, -32603, 409, "LOCK_LOST"},
    {ErrorCode::kGap, -32603, 410, "GAP"},
    {ErrorCode::kTooLarge, -32600, 413, "TOO_LARGE"},
    {ErrorCode::kInvalidArgument, -32603, 500, "INVALID_ARGUMENT"},
    {ErrorCode::kCapacity, -32603, 503, "CAPACITY"},
    {ErrorCode::kUnavailable, -32603, 503, "UNAVAILABLE"},
    {ErrorCode::kMisconfigured, -32603, 500, "MISCONFIGURED"},
    {ErrorCode::kCorrupt, -32603, 500, "CORRUPT"},
    {ErrorCode::kCancelled, -32603, 499, "CANCELLED"},
    {ErrorCode::kTimeout, -32603, 504, "TIMEOUT"},
    {ErrorCode::kTransport, -32603, 502, "TRANSPORT"},
    {ErrorCode::kPeer, -32603, 502, "PEER"},
};

const Row& Find(ErrorCode code) {
  const auto index = static_cast<std::size_t>(code);
  MCPS_CHECK(index < std::size(kRows) && kRows[index].code == code);
  return kRows[index];
}

}  // namespace

int JsonRpcNumber(ErrorCode code) { return Find(code).json_rpc; }
int HttpStatus(ErrorCode code) { return Find(code).http; }
std::string_view CodeName(ErrorCode code) { return Find(code).name; }

}  // namespace mcp_session

// JSON-RPC 2.0 messages as MCP uses them (spec J-01 to J-07).
#ifndef MCP_SESSION_PROTOCOL_MESSAGE_H_
#define MCP_SESSION_PROTOCOL_MESSAGE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "mcp_session/base/result.h"
#include "mcp_session/json/json.h"

namespace mcp_session {

// A string or an integer, never null (J-02); kept apart by type, so 1 and "1" differ (J-05).
using RequestId = std::variant<std::int64_t, std::string>;

// An error on the wire. `data`, if there is any, is free-form JSON.
struct RpcError {
  std::int64_t code = 0;
  std::string message;
  std::optional<Json> data;
};
// The wire form of one of our own errors.
RpcError ToRpcError(const Error& error);

struct Request {
  RequestId id;
  std::string method;
  Json params;  // an object, or null if there were none
};

struct Notification {
  std::string method;
  Json params;  // an object, or null if there were none
};

// `outcome` is the result (an object) or the error. An error may come without an id, when the
// peer could not read the one it answers.
struct Response {
  std::optional<RequestId> id;
  std::variant<Json, RpcError> outcome;
};

using Message = std::variant<Request, Notification, Response>;

// The id that `value` is, if it is a string or an integer (J-02).
std::optional<RequestId> ReadRequestId(const Json& value);

// Takes a parsed JSON value apart without copying it. kInvalidRequest says what is wrong with it;
// an array is always wrong here (J-11). `id_of_broken`, if not null, receives the id of a request
// that has a usable one but is malformed otherwise, so that the error can name it.
Result<Message> DecodeMessage(Json value, std::optional<RequestId>* id_of_broken = nullptr);

// Each appends one whole message to `out`. `params`, `members` and `meta` are JSON text that the
// caller wrote: `params` an object, or empty for none.
void AppendRequest(const RequestId& id, std::string_view method, std::string_view params,
                   std::string* out);
void AppendNotification(std::string_view method, std::string_view params, std::string* out);
// notifications/cancelled for this request.
void AppendCancelled(const RequestId& request, std::string* out);
// `members` is the inside of the result object: "" or "\"tools\":[...]", without the braces.
void AppendResult(const RequestId& id, std::string_view members, std::string* out);
// Without an id the member is left out, never null (ruling R-6).
void AppendError(const std::optional<RequestId>& id, const RpcError& error, std::string* out);

// The id as JSON.
void AppendRequestId(const RequestId& id, std::string* out);

}  // namespace mcp_session

#endif  // MCP_SESSION_PROTOCOL_MESSAGE_H_

#include "mcp_session/protocol/message.h"

#include <utility>

#include "mcp_session/base/check.h"
#include "mcp_session/json/access.h"
#include "mcp_session/json/write.h"

namespace mcp_session {
namespace {

tl::unexpected<Error> Invalid(const char* what) {
  return Failure(ErrorCode::kInvalidRequest, Blame::kPeer, what);
}

Result<Message> DecodeResponse(Json& value, std::optional<RequestId> id) {
  Json* result = Find(value, "result");
  Json* error = Find(value, "error");
  if ((result == nullptr) == (error == nullptr)) return Invalid("neither a result nor an error");
  if (result != nullptr) {
    if (!id) return Invalid("the response has no usable id");
    if (!result->is_object()) return Invalid("the result is no object");
    return Response{std::move(id), std::move(*result)};
  }
  const auto code = FindInteger(*error, "code");
  const std::string* message = FindString(*error, "message");
  if (!code || message == nullptr) return Invalid("the error has no code or message");
  RpcError rpc{*code, *message, std::nullopt};
  if (Json* data = Find(*error, "data")) rpc.data = std::move(*data);
  return Response{std::move(id), std::move(rpc)};
}

void AppendMethod(std::string_view method, std::string_view params, std::string* out) {
  *out += "\"method\":";
  const bool valid = AppendJsonString(method, out);
  MCPS_CHECK(valid);  // methods come from this program or from parsed JSON
  if (!params.empty()) {
    *out += ",\"params\":";
    *out += params;
  }
  *out += '}';
}

}  // namespace

std::optional<RequestId> ReadRequestId(const Json& value) {
  if (const std::string* text = AsString(value)) return RequestId(*text);
  if (!value.is_number_integer()) return std::nullopt;  // 1.0 reads back as 1: another id
  const auto number = AsInteger(value);
  return number ? std::optional<RequestId>(*number) : std::nullopt;
}

RpcError ToRpcError(const Error& error) {
  return RpcError{JsonRpcNumber(error.code), error.message, std::nullopt};
}

Result<Message> DecodeMessage(Json value, std::optional<RequestId>* id_of_broken) {
  if (value.is_array()) return Invalid("a batch is not accepted");
  if (!value.is_object()) return Invalid("a message is an object");
  Json* raw_id = Find(value, "id");
  std::optional<RequestId> id = raw_id != nullptr ? ReadRequestId(*raw_id) : std::nullopt;
  Json* method = Find(value, "method");
  // The id of a response is one of our own: sent back, it would name a request of the peer's.
  const bool response =
      method == nullptr && (Find(value, "result") != nullptr || Find(value, "error") != nullptr);
  if (id_of_broken != nullptr) *id_of_broken = response ? std::nullopt : id;
  const std::string* version = FindString(value, "jsonrpc");
  if (version == nullptr || *version != "2.0") return Invalid("jsonrpc is not \"2.0\"");
  if (method == nullptr) {
    if (raw_id != nullptr && !id && !raw_id->is_null()) return Invalid("the id is unusable");
    return DecodeResponse(value, std::move(id));
  }
  if (raw_id != nullptr && !id) return Invalid("the id is neither a string nor an integer");
  auto* name = method->get_ptr<std::string*>();
  if (name == nullptr) return Invalid("the method is no string");
  Json* params = Find(value, "params");
  if (params != nullptr && !params->is_object()) return Invalid("params is no object");
  Json taken = params ? std::move(*params) : Json();
  if (id) return Request{std::move(*id), std::move(*name), std::move(taken)};
  return Notification{std::move(*name), std::move(taken)};
}

void AppendRequestId(const RequestId& id, std::string* out) {
  if (const auto* number = std::get_if<std::int64_t>(&id)) {
    AppendInteger(*number, out);
  } else {
    const bool valid = AppendJsonString(std::get<std::string>(id), out);
    MCPS_CHECK(valid);  // it was parsed as JSON, or made here
  }
}

void AppendRequest(const RequestId& id, std::string_view method, std::string_view params,
                   std::string* out) {
  *out += "{\"jsonrpc\":\"2.0\",\"id\":";
  AppendRequestId(id, out);
  *out += ',';
  AppendMethod(method, params, out);
}

void AppendNotification(std::string_view method, std::string_view params, std::string* out) {
  *out += "{\"jsonrpc\":\"2.0\",";
  AppendMethod(method, params, out);
}

void AppendCancelled(const RequestId& request, std::string* out) {
  std::string params = "{\"requestId\":";
  AppendRequestId(request, &params);
  params += '}';
  AppendNotification("notifications/cancelled", params, out);
}

void AppendResult(const RequestId& id, std::string_view members, std::string* out) {
  *out += "{\"jsonrpc\":\"2.0\",\"id\":";
  AppendRequestId(id, out);
  *out += ",\"result\":{";
  *out += members;
  *out += "}}";
}

void AppendError(const std::optional<RequestId>& id, const RpcError& error, std::string* out) {
  *out += "{\"jsonrpc\":\"2.0\",";
  if (id) {
    *out += "\"id\":";
    AppendRequestId(*id, out);
    *out += ',';
  }
  *out += "\"error\":{\"code\":";
  AppendInteger(error.code, out);
  *out += ",\"message\":";
  if (!AppendJsonString(error.message, out)) *out += "\"\"";
  if (error.data) {
    *out += ",\"data\":";
    if (!AppendJson(*error.data, out)) *out += "null";
  }
  *out += "}}";
}

}  // namespace mcp_session

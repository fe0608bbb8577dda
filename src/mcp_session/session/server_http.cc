// HTTP exchanges: the checks of spec section 8, in their order, and the way into each era.
#include <utility>

#include "mcp_session/json/access.h"
#include "mcp_session/json/parse.h"
#include "mcp_session/session/server_state.h"

namespace mcp_session {
namespace {

// What Mcp-Name has to repeat: a member of params, for the methods that name something (S-33).
std::optional<std::string_view> NamedMember(std::string_view method) {
  if (method == "tools/call" || method == "prompts/get") return "name";
  if (method == "resources/read") return "uri";
  if (method == "tasks/get" || method == "tasks/update" || method == "tasks/cancel") {
    return "taskId";
  }
  return std::nullopt;
}

std::optional<Refusal> CheckHeader(const HttpRequest& http, Header header,
                                   std::string_view expected) {
  const auto value = http.Find(header);
  const std::string name(HeaderName(header));
  if (!value) return MakeRefusal(ErrorCode::kHeaderMismatch, name + " is missing");
  const Result<std::string> decoded = DecodeHeaderValue(*value);
  if (!decoded) return MakeRefusal(ErrorCode::kHeaderMismatch, name + " is malformed");
  if (*decoded != expected) {
    return MakeRefusal(ErrorCode::kHeaderMismatch, name + " differs from the body");
  }
  return std::nullopt;
}

void Accepted(ExchangeId exchange, Turn& turn) {
  turn.effects->push_back(effect::HttpRespond{exchange, 202, {}, {}});
}

}  // namespace

void ServerEngine::State::RefuseHttp(ExchangeId exchange, const Refusal& refusal,
                                     const std::optional<RequestId>& id, Turn& turn) {
  RpcError error = ToRpcError(refusal.error);
  error.data = refusal.data;
  SendError(exchange, refusal.http_status, id, error, turn.effects);
  if (refusal.http_status != 405) return;
  auto& headers = std::get<effect::HttpRespond>(turn.effects->back()).headers;
  headers.emplace_back("allow", keeping != nullptr ? "GET, POST, DELETE" : "POST, DELETE");
}

void ServerEngine::State::HandleHttp(const event::HttpRequested& event, Turn& turn) {
  const HttpRequest& http = event.request;
  const auto refuse = [&](ErrorCode code, const char* message) {
    RefuseHttp(event.exchange, MakeRefusal(code, message), std::nullopt, turn);
  };
  const auto session = http.Find(Header::kSessionId);
  const bool streams = keeping != nullptr && http.method() == HttpMethod::kGet && session;
  if (http.method() != HttpMethod::kPost && http.method() != HttpMethod::kDelete && !streams) {
    // Without a session there is no stream (H-50).
    return refuse(ErrorCode::kMethodNotAllowed, "use POST or DELETE");
  }
  if (!Admits(options.hosts, http)) {
    return refuse(ErrorCode::kForbidden, "this Origin or Host is not allowed");
  }
  if (event.principal.size() > kMaxPrincipalBytes) {
    return refuse(ErrorCode::kForbidden, "the caller's name is too long");
  }
  if (http.ambiguous()) return refuse(ErrorCode::kBadHeader, "a header was sent twice");
  if (http.method() == HttpMethod::kPost) return HandlePost(event, turn);
  const auto version = http.Find(Header::kProtocolVersion);
  if (version && !ParseRevision(*version)) {
    return refuse(ErrorCode::kBadHeader, "unsupported MCP-Protocol-Version");
  }
  if (!session) return refuse(ErrorCode::kSessionRequired, "Mcp-Session-Id is missing");
  if (!IsSessionId(*session)) return refuse(ErrorCode::kSessionNotFound, "unknown session");
  if (streams) {
    if (!AcceptsEvents(http.Find(Header::kAccept).value_or(""))) {
      return refuse(ErrorCode::kNotAcceptable, "Accept must admit text/event-stream");
    }
    const auto last = http.Find(Header::kLastEventId);
    return keeping->Find(event.exchange,
                         Caller{std::string(event.principal), std::string(*session)},
                         last ? std::optional<std::string>(*last) : std::nullopt);
  }
  EndSession(event.exchange, Caller{std::string(event.principal), std::string(*session), {}}, turn);
}

void ServerEngine::State::HandlePost(const event::HttpRequested& event, Turn& turn) {
  const HttpRequest& http = event.request;
  const auto refuse = [&](ErrorCode code, std::string message,
                          const std::optional<RequestId>& id = std::nullopt) {
    RefuseHttp(event.exchange, MakeRefusal(code, std::move(message)), id, turn);
  };
  if (!AcceptsJsonAndEvents(http)) {
    return refuse(ErrorCode::kNotAcceptable,
                  "Accept must admit application/json and text/event-stream");
  }
  if (!IsJson(http.Find(Header::kContentType).value_or(""))) {
    return refuse(ErrorCode::kUnsupportedMediaType, "Content-Type must be application/json");
  }
  Result<Json> json = ParseJson(http.body(), options.limits);
  if (!json) return refuse(json.error().code, json.error().message);
  std::optional<RequestId> id;
  Result<Message> message = DecodeMessage(std::move(*json), &id);
  if (!message) return refuse(message.error().code, message.error().message, id);

  const auto version = http.Find(Header::kProtocolVersion);
  Classification kind{Era::kHandshake, std::nullopt};  // what responses always are
  if (const auto* request = std::get_if<Request>(&*message)) {
    kind = Classify(request->method, request->params, version);
  } else if (const auto* notification = std::get_if<Notification>(&*message)) {
    kind = Classify(notification->method, notification->params, version);
  }
  if (kind.refusal) return RefuseHttp(event.exchange, *kind.refusal, IdOf(*message), turn);
  if (kind.era == Era::kStateless) return HandleStateless(event, std::move(*message), turn);
  HandleHandshake(event, std::move(*message), turn);
}

void ServerEngine::State::HandleStateless(const event::HttpRequested& event, Message message,
                                          Turn& turn) {
  auto* request = std::get_if<Request>(&message);
  if (request == nullptr) return Accepted(event.exchange, turn);  // nothing to do with it
  const auto version = event.request.Find(Header::kProtocolVersion);
  const auto envelope = ReadEnvelope(request->params, version);
  std::optional<Refusal> refusal;
  if (!envelope) {
    refusal = envelope.error();
  } else {
    refusal = CheckStatelessHeaders(event.request, *request);
  }
  if (refusal) return RefuseHttp(event.exchange, *refusal, request->id, turn);
  Caller caller{std::string(event.principal), {}, envelope->revision};
  if (request->method == "server/discover") {
    return Discover(event.exchange, caller, request->id, turn);
  }
  StartCall(event.exchange, std::move(caller), std::move(*request), nullptr, turn);
}

std::optional<Refusal> ServerEngine::State::CheckStatelessHeaders(const HttpRequest& http,
                                                                  const Request& request) const {
  if (!http.Find(Header::kProtocolVersion)) {
    return MakeRefusal(ErrorCode::kHeaderMismatch, "MCP-Protocol-Version is missing");  // S-47
  }
  if (auto refusal = CheckHeader(http, Header::kMcpMethod, request.method)) return refusal;
  const auto member = NamedMember(request.method);
  if (!member) return std::nullopt;
  const std::string* name = FindString(request.params, *member);
  if (name == nullptr) return std::nullopt;  // malformed params: told in band (-32602)
  return CheckHeader(http, Header::kMcpName, *name);
}

void ServerEngine::State::HandleHandshake(const event::HttpRequested& event, Message message,
                                          Turn& turn) {
  const auto refuse = [&](ErrorCode code, const char* text) {
    RefuseHttp(event.exchange, MakeRefusal(code, text), IdOf(message), turn);
  };
  const auto version = event.request.Find(Header::kProtocolVersion);
  if (version && !ParseRevision(*version)) {  // H-11
    return refuse(ErrorCode::kBadHeader, "unsupported MCP-Protocol-Version");
  }
  const auto session = event.request.Find(Header::kSessionId);
  auto* request = std::get_if<Request>(&message);
  if (!session && request != nullptr && request->method == "initialize") {
    return StartSession(event.exchange, event.principal, std::move(*request), turn);
  }
  if (!session) return refuse(ErrorCode::kSessionRequired, "Mcp-Session-Id is missing");
  if (!IsSessionId(*session)) return refuse(ErrorCode::kSessionNotFound, "unknown session");
  FindSession(event.exchange, Caller{std::string(event.principal), std::string(*session), {}},
              std::move(message), turn);
}

}  // namespace mcp_session

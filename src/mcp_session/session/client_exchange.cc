// HTTP, as the engine sees it: what is sent, and what of a response means an answer.
//
// Theory of operation. An exchange that brings an answer (wire_id is not 0) lives until the
// answer came, or its end says that none will: then the request ends with an error. A stream's
// messages count as they arrive, any other body when it is whole. What is left after that, and
// what never waited for an answer, may end by itself for a while (Exchange::deadline) and is then
// aborted; aborting at once would cost the host a connection each time.
#include <algorithm>
#include <utility>

#include "mcp_session/json/access.h"
#include "mcp_session/protocol/http.h"
#include "mcp_session/session/client_state.h"

namespace mcp_session {
namespace {

// Which member of params the Mcp-Name header repeats (S-33); empty for none.
std::string_view NameMember(std::string_view method) {
  if (method == "tools/call" || method == "prompts/get") return "name";
  if (method == "resources/read") return "uri";
  if (method == "tasks/get" || method == "tasks/update" || method == "tasks/cancel") {
    return "taskId";
  }
  return {};
}

bool IsEventStream(std::string_view content_type) {
  constexpr std::string_view kType = "text/event-stream";
  content_type = content_type.substr(0, content_type.find(';'));
  while (!content_type.empty() && content_type.back() == ' ') content_type.remove_suffix(1);
  return std::equal(content_type.begin(), content_type.end(), kType.begin(), kType.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

// Longer than our own ids may be (H-21): others put signed tokens there.
constexpr std::size_t kMaxSessionIdBytes = 4096;

bool IsSuccess(int status) { return status >= 200 && status < 300; }

Error Broken(std::string_view what) {
  return {ErrorCode::kTransport, Blame::kEnvironment, std::string(what)};
}

}  // namespace

bool IsUsableSessionId(std::string_view id) {
  for (const char c : id) {
    if (c < 0x21 || c > 0x7E) return false;
  }
  return id.size() <= kMaxSessionIdBytes;
}

Error StatusError(int status, bool names_session) {
  const auto error = [](ErrorCode code, Blame blame, const char* what) {
    return Error{code, blame, what};
  };
  switch (status) {
    case 401:
      return error(ErrorCode::kForbidden, Blame::kCaller, "the server wants authorization");
    case 403:
      return error(ErrorCode::kForbidden, Blame::kCaller, "the server refuses access");
    case 404:
      if (!names_session) break;
      return error(ErrorCode::kSessionNotFound, Blame::kPeer, "the server has no such session");
    case 408:
      return error(ErrorCode::kTimeout, Blame::kEnvironment, "the request took too long");
    case 413:
      return error(ErrorCode::kTooLarge, Blame::kCaller, "the server wants less at once");
    case 429:
      return error(ErrorCode::kTooManyRequests, Blame::kCaller, "the server wants a pause");
    default:
      break;
  }
  if (status >= 500) {
    return error(ErrorCode::kUnavailable, Blame::kEnvironment, "the server is not available");
  }
  if (status >= 300 && status < 400) return Broken("the server is elsewhere");
  return error(ErrorCode::kPeer, Blame::kPeer, "the server refused the request");
}

ExchangeId ClientEngine::State::Post(std::string body, std::int64_t wire_id,
                                     std::string_view method, const Json& params,
                                     const Call* call) {
  client_effect::HttpSend send;
  send.exchange = ExchangeId{++last_exchange_};
  send.method = "POST";
  send.headers.emplace_back(HeaderName(Header::kContentType), "application/json");
  send.headers.emplace_back(HeaderName(Header::kAccept), "application/json, text/event-stream");
  Exchange exchange{.id = send.exchange, .wire_id = wire_id};
  if (era_ == Era::kStateless) {
    send.headers.emplace_back(HeaderName(Header::kProtocolVersion), RevisionName(revision_));
    send.headers.emplace_back(HeaderName(Header::kMcpMethod), EncodeHeaderValue(method));
    const std::string* name = FindString(params, NameMember(method));
    if (name != nullptr) {
      send.headers.emplace_back(HeaderName(Header::kMcpName), EncodeHeaderValue(*name));
    }
    if (call != nullptr) {
      send.headers.insert(send.headers.end(), call->headers.begin(), call->headers.end());
    }
  } else {
    AppendSessionHeaders(&send);
    exchange.session = session();
  }
  if (wire_id == 0) exchange.deadline = After(now_, options_.request_timeout);
  send.body = std::move(body);
  exchanges_.push_back(std::move(exchange));
  const ExchangeId id = send.exchange;
  Tell(std::move(send));
  return id;
}

void ClientEngine::State::AppendSessionHeaders(client_effect::HttpSend* send) const {
  if (!session_id_.empty()) {
    send->headers.emplace_back(HeaderName(Header::kSessionId), session_id_);  // H-27
  }
  const bool agreed = step_ != Step::kInitialize && step_ != Step::kClosed;
  if (agreed && revision_ >= Revision::k2025_06_18) {  // H-10
    send->headers.emplace_back(HeaderName(Header::kProtocolVersion), RevisionName(revision_));
  }
}

ExchangeId ClientEngine::State::SendDelete() {
  client_effect::HttpSend send;
  send.exchange = ExchangeId{++last_exchange_};
  send.method = "DELETE";
  AppendSessionHeaders(&send);
  exchanges_.push_back({.id = send.exchange, .deadline = After(now_, kGrace)});
  const ExchangeId id = send.exchange;
  Tell(std::move(send));
  return id;
}

ClientEngine::State::Exchange* ClientEngine::State::FindExchange(ExchangeId id) {
  for (Exchange& exchange : exchanges_) {
    if (exchange.id == id) return &exchange;
  }
  return nullptr;
}

std::optional<ClientEngine::State::Exchange> ClientEngine::State::TakeExchange(ExchangeId id) {
  Exchange* exchange = FindExchange(id);
  if (exchange == nullptr) return std::nullopt;
  std::optional<Exchange> taken(std::move(*exchange));
  exchanges_.erase(exchanges_.begin() + (exchange - exchanges_.data()));
  return taken;
}

void ClientEngine::State::Abort(ExchangeId id) {
  if (TakeExchange(id)) Tell(client_effect::HttpAbort{id});
}

void ClientEngine::State::AbortAll() {
  const std::vector<Exchange> exchanges = std::exchange(exchanges_, {});
  for (const Exchange& exchange : exchanges) Tell(client_effect::HttpAbort{exchange.id});
}

void ClientEngine::State::On(client_event::ResponseStarted& event) {
  Exchange* exchange = FindExchange(event.exchange);
  if (exchange == nullptr || exchange->status != 0 || event.status < 200) return;
  exchange->status = event.status;
  if (event.status == 404 && exchange->session != 0 && exchange->session == session() &&
      step_ == Step::kOpen) {
    LoseSession();
  }
  const bool success = IsSuccess(event.status);
  if (exchange->wire_id != 0) {
    if (Call* call = success ? FindCall(exchange->wire_id) : nullptr) call->accepted = true;
    if (success && IsEventStream(event.content_type)) {
      exchange->events.emplace(options_.limits.max_sse_event_bytes);
    }
    if (success && step_ == Step::kInitialize && exchange->id == step_exchange_) {
      if (!IsUsableSessionId(event.session_id)) {
        return FailOpening({ErrorCode::kPeer, Blame::kPeer, "the session id is malformed"});
      }
      session_id_ = event.session_id;
      ++session_number_;
    }
    return;
  }
  if (exchange->listens && success && IsEventStream(event.content_type)) {
    exchange->events.emplace(options_.limits.max_sse_event_bytes);
    exchange->deadline = kNever;
    return;
  }
  // Nobody reads more than the head of what answers no request.
  exchange->deadline = std::min(exchange->deadline, After(now_, kGrace));
  if (step_ == Step::kInitialized && exchange->id == step_exchange_) {
    return EndInitialized(event.status);
  }
}

void ClientEngine::State::On(client_event::ResponseBytes& event) {
  Exchange* exchange = FindExchange(event.exchange);
  if (exchange == nullptr || exchange->status == 0) return;
  const bool listens = exchange->listens && exchange->events;
  if (exchange->wire_id == 0 && !listens) return;
  if (!exchange->events) {
    const std::size_t room = options_.limits.max_message_bytes - exchange->body.size();
    if (event.bytes.size() > room) return RefuseBytes(event.exchange);
    exchange->body += event.bytes;
    return;
  }
  std::vector<SseEvent> events;
  const bool readable = exchange->events->Read(event.bytes, &events).has_value();
  for (const SseEvent& each : events) {
    // A message may end the exchange, and it may start others.
    exchange = FindExchange(event.exchange);
    if (exchange == nullptr || (exchange->wire_id == 0 && !listens)) return;
    exchange->heard = true;
    // An event without data only brings an id (H-46).
    if (each.type == "message" && !each.data.empty()) Receive(each.data, event.exchange);
  }
  if (!readable) RefuseBytes(event.exchange);
}

void ClientEngine::State::RefuseBytes(ExchangeId id) {
  const Exchange* exchange = FindExchange(id);
  if (exchange == nullptr || (exchange->wire_id == 0 && !exchange->listens)) return;
  Error error = IsSuccess(exchange->status)
                    ? Error{ErrorCode::kTooLarge, Blame::kPeer, "the answer is too large"}
                    : StatusError(exchange->status, exchange->session != 0);
  Tell(client_effect::HttpAbort{id});
  EndExchange(id, std::move(error), false);
}

void ClientEngine::State::On(client_event::ResponseEnded& event) {
  Exchange* exchange = FindExchange(event.exchange);
  if (exchange == nullptr) return;
  if (exchange->wire_id != 0 && !exchange->body.empty()) {
    const std::string body = std::move(exchange->body);
    Receive(body, event.exchange);
    exchange = FindExchange(event.exchange);
    if (exchange == nullptr) return;
  }
  Error error;
  if (exchange->status == 0) {
    error = Broken("there was no response");
  } else if (!IsSuccess(exchange->status)) {
    error = StatusError(exchange->status, exchange->session != 0);
    if (exchange->resumes && error.code == ErrorCode::kPeer) {
      error = {ErrorCode::kGap, Blame::kPeer, "the server has not kept the rest of the stream"};
    }
  } else if (exchange->malformed) {
    error = {ErrorCode::kPeer, Blame::kPeer, "the answer is no message"};
  } else if (exchange->events) {
    error = Broken("the stream ended before the answer");
  } else {
    error = {ErrorCode::kPeer, Blame::kPeer, "the request was not answered"};
  }
  EndExchange(event.exchange, std::move(error), false);
}

void ClientEngine::State::On(client_event::ExchangeFailed& event) {
  const Exchange* exchange = FindExchange(event.exchange);
  if (exchange == nullptr) return;
  Error error = exchange->status >= 300
                    ? StatusError(exchange->status, exchange->session != 0)
                    : Broken(event.reason.empty() ? "the connection failed" : event.reason);
  EndExchange(event.exchange, std::move(error), event.opaque);
}

void ClientEngine::State::EndExchange(ExchangeId id, Error error, bool opaque) {
  const Exchange exchange = *TakeExchange(id);
  if (exchange.listens) return EndListening(exchange);
  const bool cut = error.code == ErrorCode::kTransport && exchange.status < 300;
  const bool away = error.code == ErrorCode::kUnavailable && exchange.resumes;
  if ((cut || away) && ResumeLater(exchange)) return;
  if (exchange.wire_id != 0) {
    Settle(exchange.wire_id, {std::move(error), exchange.status, opaque, exchange.session != 0});
  } else if (id == step_exchange_ && step_ == Step::kInitialized) {
    step_exchange_ = {};
    FailOpening(std::move(error));
  } else if (id == step_exchange_ && step_ == Step::kClosing) {
    TimeOutStep();
  }
}

}  // namespace mcp_session

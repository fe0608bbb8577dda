// Channels (stdio, MessagePort): whole messages both ways, one peer, no headers.
#include <utility>

#include "mcp_session/json/access.h"
#include "mcp_session/json/parse.h"
#include "mcp_session/session/server_state.h"

namespace mcp_session {

void ServerEngine::State::HandleMessage(const event::MessageArrived& event, Turn& turn) {
  Channel* found = channels.Find(event.channel.number);
  if (found == nullptr) return;
  Channel& channel = *found;
  const auto refuse = [&](const Error& error, const std::optional<RequestId>& id) {
    SendError(event.channel, 0, id, ToRpcError(error), turn.effects);
  };
  Result<Json> json = ParseJson(event.text, options.limits);
  if (!json) return refuse(json.error(), std::nullopt);
  std::optional<RequestId> id;
  Result<Message> message = DecodeMessage(std::move(*json), &id);
  if (!message) return refuse(message.error(), id);
  if (auto* request = std::get_if<Request>(&*message)) {
    return HandleChannelRequest(event.channel, channel, std::move(*request), turn);
  }
  if (auto* response = std::get_if<Response>(&*message)) {
    TakeResponse({}, event.channel, *response, turn);
    return;
  }
  const auto* notification = std::get_if<Notification>(&*message);
  if (notification == nullptr || notification->method != "notifications/cancelled") return;
  // Both eras cancel by this on a channel (T-04, P-02).
  if (const auto id = CancelledBy(*notification)) {
    CancelCall(Caller{channel.principal, channel.session, channel.revision}, event.channel, *id,
               turn);
  }
}

void ServerEngine::State::HandleChannelRequest(ChannelId id, Channel& channel, Request request,
                                               Turn& turn) {
  const auto refuse = [&](ErrorCode code, const char* message) {
    SendError(id, 0, request.id, ToRpcError(Error{code, Blame::kPeer, message}), turn.effects);
  };
  if (channel.principal.size() > kMaxPrincipalBytes) {
    return refuse(ErrorCode::kForbidden, "the caller's name is too long");
  }
  const bool stateless =
      Classify(request.method, request.params, std::nullopt).era == Era::kStateless;
  // Once the peer has made a stateless request, one without metadata is one that lacks it (S-04).
  if (stateless || (channel.stateless && request.method != "initialize")) {
    const auto envelope = ReadEnvelope(request.params, std::nullopt);
    if (!envelope) {
      RpcError error = ToRpcError(envelope.error().error);
      error.data = envelope.error().data;
      return SendError(id, 0, request.id, error, turn.effects);
    }
    Caller caller{channel.principal, {}, envelope->revision};
    // Discovering fixes nothing: a client of both eras asks first and may still initialize (D-03).
    if (request.method == "server/discover") return Discover(id, caller, request.id, turn);
    if (!channel.session.empty()) {
      return refuse(ErrorCode::kInvalidRequest, "this connection has initialized a session");
    }
    channel.stateless = true;
    return StartCall(id, std::move(caller), std::move(request), nullptr, turn);
  }
  if (request.method == "initialize") {
    if (channel.stateless) {
      const std::string* wanted = FindString(request.params, "protocolVersion");
      const Refusal refusal = UnsupportedVersion(wanted ? *wanted : "");
      RpcError error = ToRpcError(refusal.error);
      error.data = refusal.data;
      return SendError(id, 0, request.id, error, turn.effects);
    }
    if (!channel.session.empty()) {
      return refuse(ErrorCode::kInvalidRequest, "the session is initialized");
    }
    Result<Handshake> handshake = Negotiate(request.params, false);
    if (!handshake)
      return SendError(id, 0, request.id, ToRpcError(handshake.error()), turn.effects);
    channel.session = MintSessionId();
    channel.revision = handshake->revision;
    channel.record = std::make_shared<const std::string>(std::move(handshake->record));
    return SendResult(id, Caller{{}, {}, handshake->revision}, request.id, handshake->members, {},
                      turn.effects);
  }
  const Caller caller{channel.principal, channel.session, channel.revision, channel.log_level};
  if (request.method == "ping") return SendResult(id, caller, request.id, {}, {}, turn.effects);
  if (channel.session.empty()) {  // H-05
    return refuse(ErrorCode::kSessionRequired, "initialize first");
  }
  StartCall(id, caller, std::move(request), &channel.record, turn);
}

void ServerEngine::State::CloseChannel(ChannelId id, Turn& turn) {
  Channel* found = channels.Find(id.number);
  if (found == nullptr) return;
  for (const std::uint64_t number : CallsOf({}, id)) {
    calls.Find(number)->asked.clear();  // nobody is there to be told
    CloseCall(number, turn);
  }
  if (!found->session.empty()) {
    turn.news->push_back(SessionEnded{std::move(found->principal), std::move(found->session)});
  }
  channels.Erase(id.number);
}

}  // namespace mcp_session

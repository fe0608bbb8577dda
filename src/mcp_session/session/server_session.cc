// Handshake-era sessions over HTTP: their records in the store, and what happens inside one.
#include <array>
#include <utility>

#include "mcp_session/base/random_name.h"
#include "mcp_session/json/access.h"
#include "mcp_session/json/write.h"
#include "mcp_session/session/server_state.h"
#include "mcp_session/session/session_record.h"

namespace mcp_session {
namespace {

// The owner of the session's own record: whoever authenticated, else the bearer of its id.

void AppendLifetime(const Lifetime& lifetime, std::string* out) {
  *out += ",\"_meta\":{";
  if (lifetime.idle_ttl) {
    *out += "\"mcp-session/ttlMs\":";
    AppendInteger(lifetime.idle_ttl->count, out);
  }
  if (lifetime.max_life) {
    *out += lifetime.idle_ttl ? ",\"mcp-session/maxLifeMs\":" : "\"mcp-session/maxLifeMs\":";
    AppendInteger(lifetime.max_life->count, out);
  }
  *out += '}';
}

tl::unexpected<Error> BadInitialize(const char* what) {
  return Failure(ErrorCode::kInvalidParams, Blame::kPeer, what);
}

}  // namespace

StoreTicket ServerEngine::State::Await(Wait wait) {
  return StoreTicket{waits.Insert(std::move(wait)) * 2};
}

std::string ServerEngine::State::MintSessionId() {
  return RandomName<32>(entropy);  // 256 bits (H-23)
}

Result<ServerEngine::State::Handshake> ServerEngine::State::Negotiate(const Json& params,
                                                                      bool tell_lifetime) const {
  const std::string* wanted = FindString(params, "protocolVersion");
  if (wanted == nullptr) return BadInitialize("protocolVersion is missing");
  const Json* client_capabilities = FindObject(params, "capabilities");
  if (client_capabilities == nullptr) return BadInitialize("capabilities is missing");
  const Json* client_info = FindObject(params, "clientInfo");
  if (client_info == nullptr) return BadInitialize("clientInfo is missing");
  const auto known = ParseRevision(*wanted);
  Handshake handshake;
  handshake.revision =
      known && EraOf(*known) == Era::kHandshake ? *known : kNewestHandshake;  // H-02
  handshake.record = EncodeSessionRecord({handshake.revision, false, "{\"clientInfo\":"});
  bool valid = AppendJson(*client_info, &handshake.record);
  handshake.record += ",\"capabilities\":";
  valid = AppendJson(*client_capabilities, &handshake.record) && valid;
  handshake.record += '}';
  if (!valid) return BadInitialize("the client describes itself with text that is not UTF-8");

  std::string& members = handshake.members;
  members = "\"protocolVersion\":\"";
  members += RevisionName(handshake.revision);
  members += "\",\"capabilities\":{";
  members += capabilities;
  members += "},\"serverInfo\":";
  members += server_info;
  if (!options.instructions.empty()) {
    members += ",\"instructions\":";
    if (!AppendJsonString(options.instructions, &members)) members += "\"\"";
  }
  if (tell_lifetime) AppendLifetime(options.session_lifetime, &members);
  return handshake;
}

void ServerEngine::State::StartSession(ExchangeId exchange, std::string_view principal,
                                       Request request, Turn& turn) {
  Result<Handshake> handshake = Negotiate(request.params, true);
  if (!handshake) {  // H-33: and no session
    return SendError(exchange, HttpStatus(handshake.error().code), request.id,
                     ToRpcError(handshake.error()), turn.effects);
  }
  const std::string session = MintSessionId();
  const std::string owner = OwnerOf(principal, {});
  std::string response;
  AppendResult(request.id, handshake->members, &response);
  const auto ticket =
      Await(WaitForCreate{exchange, std::move(request.id), session, std::move(response)});
  store.Submit(ticket,
               store::Create{RecordKey{owner, kSessionKind, session}, std::move(handshake->record),
                             options.session_lifetime},
               turn.now);
}

void ServerEngine::State::FindSession(ExchangeId exchange, Caller caller, Message message,
                                      Turn& turn) {
  const std::string owner = RecordOwner(caller);
  const auto ticket = Await(WaitForSession{exchange, std::move(caller), std::move(message), {}});
  auto& waiting = std::get<WaitForSession>(*waits.Find(ticket.number / 2));
  store::Get get{RecordKey{owner, kSessionKind, waiting.caller.session}};
  std::string first_owner;
  const auto* request = std::get_if<Request>(&waiting.message);
  if (reads_ahead != nullptr && request != nullptr) {
    if (auto first = reads_ahead->FirstRecordOf(waiting.caller.principal, waiting.caller.session,
                                                *request, &first_owner)) {
      get.ahead = first->key;
      waiting.reader = std::move(first->reader);
    }
  }
  store.Submit(ticket, get, turn.now);
}

void ServerEngine::State::EndSession(ExchangeId exchange, Caller caller, Turn& turn) {
  const std::string owner = RecordOwner(caller);
  const std::string session = caller.session;
  const auto ticket = Await(WaitForRemove{exchange, std::move(caller)});
  store.Submit(ticket, store::Remove{RecordKey{owner, kSessionKind, session}}, turn.now);
}

// An outage is 503, never 404: a client that reads 404 throws its session away (H-30).
void ServerEngine::State::StoreFailed(ExchangeId exchange, ErrorCode error,
                                      const std::optional<RequestId>& id, Turn& turn) {
  switch (error) {
    case ErrorCode::kNotFound:
    case ErrorCode::kExpired:
      return RefuseHttp(exchange, MakeRefusal(ErrorCode::kSessionNotFound, "unknown session"), id,
                        turn);
    case ErrorCode::kCapacity:
      return RefuseHttp(exchange, MakeRefusal(error, "no room in the session store"), id, turn);
    case ErrorCode::kTooLarge:
      return RefuseHttp(
          exchange, MakeRefusal(error, "the message is too large for the session store"), id, turn);
    case ErrorCode::kUnavailable:
      return RefuseHttp(exchange, MakeRefusal(error, "the session store is unavailable"), id, turn);
    case ErrorCode::kMisconfigured:
      return RefuseHttp(exchange, MakeRefusal(error, "the session store refuses this server"), id,
                        turn);
    default:
      return RefuseHttp(exchange, MakeRefusal(ErrorCode::kCorrupt, "the session cannot be read"),
                        id, turn);
  }
}

void ServerEngine::State::HandleReply(StoreReply reply, Turn& turn) {
  std::optional<Wait> wait = waits.Take(reply.ticket.number / 2);
  if (!wait) return;
  if (auto* found = std::get_if<WaitForSession>(&*wait)) {
    if (reply.error) {
      return StoreFailed(found->exchange, *reply.error, IdOf(found->message), turn);
    }
    return InSession(std::move(*found), reply, turn);
  }
  if (keeping != nullptr && keeping->HandleReply(*wait, reply, turn)) return;
  if (auto* created = std::get_if<WaitForCreate>(&*wait)) {
    if (reply.error) return StoreFailed(created->exchange, *reply.error, created->id, turn);
    turn.effects->push_back(effect::HttpRespond{
        created->exchange,
        200,
        {{"content-type", "application/json"}, {"mcp-session-id", std::move(created->session)}},
        std::move(created->response)});
    return;
  }
  if (auto* marked = std::get_if<WaitForInitialized>(&*wait)) {
    if (reply.error == ErrorCode::kConflict) {  // somebody else wrote: look again
      return FindSession(marked->exchange, std::move(marked->caller),
                         Notification{"notifications/initialized", {}}, turn);
    }
    if (reply.error) return StoreFailed(marked->exchange, *reply.error, std::nullopt, turn);
    turn.effects->push_back(effect::HttpRespond{marked->exchange, 202, {}, {}});
    return;
  }
  auto& removed = std::get<WaitForRemove>(*wait);
  if (!reply.error && reply.removed == 0) reply.error = ErrorCode::kNotFound;
  if (reply.error) return StoreFailed(removed.exchange, *reply.error, std::nullopt, turn);
  // Whatever still runs in it is over.
  for (const std::uint64_t number : CallsOf(removed.caller, removed.exchange)) {
    CloseCall(number, turn);
  }
  if (keeping != nullptr) keeping->SessionEnded(removed.caller, turn);
  turn.effects->push_back(effect::HttpRespond{removed.exchange, 204, {}, {}});
  turn.news->push_back(
      SessionEnded{std::move(removed.caller.principal), std::move(removed.caller.session)});
}

void ServerEngine::State::InSession(WaitForSession&& found, StoreReply& reply, Turn& turn) {
  auto& [exchange, caller, message, reader] = found;
  const Record& record = reply.record;
  const auto head = DecodeSessionHead(*record.data);
  if (!head) return StoreFailed(exchange, ErrorCode::kCorrupt, IdOf(message), turn);
  caller.revision = head->revision;
  caller.log_level = head->log_level;
  if (auto* request = std::get_if<Request>(&message)) {
    if (request->method == "ping") {
      return SendResult(exchange, caller, request->id, {}, {}, turn.effects);  // P-04
    }
    if (request->method == "initialize") {  // H-33
      return RefuseHttp(exchange,
                        MakeRefusal(ErrorCode::kInvalidRequest, "the session is initialized"),
                        request->id, turn);
    }
    return StartCall(exchange, std::move(caller), std::move(*request), &record.data, turn,
                     {std::move(reader), std::move(reply.ahead)});
  }
  if (auto* notification = std::get_if<Notification>(&message)) {
    if (notification->method == "notifications/cancelled") {
      const auto id = CancelledBy(*notification);
      if (id && !CancelCall(caller, exchange, *id, turn) && keeping != nullptr) {
        return keeping->Forward(exchange, caller, *id);
      }
    } else if (notification->method == "notifications/initialized" && !head->initialized) {
      const std::string owner = RecordOwner(caller);
      const std::string session = caller.session;
      const auto ticket = Await(WaitForInitialized{exchange, std::move(caller)});
      return store.Submit(ticket,
                          store::Put{RecordKey{owner, kSessionKind, session},
                                     MarkInitialized(*record.data), record.version},
                          turn.now);
    }
  }
  if (auto* response = std::get_if<Response>(&message)) {
    if (!TakeResponse(caller, exchange, *response, turn) && keeping != nullptr) {
      return keeping->Forward(exchange, caller, *response, turn);
    }
  }
  // Whatever it was (H-43).
  turn.effects->push_back(effect::HttpRespond{exchange, 202, {}, {}});
}

}  // namespace mcp_session

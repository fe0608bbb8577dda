// Opening: which era the server speaks, and the handshake if it is the older one.
//
// Theory of operation. Each step waits for one thing, under step_deadline_:
//   kProbe        the answer to server/discover. EndProbe is the table of spec section 13.
//   kInitialize   the answer to initialize. Never cancelled (H-07), only given up.
//   kInitialized  the status of the notification. A channel has none, so it skips the step.
// A step that fails ends in FailOpening, which all waiting calls share; one that times out on a
// channel's probe falls back. A late answer finds no step that waits for its id and is dropped.
#include <utility>

#include "mcp_session/json/access.h"
#include "mcp_session/json/write.h"
#include "mcp_session/protocol/classify.h"
#include "mcp_session/session/client_state.h"

namespace mcp_session {
namespace {

Error NotOurs(const char* what) { return {ErrorCode::kUnsupportedVersion, Blame::kPeer, what}; }

Error Malformed(const char* what) { return {ErrorCode::kPeer, Blame::kPeer, what}; }

// The part of a DiscoverResult or InitializeResult that the application is told.
Json Introduction(Json& result) {
  Json server = EmptyObject();
  for (const char* name : {"serverInfo", "capabilities", "instructions", "_meta"}) {
    if (Find(result, name) != nullptr) server[name] = Take(result, name);
  }
  return server;
}

}  // namespace

SharedRevisions ReadVersions(const Json* names) {
  SharedRevisions shared;
  const auto* array = names ? names->get_ptr<const Json::array_t*>() : nullptr;
  if (array == nullptr) return shared;
  for (const Json& name : *array) {
    const std::string* text = AsString(name);
    const auto revision = text ? ParseRevision(*text) : std::nullopt;
    if (!revision) continue;
    auto& newest = EraOf(*revision) == Era::kStateless ? shared.stateless : shared.handshake;
    if (!newest || *newest < *revision) newest = revision;
  }
  return shared;
}

SharedRevisions ReadSupported(const RpcError& rpc) {
  return ReadVersions(rpc.data ? Find(*rpc.data, "supported") : nullptr);
}

void ClientEngine::State::BeginOpening() {
  second_try_ = false;
  if (client_info_.empty()) {
    return FailOpening({ErrorCode::kInvalidArgument, Blame::kCaller,
                        "name, version and capabilities must have a JSON form"});
  }
  if (resume_ && Resume(*std::exchange(resume_, std::nullopt))) return;
  assumed_ = !options_.era && known_era_ == Era::kHandshake && !on_channel();
  if ((options_.era ? options_.era : known_era_) == Era::kHandshake) {
    Initialize(kNewestHandshake);
  } else {
    Probe(kNewestStateless);
  }
}

bool ClientEngine::State::Resume(client_effect::Opened saved) {
  if (EraOf(saved.revision) != saved.era || !IsUsableSessionId(saved.session_id) ||
      options_.era.value_or(saved.era) != saved.era) {
    FailOpening({ErrorCode::kInvalidArgument, Blame::kCaller, "the saved session is none"});
    return true;
  }
  known_era_ = saved.era;
  if (on_channel()) return false;
  era_ = saved.era;
  revision_ = saved.revision;
  session_id_ = std::move(saved.session_id);
  if (era_ == Era::kStateless) session_id_.clear();
  ++session_number_;
  opened_.server = std::move(saved.server);
  BecomeOpen();
  return true;
}

void ClientEngine::State::Probe(Revision revision) {
  step_ = Step::kProbe;
  era_ = Era::kStateless;
  revision_ = revision;
  session_id_.clear();
  // Where silence means an older server there is no use in waiting long for it.
  const bool silence_tells = on_channel() && !options_.era;
  step_deadline_ = After(now_, silence_tells ? options_.probe_timeout : options_.request_timeout);
  SendOwnRequest("server/discover", "{\"_meta\":{" + OwnMeta(0) + "}}");
}

void ClientEngine::State::Initialize(Revision revision) {
  step_ = Step::kInitialize;
  era_ = Era::kHandshake;
  revision_ = revision;
  session_id_.clear();
  step_deadline_ = After(now_, options_.request_timeout);
  std::string params = "{\"protocolVersion\":\"";
  params += RevisionName(revision);
  params += "\",\"capabilities\":";
  params += capabilities_;
  params += ",\"clientInfo\":";
  params += client_info_;
  params += '}';
  SendOwnRequest("initialize", params);
}

void ClientEngine::State::EndProbe(Outcome outcome) {
  if (auto* result = std::get_if<Json>(&outcome.answer)) return EndDiscovery(std::move(*result));
  const auto* rpc = std::get_if<RpcError>(&outcome.answer);
  Error error =
      rpc ? PeerError(*rpc, outcome.status, false) : std::move(std::get<Error>(outcome.answer));
  switch (error.code) {
    case ErrorCode::kTimeout:
      // On a channel an older server may well say nothing; over HTTP it is an outage.
      return on_channel() ? FallBack(std::move(error)) : FailOpening(std::move(error));
    case ErrorCode::kForbidden:
    case ErrorCode::kTooManyRequests:
    case ErrorCode::kUnavailable:
      return FailOpening(std::move(error));  // says nothing of the era
    case ErrorCode::kTransport:
      return outcome.opaque ? FallBack(std::move(error)) : FailOpening(std::move(error));
    case ErrorCode::kHeaderMismatch:
    case ErrorCode::kMissingCapability:
      return FailOpening(std::move(error));  // a stateless server that wants another request
    case ErrorCode::kUnsupportedVersion:
      if (rpc != nullptr) return EndRefusedProbe(*rpc);
      [[fallthrough]];
    default:
      // No code may be the one that tells: older servers answer anything.
      return FallBack(std::move(error));
  }
}

void ClientEngine::State::EndDiscovery(Json result) {
  const Json* versions = FindArray(result, "supportedVersions");
  const std::string* type = FindString(result, "resultType");
  if (versions == nullptr || (type != nullptr && *type != "complete")) {
    return FallBack(Malformed("the answer to server/discover is none"));
  }
  const auto revision = ReadVersions(versions).stateless;
  if (!revision) return FallBack(NotOurs("the server speaks no revision that we speak"));
  revision_ = *revision;
  Json server = Introduction(result);
  if (const Json* meta = FindObject(server, "_meta")) {
    if (const Json* info = FindObject(*meta, kMetaServerInfo)) server["serverInfo"] = Json(*info);
  }
  opened_.server = std::move(server);
  BecomeOpen();
}

void ClientEngine::State::EndRefusedProbe(const RpcError& rpc) {
  const SharedRevisions shared = ReadSupported(rpc);
  if (shared.stateless && !second_try_) {
    second_try_ = true;  // once (S-06), and with no way back to initialize
    return Probe(*shared.stateless);
  }
  Error error = NotOurs("the server speaks no revision that we speak");
  // A channel's server has recognized a stateless request: no initialize on it (section 13).
  if (shared.handshake && !shared.stateless && !on_channel()) return FallBack(std::move(error));
  FailOpening(std::move(error));
}

void ClientEngine::State::FallBack(Error error) {
  if (options_.era || second_try_) return FailOpening(std::move(error));
  Initialize(kNewestHandshake);
}

void ClientEngine::State::EndInitialize(Outcome outcome) {
  if (auto* result = std::get_if<Json>(&outcome.answer)) return EndHandshake(std::move(*result));
  if (const auto* rpc = std::get_if<RpcError>(&outcome.answer)) {
    const auto revision = ReadSupported(*rpc).handshake;
    if (revision && *revision != revision_ && !second_try_) {
      second_try_ = true;  // a server that refuses instead of offering its own version (H-09)
      return Initialize(*revision);
    }
    return EndRefusedInitialize(PeerError(*rpc, outcome.status, false));
  }
  const int status = outcome.status;
  if (status == 400 || status == 404 || status == 405) {
    // Servers of HTTP+SSE would answer like this (H-57). To speak it is a host's.
    return EndRefusedInitialize(NotOurs("no endpoint of a revision that we speak"));
  }
  FailOpening(std::move(std::get<Error>(outcome.answer)));
}

void ClientEngine::State::EndRefusedInitialize(Error error) {
  if (!std::exchange(assumed_, false)) return FailOpening(std::move(error));
  Probe(kNewestStateless);  // it may be another server by now
}

void ClientEngine::State::EndHandshake(Json result) {
  const std::string* version = FindString(result, "protocolVersion");
  const auto revision = version ? ParseRevision(*version) : std::nullopt;
  if (version == nullptr) return FailOpening(Malformed("the answer to initialize is none"));
  if (!revision || EraOf(*revision) != Era::kHandshake) {
    return FailOpening(NotOurs("the server speaks no revision that we speak"));  // H-03
  }
  revision_ = *revision;
  opened_.server = Introduction(result);
  step_ = Step::kInitialized;
  std::string text;
  AppendNotification("notifications/initialized", {}, &text);  // H-04
  if (on_channel()) {
    Tell(client_effect::Send{std::move(text)});
    return BecomeOpen();
  }
  step_exchange_ = Post(std::move(text), 0, {}, Json());
  step_deadline_ = After(now_, options_.request_timeout);
}

void ClientEngine::State::EndInitialized(int status) {
  step_exchange_ = {};
  if (status >= 200 && status < 300) return BecomeOpen();
  Error error = StatusError(status, !session_id_.empty());
  if (error.code == ErrorCode::kSessionNotFound) session_id_.clear();
  FailOpening(std::move(error));
}

void ClientEngine::State::BecomeOpen() {
  step_ = Step::kOpen;
  step_deadline_ = kNever;
  known_era_ = era_;
  opened_.era = era_;
  opened_.revision = revision_;
  opened_.session_id = session_id_;
  Tell(opened_);
  StopListening();
  if (options_.listens && era_ == Era::kHandshake && !on_channel()) Listen();
  for (Call& call : TakeWaiting()) SendRequest(std::move(call));
}

void ClientEngine::State::FailOpening(Error error) {
  step_ = Step::kClosed;
  step_id_ = 0;
  step_deadline_ = kNever;
  Abort(std::exchange(step_exchange_, {}));
  known_era_.reset();
  Tell(client_effect::OpenFailed{error});
  for (const Call& call : TakeWaiting()) Fail(call.id, error);
  // A session that was begun is not left to expire by itself.
  if (!session_id_.empty()) SendDelete();
  session_id_.clear();
}

void ClientEngine::State::TimeOutStep() {
  step_deadline_ = kNever;
  step_id_ = 0;
  Abort(std::exchange(step_exchange_, {}));
  if (step_ == Step::kClosing) {
    step_ = Step::kClosed;
    return Tell(client_effect::Closed{});
  }
  Error late{ErrorCode::kTimeout, Blame::kEnvironment, "no answer in time"};
  if (step_ == Step::kProbe) return EndProbe({std::move(late)});
  FailOpening(std::move(late));
}

}  // namespace mcp_session

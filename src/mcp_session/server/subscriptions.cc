#include "mcp_session/server/subscriptions.h"

#include <algorithm>
#include <utility>

#include "mcp_session/base/check.h"
#include "mcp_session/json/access.h"
#include "mcp_session/json/write.h"
#include "mcp_session/server/changes.h"
#include "mcp_session/server/prompts.h"
#include "mcp_session/server/resources.h"
#include "mcp_session/server/server_state.h"
#include "mcp_session/server/tools.h"
#include "mcp_session/session/session_record.h"

namespace mcp_session {
namespace {

RecordKey KeyOf(const Call& call, const std::string& owner) {
  return RecordKey{owner, kSessionKind, call.session};
}

}  // namespace

struct Subscriptions::Wish : HandlerCall::State {
  using HandlerCall::State::State;
  bool subscribe = false;
  std::string uri;
};

// A client that has asked for nothing has nothing that could be old.
Subscriptions::ChannelSession* Subscriptions::Remember(const Call& call) {
  const auto channel = server_.engine.ChannelOf(call.id);
  if (!channel) return nullptr;
  for (ChannelSession& session : channels_) {
    if (session.channel == *channel) return &session;
  }
  Forget();
  channels_.push_back({*channel, {}});
  if (auto* changes = server_.Find<Changes>()) changes->ListenForSessions();
  return &channels_.back();
}

bool Subscriptions::HandleCall(Call& call) {
  if (call.era() != Era::kHandshake) return false;
  ChannelSession* const session = Remember(call);
  const bool subscribe = call.method == "resources/subscribe";
  if (!subscribe && call.method != "resources/unsubscribe") return false;
  if (server_.Find<Resources>() == nullptr) return false;
  const auto refuse = [&](const char* why) {
    server_.engine.Fail(call.id, ErrorCode::kInvalidParams, why, server_.effects);
    return true;
  };
  const std::string* uri = FindString(call.params, "uri");
  if (uri == nullptr) return refuse("params.uri is missing");
  if (uri->size() > options_.max_uri_bytes) return refuse("the URI is too long");
  const auto wish = std::make_shared<Wish>(server_.weak_from_this(), *this, Call{});
  wish->subscribe = subscribe;
  wish->uri = *uri;
  if (session != nullptr) {
    if (const char* why = Apply(*wish, &session->uris)) return refuse(why);
    server_.engine.Answer(call.id, {}, {}, server_.effects);
    return true;
  }
  wish->call = std::move(call);
  server_.Open(wish);
  const std::string owner = OwnerOf(wish->call.principal, {});
  server_.store.Submit(server_.Await(wish, this, kLoad), store::Get{KeyOf(wish->call, owner)},
                       server_.now);
  return true;
}

const char* Subscriptions::Apply(const Wish& wish, std::vector<std::string>* uris) const {
  const auto at = std::find(uris->begin(), uris->end(), wish.uri);
  if (wish.subscribe && at == uris->end()) {
    if (uris->size() >= options_.max_uris) return "too many subscriptions";
    uris->push_back(wish.uri);
  } else if (!wish.subscribe && at != uris->end()) {
    uris->erase(at);
  }
  return nullptr;
}

void Subscriptions::Save(const Running& call, const Record& record) {
  if (!DecodeSessionHead(*record.data)) {
    return FailCall(server_, call,
                    Error{ErrorCode::kCorrupt, Blame::kEnvironment, "the session cannot be read"});
  }
  std::vector<std::string> uris = SubscriptionsOf(*record.data);
  const std::vector<std::string> before = uris;
  if (const char* why = Apply(static_cast<const Wish&>(*call), &uris)) {
    return FailCall(server_, call, Error{ErrorCode::kInvalidParams, Blame::kPeer, why});
  }
  if (uris == before) return AnswerCall(server_, call, true, {});
  const std::string owner = OwnerOf(call->call.principal, {});
  server_.store.Submit(
      server_.Await(call, this, kSave),
      store::Put{KeyOf(call->call, owner), WithSubscriptions(*record.data, uris), record.version},
      server_.now);
}

void Subscriptions::HandleReply(int step, const Running& call, StoreReply& reply) {
  if (!reply.error && step == kLoad) return Save(call, reply.record);
  if (reply.error == ErrorCode::kConflict) return Save(call, reply.record);
  if (!reply.error) return AnswerCall(server_, call, true, {});
  const bool gone = reply.error == ErrorCode::kNotFound || reply.error == ErrorCode::kExpired;
  const ErrorCode code = gone ? ErrorCode::kSessionNotFound : *reply.error;
  FailCall(server_, call, Error{code, Blame::kPeer, "the session cannot be changed"});
}

void Subscriptions::HandleAnswer(const Running&) { MCPS_CHECK(false); }  // it has no handlers

void Subscriptions::Tell(const std::vector<Change>& changes) {
  Forget();
  for (const ChannelSession& session : channels_) TellOne(session, changes);
}

void Subscriptions::Forget() {
  const auto gone = [&](const ChannelSession& session) {
    return !server_.engine.IsOpen(session.channel);
  };
  channels_.erase(std::remove_if(channels_.begin(), channels_.end(), gone), channels_.end());
}

void Subscriptions::TellOne(const ChannelSession& session, const std::vector<Change>& changes) {
  const Interest interest{server_.Find<Tools>() != nullptr, server_.Find<Prompts>() != nullptr,
                          server_.Find<Resources>() != nullptr, session.uris};
  ForEachNews(changes, interest, [&](std::string_view method, std::string_view members) {
    std::string params;
    if (!members.empty()) params = '{' + std::string(members) + '}';
    server_.engine.NotifyChannel(session.channel, method, params, server_.effects);
  });
}

}  // namespace mcp_session

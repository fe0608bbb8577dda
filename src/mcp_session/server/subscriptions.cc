#include "mcp_session/server/subscriptions.h"

#include <algorithm>
#include <iterator>
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
#include "mcp_session/store/rules.h"

namespace mcp_session {
namespace {

// Of a session's id, as much as a log would show: enough for its node to know it again.
constexpr std::size_t kSessionPrefix = 6;
constexpr std::size_t kMaxHeld = 100;
constexpr Millis kPause = Seconds(1);  // after a failure of the store

}  // namespace

struct Subscriptions::Wish : HandlerCall::State {
  using HandlerCall::State::State;
  bool subscribe = false;
  std::string uri;
};

struct Subscriptions::Reading : HandlerCall::State {
  using HandlerCall::State::State;
};

// A client that has asked for nothing has nothing that could be old.
Subscriptions::ChannelSession* Subscriptions::Remember(const Call& call) {
  const auto channel = server_.engine.ChannelOf(call.id);
  if (!channel) return nullptr;
  for (ChannelSession& session : channels_) {
    if (session.channel == *channel) return &session;
  }
  Forget();
  channels_.push_back({*channel, call.session, {}});
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
  ChangeSession(wish);
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

Result<std::optional<std::string>> Subscriptions::Changed(const Running& call,
                                                          std::string_view data) const {
  std::vector<std::string> uris = SubscriptionsOf(data);
  const std::vector<std::string> before = uris;
  if (const char* why = Apply(static_cast<const Wish&>(*call), &uris)) {
    return Failure(ErrorCode::kInvalidParams, Blame::kPeer, why);
  }
  if (uris == before) return std::nullopt;
  return WithSubscriptions(data, uris);
}

void Subscriptions::HandleReply(int step, const Running& call, StoreReply& reply) {
  if (step == kReload) return Reread(call->call.session, reply);
  SessionChanger::HandleReply(step, call, reply);
}

// The session's stream may be here or on another node.
void Subscriptions::Saved(const Running& call) {
  const auto& wish = static_cast<const Wish&>(*call);
  const std::string& session = wish.call.session;
  if (const auto here = sessions_.find(session); here != sessions_.end()) {
    (void)Apply(wish, &here->second.uris);  // it was not too much for the record
  }
  if (auto* changes = server_.Find<Changes>()) {
    changes->Say(Change{Change::Kind::kSession, session.substr(0, kSessionPrefix)});
  }
}

void Subscriptions::HandleListening(const SessionListens& listens) {
  if (auto* changes = server_.Find<Changes>()) changes->ListenForSessions();
  StreamSession& session = sessions_[listens.session];
  session.principal = listens.principal;
  Read(listens.session, session);
}

void Subscriptions::Read(const std::string& session, StreamSession& of) {
  ++of.reads;
  of.failed = false;
  Call call;
  call.principal = of.principal;
  call.session = session;
  const auto reading = std::make_shared<Reading>(server_.weak_from_this(), *this, std::move(call));
  Load(reading, kReload);
}

void Subscriptions::Reload(std::string_view prefix) {
  for (auto at = sessions_.lower_bound(prefix);
       at != sessions_.end() && at->first.compare(0, prefix.size(), prefix) == 0; ++at) {
    Read(at->first, at->second);
  }
}

void Subscriptions::Reread(const std::string& session, const StoreReply& reply) {
  const auto at = sessions_.find(session);
  if (at == sessions_.end()) return;
  StreamSession& of = at->second;
  if (of.reads > 0) --of.reads;
  if (!reply.error && DecodeSessionHead(*reply.record.data)) {
    of.uris = SubscriptionsOf(*reply.record.data);
  } else if (reply.error && !IsAbsent(reply.error)) {
    of.failed = true;
    deadline = server_.now + kPause;
  }
  if (of.reads == 0 && !of.failed) TellOne(session, of.uris, std::exchange(of.held, {}));
}

void Subscriptions::HandleDeadline() {
  deadline = kNever;
  for (auto& [id, session] : sessions_) {
    if (session.failed) Read(id, session);
  }
}

void Subscriptions::HandleAnswer(const Running&) { MCPS_CHECK(false); }  // it has no handlers

void Subscriptions::Tell(const std::vector<Change>& changes) {
  for (const ChannelSession& channel : channels_) TellOne(channel.session, channel.uris, changes);
  for (auto& [id, session] : sessions_) {
    if (session.reads > 0 || session.failed) {
      Hold(changes, &session.held);
    } else {
      TellOne(id, session.uris, changes);
    }
  }
}

void Subscriptions::Hold(const std::vector<Change>& changes, std::vector<Change>* held) {
  for (const Change& change : changes) {
    if (std::find(held->begin(), held->end(), change) == held->end()) held->push_back(change);
  }
  if (held->size() > kMaxHeld) *held = {Change{Change::Kind::kAnything, {}}};
}

void Subscriptions::Forget() {
  const auto closed = [&](const ChannelSession& channel) {
    return !server_.engine.IsOpen(channel.channel);
  };
  channels_.erase(std::remove_if(channels_.begin(), channels_.end(), closed), channels_.end());
  if (sessions_.empty()) return;
  const std::vector<std::string> here = server_.engine.ListeningSessions();
  for (auto at = sessions_.begin(); at != sessions_.end();) {
    const bool listens = std::binary_search(here.begin(), here.end(), at->first);
    at = listens ? std::next(at) : sessions_.erase(at);
  }
}

void Subscriptions::TellOne(const std::string& session, const std::vector<std::string>& uris,
                            const std::vector<Change>& changes) {
  const Interest interest{server_.Find<Tools>() != nullptr, server_.Find<Prompts>() != nullptr,
                          server_.Find<Resources>() != nullptr};
  ForEachNews(changes, interest, uris, [&](std::string_view method, std::string_view members) {
    std::string params;
    if (!members.empty()) params = '{' + std::string(members) + '}';
    server_.engine.Push(session, method, params, server_.effects);
  });
}

}  // namespace mcp_session

#include "mcp_session/server/rounds.h"

#include <algorithm>
#include <utility>

#include "mcp_session/base/check.h"
#include "mcp_session/json/access.h"
#include "mcp_session/json/write.h"
#include "mcp_session/server/answer_check.h"
#include "mcp_session/server/asking_call.h"
#include "mcp_session/server/client_capabilities.h"
#include "mcp_session/server/sealed_states.h"

namespace mcp_session {
namespace {

// Of two ClientCapabilities objects.
void MergeInto(Json* to, const Json& from) {
  for (const auto& [name, value] : *from.get_ptr<const Json::object_t*>()) {
    Json& member = (*to)[name];
    if (value.is_object() && member.is_object()) {
      MergeInto(&member, value);
    } else {
      member = value;
    }
  }
}

Rounds& RoundsOf(HandlerCall::State& call) {
  if (call.asking == nullptr) {
    if (call.call.era() == Era::kHandshake) {
      call.asking = std::make_shared<SessionRounds>(call.call);
    } else {
      const auto server = call.server.lock();
      const bool sealed = server != nullptr && server->Find<SealedStates>() != nullptr;
      call.asking = std::make_shared<StatelessRounds>(call.call, sealed);
    }
  }
  return static_cast<Rounds&>(*call.asking);
}

}  // namespace

bool AppendQuestion(const Question& question, std::string* out) {
  *out += "{\"method\":\"";
  *out += MethodOf(question);
  *out += '"';
  if (!question.params.empty()) {
    *out += ",\"params\":";
    if (!AppendJson(question.params, out)) return false;
  }
  *out += '}';
  return true;
}

const Json* AskingCall::Ask(std::string_view key, const Question& question) {
  return state_->running ? RoundsOf(*state_).Ask(key, question) : nullptr;
}

bool AskingCall::CanAsk(const Question& question) const {
  return RoundsOf(*state_).CanAsk(question);
}

Json& AskingCall::kept() { return RoundsOf(*state_).kept(); }

bool Rounds::CanAsk(const Question& question) const {
  return HasCapabilities(declared_, CapabilitiesFor(question));
}

const Json* Rounds::Ask(std::string_view key, const Question& question) {
  const auto earlier = answers_.find(key);
  if (earlier != answers_.end()) {
    Json checked = CheckedAnswer(question, earlier->second);
    if (checked == earlier->second) return &earlier->second;
  }
  if (const Json* fresh = Find(fresh_, key)) {
    Json checked = CheckedAnswer(question, *fresh);
    if (!checked.is_null()) return &(answers_[std::string(key)] = std::move(checked));
  }
  if (!CanAsk(question)) {
    MergeInto(&lacking_, CapabilitiesFor(question));
  } else if (std::none_of(open_.begin(), open_.end(),
                          [&](const Open& open) { return open.key == key; })) {
    open_.push_back(Open{std::string(key), question});
  }
  return nullptr;
}

void Rounds::TakeOver(Rounds& before) {
  answers_ = std::move(before.answers_);
  fresh_ = std::move(before.fresh_);
  kept_ = std::move(before.kept_);
  kept_before_ = std::move(before.kept_before_);
  round_ = before.round_;
}

bool Rounds::EndRun(McpServer::State& server, const Feature::Running& call) {
  if (!lacking_.empty()) {
    server.Close(call->call.id);
    RefuseForCapabilities(server, call->call, lacking_);
    return true;
  }
  if (open_.empty()) return false;
  if (round_ >= server.engine.options().limits.max_rounds) {  // M-09
    Fail(server, call, ErrorCode::kInvalidParams, "what was asked has not been answered");
  } else {
    ++round_;
    Send(server, call);
  }
  return true;
}

void Rounds::Fail(McpServer::State& server, const Feature::Running& call, ErrorCode code,
                  const char* why) {
  server.Close(call->call.id);
  server.engine.Fail(call->call.id, code, why, server.effects);
}

void Rounds::HandleAnswer(McpServer::State&, const Feature::Running&, ClientAnswered&) {
  MCPS_CHECK(false);  // it makes no requests
}

}  // namespace mcp_session

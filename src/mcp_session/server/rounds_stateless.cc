// Questions as the result of a stateless call, and the call that brings the answers.
#include <utility>

#include "mcp_session/json/access.h"
#include "mcp_session/json/write.h"
#include "mcp_session/server/answer_check.h"
#include "mcp_session/server/client_capabilities.h"
#include "mcp_session/server/rounds.h"
#include "mcp_session/server/sealed_states.h"

namespace mcp_session {
StatelessRounds::StatelessRounds(const Call& call, bool sealed) : Rounds(ClientCapabilities(call)) {
  if (const Json* responses = FindObject(call.params, "inputResponses")) fresh_ = *responses;
  const Json* state = sealed ? FindObject(call.params, "requestState") : nullptr;
  if (state == nullptr) return;
  round_ = FindInteger(*state, "round").value_or(0);
  if (const Json* kept = Find(*state, "kept")) kept_ = kept_before_ = *kept;
  if (const Json* answers = FindObject(*state, "answers")) {
    for (const auto& [key, answer] : *answers->get_ptr<const Json::object_t*>()) {
      answers_.emplace(key, answer);
    }
  }
}

void StatelessRounds::Send(McpServer::State& server, const Feature::Running& call) {
  std::string members = "\"inputRequests\":{";
  bool valid = true;
  for (const Open& open : open_) {
    if (&open != &open_.front()) members += ',';
    valid = valid && AppendJsonString(open.key, &members);
    members += ':';
    valid = valid && AppendQuestion(open.question, &members);
  }
  members += '}';
  if (!valid) return Fail(server, call, ErrorCode::kInternal, "no JSON came of it");
  if (auto* sealed = server.Find<SealedStates>()) {
    Json state = EmptyObject();
    state["round"] = round_;
    Json& answers = state["answers"] = EmptyObject();
    for (const auto& [key, answer] : answers_) answers[key] = answer;
    state["kept"] = std::move(kept_);
    const auto token = sealed->Seal(state, call->call, call->arguments);
    if (!token) {
      return Fail(server, call, ErrorCode::kInternal, "what is kept between rounds is too large");
    }
    members += ",\"requestState\":\"";
    members += *token;
    members += '"';
  } else if (!answers_.empty() || !kept_.is_null()) {
    return Fail(server, call, ErrorCode::kInternal, "nothing is kept between rounds");
  }
  server.Close(call->call.id);
  server.engine.Answer(call->call.id, members, {}, server.effects, ResultType::kInputRequired);
}

}  // namespace mcp_session

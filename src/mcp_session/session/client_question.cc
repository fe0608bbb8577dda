// What servers ask the application: one form for both eras.
//
// Theory of operation. In a session the server sends a request; it is refused, or becomes a
// Question, and the application's Reply the response. A stateless server answers a call with
// input_required instead: the call then waits unsent (wire_id is 0) for the replies to all of its
// questions, and is sent again with them and the state that came along (M-04), up to kMaxRounds
// times. A question ends by its reply, or is withdrawn: by the server, or with its call or session.
#include <algorithm>
#include <utility>

#include "mcp_session/json/access.h"
#include "mcp_session/json/write.h"
#include "mcp_session/session/client_state.h"

namespace mcp_session {
namespace {

// Why what a server asks is refused (G-01, G-07); nullopt if it was declared.
std::optional<ErrorCode> RefusalOf(std::string_view method, const Json& params,
                                   const Json& declared) {
  if (method == "roots/list") {
    if (FindObject(declared, "roots") != nullptr) return std::nullopt;
  } else if (method == "sampling/createMessage") {
    const Json* sampling = FindObject(declared, "sampling");
    if (sampling != nullptr) {
      const bool tools = Find(params, "tools") != nullptr || Find(params, "toolChoice") != nullptr;
      if (!tools || FindObject(*sampling, "tools") != nullptr) return std::nullopt;
      return ErrorCode::kInvalidParams;
    }
  } else if (method == "elicitation/create") {
    const Json* elicitation = FindObject(declared, "elicitation");
    if (elicitation != nullptr) {
      const std::string mode = StringOrEmpty(params, "mode");
      const bool url = FindObject(*elicitation, "url") != nullptr;
      const bool form = FindObject(*elicitation, "form") != nullptr || !url;  // {} means form
      if (mode == "url" ? url : form && (mode.empty() || mode == "form")) return std::nullopt;
      return ErrorCode::kInvalidParams;
    }
  }
  return ErrorCode::kMethodNotFound;
}

bool MayAsk(std::string_view method) {  // M-01
  return method == "tools/call" || method == "prompts/get" || method == "resources/read";
}

}  // namespace

void ClientEngine::AnswerQuestions() { state_->AnswerQuestions(); }

void ClientEngine::State::AnswerQuestions() {
  static constexpr Questioning kQuestioning = {&State::Ask, &State::BeginRound, &State::Reply};
  questioning_ = &kQuestioning;
}

bool ClientEngine::State::Ask(Request& request, ExchangeId from, ErrorCode* refusal) {
  if (const auto refused = RefusalOf(request.method, request.params, options_.capabilities)) {
    *refusal = *refused;
    return false;
  }
  if (questions_.size() >= options_.limits.max_calls_per_session) {
    *refusal = ErrorCode::kTooManyRequests;
    return false;
  }
  Question question{.id = {++last_question_}, .request = std::move(request.id)};
  question.session = session();
  const Exchange* exchange = FindExchange(from);
  if (const Call* call = exchange ? FindCall(exchange->wire_id) : nullptr) question.call = call->id;
  Tell(client_effect::Asked{question.id, question.call, std::move(request.method),
                            std::move(request.params)});
  questions_.push_back(std::move(question));
  return true;
}

void ClientEngine::State::BeginRound(Call call, Json result) {
  const auto fail = [&](ErrorCode code, const char* what) {
    Fail(call.id, {code, Blame::kPeer, what});
  };
  Json* requests = Find(result, "inputRequests");
  auto* members = requests ? requests->get_ptr<Json::object_t*>() : nullptr;
  const std::string* state = FindString(result, "requestState");
  if (!MayAsk(call.method) || (requests != nullptr && members == nullptr) ||
      (members == nullptr && state == nullptr)) {
    return fail(ErrorCode::kPeer, "the server asks in a form that there is not");
  }
  if (++call.rounds > kMaxRounds) return fail(ErrorCode::kTooLarge, "the server asks too often");
  if ((members != nullptr && members->size() > options_.limits.max_requests_per_call) ||
      (state != nullptr && state->size() > options_.limits.max_request_state_bytes)) {
    return fail(ErrorCode::kTooLarge, "the server asks too much at once");
  }
  const Json none;
  if (members != nullptr) {
    for (const auto& [key, request] : *members) {
      const std::string* method = FindString(request, "method");
      const Json* params = Find(request, "params");
      const bool object = params == nullptr || params->is_object();
      if (method == nullptr || !object ||
          RefusalOf(*method, params ? *params : none, options_.capabilities)) {
        return fail(ErrorCode::kPeer, "the server asks for what was not declared");
      }
    }
  }
  call.wire_id = 0;
  call.exchange = {};
  call.progress.reset();
  call.input_responses.clear();  // those of the last round (M-09)
  call.request_state = state ? std::optional<std::string>(*state) : std::nullopt;
  if (members == nullptr || members->empty()) return SendAgain(std::move(call));
  for (auto& [key, request] : *members) {
    Question question{.id = {++last_question_}, .call = call.id, .key = key, .request = {}};
    Tell(client_effect::Asked{question.id, call.id, *FindString(request, "method"),
                              Take(request, "params")});
    questions_.push_back(std::move(question));
  }
  calls_.push_back(std::move(call));
}

void ClientEngine::State::Reply(client_event::Reply& reply) {
  const auto found =
      std::find_if(questions_.begin(), questions_.end(),
                   [&](const Question& question) { return question.id == reply.question; });
  if (found == questions_.end()) return;  // withdrawn: the two crossed
  const Question question = std::move(*found);
  questions_.erase(found);
  if (const auto* result = std::get_if<Json>(&reply.outcome)) {
    std::string ignored;
    if (!result->is_object() || !AppendJson(*result, &ignored)) {
      reply.outcome = RpcError{JsonRpcNumber(ErrorCode::kInternal), "internal error", {}};
    }
  }
  if (era_ == Era::kStateless) return ReplyInRound(question, std::move(reply.outcome));
  ReplyInSession(question, std::move(reply.outcome));
}

void ClientEngine::State::ReplyInSession(const Question& question,
                                         std::variant<Json, RpcError> outcome) {
  // The server's turn again.
  for (Call& call : calls_) {
    if (question.call.number != 0 && question.call != call.id) continue;
    call.deadline = std::min(After(now_, call.timeout), call.latest);
  }
  if (question.session != session() || step_ != Step::kOpen) return;
  std::string text;
  if (const auto* result = std::get_if<Json>(&outcome)) {
    std::string object;
    (void)AppendJson(*result, &object);  // that it has a form was looked at
    AppendResult(question.request, std::string_view(object).substr(1, object.size() - 2), &text);
  } else {
    AppendError(question.request, std::get<RpcError>(outcome), &text);
  }
  SendAside(std::move(text));
}

void ClientEngine::State::ReplyInRound(const Question& question,
                                       std::variant<Json, RpcError> outcome) {
  const auto call = std::find_if(calls_.begin(), calls_.end(),
                                 [&](const Call& each) { return each.id == question.call; });
  if (call == calls_.end()) return;
  const auto* result = std::get_if<Json>(&outcome);
  if (result == nullptr) {  // who refuses does not come again (G-07)
    const Call taken = TakeCall(&*call);
    return Fail(taken.id, {ErrorCode::kCancelled, Blame::kCaller, "a question was not answered"});
  }
  (void)AppendJsonString(question.key, &call->input_responses);
  call->input_responses += ':';
  (void)AppendJson(*result, &call->input_responses);
  call->input_responses += ',';
  if (!IsAsked(*call)) SendAgain(TakeCall(&*call));
}

}  // namespace mcp_session

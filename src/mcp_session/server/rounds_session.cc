// Questions as requests to the client of a session, while the call stays open.
#include <algorithm>
#include <utility>
#include <variant>

#include "mcp_session/base/random_name.h"
#include "mcp_session/json/write.h"
#include "mcp_session/server/answer_check.h"
#include "mcp_session/server/client_capabilities.h"
#include "mcp_session/server/rounds.h"
#include "mcp_session/server/tools.h"

namespace mcp_session {

SessionRounds::SessionRounds(const Call& call) : Rounds(ClientCapabilities(call)) {}

void SessionRounds::Send(McpServer::State& server, const Feature::Running& call) {
  awaited_.clear();
  for (Open& open : open_) {
    Json& params = open.question.params;
    if (open.question.kind == Question::Kind::kUrl) {  // G-04
      params["elicitationId"] = RandomName<16>(server.entropy);
    }
    std::string text;
    if (!params.empty() && !AppendJson(params, &text)) {
      return Fail(server, call, ErrorCode::kInternal, "no JSON came of it");
    }
    const Result<std::uint64_t> number = server.engine.Ask(
        call->call.id, MethodOf(open.question), text,
        server.engine.options().limits.max_answer_time, server.now, server.effects);
    if (!number) return Fail(server, call, ErrorCode::kInternal, "the client cannot be asked");
    awaited_.push_back(Awaited{*number, std::move(open.key)});
  }
  open_.clear();
  fresh_ = EmptyObject();
  kept_before_ = kept_;
  server.AwaitClient(call);
}

void SessionRounds::HandleAnswer(McpServer::State& server, const Feature::Running& call,
                                 ClientAnswered& answered) {
  const auto found = std::find_if(awaited_.begin(), awaited_.end(), [&](const Awaited& awaited) {
    return awaited.number == answered.number;
  });
  if (found == awaited_.end()) return;
  if (const auto* error = std::get_if<RpcError>(&answered.outcome)) {
    return TellRefused(server, call, "The client refused what it was asked: " + error->message);
  }
  if (std::holds_alternative<ErrorCode>(answered.outcome)) {
    return TellRefused(server, call, "The client did not answer in time what it was asked.");
  }
  fresh_[found->key] = std::move(std::get<Json>(answered.outcome));
  awaited_.erase(found);
  if (!awaited_.empty()) return;
  server.AwaitClientNoMore(call->call.id);
  call->feature.RunAgain(call);
}

// For the model to read, where there is one.
void SessionRounds::TellRefused(McpServer::State& server, const Feature::Running& call,
                                std::string why) {
  server.Close(call->call.id);
  if (call->call.method == "tools/call") {
    return AnswerToolError(server, call->call.id, std::move(why));
  }
  server.engine.Fail(call->call.id, ErrorCode::kInternal, why, server.effects);
}

}  // namespace mcp_session

#include "mcp_session/server/feature.h"

#include "mcp_session/base/check.h"
#include "mcp_session/server/server_state.h"

namespace mcp_session {

void Feature::HandleReply(int, const Running&, StoreReply&) {
  MCPS_CHECK(false);  // it submits nothing
}

void Feature::RunAgain(const Running&) {
  MCPS_CHECK(false);  // its handlers ask nothing
}

void Feature::RunHandler(McpServer::State& server, const Running& call, Handler handler) {
  struct Bound {
    const Running& call;
    Handler handler;
  };
  const Bound bound{call, handler};
  const HandlerRun run{[](const void* with) {
                         const auto& bound_call = *static_cast<const Bound*>(with);
                         bound_call.handler(bound_call.call);
                       },
                       &bound};
  server.Open(call);
  call->running = true;
  if (server.Run(run) || !call->running) return;
  call->running = false;
  FailCall(server, call, Error{ErrorCode::kInternal, Blame::kCaller, "the handler failed"});
}

void Feature::AnswerCall(McpServer::State& server, const Running& call, bool valid,
                         std::string_view members) {
  if (!valid) {
    return FailCall(server, call,
                    Error{ErrorCode::kInternal, Blame::kCaller, "no JSON came of it"});
  }
  server.Close(call->call.id);
  server.engine.Answer(call->call.id, members, {}, server.effects);
}

void Feature::FailCall(McpServer::State& server, const Running& call, const Error& error) {
  server.Close(call->call.id);
  server.engine.Fail(call->call.id, error.code, error.message, server.effects);
}

}  // namespace mcp_session

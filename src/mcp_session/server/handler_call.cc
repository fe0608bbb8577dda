#include "mcp_session/server/handler_call.h"

#include <utility>

#include "mcp_session/server/server_state.h"

namespace mcp_session {

HandlerCall::State::State(std::weak_ptr<McpServer::State> server_in, Feature& feature_in,
                          Call call_in)
    : server(std::move(server_in)), feature(feature_in), call(std::move(call_in)) {}

HandlerCall::State::~State() {
  if (!running) return;
  if (const auto alive = server.lock()) alive->Dropped(call.id);
}

HandlerCall::HandlerCall(std::shared_ptr<State> state) : state_(std::move(state)) {}

void HandlerCall::Progress(double progress, std::optional<double> total, std::string_view message) {
  if (!state_->running || state_->cancelled) return;
  if (const auto server = state_->server.lock()) {
    server->Progressed(state_->call.id, progress, total, message);
  }
}

void HandlerCall::CloseStream() {
  if (!state_->running || state_->cancelled) return;
  if (const auto server = state_->server.lock()) server->StreamClosed(state_->call.id);
}

void HandlerCall::Answered() {
  state_->running = false;
  if (const auto server = state_->server.lock()) server->Answered(state_);
}

bool HandlerCall::cancelled() const { return state_->cancelled; }
Era HandlerCall::era() const { return state_->call.era(); }
const std::string& HandlerCall::principal() const { return state_->call.principal; }
CallId HandlerCall::id() const { return state_->call.id; }

}  // namespace mcp_session

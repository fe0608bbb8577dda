// What a tool's call works on is read together with its session, for servers whose store is far
// away: whoever does not call ReadAhead has none of it.
#include "mcp_session/server/reading_ahead.h"

#include "mcp_session/server/tools.h"

namespace mcp_session {

std::optional<ReadsAhead::FirstRecord> ReadingAhead::FirstRecordOf(const std::string& principal,
                                                                   const std::string& session,
                                                                   const Request& request,
                                                                   std::string* owner) const {
  const Tools* tools = server_.Find<Tools>();
  if (tools == nullptr || request.method != "tools/call") return std::nullopt;
  return tools->FirstRecordOf(principal, session, request.params, owner);
}

void McpServer::ReadAhead() {
  if (state_->reading_ahead != nullptr) return;
  state_->reading_ahead = std::make_unique<ReadingAhead>(*state_);
  state_->engine.ReadFirst(*state_->reading_ahead);
}

}  // namespace mcp_session

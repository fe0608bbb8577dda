// What a tool's call works on is read together with its session, for servers whose store is far
// away: whoever does not call ReadAhead has none of it.
#include <memory>
#include <optional>
#include <string>

#include "mcp_session/server/server_state.h"
#include "mcp_session/server/tools.h"

namespace mcp_session {
namespace {

class ReadingAhead final : public ReadsAhead {
 public:
  explicit ReadingAhead(const McpServer::State& server) : server_(server) {}

  std::optional<FirstRecord> FirstRecordOf(const std::string& principal, const std::string& session,
                                           const Request& request,
                                           std::string* owner) const override {
    const Tools* tools = server_.Find<Tools>();
    if (tools == nullptr || request.method != "tools/call") return std::nullopt;
    return tools->FirstRecordOf(principal, session, request.params, owner);
  }

 private:
  const McpServer::State& server_;
};

}  // namespace

void McpServer::ReadAhead() {
  if (state_->reading_ahead != nullptr) return;
  state_->reading_ahead = std::make_unique<ReadingAhead>(*state_);
  state_->engine.ReadFirst(*state_->reading_ahead);
}

}  // namespace mcp_session

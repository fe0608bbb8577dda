// Private to this folder.
#ifndef MCP_SESSION_SERVER_READING_AHEAD_H_
#define MCP_SESSION_SERVER_READING_AHEAD_H_

#include <optional>
#include <string>

#include "mcp_session/server/server_state.h"

namespace mcp_session {

class ReadingAhead final : public ReadsAhead {
 public:
  explicit ReadingAhead(const McpServer::State& server) : server_(server) {}

  std::optional<FirstRecord> FirstRecordOf(const std::string& principal, const std::string& session,
                                           const Request& request,
                                           std::string* owner) const override;

 private:
  const McpServer::State& server_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_READING_AHEAD_H_

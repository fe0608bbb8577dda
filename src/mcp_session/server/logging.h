// Log messages of handlers, and logging/setLevel. Private to this folder.
//
// The level of a session is in its record, or with its channel; the engine hands it over with each
// call.
#ifndef MCP_SESSION_SERVER_LOGGING_H_
#define MCP_SESSION_SERVER_LOGGING_H_

#include <optional>
#include <string>
#include <string_view>

#include "mcp_session/protocol/log_level.h"
#include "mcp_session/server/session_changer.h"

namespace mcp_session {

class Logging final : public SessionChanger {
 public:
  static constexpr Name kName = Name::kLogging;
  Logging(McpServer::State& server, LogLevel until_set)
      : SessionChanger(kName, server), until_set_(until_set) {}

  // The least level that goes to the caller; nullopt: nothing does.
  std::optional<LogLevel> LeastFor(const Call& call) const;

  bool HandleCall(Call& call) override;
  void HandleAnswer(const Running& call) override;

 private:
  struct Wish;

  void SetLevel(Call call, LogLevel level);
  Result<std::optional<std::string>> Changed(const Running& call,
                                             std::string_view data) const override;

  const LogLevel until_set_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_LOGGING_H_

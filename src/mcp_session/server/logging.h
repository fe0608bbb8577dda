// Log messages of handlers, and logging/setLevel. Private to this folder.
//
// The level of a session is in its record, or with its channel; the engine hands it over with each
// call. A change reads the record and writes it back, by compare-and-set.
#ifndef MCP_SESSION_SERVER_LOGGING_H_
#define MCP_SESSION_SERVER_LOGGING_H_

#include <optional>

#include "mcp_session/protocol/log_level.h"
#include "mcp_session/server/feature.h"

namespace mcp_session {

class Logging final : public Feature {
 public:
  static constexpr Name kName = Name::kLogging;
  Logging(McpServer::State& server, LogLevel until_set)
      : Feature(kName), server_(server), until_set_(until_set) {}

  // The least level that goes to the caller; nullopt: nothing does.
  std::optional<LogLevel> LeastFor(const Call& call) const;

  bool HandleCall(Call& call) override;
  void HandleAnswer(const Running& call) override;
  void HandleReply(int step, const Running& call, StoreReply& reply) override;

 private:
  enum Step : int { kLoad, kSave };
  struct Change;

  void SetLevel(Call call, LogLevel level);
  void Save(const Running& call, const Record& record);

  McpServer::State& server_;
  const LogLevel until_set_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_LOGGING_H_

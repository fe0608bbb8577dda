// A feature with calls that change what their session's record says: it is read, changed, and put
// back if nobody else wrote meanwhile, else once more. Private to this folder.
#ifndef MCP_SESSION_SERVER_SESSION_CHANGER_H_
#define MCP_SESSION_SERVER_SESSION_CHANGER_H_

#include <optional>
#include <string>
#include <string_view>

#include "mcp_session/base/result.h"
#include "mcp_session/server/feature.h"

namespace mcp_session {

class SessionChanger : public Feature {
 public:
  void HandleReply(int step, const Running& call, StoreReply& reply) override;

 protected:
  enum Step : int { kLoad, kSave, kOwnSteps };  // a derived class has those from the last on

  SessionChanger(Name name_in, McpServer::State& server) : Feature(name_in), server_(server) {}

  // Begins with `call`, which is answered with an empty result when it is done.
  void ChangeSession(const Running& call);
  // Reads the record of a call's session; the reply comes at `step`.
  void Load(const Running& call, int step);

  // What the record is to be instead of `data`; nothing, if it is as it should be; or why not.
  virtual Result<std::optional<std::string>> Changed(const Running& call,
                                                     std::string_view data) const = 0;
  // The record says so now, and did not before.
  virtual void Saved(const Running&) {}

  McpServer::State& server_;

 private:
  void Save(const Running& call, const Record& record);
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_SESSION_CHANGER_H_

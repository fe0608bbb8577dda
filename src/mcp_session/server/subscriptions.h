// What sessions are told of changes (handshake era): resources/subscribe and unsubscribe (spec
// F-07), and the notifications (F-10). Private to this folder.
//
// On a channel the subscriptions are kept here, as long as the channel is open. Over HTTP they are
// in the session's record. The node where the session has its stream
// (GET) reads them when the stream begins, and again when another node says on the bus that they
// changed. What changes meanwhile is held until they are there.
#ifndef MCP_SESSION_SERVER_SUBSCRIPTIONS_H_
#define MCP_SESSION_SERVER_SUBSCRIPTIONS_H_

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/server/change.h"
#include "mcp_session/server/change_options.h"
#include "mcp_session/server/session_changer.h"

namespace mcp_session {

class Subscriptions final : public SessionChanger {
 public:
  static constexpr Name kName = Name::kSubscriptions;
  Subscriptions(McpServer::State& server, const ChangeOptions& options)
      : SessionChanger(kName, server), options_(options) {}

  // Whether there is no session here that could be told something.
  bool empty() const { return channels_.empty() && sessions_.empty(); }
  void Tell(const std::vector<Change>& changes);
  // Reads again what the sessions here have subscribed to whose ids begin with `prefix`.
  void Reload(std::string_view prefix);
  // Drops those whose clients have gone.
  void Forget();

  bool HandleCall(Call& call) override;
  void HandleAnswer(const Running& call) override;
  void HandleReply(int step, const Running& call, StoreReply& reply) override;
  void HandleListening(const SessionListens& listens) override;
  void HandleDeadline() override;

 private:
  enum : int { kReload = kOwnSteps };
  struct Wish;
  struct Reading;
  // A session on a channel, from its first request on.
  struct ChannelSession {
    ChannelId channel;
    std::string session;
    std::vector<std::string> uris;
  };
  // A session that has its stream here.
  struct StreamSession {
    std::string principal;
    std::vector<std::string> uris;
    int reads = 0;             // of its record, on the way
    bool failed = false;       // the last one; again at `deadline`
    std::vector<Change> held;  // until it is read
  };

  ChannelSession* Remember(const Call& call);
  // Changes `uris` as it is wished; why not, if they would be too many.
  const char* Apply(const Wish& wish, std::vector<std::string>* uris) const;
  Result<std::optional<std::string>> Changed(const Running& call,
                                             std::string_view data) const override;
  void Saved(const Running& call) override;
  void Read(const std::string& session, StreamSession& of);
  void Reread(const std::string& session, const StoreReply& reply);
  void Hold(const std::vector<Change>& changes, std::vector<Change>* held);
  void TellOne(const std::string& session, const std::vector<std::string>& uris,
               const std::vector<Change>& changes);

  const ChangeOptions options_;
  std::vector<ChannelSession> channels_;
  std::map<std::string, StreamSession, std::less<>> sessions_;  // by id
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_SUBSCRIPTIONS_H_

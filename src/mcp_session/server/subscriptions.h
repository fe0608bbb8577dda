// What sessions are told of changes (handshake era): resources/subscribe and unsubscribe (spec
// F-07), and the notifications (F-10). Private to this folder.
//
// On a channel the subscriptions are kept here, as long as the channel is open. Over HTTP they are
// in the session's record, changed by compare-and-set, so that any node finds them.
#ifndef MCP_SESSION_SERVER_SUBSCRIPTIONS_H_
#define MCP_SESSION_SERVER_SUBSCRIPTIONS_H_

#include <string>
#include <vector>

#include "mcp_session/server/change.h"
#include "mcp_session/server/change_options.h"
#include "mcp_session/server/feature.h"

namespace mcp_session {

class Subscriptions final : public Feature {
 public:
  static constexpr Name kName = Name::kSubscriptions;
  Subscriptions(McpServer::State& server, const ChangeOptions& options)
      : Feature(kName), server_(server), options_(options) {}

  // Whether there is a session here that could be told something.
  bool empty() const { return channels_.empty(); }
  void Tell(const std::vector<Change>& changes);

  bool HandleCall(Call& call) override;
  void HandleAnswer(const Running& call) override;
  void HandleReply(int step, const Running& call, StoreReply& reply) override;

 private:
  enum Step : int { kLoad, kSave };
  struct Wish;
  // A session on a channel, from its first request on.
  struct ChannelSession {
    ChannelId channel;
    std::vector<std::string> uris;
  };

  ChannelSession* Remember(const Call& call);
  void Take(Call call, bool subscribe);
  // The URIs after the wish; why not, if they would be too many.
  const char* Apply(const Wish& wish, std::vector<std::string>* uris) const;
  void Save(const Running& call, const Record& record);
  void TellOne(const ChannelSession& session, const std::vector<Change>& changes);
  void Forget();  // those whose channels are closed

  McpServer::State& server_;
  const ChangeOptions options_;
  std::vector<ChannelSession> channels_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_SUBSCRIPTIONS_H_

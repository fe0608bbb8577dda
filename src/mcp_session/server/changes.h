// Who listens for changes, and what they are told: subscriptions/listen (spec section 9). Private
// to this folder.
//
// A listen is a call that stays open. It is acknowledged first, once the bus listens too, so that
// nothing that happens afterwards is missed. A change on this node is told at once; more of them
// within ChangeOptions::pause are told together, each once. Those on other nodes come by the bus.
#ifndef MCP_SESSION_SERVER_CHANGES_H_
#define MCP_SESSION_SERVER_CHANGES_H_

#include <memory>
#include <string>
#include <vector>

#include "mcp_session/server/change_bus.h"
#include "mcp_session/server/feature.h"
#include "mcp_session/server/server_state.h"
#include "mcp_session/server/subscriptions.h"

namespace mcp_session {

class Changes final : public Feature {
 public:
  static constexpr Name kName = Name::kChanges;
  Changes(McpServer::State& server, ChangeOptions options, Subscriptions& subscriptions);

  // In a turn or outside of one.
  void Happened(Change change);

  // There are sessions that other nodes' changes are for.
  void ListenForSessions() { bus_.Listen(); }
  // For other nodes only.
  void Say(Change change) { bus_.Say(std::move(change)); }

  bool HandleCall(Call& call) override;
  void HandleAnswer(const Running& call) override;
  void HandleReply(int step, const Running& call, StoreReply& reply) override;
  void HandleDeadline() override;
  void HandleStop() override;

 private:
  struct Notice;
  struct Listening;

  void Listen(Call call);
  const char* ReadFilter(const Json& params, Listening* listening) const;
  const char* ReadTasks(const Json& tasks, Listening* listening) const;
  const char* ReadUris(const Json& uris, Listening* listening) const;
  bool IsFull(const Listening& listening) const;
  void Acknowledge();
  void Heard(const Change& change);
  void TellSoon(const Change& change);
  void Tell();
  void Forget();  // those whose clients have gone
  void SetDeadline();

  McpServer::State& server_;
  Subscriptions& subscriptions_;
  const ChangeOptions options_;
  ChangeBus bus_;
  std::vector<std::shared_ptr<Listening>> listenings_;
  std::vector<Change> untold_;
  Instant tell_at_ = kNever;
  Instant quiet_until_{};
  bool stopping_ = false;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SERVER_CHANGES_H_

// ClientLink: how the messages of one McpClient travel. HttpLink (http_client/http_link.h) and
// ChildLink (stdio/child_link.h) are the two there are; ClientHost is the only caller.
//
// All on the thread of one loop.
#ifndef MCP_SESSION_CLIENT_HOST_CLIENT_LINK_H_
#define MCP_SESSION_CLIENT_HOST_CLIENT_LINK_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "mcp_session/base/result.h"
#include "mcp_session/session/client_engine.h"

namespace mcp_session {

class ClientLink {
 public:
  virtual ~ClientLink() = default;

  virtual ClientTransport transport() const = 0;

  // Who is told what happens, once, before anything else. Never from inside a function of this.
  virtual void OnEvent(std::function<void(ClientEvent event)> tell) = 0;

  // Makes a channel, and again after one has ended (client_event::ChannelClosed). Over HTTP it
  // drops whatever is under way. kMisconfigured or kTransport: why there is none.
  virtual Result<void> Start() = 0;

  // Why the last channel ended, as the message of an error; empty: no more than that it did.
  virtual std::string Why() const { return {}; }

  // The revision that earlier clients spoke with this server, and what this one says of that;
  // nullopt: nothing is known, or what was is wrong.
  virtual std::optional<Revision> Remembered() { return std::nullopt; }
  virtual void Remember(std::optional<Revision>) {}

  // After an opening failed: another link to the same server, if it may be one that speaks over
  // that instead (spec H-57). Null: it is not.
  virtual std::unique_ptr<ClientLink> Older() { return nullptr; }

  // client_effect::HttpSend and HttpAbort over HTTP, Send on a channel; others are ignored.
  virtual void Do(ClientEffect& effect) = 0;

  // Ends all there is, politely; `done` once it is over. Nothing is told any more.
  virtual void Stop(std::function<void()> done) = 0;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_CLIENT_HOST_CLIENT_LINK_H_

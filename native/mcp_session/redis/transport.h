// RedisTransport: one stream of bytes to a Redis server, over TCP, TLS or a Unix socket.
//
// On the loop's thread only. Callbacks come from the loop, never from inside a call, and none comes
// after Close. Whoever lets go of a transport closes it first; it lives until the loop is done
// with it.
#ifndef MCP_SESSION_REDIS_TRANSPORT_H_
#define MCP_SESSION_REDIS_TRANSPORT_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "mcp_session/redis/errors.h"
#include "mcp_session/redis/options.h"

namespace boost::asio {
class io_context;
}

namespace mcp_session {

class RedisTransport {
 public:
  virtual ~RedisTransport() = default;

  // Called once, before all else. The connection is made, and so is the TLS session, or the reason
  // why not is said. It takes as long as it takes: the caller has the timer.
  using Connected = std::function<void(std::optional<RedisFailure>)>;
  virtual void Connect(Connected connected) = 0;

  // One at a time. `read` gets bytes that are good until the next Read, or why there are no more.
  using WasRead = std::function<void(std::string_view, std::optional<RedisFailure>)>;
  virtual void Read(WasRead read) = 0;

  // One at a time. Takes what is in `bytes`, and leaves it empty, with the room of what was written
  // before.
  using Written = std::function<void(std::optional<RedisFailure>)>;
  virtual void Write(std::string* bytes, Written written) = 0;

  virtual void Close() = 0;
};

std::shared_ptr<RedisTransport> MakeRedisTransport(boost::asio::io_context& loop,
                                                   const RedisAddress& address,
                                                   const RedisTls& tls);

}  // namespace mcp_session

#endif  // MCP_SESSION_REDIS_TRANSPORT_H_

// RedisConnection: one connection to one Redis server, from dialling until it breaks. It becomes
// ready when the server has let us in, is one we can work with, and has our scripts. What is sent
// over it, when, and what is done when it breaks is not its business (link.h).
//
// On the loop's thread. Callbacks come from the loop; none comes after Close. Whoever lets go of a
// connection closes it first.
#ifndef MCP_SESSION_REDIS_CONNECTION_H_
#define MCP_SESSION_REDIS_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/redis/errors.h"
#include "mcp_session/redis/options.h"
#include "mcp_session/redis/resp.h"
#include "mcp_session/redis/server_watch.h"
#include "mcp_session/redis/transport.h"

namespace mcp_session {

// What a connection is for, and thereby what has to be so before it is ready.
enum class RedisPurpose : std::uint8_t {
  kCommands,  // let in, the database selected, a master not older than 6.2, scripts loaded
  kEvents,    // let in
  kSentinel,  // let in as sentinel_user
  kAdmin,     // let in, the database selected; whatever server it is
};

// What a server says of itself.
struct RedisServerInfo {
  std::string version;
  RedisVitals vitals;
  std::int64_t client_id = 0;  // of this connection, there; 0: it does not say
};

class RedisConnection : public std::enable_shared_from_this<RedisConnection> {
 public:
  struct Callbacks {
    std::function<void(const RedisServerInfo&)> ready;
    std::function<void()> heard;               // replies follow; may be missing
    std::function<void(RedisReply&&)> reply;   // to what was written since
    std::function<void()> written;             // all of it; the next Write may come
    std::function<void(RedisFailure)> failed;  // at any time, once; it is closed
  };

  RedisConnection(boost::asio::io_context& loop, const RedisOptions& options, RedisPurpose purpose);

  void Start(const RedisAddress& address, Callbacks callbacks);
  // Takes what is in `bytes`, and leaves it empty, with the room of what was written before.
  void Write(std::string* bytes);
  // Calls back for all replies that are here, which else come some in each turn of the loop.
  void ReadAll();
  void Close();

 private:
  using Check = std::function<std::optional<RedisFailure>(const RedisReply&)>;

  void Fail(RedisFailure failure);
  void PlanHandshake();
  void Add(std::initializer_list<std::string_view> words, Check check);
  void OnConnected();
  void SendHandshake();
  void Read();
  void ReadOn(std::size_t replies);
  void OnHandshakeReply(const RedisReply& reply);

  boost::asio::io_context& loop_;
  const RedisOptions& options_;
  const RedisPurpose purpose_;
  std::shared_ptr<RedisTransport> transport_;
  Callbacks callbacks_;
  RedisReplyReader reader_;
  std::string_view unread_;  // in the transport
  bool reading_ = false;     // what is unread, and what the reader has of it
  RedisServerInfo info_;
  bool connected_ = false;
  bool heard_ = false;  // anything
  bool ready_ = false;
  bool closed_ = false;

  // Of the handshake: the flights to send, each after the answers to the one before.
  struct Flight {
    std::string bytes;
    std::vector<Check> checks;
  };
  std::vector<Flight> flights_;
  std::size_t flight_ = 0;
  std::size_t answered_ = 0;  // of this flight
};

// Sentences about why a connection failed.
RedisFailure RedisFailureOf(const RedisReply& error);

}  // namespace mcp_session

#endif  // MCP_SESSION_REDIS_CONNECTION_H_

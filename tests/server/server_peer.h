// A server in a test, and the clients that talk to it: requests in, what came back by exchange.
#ifndef TESTS_SERVER_SERVER_PEER_H_
#define TESTS_SERVER_SERVER_PEER_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mcp_session/server/mcp_server.h"
#include "mcp_session/store/memory_store.h"
#include "tests/support/counting_entropy.h"
#include "tests/support/delaying_store.h"
#include "tests/support/manual_clock.h"

namespace mcp_session {

// What an exchange or a channel was sent.
struct Received {
  int status = 0;  // 0: nothing yet
  std::map<std::string, std::string> headers;
  std::string body;  // of a stream, all chunks
  bool stream = false;
  bool ended = false;
  std::vector<std::string> messages;  // of a channel
};

class ServerPeer {
 public:
  // By default streams are not kept: what they say has no ids, and asks nothing of the store.
  static ServerOptions PlainStreams() {
    ServerOptions options;
    options.resumable = false;
    return options;
  }
  explicit ServerPeer(ServerOptions options = PlainStreams(), MemoryStoreOptions store = {});

  McpServer& server() { return *server_; }
  MemorySessionStore& memory() { return memory_; }
  DelayingStore& store() { return store_; }
  ManualClock& clock() { return clock_; }
  int wakes() const { return wakes_; }
  void DestroyServer() { server_ = nullptr; }

  using Headers = std::vector<std::pair<std::string, std::string>>;

  // Starts an exchange; the answer is its number.
  std::uint64_t Post(std::string_view body, const Headers& headers = {},
                     std::string_view principal = {});
  std::uint64_t Get(const Headers& headers, std::string_view principal = {});
  std::uint64_t Delete(const Headers& headers, std::string_view principal = {});
  void Leave(std::uint64_t exchange);  // the client of it is gone

  // initialize; the session's headers for later requests.
  Headers OpenSession(std::string_view principal = {});
  // tools/call in a session, or with the metadata and headers of the stateless era.
  std::uint64_t Call(const Headers& session, int id, std::string_view tool,
                     std::string_view arguments = "{}", std::string_view principal = {});
  std::uint64_t CallStateless(int id, std::string_view tool, std::string_view arguments = "{}",
                              std::string_view principal = {});

  // Any request with id 1, in a session or stateless, and the body of its answer. `params` is the
  // inside of the object; `name` is what Mcp-Name repeats, `meta` more of _meta.
  std::string Ask(const Headers& session, std::string_view method, std::string_view params,
                  std::string_view principal = {});
  std::string AskStateless(std::string_view method, std::string_view params,
                           std::string_view name = {}, std::string_view meta = {});

  void Open(std::uint64_t channel, std::string_view principal = {});
  void Send(std::uint64_t channel, std::string_view text);
  void Close(std::uint64_t channel);

  // Replies of the store, time, or something a handler did.
  void Wake();
  // The host is about to end.
  void Stop();

  const Received& Of(std::uint64_t exchange_or_channel);

 private:
  std::uint64_t Request(std::string_view method, std::string_view body, const Headers& headers,
                        std::string_view principal);
  void Tell(const Event& event);
  void Take(const Effect& effect);

  ManualClock clock_;
  SeededEntropy entropy_{1};
  MemorySessionStore memory_;
  DelayingStore store_;
  std::unique_ptr<McpServer> server_;
  int wakes_ = 0;
  std::uint64_t last_exchange_ = 1000;  // below are channels
  std::map<std::uint64_t, Received> received_;
};

}  // namespace mcp_session

#endif  // TESTS_SERVER_SERVER_PEER_H_

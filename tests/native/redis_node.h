// A server as on another machine: over HTTP, with a loop and a thread of its own, its store a Redis
// that others share.
#ifndef TESTS_NATIVE_REDIS_NODE_H_
#define TESTS_NATIVE_REDIS_NODE_H_

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "mcp_session/http/server.h"
#include "mcp_session/store/store.h"
#include "mcp_session/system/entropy.h"
#include "tests/redis/redis_server.h"

namespace mcp_session {

class RedisNode {
 public:
  RedisNode(const RedisServer& redis, const ServerOptions& about,
            Millis command_timeout = Seconds(2));
  // As if it were killed: nothing that it works on is ended.
  ~RedisNode();
  RedisNode(const RedisNode&) = delete;
  RedisNode& operator=(const RedisNode&) = delete;

  std::uint16_t port() const { return port_; }
  void Stop() { host_->Stop(); }

  // Whether its first call was cancelled within ten seconds.
  bool CancelledInTime();

 protected:
  McpServer& server() { return *server_; }
  // Listens: last in the constructor of who registers what it serves.
  void Start();
  // Whether `condition`, asked on the loop, is true within ten seconds.
  bool Eventually(const std::function<bool()>& condition);

  std::vector<ToolCall> calls_;  // that go on until the test says so; on the loop's thread

 private:
  boost::asio::io_context loop_;
  SystemEntropy entropy_;
  std::unique_ptr<SessionStore> store_;
  std::unique_ptr<McpServer> server_;
  std::unique_ptr<HttpServer> host_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace mcp_session

#endif  // TESTS_NATIVE_REDIS_NODE_H_

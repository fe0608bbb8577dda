// Stands between a client and a server on the loopback interface, and can lose what the server
// says. It has a thread of its own.
#ifndef TESTS_REDIS_REDIS_PROXY_H_
#define TESTS_REDIS_REDIS_PROXY_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>

namespace mcp_session {

class RedisProxy {
 public:
  // To the server on `port` of 127.0.0.1.
  explicit RedisProxy(std::uint16_t port);
  ~RedisProxy();
  RedisProxy(const RedisProxy&) = delete;
  RedisProxy& operator=(const RedisProxy&) = delete;

  std::uint16_t port() const { return port_; }

  // From now on what the server says is dropped, and counted.
  void Swallow() { swallowing_ = true; }
  std::size_t swallowed() const { return swallowed_; }

  // Closes all connections and passes on what comes over new ones.
  void Cut();

 private:
  void Run();

  const std::uint16_t server_port_;
  std::uint16_t port_ = 0;
  int listener_ = -1;
  std::atomic<bool> swallowing_ = false;
  std::atomic<bool> cut_ = false;
  std::atomic<bool> stop_ = false;
  std::atomic<std::size_t> swallowed_ = 0;
  std::thread thread_;
};

}  // namespace mcp_session

#endif  // TESTS_REDIS_REDIS_PROXY_H_

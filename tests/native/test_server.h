// An HttpServer on a thread of its own, with tools that do what tests need:
//
//   echo         answers its argument `text`
//   hold         does not answer: the test finds the call in held()
//   throw        throws, with a secret in it
//   flood        reports progress of 64 KiB again and again until it is cancelled
//   large        answers `bytes` bytes
#ifndef TESTS_NATIVE_TEST_SERVER_H_
#define TESTS_NATIVE_TEST_SERVER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "mcp_session/http/server.h"
#include "mcp_session/server/mcp_server.h"

namespace mcp_session {

class TestServer {
 public:
  // Listens on a free port, whatever the options say. `set_up` adds what else it is to have.
  explicit TestServer(HttpServerOptions options = {},
                      const std::function<void(McpServer& server)>& set_up = nullptr);
  // Stops at once, if nobody did.
  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  std::uint16_t port() const;

  // Runs `action` on the loop's thread and waits for it.
  void OnLoop(const std::function<void()>& action);
  // Waits until `condition`, asked on the loop's thread, is true; false if it is not in time.
  bool Eventually(const std::function<bool()>& condition);

  // Calls of hold and flood, in order. Only on the loop's thread.
  std::vector<ToolCall>& held();
  // Waits for the call number `index` of hold, then answers it.
  bool Release(std::size_t index);

  void Stop();
  // Waits until Run has returned.
  void Join();

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace mcp_session

#endif  // TESTS_NATIVE_TEST_SERVER_H_

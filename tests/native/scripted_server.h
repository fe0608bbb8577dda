// An HTTP server on a thread of its own whose answers a test writes, byte for byte. One connection
// at a time.
#ifndef TESTS_NATIVE_SCRIPTED_SERVER_H_
#define TESTS_NATIVE_SCRIPTED_SERVER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>

namespace mcp_session {

class ScriptedServer {
 public:
  // Given a whole request, head and body; the answer. Empty: the connection is closed.
  using Answer = std::function<std::string(const std::string& request)>;

  // Whether a connection is kept after an answer, or closed without a word about it.
  enum class After : std::uint8_t { kKeep, kClose };

  explicit ScriptedServer(Answer answer, After after = After::kKeep);
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/mcp"; }
  int connections() const { return connections_; }
  int closed() const { return closed_; }

 private:
  void Run();
  void Serve(int connection);

  const Answer answer_;
  const After after_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> current_ = -1;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> connections_ = 0;
  std::atomic<int> closed_ = 0;
  std::thread thread_;
};

// A response with a JSON body.
std::string JsonResponse(const std::string& body, int status = 200,
                         const std::string& headers = {});

}  // namespace mcp_session

#endif  // TESTS_NATIVE_SCRIPTED_SERVER_H_

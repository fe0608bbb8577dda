// A server of 2024-11-05 on a thread for each connection: a stream by GET, messages by POST. What
// it does wrong is a test's.
#ifndef TESTS_NATIVE_OLD_SERVER_H_
#define TESTS_NATIVE_OLD_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace mcp_session {

struct OldServerScript {
  // The head of the stream, and what it begins with.
  std::string head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
  std::string first = "event: endpoint\ndata: /messages?session=1\n\n";
  std::string capabilities = "{}";
  int refusal = 404;      // of a POST elsewhere than to /messages
  int post_status = 202;  // of one there
  // What a message is answered with on the stream; empty: nothing. By default it answers what has
  // an id as a server with no capabilities would `initialize`.
  std::function<std::string(const std::string& message)> answer;
  bool ends = false;  // the stream, as soon as `first` was sent
};

class OldServer {
 public:
  explicit OldServer(OldServerScript script = {});
  ~OldServer();
  OldServer(const OldServer&) = delete;
  OldServer& operator=(const OldServer&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/mcp"; }
  std::uint16_t port() const { return port_; }
  // Begin lines of the requests so far: "POST /messages?session=1".
  std::vector<std::string> requests();
  // That it accepted so far.
  std::size_t connections();
  // Ends the stream there is.
  void Cut();

 private:
  void Run();
  void Serve(int connection);
  // False: the connection is over.
  bool Handle(int connection, const std::string& head, const std::string& body);

  const OldServerScript script_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::mutex mutex_;
  std::vector<std::string> requests_;
  std::vector<int> connections_;
  int stream_ = -1;
  std::list<std::thread> threads_;
  std::thread thread_;
};

}  // namespace mcp_session

#endif  // TESTS_NATIVE_OLD_SERVER_H_

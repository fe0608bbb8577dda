#include "tests/native/scripted_server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <utility>

#include "tests/support/loopback_listener.h"

namespace mcp_session {

ScriptedServer::ScriptedServer(Answer answer, After after)
    : answer_(std::move(answer)), after_(after) {
  listener_ = ListenOnLoopback(&port_);
  thread_ = std::thread([this] { Run(); });
}

ScriptedServer::~ScriptedServer() {
  stopping_ = true;
  shutdown(listener_, SHUT_RDWR);
  const int current = current_;
  if (current >= 0) shutdown(current, SHUT_RDWR);
  thread_.join();
  close(listener_);
}

void ScriptedServer::Run() {
  for (;;) {
    const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) return;
    current_ = connection;
    if (!stopping_) {
      ++connections_;
      Serve(connection);
    }
    current_ = -1;
    close(connection);
    ++closed_;
  }
}

void ScriptedServer::Serve(int connection) {
  std::string received;
  std::array<char, 4096> buffer;
  for (;;) {
    std::size_t end = received.find("\r\n\r\n");
    if (end != std::string::npos) {
      end += 4;
      const std::size_t length = received.find("Content-Length: ");
      if (length < end) end += std::strtoul(received.c_str() + length + 16, nullptr, 10);
    }
    if (end > received.size()) {
      const ssize_t n = recv(connection, buffer.data(), buffer.size(), 0);
      if (n <= 0) return;
      received.append(buffer.data(), static_cast<std::size_t>(n));
      continue;
    }
    const std::string answer = answer_(received.substr(0, end));
    received.erase(0, end);
    if (answer.empty()) return;
    if (send(connection, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) return;
    if (after_ == After::kClose) return;
  }
}

std::string JsonResponse(const std::string& body, int status, const std::string& headers) {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Type: application/json\r\n" +
         headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace mcp_session

#include "tests/native/old_server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "tests/support/loopback_listener.h"

namespace mcp_session {
namespace {

void Write(int socket, const std::string& bytes) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t n = send(socket, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return;
    sent += static_cast<std::size_t>(n);
  }
}

std::string Initialized(const std::string& message, const std::string& capabilities) {
  const std::size_t id = message.find("\"id\":");
  if (id == std::string::npos) return {};
  const std::size_t end = message.find_first_of(",}", id);
  return "{\"jsonrpc\":\"2.0\"," + message.substr(id, end - id) +
         R"(,"result":{"protocolVersion":"2024-11-05","capabilities":)" + capabilities +
         R"(,"content":[]}})";
}

}  // namespace

OldServer::OldServer(OldServerScript script) : script_(std::move(script)) {
  listener_ = ListenOnLoopback(&port_);
  thread_ = std::thread([this] { Run(); });
}

OldServer::~OldServer() {
  shutdown(listener_, SHUT_RDWR);
  thread_.join();
  {
    const std::lock_guard guard(mutex_);
    for (const int connection : connections_) shutdown(connection, SHUT_RDWR);
  }
  for (std::thread& each : threads_) each.join();
  for (const int connection : connections_) close(connection);
  close(listener_);
}

std::vector<std::string> OldServer::requests() {
  const std::lock_guard guard(mutex_);
  return requests_;
}

std::size_t OldServer::connections() {
  const std::lock_guard guard(mutex_);
  return connections_.size();
}

void OldServer::Cut() {
  const std::lock_guard guard(mutex_);
  if (stream_ >= 0) shutdown(stream_, SHUT_RDWR);
  stream_ = -1;
}

void OldServer::Run() {
  for (;;) {
    const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) return;
    const std::lock_guard guard(mutex_);
    connections_.push_back(connection);
    threads_.emplace_back([this, connection] { Serve(connection); });
  }
}

void OldServer::Serve(int connection) {
  std::string received;
  std::array<char, 4096> buffer;
  for (;;) {
    const std::size_t end = received.find("\r\n\r\n");
    std::size_t length = 0;
    if (end != std::string::npos) {
      const std::size_t at = received.find("Content-Length: ");
      if (at < end) length = std::strtoul(received.c_str() + at + 16, nullptr, 10);
    }
    if (end == std::string::npos || received.size() < end + 4 + length) {
      const ssize_t n = recv(connection, buffer.data(), buffer.size(), 0);
      if (n <= 0) return;
      received.append(buffer.data(), static_cast<std::size_t>(n));
      continue;
    }
    if (!Handle(connection, received.substr(0, end), received.substr(end + 4, length))) {
      shutdown(connection, SHUT_RDWR);
      return;
    }
    received.erase(0, end + 4 + length);
  }
}

bool OldServer::Handle(int connection, const std::string& head, const std::string& body) {
  const std::lock_guard guard(mutex_);
  const std::string line = head.substr(0, head.find(" HTTP/"));
  requests_.push_back(line);
  if (line.starts_with("GET")) {
    Write(connection, script_.head + script_.first);
    stream_ = connection;
    return !script_.ends;
  }
  const bool there = line.starts_with("POST /messages");
  Write(connection, "HTTP/1.1 " + std::to_string(there ? script_.post_status : script_.refusal) +
                        " X\r\nContent-Length: 0\r\n\r\n");
  if (!there || stream_ < 0 || script_.post_status >= 300) return true;
  const std::string answer =
      script_.answer ? script_.answer(body) : Initialized(body, script_.capabilities);
  if (!answer.empty()) Write(stream_, "event: message\ndata: " + answer + "\n\n");
  return true;
}

}  // namespace mcp_session

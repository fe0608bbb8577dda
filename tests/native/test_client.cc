#include "tests/native/test_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace mcp_session {
namespace {

constexpr int kPatienceMillis = 10'000;

std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

int ConnectTo(const sockaddr* address, socklen_t size, int family, int receive_buffer) {
  const int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (receive_buffer > 0) {
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  }
  if (connect(fd, address, size) != 0) {
    close(fd);
    return -1;
  }
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const timeval patience{kPatienceMillis / 1000, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  return fd;
}

}  // namespace

TestClient::TestClient(std::uint16_t port, int receive_buffer, const char* host) {
  if (std::strchr(host, ':') != nullptr) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port);
    inet_pton(AF_INET6, host, &address.sin6_addr);
    socket_ =
        ConnectTo(reinterpret_cast<sockaddr*>(&address), sizeof address, AF_INET6, receive_buffer);
  } else {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    inet_pton(AF_INET, host, &address.sin_addr);
    socket_ =
        ConnectTo(reinterpret_cast<sockaddr*>(&address), sizeof address, AF_INET, receive_buffer);
  }
}

TestClient::~TestClient() { Close(); }

void TestClient::Close() {
  if (socket_ >= 0) close(socket_);
  socket_ = -1;
}

void TestClient::CloseSending() { shutdown(socket_, SHUT_WR); }

bool TestClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

bool TestClient::Fill() {
  char buffer[16384];
  const ssize_t n = recv(socket_, buffer, sizeof buffer, 0);
  if (n <= 0) return false;
  received_.append(buffer, static_cast<std::size_t>(n));
  return true;
}

bool TestClient::Readable(int millis) {
  if (!received_.empty()) return true;
  pollfd waiting{socket_, POLLIN, 0};
  return poll(&waiting, 1, millis) > 0;
}

bool TestClient::Ended() {
  if (!received_.empty() || !Readable(kPatienceMillis)) return false;
  char byte;
  const ssize_t n = recv(socket_, &byte, 1, 0);
  return n == 0 || (n < 0 && errno == ECONNRESET);
}

std::string TestClient::ReceiveUntil(std::string_view end) {
  std::size_t at;
  while ((at = received_.find(end)) == std::string::npos) {
    if (!Fill()) return std::exchange(received_, {});
  }
  std::string taken = received_.substr(0, at + end.size());
  received_.erase(0, taken.size());
  return taken;
}

TestResponse TestClient::ReceiveHead() {
  const std::string head = ReceiveUntil("\r\n\r\n");
  TestResponse response;
  if (head.compare(0, 9, "HTTP/1.1 ") != 0) return response;
  response.status = std::atoi(head.c_str() + 9);
  std::size_t line = head.find("\r\n") + 2;
  while (line < head.size()) {
    const std::size_t end = head.find("\r\n", line);
    const std::size_t colon = head.find(": ", line);
    if (colon != std::string::npos && colon < end) {
      response.headers[Lower(head.substr(line, colon - line))] =
          head.substr(colon + 2, end - colon - 2);
    }
    line = end + 2;
  }
  return response;
}

TestResponse TestClient::Receive(std::string_view method) {
  TestResponse response = ReceiveHead();
  const bool bodiless = response.status == 204 || response.status == 304;
  if (response.status == 0 || method == "HEAD" || bodiless) return response;
  if (response.headers.count("content-length") != 0) {
    const auto size =
        static_cast<std::size_t>(std::atoll(response.headers["content-length"].c_str()));
    while (received_.size() < size && Fill()) {
    }
    response.body = received_.substr(0, size);
    received_.erase(0, size);
  } else if (response.headers.count("transfer-encoding") != 0) {
    for (;;) {
      const std::string line = ReceiveUntil("\r\n");
      const std::size_t size = std::strtoull(line.c_str(), nullptr, 16);
      while (received_.size() < size + 2 && Fill()) {
      }
      response.body += received_.substr(0, size);
      received_.erase(0, size + 2);
      if (size == 0) break;
    }
  } else {
    while (Fill()) {
    }
    response.body = std::exchange(received_, {});
  }
  return response;
}

TestResponse TestClient::Exchange(std::string_view request) {
  Send(request);
  return Receive(request.substr(0, request.find(' ')));
}

std::string Post(std::string_view body, std::string_view headers) {
  std::string request =
      "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Accept: application/json, text/event-stream\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n";
  request += headers;
  request += "\r\n";
  request += body;
  return request;
}

std::string StatelessCall(std::string_view tool, std::string_view arguments,
                          std::string_view meta) {
  std::string body = R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":")";
  body += tool;
  body += R"(","arguments":)";
  body += arguments;
  body += R"(,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
          R"("io.modelcontextprotocol/clientCapabilities":{})";
  body += meta;
  body += "}}}";
  return Post(body, "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: " +
                        std::string(tool) + "\r\n");
}

std::string SessionCall(std::string_view session, std::string_view tool, std::string_view arguments,
                        std::string_view meta) {
  std::string body = R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":")";
  body += tool;
  body += R"(","arguments":)";
  body += arguments;
  body += R"(,"_meta":{)";
  body += meta;
  body += "}}}";
  return Post(
      body, "MCP-Protocol-Version: 2025-11-25\r\nMcp-Session-Id: " + std::string(session) + "\r\n");
}

std::string Initialize(TestClient& client, std::string_view capabilities) {
  std::string body =
      R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25",)"
      R"("capabilities":)";
  body += capabilities;
  body += R"(,"clientInfo":{"name":"test","version":"1"}}})";
  const TestResponse answer = client.Exchange(Post(body));
  const auto session = answer.headers.find("mcp-session-id");
  if (session == answer.headers.end()) return {};
  client.Exchange(Post(R"({"jsonrpc":"2.0","method":"notifications/initialized"})",
                       "Mcp-Session-Id: " + session->second + "\r\n"));
  return session->second;
}

}  // namespace mcp_session

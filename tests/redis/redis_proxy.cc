#include "tests/redis/redis_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <utility>
#include <vector>

namespace mcp_session {
namespace {

constexpr int kTurnMillis = 5;

sockaddr_in Loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

void WriteAll(int fd, const char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t written = send(fd, bytes, size, MSG_NOSIGNAL);
    if (written <= 0) return;
    bytes += written;
    size -= static_cast<std::size_t>(written);
  }
}

}  // namespace

RedisProxy::RedisProxy(std::uint16_t port) : server_port_(port) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  auto* const plain = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener_, plain, size) != 0 || listen(listener_, 16) != 0 ||
      getsockname(listener_, plain, &size) != 0) {
    std::abort();
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Run(); });
}

RedisProxy::~RedisProxy() {
  stop_ = true;
  thread_.join();
  close(listener_);
}

void RedisProxy::Cut() {
  swallowing_ = false;
  cut_ = true;
  while (cut_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

void RedisProxy::Run() {
  std::vector<std::pair<int, int>> pairs;  // client, server
  const auto close_pair = [&pairs](std::size_t index) {
    close(pairs[index].first);
    close(pairs[index].second);
    pairs.erase(pairs.begin() + static_cast<std::ptrdiff_t>(index));
  };
  // False: one side has ended.
  const auto pass = [this](int from, int to, bool from_server) {
    std::array<char, 65536> buffer;
    const ssize_t size = read(from, buffer.data(), buffer.size());
    if (size <= 0) return false;
    if (from_server && swallowing_) {
      swallowed_ += static_cast<std::size_t>(size);
    } else {
      WriteAll(to, buffer.data(), static_cast<std::size_t>(size));
    }
    return true;
  };
  while (!stop_) {
    std::vector<pollfd> waiting = {{listener_, POLLIN, 0}};
    for (const auto& [client, server] : pairs) {
      waiting.push_back({client, POLLIN, 0});
      waiting.push_back({server, POLLIN, 0});
    }
    poll(waiting.data(), waiting.size(), kTurnMillis);
    for (std::size_t i = pairs.size(); i > 0; --i) {
      const auto [client, server] = pairs[i - 1];
      const bool from_client = waiting[2 * i - 1].revents != 0;
      const bool from_server = waiting[2 * i].revents != 0;
      if ((from_client && !pass(client, server, false)) ||
          (from_server && !pass(server, client, true))) {
        close_pair(i - 1);
      }
    }
    if (cut_) {
      while (!pairs.empty()) close_pair(0);
      cut_ = false;
    }
    if (waiting[0].revents == 0) continue;
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = Loopback(server_port_);
    if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
      close(client);
      close(server);
      continue;
    }
    pairs.emplace_back(client, server);
  }
  while (!pairs.empty()) close_pair(0);
}

}  // namespace mcp_session

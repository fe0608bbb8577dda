#include "tests/faults/fault_proxy.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "tests/support/loopback_listener.h"

namespace mcp_session {
namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void Fail(const char* what) {
  std::perror(what);
  std::abort();
}

// Several sockets may have the port, of which those that do not listen refuse.
int Bind(std::uint16_t* port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int yes = 1;
  if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof(yes)) != 0 ||
      setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0) {
    Fail("fault_proxy: bind");
  }
  BindToLoopback(fd, port);
  return fd;
}

void NoDelay(int fd) {
  const int yes = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
}

void CloseByReset(int fd) {
  const linger at_once{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  close(fd);
}

}  // namespace

FaultProxy::FaultProxy(std::uint16_t port, std::uint64_t seed) : server_port_(port), random_(seed) {
  holder_ = Bind(&port_);
  wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  Listen();
  thread_ = std::thread([this] { Run(); });
}

FaultProxy::~FaultProxy() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  Wake();
  thread_.join();
  for (Connection& connection : connections_) End(connection, true);
  if (listener_ >= 0) close(listener_);
  close(holder_);
  close(wake_);
}

void FaultProxy::Listen() {
  listener_ = Bind(&port_);
  if (listen(listener_, 64) != 0) Fail("fault_proxy: listen");
}

void FaultProxy::Wake() {
  const std::uint64_t one = 1;
  if (write(wake_, &one, sizeof(one)) < 0 && errno != EAGAIN) Fail("fault_proxy: wake");
}

void FaultProxy::Set(const Fault& fault) {
  const std::lock_guard lock(mutex_);
  fault_ = fault;
  cut_passed_ = 0;
  const bool refuses = fault.kind == Fault::Kind::kRefuse;
  if (refuses) {
    for (Connection& connection : connections_) End(connection, true);
    connections_.clear();
    // As long as Run polls it, only this ends it.
    if (listener_ >= 0) shutdown(listener_, SHUT_RDWR);
    if (listener_ >= 0) close(listener_);
    listener_ = -1;
  } else if (listener_ < 0) {
    Listen();
  }
  Wake();
}

void FaultProxy::EndAll(bool reset) {
  const std::lock_guard lock(mutex_);
  for (Connection& connection : connections_) End(connection, reset);
  if (reset) connections_.clear();
  Wake();
}

std::size_t FaultProxy::held() const {
  const std::lock_guard lock(mutex_);
  std::size_t bytes = 0;
  for (const Connection& connection : connections_) {
    for (const Chunk& chunk : connection.down.queue) bytes += chunk.bytes.size();
  }
  return bytes;
}

std::size_t FaultProxy::accepted() const {
  const std::lock_guard lock(mutex_);
  return accepted_;
}

std::size_t FaultProxy::strikes() const {
  const std::lock_guard lock(mutex_);
  return strikes_;
}

std::size_t FaultProxy::open() const {
  const std::lock_guard lock(mutex_);
  return connections_.size();
}

bool FaultProxy::Affects(const Stream& stream, Fault::Kind kind) const {
  return fault_.kind == kind && (fault_.way == Fault::Way::kBoth || fault_.way == stream.way);
}

bool FaultProxy::Holds(const Stream& stream) const {
  return Affects(stream, Fault::Kind::kStall) || fault_.kind == Fault::Kind::kSilence;
}

// After a reset both descriptors are closed. After the other end they are read until both sides
// have seen it.
void FaultProxy::End(Connection& connection, bool reset) {
  for (Stream* stream : {&connection.up, &connection.down}) {
    stream->queue.clear();
    stream->discard = true;
    if (stream->from < 0) continue;
    if (reset) {
      CloseByReset(stream->from);
    } else {
      shutdown(stream->from, SHUT_WR);
    }
  }
}

void FaultProxy::Accept() {
  while (listener_ >= 0) {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0) return;
    ++accepted_;
    NoDelay(client);
    Connection connection;
    connection.up.from = connection.down.to = client;
    connection.down.way = Fault::Way::kDown;
    if (fault_.kind == Fault::Kind::kSilence) {
      connection.up.discard = connection.down.ended = connection.down.shut = true;
    } else {
      const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const sockaddr_in address = LoopbackAddress(server_port_);
      if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
        close(server);
        CloseByReset(client);
        continue;
      }
      NoDelay(server);
      connection.up.to = connection.down.from = server;
    }
    connections_.push_back(std::move(connection));
  }
}

void FaultProxy::Read(Stream& stream, bool other_ended) {
  std::array<char, 65536> buffer;
  while (!stream.ended) {
    const ssize_t size = recv(stream.from, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size <= 0) {
      stream.ended = true;
      // Nobody resends what is held of a client that has gone.
      if (stream.way == Fault::Way::kUp && !fault_.late && Holds(stream)) stream.queue.clear();
      return;
    }
    if (stream.discard || (stream.way == Fault::Way::kDown && other_ended)) continue;
    Time due = Clock::now();
    if (Affects(stream, Fault::Kind::kDelay)) {
      const auto jitter = static_cast<std::uint64_t>(fault_.jitter.count) + 1;
      due += std::chrono::milliseconds(fault_.delay.count +
                                       static_cast<std::int64_t>(random_.Below(jitter)));
    }
    if (!stream.queue.empty()) due = std::max(due, stream.queue.back().due);
    stream.queue.push_back({std::string(buffer.data(), static_cast<std::size_t>(size)), due});
  }
}

bool FaultProxy::Pass(Stream& stream) {
  const bool slices = Affects(stream, Fault::Kind::kSlice);
  while (!stream.queue.empty() && !Holds(stream) && stream.queue.front().due <= Clock::now()) {
    std::string& bytes = stream.queue.front().bytes;
    const bool cuts = Affects(stream, Fault::Kind::kCut);
    std::size_t size = slices ? 1 : bytes.size();
    if (cuts) size = std::min(size, fault_.bytes - cut_passed_);
    const ssize_t sent =
        size == 0 ? 0 : send(stream.to, bytes.data(), size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    if (sent < 0) {
      stream.discard = true;
      stream.queue.clear();
      break;
    }
    bytes.erase(0, static_cast<std::size_t>(sent));
    if (bytes.empty()) stream.queue.pop_front();
    if (cuts && (cut_passed_ += static_cast<std::size_t>(sent)) >= fault_.bytes) return false;
  }
  if (stream.ended && stream.queue.empty() && !stream.shut && !Holds(stream)) {
    stream.shut = true;
    if (stream.to >= 0) shutdown(stream.to, SHUT_WR);
  }
  return true;
}

void FaultProxy::Run() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    Accept();
    Time next = Clock::now() + std::chrono::seconds(60);
    std::vector<pollfd> waiting = {{wake_, POLLIN, 0}};
    if (listener_ >= 0) waiting.push_back({listener_, POLLIN, 0});
    for (auto at = connections_.begin(); at != connections_.end();) {
      Connection& connection = *at;
      for (Stream* stream : {&connection.up, &connection.down}) {
        Read(*stream, connection.up.ended);
        if (Pass(*stream)) continue;
        ++strikes_;
        const bool reset = fault_.reset;
        fault_ = {};
        End(connection, reset);
        if (reset) connection.up.from = connection.down.from = -1;
        break;
      }
      const bool is_reset = connection.up.discard && connection.up.from < 0;
      if (is_reset || (connection.up.shut && connection.down.shut)) {
        if (!is_reset) {
          close(connection.up.from);
          if (connection.up.to >= 0) close(connection.up.to);
        }
        at = connections_.erase(at);
        continue;
      }
      for (const Stream* stream : {&connection.up, &connection.down}) {
        if (!stream->ended) waiting.push_back({stream->from, POLLIN, 0});
        if (stream->queue.empty() || Holds(*stream)) continue;
        if (stream->queue.front().due <= Clock::now()) {
          waiting.push_back({stream->to, POLLOUT, 0});
        } else {
          next = std::min(next, stream->queue.front().due);
        }
      }
      ++at;
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now());
    lock.unlock();
    poll(waiting.data(), waiting.size(), std::max<int>(0, static_cast<int>(left.count())));
    std::uint64_t woken = 0;
    if (read(wake_, &woken, sizeof(woken)) < 0 && errno != EAGAIN) Fail("fault_proxy: poll");
    lock.lock();
  }
}

}  // namespace mcp_session

// Sockets at ports of 127.0.0.1, for peers in tests. What fails ends the test.
#ifndef TESTS_SUPPORT_LOOPBACK_LISTENER_H_
#define TESTS_SUPPORT_LOOPBACK_LISTENER_H_

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace mcp_session {

inline sockaddr_in LoopbackAddress(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

// A port of 0 becomes one that was free.
inline void BindToLoopback(int socket, std::uint16_t* port) {
  sockaddr_in address = LoopbackAddress(*port);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  if (bind(socket, any, size) != 0 || getsockname(socket, any, &size) != 0) {
    std::perror("bind to loopback");
    std::abort();
  }
  *port = ntohs(address.sin_port);
}

// A socket that listens on a free port.
inline int ListenOnLoopback(std::uint16_t* port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  *port = 0;
  BindToLoopback(listener, port);
  if (listen(listener, 16) != 0) std::abort();
  return listener;
}

}  // namespace mcp_session

#endif  // TESTS_SUPPORT_LOOPBACK_LISTENER_H_

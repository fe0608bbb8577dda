// A socket that listens on a free port of 127.0.0.1, for peers in tests.
#ifndef TESTS_SUPPORT_LOOPBACK_LISTENER_H_
#define TESTS_SUPPORT_LOOPBACK_LISTENER_H_

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <cstdlib>

namespace mcp_session {

// Ends the test if there is none.
inline int ListenOnLoopback(std::uint16_t* port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener, any, size) != 0 || listen(listener, 16) != 0 ||
      getsockname(listener, any, &size) != 0) {
    std::abort();
  }
  *port = ntohs(address.sin_port);
  return listener;
}

}  // namespace mcp_session

#endif  // TESTS_SUPPORT_LOOPBACK_LISTENER_H_

#include "mcp_session/system/keep_alive.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace mcp_session {

void SetKeepAlive(int socket, const KeepAlive& times) {
  const auto set = [socket](int level, int option, std::int64_t value) {
    const int number = static_cast<int>(value);
    ::setsockopt(socket, level, option, &number, sizeof(number));
  };
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, times.idle.count / 1000);
  set(IPPROTO_TCP, TCP_KEEPINTVL, times.interval.count / 1000);
  // With this Linux does not count unanswered questions (TCP_KEEPCNT).
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, times.lost.count);
}

}  // namespace mcp_session

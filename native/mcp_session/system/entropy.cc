#include "mcp_session/system/entropy.h"

#include <sys/random.h>

#include <cerrno>
#include <cstddef>

#include "mcp_session/base/check.h"

namespace mcp_session {

void SystemEntropy::Fill(std::span<std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = getrandom(bytes.data(), bytes.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    MCPS_CHECK(n > 0);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

}  // namespace mcp_session

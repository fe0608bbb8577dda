// SystemEntropy: the operating system's random source, for programs.
#ifndef MCP_SESSION_SYSTEM_ENTROPY_H_
#define MCP_SESSION_SYSTEM_ENTROPY_H_

#include <cstdint>
#include <span>

#include "mcp_session/base/entropy.h"

namespace mcp_session {

// Draws from getrandom(2). Ends the program if that fails. May be used from any thread.
class SystemEntropy final : public Entropy {
 public:
  void Fill(std::span<std::uint8_t> bytes) override;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SYSTEM_ENTROPY_H_

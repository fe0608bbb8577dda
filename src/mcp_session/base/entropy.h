// Randomness is an argument: ids and keys are drawn from what the host hands in.
#ifndef MCP_SESSION_BASE_ENTROPY_H_
#define MCP_SESSION_BASE_ENTROPY_H_

#include <cstdint>
#include <span>

namespace mcp_session {

class Entropy {
 public:
  virtual ~Entropy() = default;

  // Fills `bytes` from a cryptographically strong source (spec H-23). An implementation whose
  // source fails must end the program: a guessable session id is worse than none.
  virtual void Fill(std::span<std::uint8_t> bytes) = 0;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_BASE_ENTROPY_H_

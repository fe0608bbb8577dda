// Names that nobody guesses: ids, handles, streams.
#ifndef MCP_SESSION_BASE_RANDOM_NAME_H_
#define MCP_SESSION_BASE_RANDOM_NAME_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "mcp_session/base/base64.h"
#include "mcp_session/base/entropy.h"

namespace mcp_session {

// So many random bytes as base64url: 8 are 11 characters, 16 are 22, 32 are 43.
template <std::size_t kBytes>
std::string RandomName(Entropy& entropy) {
  std::array<std::uint8_t, kBytes> bytes;
  entropy.Fill(bytes);
  return EncodeBase64Url(bytes);
}

}  // namespace mcp_session

#endif  // MCP_SESSION_BASE_RANDOM_NAME_H_

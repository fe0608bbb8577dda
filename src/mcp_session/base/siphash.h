// SipHash-1-3, a keyed hash that is quick on short inputs. Tables whose keys a peer may choose use
// it: without the hash key nobody can pick inputs that collide.
#ifndef MCP_SESSION_BASE_SIPHASH_H_
#define MCP_SESSION_BASE_SIPHASH_H_

#include <cstdint>
#include <string_view>

#include "mcp_session/base/entropy.h"

namespace mcp_session {

struct SipKey {
  std::uint64_t k0 = 0;
  std::uint64_t k1 = 0;
};

// Draws 16 bytes.
SipKey MakeSipKey(Entropy& entropy);

// The hash of the eight bytes of `prefix`, the lowest first, followed by `bytes`. A prefix that
// says how long the parts of `bytes` are keeps ("a", "bc") apart from ("ab", "c").
std::uint64_t SipHash13(const SipKey& key, std::uint64_t prefix, std::string_view bytes);

}  // namespace mcp_session

#endif  // MCP_SESSION_BASE_SIPHASH_H_

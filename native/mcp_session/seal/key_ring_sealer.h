// KeyRingSealer: requestState sealed by AES-256-GCM of OpenSSL.
#ifndef MCP_SESSION_SEAL_KEY_RING_SEALER_H_
#define MCP_SESSION_SEAL_KEY_RING_SEALER_H_

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/base/entropy.h"
#include "mcp_session/base/result.h"
#include "mcp_session/base/time.h"
#include "mcp_session/server/state_sealer.h"

namespace mcp_session {

using StateKey = std::array<std::uint8_t, 32>;

// Keys as an operator writes them: each 64 hexadecimal digits, separated by commas or white space;
// `openssl rand -hex 32` makes one. kInvalidArgument, without a word of the text: none, one that is
// no key, the same twice.
Result<std::vector<StateKey>> ParseStateKeys(std::string_view text);

// One that no other node has, and that is gone when the program ends.
StateKey MakeStateKey(Entropy& entropy);

// The first key seals, all open. To change keys without refusing a client: add the new one last on
// all nodes, then move it to the front, and take the old one away when Options::lifetime is over.
// One key is good for four thousand million states (the nonces are random). Several threads may use
// it at once if they may use its entropy.
class KeyRingSealer final : public StateSealer {
 public:
  struct Options {
    Millis lifetime = Minutes(5);  // of what is sealed
    // Milliseconds since 1970, of about the same clock on all nodes. Default: the system's.
    std::function<std::int64_t()> now;
  };

  // `keys` has one at least; `entropy` must outlive the sealer.
  KeyRingSealer(std::vector<StateKey> keys, Entropy& entropy, Options options);
  KeyRingSealer(std::vector<StateKey> keys, Entropy& entropy);
  ~KeyRingSealer() override;  // wipes the keys
  KeyRingSealer(const KeyRingSealer&) = delete;
  KeyRingSealer& operator=(const KeyRingSealer&) = delete;

  std::string Seal(std::string_view state, std::string_view bound_to) override;
  std::optional<std::string> Open(std::string_view token, std::string_view bound_to) override;

 private:
  struct Key {
    std::array<std::uint8_t, 4> id;  // says which key it is, and nothing of the key
    StateKey bytes;
  };

  std::vector<Key> keys_;
  Entropy& entropy_;
  Options options_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SEAL_KEY_RING_SEALER_H_

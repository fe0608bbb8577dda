// PackedKey: a RecordKey as the tables in memory look it up.
#ifndef MCP_SESSION_STORE_PACKED_KEY_H_
#define MCP_SESSION_STORE_PACKED_KEY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "mcp_session/base/siphash.h"
#include "mcp_session/store/command.h"
#include "mcp_session/store/rules.h"

namespace mcp_session {

// How three sizes of up to kMaxKeyPartBytes fit into one number.
inline constexpr int kKeySizeBits = 10;
inline constexpr std::uint32_t kKeySizeMask = (1u << kKeySizeBits) - 1;

// What a part of so many bytes takes: each is filled up with zeros to whole words, so that keys are
// hashed, compared and copied word by word.
constexpr std::size_t PackedSize(std::size_t part_size) { return (part_size + 7) / 8 * 8; }

// The parts of a key one after the other, their sizes in one number, and the hash of both.
class PackedKey {
 public:
  // `key` must be storable.
  PackedKey(const SipKey& sip_key, const RecordKey& key);

  std::uint32_t sizes() const { return sizes_; }
  std::uint64_t hash() const { return hash_; }
  std::string_view bytes() const { return {bytes_.data(), size_}; }

 private:
  std::uint32_t sizes_;
  std::size_t size_;
  std::uint64_t hash_;
  std::array<char, 3 * kMaxKeyPartBytes> bytes_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_STORE_PACKED_KEY_H_

#include "mcp_session/store/packed_key.h"

#include <bit>
#include <cstring>

#include "mcp_session/base/check.h"

namespace mcp_session {
namespace {

// Copies and fills up with zeros; the answer is where the copy ends.
char* CopyPacked(std::string_view part, char* to) {
  const char* from = part.data();
  std::size_t left = part.size();
  for (; left >= 8; left -= 8, from += 8, to += 8) std::memcpy(to, from, 8);
  if (left == 0) return to;
  // In a register: to write bytes and read them as a word waits for memory.
  std::uint64_t last = 0;
  while (left > 0) last = last << 8 | static_cast<std::uint8_t>(from[--left]);
  if constexpr (std::endian::native == std::endian::big) last = __builtin_bswap64(last);
  std::memcpy(to, &last, 8);
  return to + 8;
}

}  // namespace

PackedKey::PackedKey(const SipKey& sip_key, const RecordKey& key) : sizes_(0), size_(0) {
  MCPS_CHECK(IsStorable(key));
  char* end = bytes_.data();
  for (const std::string_view part : {key.owner, key.kind, key.id}) {
    sizes_ = sizes_ << kKeySizeBits | static_cast<std::uint32_t>(part.size());
    end = CopyPacked(part, end);
  }
  size_ = static_cast<std::size_t>(end - bytes_.data());
  hash_ = SipHash13(sip_key, sizes_, bytes());
}

}  // namespace mcp_session

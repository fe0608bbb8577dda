#include "mcp_session/store/packed_key.h"

#include <cstring>

#include "mcp_session/base/check.h"

namespace mcp_session {

PackedKey::PackedKey(const SipKey& sip_key, const RecordKey& key) : sizes_(0), size_(0) {
  MCPS_CHECK(IsStorable(key));
  for (const std::string_view part : {key.owner, key.kind, key.id}) {
    sizes_ = sizes_ << kKeySizeBits | static_cast<std::uint32_t>(part.size());
    if (!part.empty()) std::memcpy(bytes_.data() + size_, part.data(), part.size());
    size_ += part.size();
  }
  hash_ = SipHash13(sip_key, sizes_, bytes());
}

}  // namespace mcp_session

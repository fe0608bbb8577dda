// The names records have where they leave the process: digests, so that a key in Redis or in a
// file tells nothing of an owner or an id, and no id can be more than a name (docs/formats.md).
#ifndef MCP_SESSION_STORED_STORED_KEY_H_
#define MCP_SESSION_STORED_STORED_KEY_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "mcp_session/store/command.h"

namespace mcp_session {

// Tags are the first 128 bits of a SHA-256, in base64url: 22 characters.
inline constexpr std::size_t kTagSize = 22;

struct StoredKey {
  std::string owner_tag;   // of the owner; empty for the anonymous one
  std::string record_tag;  // of owner, kind and id

  bool operator==(const StoredKey&) const = default;
};

// Each part goes into the digest after its length, so no two keys share one.
std::string OwnerTag(std::string_view owner);
StoredKey MakeStoredKey(const RecordKey& key);

}  // namespace mcp_session

#endif  // MCP_SESSION_STORED_STORED_KEY_H_

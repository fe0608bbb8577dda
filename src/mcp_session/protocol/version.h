// The protocol's revisions and what differs between them. Nobody else compares version strings.
#ifndef MCP_SESSION_PROTOCOL_VERSION_H_
#define MCP_SESSION_PROTOCOL_VERSION_H_

#include <cstdint>
#include <optional>
#include <string_view>

namespace mcp_session {

// In order of time. 2024-11-05 is only spoken over stdio and channels: its HTTP transport is
// another one.
enum class Revision : std::uint8_t {
  k2024_11_05,
  k2025_03_26,
  k2025_06_18,
  k2025_11_25,
  k2026_07_28,
};

// The handshake era is opened by `initialize` and keeps a session; in the stateless era every
// request describes itself.
enum class Era : std::uint8_t { kHandshake, kStateless };

inline constexpr Revision kNewestHandshake = Revision::k2025_11_25;
inline constexpr Revision kNewestStateless = Revision::k2026_07_28;
// What a handshake-era HTTP request without a version header is taken for (spec H-11).
inline constexpr Revision kAssumedWithoutHeader = Revision::k2025_03_26;

// nullopt for anything but the exact name of a revision listed above.
std::optional<Revision> ParseRevision(std::string_view text);
std::string_view RevisionName(Revision revision);

constexpr Era EraOf(Revision revision) {
  return revision >= Revision::k2026_07_28 ? Era::kStateless : Era::kHandshake;
}

}  // namespace mcp_session

#endif  // MCP_SESSION_PROTOCOL_VERSION_H_

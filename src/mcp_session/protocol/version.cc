#include "mcp_session/protocol/version.h"

#include <array>

namespace mcp_session {
namespace {

constexpr std::array<std::string_view, 5> kNames = {"2024-11-05", "2025-03-26", "2025-06-18",
                                                    "2025-11-25", "2026-07-28"};

}  // namespace

std::optional<Revision> ParseRevision(std::string_view text) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (text == kNames[i]) return static_cast<Revision>(i);
  }
  return std::nullopt;
}

std::string_view RevisionName(Revision revision) {
  return kNames[static_cast<std::size_t>(revision)];
}

}  // namespace mcp_session

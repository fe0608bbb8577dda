#include "mcp_session/server/change.h"

namespace mcp_session {
namespace {

// By Change::Kind.
constexpr std::string_view kLetters = "-TPRUA";

}  // namespace

std::string EncodeChange(std::string_view node, const Change& change) {
  std::string data(node);
  data += kLetters[static_cast<std::size_t>(change.kind)];
  data += change.uri;
  return data;
}

std::optional<SaidChange> DecodeChange(std::string_view data) {
  if (data.size() <= kNodeChars) return std::nullopt;
  const std::size_t kind = kLetters.find(data[kNodeChars]);
  if (kind == std::string_view::npos) return std::nullopt;
  return SaidChange{data.substr(0, kNodeChars),
                    {static_cast<Change::Kind>(kind), std::string(data.substr(kNodeChars + 1))}};
}

}  // namespace mcp_session

#include "mcp_session/base/decimal.h"

#include <cstddef>

namespace mcp_session {

std::optional<std::int64_t> ParseDecimal(std::string_view text) {
  constexpr std::size_t kSafeDigits = 18;  // of these no number is too large
  if (text.empty()) return std::nullopt;
  const bool may_be_too_large = text.size() > kSafeDigits;
  std::int64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    const int digit = c - '0';
    if (may_be_too_large && value > (INT64_MAX - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

}  // namespace mcp_session

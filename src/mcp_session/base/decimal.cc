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

void AppendDecimal(std::uint64_t value, std::string* out) {
  char digits[20];
  char* first = digits + sizeof digits;
  do {
    *--first = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  out->append(first, digits + sizeof digits);
}

}  // namespace mcp_session

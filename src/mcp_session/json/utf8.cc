#include "mcp_session/json/utf8.h"

namespace mcp_session {

std::size_t Utf8Length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0;
  };
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2) return 0;
  if (lead < 0xE0) return continues(1) ? 2 : 0;
  if (lead < 0xF0) {
    if (!continues(1) || !continues(2)) return 0;
    if (lead == 0xE0 && byte(1) < 0xA0) return 0;
    if (lead == 0xED && byte(1) >= 0xA0) return 0;
    return 3;
  }
  if (lead > 0xF4 || !continues(1) || !continues(2) || !continues(3)) return 0;
  if (lead == 0xF0 && byte(1) < 0x90) return 0;
  if (lead == 0xF4 && byte(1) >= 0x90) return 0;
  return 4;
}

void AppendUtf8(std::uint32_t code_point, std::string* out) {
  if (code_point < 0x80) {
    *out += static_cast<char>(code_point);
    return;
  }
  // The lead byte's marker and how many bits it leaves to the bytes after it.
  int rest = code_point < 0x800 ? 6 : code_point < 0x10000 ? 12 : 18;
  const unsigned marker = rest == 6 ? 0xC0 : rest == 12 ? 0xE0 : 0xF0;
  *out += static_cast<char>(marker | code_point >> rest);
  while (rest > 0) {
    rest -= 6;
    *out += static_cast<char>(0x80 | (code_point >> rest & 0x3F));
  }
}

}  // namespace mcp_session

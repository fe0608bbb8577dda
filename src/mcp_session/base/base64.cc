#include "mcp_session/base/base64.h"

namespace mcp_session {
namespace {

constexpr std::string_view kStandard =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrlSafe =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string Encode(std::span<const std::uint8_t> bytes, std::string_view alphabet, bool pad) {
  std::string out((bytes.size() + 2) / 3 * 4, '=');
  std::size_t size = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t left = bytes.size() - i;
    std::uint32_t group = std::uint32_t{bytes[i]} << 16;
    if (left > 1) group |= std::uint32_t{bytes[i + 1]} << 8;
    if (left > 2) group |= bytes[i + 2];
    const std::size_t digits = left > 2 ? 4 : left + 1;
    for (std::size_t d = 0; d < digits; ++d) out[size++] = alphabet[(group >> (18 - 6 * d)) & 63];
  }
  if (!pad) out.resize(size);
  return out;
}

std::optional<std::string> Decode(std::string_view digits, std::string_view alphabet) {
  std::string out;
  out.reserve(digits.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : digits) {
    const std::size_t value = alphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = (bits << 6) | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>((bits >> count) & 0xff);
    }
  }
  if ((bits & ((1u << count) - 1)) != 0) return std::nullopt;
  return out;
}

}  // namespace

std::string EncodeBase64Url(std::span<const std::uint8_t> bytes) {
  return Encode(bytes, kUrlSafe, false);
}

std::string EncodeBase64(std::string_view bytes) {
  return Encode({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, kStandard,
                true);
}

std::optional<std::string> DecodeBase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  return Decode(text.substr(0, text.size() - padding), kStandard);
}

std::optional<std::string> DecodeBase64Url(std::string_view text) {
  if (text.size() % 4 == 1) return std::nullopt;
  return Decode(text, kUrlSafe);
}

}  // namespace mcp_session

// Base64 as the protocol needs it: URL-safe without padding for ids, and the strict standard
// alphabet for header values (spec S-36, S-39).
#ifndef MCP_SESSION_BASE_BASE64_H_
#define MCP_SESSION_BASE_BASE64_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mcp_session {

// RFC 4648 section 5, no padding: 16 bytes become 22 characters, 32 bytes 43.
std::string EncodeBase64Url(std::span<const std::uint8_t> bytes);

// RFC 4648 section 4 with padding.
std::string EncodeBase64(std::string_view bytes);

// Strict: exact alphabet, exact padding, zero trailing bits; anything else is nullopt.
std::optional<std::string> DecodeBase64(std::string_view text);
// The same for what EncodeBase64Url writes.
std::optional<std::string> DecodeBase64Url(std::string_view text);

}  // namespace mcp_session

#endif  // MCP_SESSION_BASE_BASE64_H_

#include "mcp_session/system/log.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

namespace mcp_session {
namespace {

constexpr std::size_t kMaxBytes = 200;
constexpr std::size_t kMinSecret = 16;
constexpr std::size_t kShown = 6;
constexpr int kPatienceMillis = 100;

bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsIdCharacter(char c) {
  return IsUpper(c) || IsLower(c) || IsDigit(c) || c == '-' || c == '_';
}

bool LooksSecret(std::string_view word) {
  if (word.size() < kMinSecret) return false;
  const bool upper = std::any_of(word.begin(), word.end(), IsUpper);
  const bool lower = std::any_of(word.begin(), word.end(), IsLower);
  return std::any_of(word.begin(), word.end(), IsDigit) || (upper && lower);
}

}  // namespace

void LogLine(std::string_view line) {
  std::string text = "mcp-session: ";
  text += line;
  text += '\n';
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t n = ::write(STDERR_FILENO, rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) {
      // It shares a terminal or pipe that somebody made non-blocking.
      pollfd waiting{STDERR_FILENO, POLLOUT, 0};
      if (poll(&waiting, 1, kPatienceMillis) > 0) continue;
    }
    if (n <= 0) return;  // nobody to tell
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
}

std::string Redact(std::string_view text) {
  std::string out;
  while (!text.empty() && out.size() < kMaxBytes) {
    const auto end = std::find_if_not(text.begin(), text.end(), IsIdCharacter);
    const std::string_view word = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    if (LooksSecret(word)) {
      out += word.substr(0, kShown);
      out += "...";
    } else {
      out += word;
    }
    text.remove_prefix(word.size());
    if (text.empty()) break;
    const auto byte = static_cast<unsigned char>(text.front());
    out += byte < 0x20 || byte == 0x7f ? '?' : text.front();
    text.remove_prefix(1);
  }
  if (!text.empty() || out.size() > kMaxBytes) {
    out.resize(std::min(out.size(), kMaxBytes));
    out += "...";
  }
  return out;
}

}  // namespace mcp_session

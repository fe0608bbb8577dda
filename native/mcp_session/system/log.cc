#include "mcp_session/system/log.h"

#include <poll.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <mutex>

#include "mcp_session/json/write.h"

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

LogFormat format = LogFormat::kText;

// One line at a time: a pipe takes a long one in pieces.
void Write(std::string_view rest) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
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

// RFC 3339, in UTC.
std::string Now() {
  using std::chrono::milliseconds;
  const auto since =
      std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  const std::time_t seconds = since.count() / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  const std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  char millis[8];
  std::snprintf(millis, sizeof millis, ".%03dZ", static_cast<int>(since.count() % 1000));
  return std::string(text, size) + millis;
}

std::string_view NameOf(LogSeverity severity) {
  switch (severity) {
    case LogSeverity::kInfo:
      return "info";
    case LogSeverity::kWarning:
      return "warning";
    case LogSeverity::kError:
      break;
  }
  return "error";
}

std::string ToJson(LogSeverity severity, std::string_view event, std::string_view message,
                   LogFields fields) {
  std::string line = "{";
  const auto add = [&](std::string_view name, std::string_view value) {
    if (line.size() > 1) line += ',';
    line.append("\"").append(name).append("\":");
    if (AppendJsonString(value, &line)) return;
    std::string ascii(value);  // it was no UTF-8
    std::replace_if(
        ascii.begin(), ascii.end(), [](char c) { return static_cast<unsigned char>(c) > 0x7e; },
        '?');
    if (!AppendJsonString(ascii, &line)) line += "\"\"";
  };
  add("time", Now());
  add("level", NameOf(severity));
  add("event", event);
  add("message", message);
  for (const auto& [name, value] : fields) add(name, value);
  return line + "}\n";
}

}  // namespace

void SetLogFormat(LogFormat chosen) { format = chosen; }

void Log(LogSeverity severity, std::string_view event, std::string_view message, LogFields fields) {
  if (format == LogFormat::kText) {
    Write("mcp-session: " + std::string(message) + "\n");
  } else {
    Write(ToJson(severity, event, message, fields));
  }
}

void LogLine(std::string_view line) { Log(LogSeverity::kInfo, "message", line); }

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

#include "mcp_session/session/session_record.h"

#include "mcp_session/base/check.h"

namespace mcp_session {
namespace {

constexpr std::string_view kTag = "S1";
constexpr std::size_t kRevisionAt = 2;
constexpr std::size_t kInitializedAt = 3;
constexpr std::size_t kHeadSize = 4;
constexpr std::size_t kLogLevelAt = 4;

LogLevel LogLevelIn(std::string_view data) {
  const int level = data.size() > kLogLevelAt ? data[kLogLevelAt] - '0' : 0;
  const bool set = level > 0 && level <= static_cast<int>(LogLevel::kEmergency);
  return set ? static_cast<LogLevel>(level) : LogLevel::kNotSet;
}

}  // namespace

std::string EncodeSessionRecord(const SessionRecord& record) {
  std::string data(kTag);
  data += static_cast<char>('a' + static_cast<int>(record.revision));
  data += record.initialized ? 'i' : '-';
  data += record.client;
  return data;
}

std::optional<SessionHead> DecodeSessionHead(std::string_view data) {
  if (data.size() < kHeadSize || data.substr(0, kTag.size()) != kTag) return std::nullopt;
  const int revision = data[kRevisionAt] - 'a';
  const char initialized = data[kInitializedAt];
  if (revision < 0 || revision > static_cast<int>(kNewestHandshake)) return std::nullopt;
  if (initialized != 'i' && initialized != '-') return std::nullopt;
  return SessionHead{static_cast<Revision>(revision), initialized == 'i', LogLevelIn(data)};
}

std::string_view ClientOf(std::string_view data) {
  MCPS_CHECK(data.size() >= kHeadSize);
  return data.substr(kHeadSize + (LogLevelIn(data) != LogLevel::kNotSet ? 1 : 0));
}

std::string MarkInitialized(std::string_view data) {
  MCPS_CHECK(data.size() >= kHeadSize);
  std::string marked(data);
  marked[kInitializedAt] = 'i';
  return marked;
}

std::string WithLogLevel(std::string_view data, LogLevel level) {
  MCPS_CHECK(data.size() >= kHeadSize);
  std::string changed(data);
  const std::size_t replaced = LogLevelIn(data) != LogLevel::kNotSet ? 1 : 0;
  changed.replace(kLogLevelAt, replaced, 1, static_cast<char>('0' + static_cast<int>(level)));
  return changed;
}

}  // namespace mcp_session

#include "mcp_session/session/session_record.h"

#include "mcp_session/base/check.h"

namespace mcp_session {
namespace {

constexpr std::string_view kTag = "S1";
constexpr std::size_t kRevisionAt = 2;
constexpr std::size_t kInitializedAt = 3;
constexpr std::size_t kHeadSize = 4;

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
  return SessionHead{static_cast<Revision>(revision), initialized == 'i'};
}

std::string MarkInitialized(std::string_view data) {
  MCPS_CHECK(data.size() >= kHeadSize);
  std::string marked(data);
  marked[kInitializedAt] = 'i';
  return marked;
}

}  // namespace mcp_session

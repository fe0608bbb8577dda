#include "mcp_session/session/session_record.h"

#include "mcp_session/base/check.h"
#include "mcp_session/base/decimal.h"
#include "mcp_session/json/access.h"
#include "mcp_session/json/parse.h"
#include "mcp_session/json/write.h"

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

// Where the subscriptions are, and their JSON; from `end` on there is the client's.
struct Subscribed {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string_view uris;
};

Subscribed SubscribedIn(std::string_view data) {
  MCPS_CHECK(data.size() >= kHeadSize);
  const std::size_t begin = kHeadSize + (LogLevelIn(data) != LogLevel::kNotSet ? 1 : 0);
  const std::size_t mark = data.find(';', begin);
  if (begin == data.size() || data[begin] != '+' || mark == std::string_view::npos) {
    return {begin, begin, {}};
  }
  const auto length = ParseDecimal(data.substr(begin + 1, mark - begin - 1));
  const std::size_t size = length ? static_cast<std::size_t>(*length) : data.size();
  if (size > data.size() - mark - 1) return {begin, begin, {}};
  return {begin, mark + 1 + size, data.substr(mark + 1, size)};
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

std::string_view ClientOf(std::string_view data) { return data.substr(SubscribedIn(data).end); }

std::vector<std::string> SubscriptionsOf(std::string_view data) {
  const std::string_view list = SubscribedIn(data).uris;
  std::vector<std::string> uris;
  Limits limits;  // it was written by us, whatever a peer may send
  limits.max_message_bytes = limits.max_json_values = list.size();
  const Result<Json> read = ParseJson(list, limits);
  if (!read || !read->is_array()) return uris;
  for (const Json& uri : *read) {
    if (const std::string* text = AsString(uri)) uris.push_back(*text);
  }
  return uris;
}

std::string WithSubscriptions(std::string_view data, const std::vector<std::string>& uris) {
  const Subscribed before = SubscribedIn(data);
  std::string changed(data.substr(0, before.begin));
  if (!uris.empty()) {
    Json list = EmptyArray();
    for (const std::string& uri : uris) list.push_back(uri);
    std::string text;
    const bool valid = AppendJson(list, &text);
    MCPS_CHECK(valid);
    changed += '+';
    AppendInteger(static_cast<std::int64_t>(text.size()), &changed);
    changed += ';';
    changed += text;
  }
  changed += data.substr(before.end);
  return changed;
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

// The entries of a record's stream, as XRANGE answers them: "<sequence>-0", and two fields, "d" the
// data and "f" the first sequence there was in the stream.
#ifndef MCP_SESSION_REDIS_STORED_EVENTS_H_
#define MCP_SESSION_REDIS_STORED_EVENTS_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "mcp_session/base/decimal.h"
#include "mcp_session/redis/resp.h"

namespace mcp_session {

// 0: it is no entry.
inline std::uint64_t SequenceOfEvent(const RedisReply& entry) {
  if (entry.elements.empty()) return 0;
  const std::string_view id = entry.elements[0].text;
  return static_cast<std::uint64_t>(ParseDecimal(id.substr(0, id.find('-'))).value_or(0));
}

inline std::string_view FieldOfEvent(const RedisReply& entry, std::string_view name) {
  if (entry.elements.size() < 2) return {};
  const std::vector<RedisReply>& fields = entry.elements[1].elements;
  for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
    if (fields[i].text == name) return fields[i + 1].text;
  }
  return {};
}

inline std::string_view DataOfEvent(const RedisReply& entry) { return FieldOfEvent(entry, "d"); }
inline std::string_view FirstOfStream(const RedisReply& entry) { return FieldOfEvent(entry, "f"); }

}  // namespace mcp_session

#endif  // MCP_SESSION_REDIS_STORED_EVENTS_H_

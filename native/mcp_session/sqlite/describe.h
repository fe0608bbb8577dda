// What replies say of a row, and the questions that every command on a record asks of it.
#ifndef MCP_SESSION_SQLITE_DESCRIBE_H_
#define MCP_SESSION_SQLITE_DESCRIBE_H_

#include <cstdint>
#include <optional>

#include "mcp_session/base/error.h"
#include "mcp_session/base/time.h"
#include "mcp_session/sqlite/records.h"
#include "mcp_session/store/command.h"

namespace mcp_session::sqlite {

// All but the data.
inline void Describe(const RecordRow& row, Instant now, Record* record) {
  record->version = row.version;
  record->expires_in = row.end - now;
  if (row.last_end != kNever) record->max_life_left = row.last_end - now;
}

// Of a record that is not live, or not there.
inline ErrorCode AbsenceOf(const std::optional<RecordRow>& row, Instant now) {
  return row && row->IsRemembered(now) ? ErrorCode::kExpired : ErrorCode::kNotFound;
}

// Whether this write was the last one of the record (store.h, rule 11).
inline bool IsRepeated(const RecordRow& row, std::uint64_t write_id) {
  return write_id != 0 && row.write_id == write_id;
}

// Whether somebody else was granted the lock since the one with the token `fence` (rule 12).
inline bool IsFenced(const RecordRow& row, std::uint64_t fence) {
  return fence != 0 && fence < row.fence;
}

}  // namespace mcp_session::sqlite

#endif  // MCP_SESSION_SQLITE_DESCRIBE_H_

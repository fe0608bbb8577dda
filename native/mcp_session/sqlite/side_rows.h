// EventRows and LockRows: the streams of records, and the locks of keys, as rows. Failures and
// transactions are as with RecordRows (records.h).
#ifndef MCP_SESSION_SQLITE_SIDE_ROWS_H_
#define MCP_SESSION_SQLITE_SIDE_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/base/time.h"
#include "mcp_session/sqlite/database.h"
#include "mcp_session/store/command.h"

namespace mcp_session::sqlite {

class EventRows {
 public:
  explicit EventRows(Database& database);

  // The lowest and the highest sequence that are kept; nothing if there are none.
  struct Kept {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
  };
  std::optional<Kept> FindKept(std::int64_t record);

  // `id` is a stamp (RecordRows::NextStamp).
  void Insert(std::int64_t record, std::uint64_t id, std::uint64_t sequence, std::string_view data);
  // Forgets the events up to `sequence`.
  void Trim(std::int64_t record, std::uint64_t sequence);

  // Those after `after`, oldest first.
  std::vector<StreamEvent> Read(std::int64_t record, std::uint64_t after, std::size_t limit);

  // The highest id in the file.
  std::uint64_t LastId();
  // The tags of the records that have events with a higher id than `id`.
  std::vector<std::string> TagsSince(std::uint64_t id);

 private:
  Statement find_kept_, insert_, trim_, read_, last_id_, tags_since_;
};

struct LockRow {
  std::uint64_t holder = 0;
  std::uint64_t token = 0;
  Instant granted{0};
  Instant end{0};
};

class LockRows {
 public:
  explicit LockRows(Database& database);

  // The lock of a key, if somebody has it.
  std::optional<LockRow> FindHeld(std::string_view record_tag, Instant now);
  // In place of what was there.
  void Put(std::string_view record_tag, const LockRow& lock);
  void Erase(std::string_view record_tag);

  // When the first one is over; kNever if there is none.
  Instant NextDue();
  // Deletes some that are over.
  void Sweep(Instant now);

 private:
  Statement find_, put_, erase_, next_due_, sweep_;
};

}  // namespace mcp_session::sqlite

#endif  // MCP_SESSION_SQLITE_SIDE_ROWS_H_

// RecordRows: the table of records, and the books that are kept with it. What a command means is
// not known here (commands.h).
//
// Failures stick in the Database (database.h): after one nothing is found and nothing changes.
// Changes belong into a transaction that began with LoadBooks and ends with SaveBooks.
#ifndef MCP_SESSION_SQLITE_RECORDS_H_
#define MCP_SESSION_SQLITE_RECORDS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/base/time.h"
#include "mcp_session/sqlite/database.h"
#include "mcp_session/store/command.h"
#include "mcp_session/stored/stored_key.h"

namespace mcp_session::sqlite {

// How many dead records one sweep frees at most.
inline constexpr std::size_t kSweepLimit = 1000;

// What is the same for the whole file (the row of `meta`).
struct Books {
  std::uint64_t clock = 0;       // the highest version, token or event id there was
  std::uint64_t held = 0;        // records that take room: live, or dead and not swept
  std::uint64_t remembered = 0;  // of which it is only known that they were there
  bool operator==(const Books&) const = default;
};

// A record without its data and its names. Times are wall clock.
struct RecordRow {
  std::int64_t row = 0;
  std::uint64_t seq = 0;
  std::uint64_t version = 0;
  std::uint64_t write_id = 0;
  std::uint64_t fence = 0;
  Millis idle{0};             // 0: no idle_ttl
  Instant last_end = kNever;  // of max_life
  Instant end{0};
  Millis remember{0};
  std::uint64_t stream_start = 0;
  bool held = true;

  bool IsLive(Instant now) const { return now < end; }
  bool IsRemembered(Instant now) const { return end <= now && now < end + remember; }
};

struct RecordNames {
  StoredKey key;
  std::string_view kind;
  std::string_view id;
};

struct NamedRecord {
  RecordRow row;
  StoredKey key;
  std::string kind;
  std::string id;
  std::size_t data_bytes = 0;
  std::shared_ptr<const std::string> data;  // null if it was not asked for
};

class RecordRows {
 public:
  explicit RecordRows(Database& database);

  // The books as they are in the file; at the start of a transaction that changes something.
  void LoadBooks();
  // Writes them back, if they changed.
  void SaveBooks();
  Books& books() { return books_; }

  // A number higher than every one before, and not lower than `now` in microseconds: a version, a
  // token, the id of an event, a place in the lists.
  std::uint64_t NextStamp(Instant now);
  // The highest so far, as it is in the file.
  std::uint64_t ReadClock();

  std::optional<RecordRow> Find(std::string_view record_tag);
  // With its data, in one step.
  std::optional<RecordRow> Find(std::string_view record_tag,
                                std::shared_ptr<const std::string>* data);
  std::shared_ptr<const std::string> ReadData(const RecordRow& record);

  // `record.row` does not count: it gets a new one. A record that is not held has no data.
  void Insert(const RecordNames& names, RecordRow& record, std::string_view data);
  // New data, version, write_id and end.
  void Replace(const RecordRow& record, std::string_view data);
  void MoveEnd(const RecordRow& record);
  void SetFence(const RecordRow& record);
  // New names, place, version, write_id, fence and stream_start for a record; its row stays, and so
  // its events.
  void Rename(const RecordNames& names, const RecordRow& record);
  // Deletes it with its events.
  void Erase(const RecordRow& record);

  // Live ones of an owner.
  std::size_t CountOwned(std::string_view owner_tag, Instant now);
  // Deletes all of an owner, remembered ones too. Answers how many were alive.
  std::uint64_t EraseOwned(std::string_view owner_tag, Instant now);

  // Live ones of an owner and kind after the place `after`, at most `limit`.
  std::vector<NamedRecord> List(std::string_view owner_tag, std::string_view kind,
                                std::uint64_t after, std::size_t limit, Instant now);

  // Every one there is, from the row after `after` on; names and all.
  std::vector<NamedRecord> Scan(std::int64_t after, std::size_t limit, bool whole);
  // The names and all of one.
  std::optional<NamedRecord> FindWhole(const StoredKey& key);
  std::uint64_t CountLive(Instant now);
  // Whether a held record of this owner and kind has this place in the lists.
  bool HasPlace(std::string_view owner_tag, std::string_view kind, std::uint64_t seq);

  // From when on Sweep finds something; kNever if there is nothing at all.
  Instant NextDue();
  // Frees what is dead, at most kSweepLimit, and deletes what need not be remembered any more, or
  // would be more than `max_remembered` (0: no limit). Answers how many it looked at.
  std::size_t Sweep(Instant now, std::size_t max_remembered);

 private:
  // Which of the books a record is counted in.
  std::uint64_t& CounterOf(const RecordRow& record);

  Database& database_;
  Books books_;
  Books saved_;
  Statement load_books_, save_books_;
  Statement find_, find_whole_, read_data_, insert_, replace_, move_end_, set_fence_, rename_;
  Statement erase_, erase_events_, count_owned_, find_owned_, find_owned_remembered_, list_;
  Statement scan_, scan_whole_, find_named_, count_live_, has_place_, next_due_, find_due_, free_;
};

}  // namespace mcp_session::sqlite

#endif  // MCP_SESSION_SQLITE_RECORDS_H_

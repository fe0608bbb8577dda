#include "mcp_session/sqlite/records.h"

#include <algorithm>

namespace mcp_session::sqlite {
namespace {

// What ReadRow and ReadNamed read: the columns of a RecordRow, in its order, then those a
// NamedRecord has besides.
constexpr std::string_view kRow =
    "row, seq, version, write_id, fence, idle, last_end, end, remember, stream_start, held";
constexpr int kRowColumns = 11;
constexpr std::string_view kNames = "record_tag, owner_tag, kind, id, length(data)";
constexpr int kNamedColumns = kRowColumns + 5;

std::string Select(std::string_view columns, std::string_view where) {
  return "SELECT " + std::string(columns) + " FROM records WHERE " + std::string(where);
}

// With names, and with data if `data` says so.
std::string SelectNamed(std::string_view data, std::string_view where) {
  return Select(std::string(kRow) + ", " + std::string(kNames) + std::string(data), where);
}

std::string SelectRow(std::string_view where) { return Select(kRow, where); }

RecordRow ReadRow(const Rows& rows) {
  RecordRow record;
  record.row = rows.Int(0);
  record.seq = rows.Number(1);
  record.version = rows.Number(2);
  record.write_id = rows.Number(3);
  record.fence = rows.Number(4);
  record.idle = Millis{rows.Int(5)};
  if (!rows.IsNull(6)) record.last_end = Instant{rows.Int(6)};
  record.end = Instant{rows.Int(7)};
  record.remember = Millis{rows.Int(8)};
  record.stream_start = rows.Number(9);
  record.held = rows.Int(10) != 0;
  return record;
}

NamedRecord ReadNamed(const Rows& rows) {
  NamedRecord named;
  named.row = ReadRow(rows);
  named.key.record_tag = rows.Bytes(kRowColumns);
  named.key.owner_tag = rows.Bytes(kRowColumns + 1);
  named.kind = rows.Bytes(kRowColumns + 2);
  named.id = rows.Bytes(kRowColumns + 3);
  named.data_bytes = static_cast<std::size_t>(rows.Int(kRowColumns + 4));
  return named;
}

std::shared_ptr<const std::string> Copy(std::string_view bytes) {
  return std::make_shared<const std::string>(bytes);
}

std::optional<std::string_view> OrNull(std::string_view text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

std::optional<Instant> OrNull(Instant time) {
  return time == kNever ? std::nullopt : std::optional(time);
}

Instant DueOf(const RecordRow& record) {
  return record.held ? record.end : record.end + record.remember;
}

}  // namespace

RecordRows::RecordRows(Database& database)
    : database_(database),
      load_books_(database, "SELECT clock, held, remembered FROM meta"),
      save_books_(database, "UPDATE meta SET clock = ?1, held = ?2, remembered = ?3"),
      find_(database, SelectRow("record_tag = ?1")),
      find_whole_(database, Select(std::string(kRow) + ", data", "record_tag = ?1")),
      read_data_(database, Select("data", "row = ?1")),
      insert_(database,
              "INSERT INTO records (record_tag, owner_tag, kind, id, seq, version, write_id, fence,"
              " idle, last_end, end, remember, due, stream_start, held, data)"
              " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)"
              " RETURNING row"),
      replace_(database,
               "UPDATE records SET version = ?2, write_id = ?3, end = ?4, due = ?4, data = ?5"
               " WHERE row = ?1"),
      move_end_(database, "UPDATE records SET end = ?2, due = ?2 WHERE row = ?1"),
      set_fence_(database, "UPDATE records SET fence = ?2 WHERE row = ?1"),
      rename_(database,
              "UPDATE records SET record_tag = ?2, owner_tag = ?3, kind = ?4, id = ?5, seq = ?6,"
              " version = ?7, write_id = ?8, fence = ?9, stream_start = ?10 WHERE row = ?1"),
      erase_(database, "DELETE FROM records WHERE row = ?1"),
      erase_events_(database, "DELETE FROM events WHERE record = ?1"),
      count_owned_(database, Select("count(*)", "owner_tag = ?1 AND held = 1 AND end > ?2")),
      find_owned_(database, SelectRow("owner_tag = ?1 AND held = 1 LIMIT 1000")),
      find_owned_remembered_(database, SelectRow("owner_tag = ?1 AND held = 0 LIMIT 1000")),
      list_(database, SelectNamed(", data",
                                  "owner_tag = ?1 AND kind = ?2 AND held = 1 AND seq > ?3"
                                  " AND end > ?4 ORDER BY seq LIMIT ?5")),
      scan_(database, SelectNamed("", "row > ?1 ORDER BY row LIMIT ?2")),
      scan_whole_(database, SelectNamed(", data", "row > ?1 ORDER BY row LIMIT ?2")),
      find_named_(database, SelectNamed(", data", "record_tag = ?1 AND owner_tag IS ?2")),
      count_live_(database, Select("count(*)", "held = 1 AND end > ?1")),
      has_place_(database, Select("1", "owner_tag = ?1 AND kind = ?2 AND seq = ?3 AND held = 1")),
      next_due_(database, "SELECT min(due) FROM records"),
      find_due_(database, SelectRow("due <= ?1 ORDER BY due LIMIT ?2")),
      free_(database, "UPDATE records SET held = 0, data = NULL, due = ?2 WHERE row = ?1") {}

void RecordRows::LoadBooks() {
  Rows rows = load_books_.Find();
  if (!rows.Next()) return;
  books_ = {.clock = rows.Number(0), .held = rows.Number(1), .remembered = rows.Number(2)};
  saved_ = books_;
}

void RecordRows::SaveBooks() {
  if (books_ == saved_) return;
  save_books_.Run(books_.clock, books_.held, books_.remembered);
  saved_ = books_;
}

std::uint64_t RecordRows::NextStamp(Instant now) {
  const auto micros = static_cast<std::uint64_t>(std::max<std::int64_t>(now.millis, 0)) * 1000;
  books_.clock = std::max(books_.clock + 1, micros);
  return books_.clock;
}

std::uint64_t RecordRows::ReadClock() {
  Rows rows = load_books_.Find();
  return rows.Next() ? rows.Number(0) : 0;
}

std::optional<RecordRow> RecordRows::Find(std::string_view record_tag) {
  Rows rows = find_.Find(record_tag);
  if (!rows.Next()) return std::nullopt;
  return ReadRow(rows);
}

std::optional<RecordRow> RecordRows::Find(std::string_view record_tag,
                                          std::shared_ptr<const std::string>* data) {
  Rows rows = find_whole_.Find(record_tag);
  if (!rows.Next()) return std::nullopt;
  *data = Copy(rows.Bytes(kRowColumns));
  return ReadRow(rows);
}

std::shared_ptr<const std::string> RecordRows::ReadData(const RecordRow& record) {
  Rows rows = read_data_.Find(record.row);
  return Copy(rows.Next() ? rows.Bytes(0) : std::string_view());
}

void RecordRows::Insert(const RecordNames& names, RecordRow& record, std::string_view data) {
  // Nothing names an anonymous record but its tag.
  const bool owned = !names.key.owner_tag.empty();
  const std::optional<Blob> id = owned ? std::optional(Blob{names.id}) : std::nullopt;
  const std::optional<Blob> bytes = record.held ? std::optional(Blob{data}) : std::nullopt;
  Rows rows = insert_.Find(names.key.record_tag, OrNull(names.key.owner_tag), Blob{names.kind}, id,
                           record.seq, record.version, record.write_id, record.fence, record.idle,
                           OrNull(record.last_end), record.end, record.remember, DueOf(record),
                           record.stream_start, int{record.held}, bytes);
  if (!rows.Next()) return;
  record.row = rows.Int(0);
  ++CounterOf(record);
}

void RecordRows::Replace(const RecordRow& record, std::string_view data) {
  replace_.Run(record.row, record.version, record.write_id, record.end, Blob{data});
}

void RecordRows::MoveEnd(const RecordRow& record) { move_end_.Run(record.row, record.end); }

void RecordRows::SetFence(const RecordRow& record) { set_fence_.Run(record.row, record.fence); }

void RecordRows::Rename(const RecordNames& names, const RecordRow& record) {
  const bool owned = !names.key.owner_tag.empty();
  const std::optional<Blob> id = owned ? std::optional(Blob{names.id}) : std::nullopt;
  rename_.Run(record.row, names.key.record_tag, OrNull(names.key.owner_tag), Blob{names.kind}, id,
              record.seq, record.version, record.write_id, record.fence, record.stream_start);
}

void RecordRows::Erase(const RecordRow& record) {
  erase_events_.Run(record.row);
  std::uint64_t& counter = CounterOf(record);
  counter -= std::min(erase_.Run(record.row), counter);
}

std::size_t RecordRows::CountOwned(std::string_view owner_tag, Instant now) {
  Rows rows = count_owned_.Find(owner_tag, now);
  return rows.Next() ? static_cast<std::size_t>(rows.Int(0)) : 0;
}

std::uint64_t RecordRows::EraseOwned(std::string_view owner_tag, Instant now) {
  std::uint64_t live = 0;
  for (Statement* statement : {&find_owned_, &find_owned_remembered_}) {
    std::vector<RecordRow> found;
    do {
      found.clear();
      for (Rows rows = statement->Find(owner_tag); rows.Next();) found.push_back(ReadRow(rows));
      for (const RecordRow& record : found) {
        if (record.IsLive(now)) ++live;
        Erase(record);
      }
    } while (!found.empty() && !database_.failed());
  }
  return live;
}

std::vector<NamedRecord> RecordRows::List(std::string_view owner_tag, std::string_view kind,
                                          std::uint64_t after, std::size_t limit, Instant now) {
  std::vector<NamedRecord> listed;
  Rows rows = list_.Find(owner_tag, Blob{kind}, after, now, std::uint64_t{limit});
  while (rows.Next()) {
    listed.push_back(ReadNamed(rows));
    listed.back().data = Copy(rows.Bytes(kNamedColumns));
  }
  return listed;
}

std::vector<NamedRecord> RecordRows::Scan(std::int64_t after, std::size_t limit, bool whole) {
  std::vector<NamedRecord> found;
  Rows rows = (whole ? scan_whole_ : scan_).Find(after, std::uint64_t{limit});
  while (rows.Next()) {
    found.push_back(ReadNamed(rows));
    if (whole) found.back().data = Copy(rows.Bytes(kNamedColumns));
  }
  return found;
}

std::optional<NamedRecord> RecordRows::FindWhole(const StoredKey& key) {
  Rows rows = find_named_.Find(key.record_tag, OrNull(key.owner_tag));
  if (!rows.Next()) return std::nullopt;
  NamedRecord named = ReadNamed(rows);
  named.data = Copy(rows.Bytes(kNamedColumns));
  return named;
}

std::uint64_t RecordRows::CountLive(Instant now) {
  Rows rows = count_live_.Find(now);
  return rows.Next() ? rows.Number(0) : 0;
}

bool RecordRows::HasPlace(std::string_view owner_tag, std::string_view kind, std::uint64_t seq) {
  Rows rows = has_place_.Find(owner_tag, Blob{kind}, seq);
  return rows.Next();
}

Instant RecordRows::NextDue() {
  Rows rows = next_due_.Find();
  return rows.Next() && !rows.IsNull(0) ? Instant{rows.Int(0)} : kNever;
}

std::size_t RecordRows::Sweep(Instant now, std::size_t max_remembered) {
  std::vector<RecordRow> due;
  for (Rows rows = find_due_.Find(now, std::uint64_t{kSweepLimit}); rows.Next();) {
    due.push_back(ReadRow(rows));
  }
  for (RecordRow& record : due) {
    const bool has_room = max_remembered == 0 || books_.remembered < max_remembered;
    if (!record.IsRemembered(now) || !has_room) {
      Erase(record);
      continue;
    }
    erase_events_.Run(record.row);
    books_.held -= std::min<std::uint64_t>(1, books_.held);
    record.held = false;
    ++books_.remembered;
    free_.Run(record.row, DueOf(record));
  }
  return due.size();
}

std::uint64_t& RecordRows::CounterOf(const RecordRow& record) {
  return record.held ? books_.held : books_.remembered;
}

}  // namespace mcp_session::sqlite

#include "mcp_session/sqlite/side_rows.h"

#include <memory>

namespace mcp_session::sqlite {

EventRows::EventRows(Database& database)
    // Two questions, each answered by one end of the index.
    : find_kept_(database,
                 "SELECT (SELECT min(sequence) FROM events WHERE record = ?1),"
                 " (SELECT max(sequence) FROM events WHERE record = ?1)"),
      insert_(database, "INSERT INTO events (id, record, sequence, data) VALUES (?1, ?2, ?3, ?4)"),
      trim_(database, "DELETE FROM events WHERE record = ?1 AND sequence <= ?2"),
      read_(database,
            "SELECT sequence, data FROM events WHERE record = ?1 AND sequence > ?2"
            " ORDER BY sequence LIMIT ?3"),
      last_id_(database, "SELECT max(id) FROM events"),
      tags_since_(database,
                  "SELECT DISTINCT record_tag FROM events JOIN records ON row = record"
                  " WHERE events.id > ?1") {}

std::optional<EventRows::Kept> EventRows::FindKept(std::int64_t record) {
  Rows rows = find_kept_.Find(record);
  if (!rows.Next() || rows.IsNull(0)) return std::nullopt;
  return Kept{.first = rows.Number(0), .last = rows.Number(1)};
}

void EventRows::Insert(std::int64_t record, std::uint64_t id, std::uint64_t sequence,
                       std::string_view data) {
  insert_.Run(id, record, sequence, Blob{data});
}

void EventRows::Trim(std::int64_t record, std::uint64_t sequence) { trim_.Run(record, sequence); }

std::vector<StreamEvent> EventRows::Read(std::int64_t record, std::uint64_t after,
                                         std::size_t limit) {
  std::vector<StreamEvent> events;
  Rows rows = read_.Find(record, after, std::uint64_t{limit});
  while (rows.Next()) {
    events.push_back(
        {.sequence = rows.Number(0), .data = std::make_shared<const std::string>(rows.Bytes(1))});
  }
  return events;
}

std::uint64_t EventRows::LastId() {
  Rows rows = last_id_.Find();
  return rows.Next() ? rows.Number(0) : 0;
}

std::vector<std::string> EventRows::TagsSince(std::uint64_t id) {
  std::vector<std::string> tags;
  for (Rows rows = tags_since_.Find(id); rows.Next();) tags.emplace_back(rows.Bytes(0));
  return tags;
}

LockRows::LockRows(Database& database)
    : find_(database,
            "SELECT holder, token, granted, end FROM locks WHERE record_tag = ?1 AND end > ?2"),
      put_(database,
           "INSERT OR REPLACE INTO locks (record_tag, holder, token, granted, end)"
           " VALUES (?1, ?2, ?3, ?4, ?5)"),
      erase_(database, "DELETE FROM locks WHERE record_tag = ?1"),
      next_due_(database, "SELECT min(end) FROM locks"),
      sweep_(database,
             "DELETE FROM locks WHERE record_tag IN"
             " (SELECT record_tag FROM locks WHERE end <= ?1 LIMIT 1000)") {}

std::optional<LockRow> LockRows::FindHeld(std::string_view record_tag, Instant now) {
  Rows rows = find_.Find(record_tag, now);
  if (!rows.Next()) return std::nullopt;
  return LockRow{.holder = rows.Number(0),
                 .token = rows.Number(1),
                 .granted = Instant{rows.Int(2)},
                 .end = Instant{rows.Int(3)}};
}

void LockRows::Put(std::string_view record_tag, const LockRow& lock) {
  put_.Run(record_tag, lock.holder, lock.token, lock.granted, lock.end);
}

void LockRows::Erase(std::string_view record_tag) { erase_.Run(record_tag); }

Instant LockRows::NextDue() {
  Rows rows = next_due_.Find();
  return rows.Next() && !rows.IsNull(0) ? Instant{rows.Int(0)} : kNever;
}

void LockRows::Sweep(Instant now) { sweep_.Run(now); }

}  // namespace mcp_session::sqlite

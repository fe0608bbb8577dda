#include "mcp_session/sqlite/sqlite_admin.h"

#include <algorithm>
#include <utility>

#include "mcp_session/base/decimal.h"
#include "mcp_session/sqlite/check_file.h"
#include "mcp_session/sqlite/database.h"
#include "mcp_session/sqlite/records.h"
#include "mcp_session/sqlite/side_rows.h"
#include "mcp_session/store/rules.h"

namespace mcp_session {
namespace {

constexpr std::size_t kMaxScan = 1000;

// Versions, tokens and sequences above it would leave no room to go on counting.
constexpr std::uint64_t kHighestNumber = std::uint64_t{1} << 62;

bool IsTag(std::string_view tag) {
  const auto in_alphabet = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  };
  return tag.size() == kTagSize && std::all_of(tag.begin(), tag.end(), in_alphabet);
}

bool IsLength(Millis length) { return length >= Millis{} && length <= kMaxLifetime; }

bool IsStream(const std::vector<StreamEvent>& events) {
  for (std::size_t i = 0; i < events.size(); ++i) {
    const std::uint64_t sequence = events[i].sequence;
    if (events[i].data == nullptr || sequence == 0 || sequence > kHighestNumber) return false;
    if (i > 0 && sequence != events[i - 1].sequence + 1) return false;
  }
  return true;
}

bool IsRecord(const StoredRecord& record) {
  const bool is_owned = !record.key.owner_tag.empty();
  return IsTag(record.key.record_tag) && (!is_owned || IsTag(record.key.owner_tag)) &&
         !record.kind.empty() && record.kind.size() <= kMaxKeyPartBytes &&
         record.id.size() <= kMaxKeyPartBytes && record.id.empty() == !is_owned &&
         record.version != 0 && record.version <= kHighestNumber &&
         record.fence <= kHighestNumber && record.order <= kHighestNumber &&
         IsLength(record.idle_ttl.value_or(Millis{})) && IsLength(record.remember) &&
         record.expires_in <= kMaxLifetime &&
         record.max_life_left.value_or(Millis{}) <= kMaxLifetime && IsStream(record.events);
}

}  // namespace

class SqliteAdmin::State {
 public:
  State(SqliteAdminOptions options, std::unique_ptr<sqlite::Database> database)
      : options_(std::move(options)),
        database_(std::move(database)),
        records_(*database_),
        events_(*database_) {}

  Instant Now() const { return options_.wall_clock(); }
  const std::string& path() const { return options_.path; }
  sqlite::Database& database() { return *database_; }
  sqlite::RecordRows& records() { return records_; }
  sqlite::EventRows& events() { return events_; }

  // Answers what body() does, in a transaction that reads.
  template <typename Body>
  auto Read(Body body) -> Result<decltype(body())> {
    return InTransaction("BEGIN", std::move(body));
  }

  template <typename Body>
  auto Write(Body body) -> Result<decltype(body())> {
    return InTransaction("BEGIN IMMEDIATE", [&] {
      records_.LoadBooks();
      auto result = body();
      records_.SaveBooks();
      return result;
    });
  }

  // What is told of a record. Whether it is over, and not remembered either.
  bool IsForgotten(const sqlite::RecordRow& row, Instant now) const {
    return !row.IsLive(now) && !row.IsRemembered(now);
  }
  StoredRecord Describe(sqlite::NamedRecord named, bool whole, Instant now) {
    const sqlite::RecordRow& row = named.row;
    StoredRecord record;
    record.key = std::move(named.key);
    record.kind = std::move(named.kind);
    record.id = std::move(named.id);
    record.order = row.seq;
    record.version = row.version;
    record.write_id = row.write_id;
    record.fence = row.fence;
    if (row.idle != Millis{}) record.idle_ttl = row.idle;
    if (row.last_end != kNever) record.max_life_left = row.last_end - now;
    record.remember = row.remember;
    record.expires_in = row.end - now;
    if (!whole || !row.IsLive(now)) return record;
    if (named.data != nullptr) record.data = *named.data;
    record.events = events_.Read(row.row, 0, kMaxEventLimit);
    return record;
  }

  // `record` is one that can be. False: this or a higher version is there.
  bool Import(const StoredRecord& record, Instant now) {
    const auto there = records_.Find(record.key.record_tag);
    if (there && !IsForgotten(*there, now) && there->version >= record.version) {
      const bool is_same = there->version == record.version;
      if (is_same && there->IsLive(now)) Advance(*there, record, now);
      if (!is_same || there->IsLive(now) || record.expires_in <= Millis{}) return false;
    }
    if (there) records_.Erase(*there);
    // Of one that is forgotten already nobody would see a thing.
    if (record.expires_in.count + record.remember.count > 0) Insert(record, now);
    return true;
  }

 private:
  // Brings what is there of this very version up to what `record` has seen since.
  void Advance(sqlite::RecordRow row, StoredRecord record, Instant now) {
    row.fence = std::max(row.fence, record.fence);
    row.end = std::max(row.end, now + record.expires_in);
    const auto kept = events_.FindKept(row.row);
    if (!record.events.empty() && (!kept || kept->last < record.events.back().sequence)) {
      record.fence = row.fence;
      record.expires_in = row.end - now;
      records_.Erase(row);
      Insert(record, now);
      return;
    }
    std::uint64_t& clock = records_.books().clock;
    clock = std::max(clock, row.fence);
    records_.SetFence(row);
    records_.MoveEnd(row);
  }

  void Insert(const StoredRecord& record, Instant now) {
    sqlite::RecordRow row;
    row.version = record.version;
    row.write_id = record.write_id;
    row.fence = record.fence;
    row.idle = record.idle_ttl.value_or(Millis{});
    if (record.max_life_left) row.last_end = now + *record.max_life_left;
    row.end = now + record.expires_in;
    row.remember = record.remember;
    row.held = row.IsLive(now);
    const std::uint64_t last_event = record.events.empty() ? 0 : record.events.back().sequence;
    std::uint64_t& clock = records_.books().clock;
    clock = std::max({clock, record.version, record.fence, record.order, last_event});
    row.seq = record.order != 0 ? record.order : records_.NextStamp(now);
    while (row.held && records_.HasPlace(record.key.owner_tag, record.kind, row.seq)) ++row.seq;
    clock = std::max(clock, row.seq);
    row.stream_start =
        record.events.empty() ? records_.NextStamp(now) : record.events.front().sequence - 1;
    records_.Insert({record.key, record.kind, record.id}, row, record.data);
    if (!row.held) return;
    for (const StreamEvent& event : record.events) {
      events_.Insert(row.row, records_.NextStamp(now), event.sequence, *event.data);
    }
  }

  template <typename Body>
  auto InTransaction(const char* begin, Body body) -> Result<decltype(body())> {
    database_->Run(begin);
    auto result = body();
    database_->Run("COMMIT");
    std::optional<Error> failure = database_->TakeFailure();
    if (!failure) return result;
    if (database_->InTransaction()) database_->Run("ROLLBACK");
    (void)database_->TakeFailure();  // the first one is told
    failure->message = "the file store: " + failure->message;
    return tl::unexpected<Error>(std::move(*failure));
  }

  const SqliteAdminOptions options_;
  const std::unique_ptr<sqlite::Database> database_;
  sqlite::RecordRows records_;
  sqlite::EventRows events_;
};

Result<std::unique_ptr<SqliteAdmin>> SqliteAdmin::Open(SqliteAdminOptions options) {
  MCPS_TRY(auto database, sqlite::OpenDatabase({.path = options.path,
                                                .synchronous = options.synchronous,
                                                .busy_timeout = options.busy_timeout,
                                                .create = options.create}));
  auto state = std::make_unique<State>(std::move(options), std::move(database));
  return std::unique_ptr<SqliteAdmin>(new SqliteAdmin(std::move(state)));
}

SqliteAdmin::SqliteAdmin(std::unique_ptr<State> state) : state_(std::move(state)) {}

SqliteAdmin::~SqliteAdmin() = default;

Result<StoreAdmin::Page> SqliteAdmin::Scan(std::string_view cursor, std::size_t limit, bool whole) {
  const std::optional<std::int64_t> after = cursor.empty() ? 0 : ParseDecimal(cursor);
  if (!after || limit == 0) {
    return Failure(ErrorCode::kInvalidArgument, Blame::kCaller, "no such cursor, or no limit");
  }
  limit = std::min(limit, kMaxScan);
  const Instant now = state_->Now();
  return state_->Read([&] {
    Page page;
    std::vector<sqlite::NamedRecord> found = state_->records().Scan(*after, limit, whole);
    if (found.size() == limit) page.cursor = std::to_string(found.back().row.row);
    for (sqlite::NamedRecord& each : found) {
      if (state_->IsForgotten(each.row, now)) continue;
      page.data_bytes.push_back(each.row.IsLive(now) ? each.data_bytes : 0);
      page.records.push_back(state_->Describe(std::move(each), whole, now));
    }
    return page;
  });
}

Result<std::vector<StoreAdmin::Imported>> SqliteAdmin::Import(
    const std::vector<StoredRecord>& records) {
  const Instant now = state_->Now();
  return state_->Write([&] {
    std::vector<Imported> imported;
    for (const StoredRecord& record : records) {
      Imported& one = imported.emplace_back();
      if (IsRecord(record)) {
        one.imported = state_->Import(record, now);
      } else {
        one.refused = Error{ErrorCode::kInvalidArgument, Blame::kCaller, "not a record of a store"};
      }
    }
    return imported;
  });
}

Result<std::optional<StoredRecord>> SqliteAdmin::Find(const StoredKey& key) {
  const Instant now = state_->Now();
  return state_->Read([&]() -> std::optional<StoredRecord> {
    std::optional<sqlite::NamedRecord> found = state_->records().FindWhole(key);
    if (!found || state_->IsForgotten(found->row, now)) return std::nullopt;
    return state_->Describe(std::move(*found), /*whole=*/true, now);
  });
}

Result<bool> SqliteAdmin::End(const StoredKey& key) {
  const Instant now = state_->Now();
  return state_->Write([&] {
    const std::optional<sqlite::NamedRecord> found = state_->records().FindWhole(key);
    if (!found) return false;
    state_->records().Erase(found->row);
    return found->row.IsLive(now);
  });
}

Result<std::uint64_t> SqliteAdmin::EndUpTo(const std::vector<Ending>& endings) {
  const Instant now = state_->Now();
  return state_->Write([&] {
    std::uint64_t ended = 0;
    for (const Ending& ending : endings) {
      const std::optional<sqlite::NamedRecord> found = state_->records().FindWhole(ending.key);
      if (!found || !found->row.IsLive(now) || found->row.version > ending.version) continue;
      state_->records().Erase(found->row);
      ++ended;
    }
    return ended;
  });
}

Result<std::uint64_t> SqliteAdmin::Count() {
  return state_->Read([&] { return state_->records().CountLive(state_->Now()); });
}

std::vector<CheckLine> SqliteAdmin::Check() {
  return sqlite::CheckFile(state_->database(), state_->path());
}

}  // namespace mcp_session

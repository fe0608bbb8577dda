// Database and Statement: SQLite as this store needs it, in the fewest words.
//
// Failures stick. The first thing that goes wrong is kept in the Database, and until somebody takes
// it nothing more is done: statements find no rows and change none. So what a command does reads
// straight on, and whoever runs it asks once at the end, and rolls back.
//
// A Database and its statements belong to one thread at a time.
#ifndef MCP_SESSION_SQLITE_DATABASE_H_
#define MCP_SESSION_SQLITE_DATABASE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "mcp_session/base/error.h"
#include "mcp_session/base/result.h"
#include "mcp_session/base/time.h"

struct sqlite3;
struct sqlite3_stmt;

namespace mcp_session::sqlite {

// The whole number that SQLite keeps (64 bits, signed) for one of ours, and back.
constexpr std::int64_t ToStored(std::uint64_t number) { return static_cast<std::int64_t>(number); }
constexpr std::uint64_t FromStored(std::int64_t number) {
  return static_cast<std::uint64_t>(number);
}

class Database {
 public:
  // Opens a file that exists. `busy_timeout`: how long to wait for another process that writes.
  static Result<std::unique_ptr<Database>> Open(const std::string& path, Millis busy_timeout);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  bool failed() const { return failure_.has_value(); }
  // What went wrong since this was asked last, and from now on things are done again.
  std::optional<Error> TakeFailure();

  // Statements without parameters, one after the other, their rows ignored.
  void Run(const char* sql);

  // The first column of the first row, of a PRAGMA for instance.
  std::int64_t ReadInt(const char* sql);
  std::string ReadText(const char* sql);

  // Whether a transaction is open. SQLite ends one by itself after some failures.
  bool InTransaction() const;

  // Rows that the last statement changed.
  std::uint64_t Changes() const;

  // Whether it could only be opened for reading.
  bool IsReadOnly() const;

  // How often it was tried again because another process was writing. From any thread.
  std::uint64_t busy_retries() const { return busy_retries_; }

 private:
  friend class Statement;
  friend class Rows;
  explicit Database(Millis busy_timeout) : busy_timeout_(busy_timeout) {}

  // Called by SQLite before it tries again for the `count`th time. 0: give up.
  static int OnBusy(void* self, int count);

  // Keeps the failure with this result code of SQLite. Always false.
  bool Fail(int result);

  sqlite3* handle_ = nullptr;
  const Millis busy_timeout_;
  std::int64_t busy_since_ = 0;  // ms, of the steady clock
  std::atomic<std::uint64_t> busy_retries_ = 0;
  std::optional<Error> failure_;
};

// What a result code of SQLite means to a user of the store. `system_error`: errno of the call
// that failed.
ErrorCode CodeOf(int result, int system_error);

// The rows a statement finds; gives the statement back when it goes.
class Rows {
 public:
  ~Rows();
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  // To the first row, or the next. False: there is none.
  bool Next();

  // The columns of the row, from 0. Views are good until Next.
  std::int64_t Int(int column) const;
  std::uint64_t Number(int column) const { return FromStored(Int(column)); }
  std::string_view Bytes(int column) const;
  bool IsNull(int column) const;

 private:
  friend class Statement;
  Rows(Database& database, sqlite3_stmt* statement) : database_(database), statement_(statement) {}

  Database& database_;
  sqlite3_stmt* statement_;
};

// Bound as NULL.
struct Null {};
// Bound as a BLOB; what it points to must stay until the Rows are gone, or Run returns.
struct Blob {
  std::string_view bytes;
};

// A prepared statement. One Rows of it at a time.
class Statement {
 public:
  // Keeps `sql`, which is prepared when it is used first.
  Statement(Database& database, std::string sql) : database_(database), sql_(std::move(sql)) {}
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // Binds ?1, ?2, ... A string_view is bound as TEXT, and copied.
  template <typename... Values>
  Rows Find(const Values&... values) {
    const bool ready = Prepare();
    if (ready) {
      int index = 0;
      (Bind(++index, values), ...);
    }
    return Rows(database_, ready ? handle_ : nullptr);
  }

  // Runs it to its end. Answers how many rows it changed.
  template <typename... Values>
  std::uint64_t Run(const Values&... values) {
    {
      Rows rows = Find(values...);
      while (rows.Next()) {
      }
    }
    return database_.failed() ? 0 : database_.Changes();
  }

 private:
  bool Prepare();
  void Bind(int index, std::int64_t value);
  void Bind(int index, std::uint64_t value) { Bind(index, ToStored(value)); }
  void Bind(int index, int value) { Bind(index, std::int64_t{value}); }
  void Bind(int index, Millis length) { Bind(index, length.count); }
  void Bind(int index, Instant time) { Bind(index, time.millis); }
  void Bind(int index, std::string_view text);
  void Bind(int index, const std::string& text) { Bind(index, std::string_view(text)); }
  void Bind(int index, const char* text) { Bind(index, std::string_view(text)); }
  void Bind(int index, Blob blob);
  void Bind(int index, Null);
  template <typename Value>
  void Bind(int index, const std::optional<Value>& value) {
    value ? Bind(index, *value) : Bind(index, Null{});
  }

  Database& database_;
  const std::string sql_;
  sqlite3_stmt* handle_ = nullptr;
};

}  // namespace mcp_session::sqlite

#endif  // MCP_SESSION_SQLITE_DATABASE_H_

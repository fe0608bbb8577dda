#include "mcp_session/sqlite/database.h"

#include <sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>

#include "mcp_session/base/check.h"

namespace mcp_session::sqlite {
namespace {

std::int64_t SteadyMillis() {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  return duration_cast<milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// A pointer SQLite does not take for NULL.
const char* Start(std::string_view bytes) { return bytes.data() == nullptr ? "" : bytes.data(); }

}  // namespace

ErrorCode CodeOf(int result, int system_error) {
  switch (result & 0xff) {
    case SQLITE_FULL:
    case SQLITE_NOMEM:
      return ErrorCode::kCapacity;
    case SQLITE_IOERR: {
      const bool full = system_error == ENOSPC || system_error == EDQUOT || system_error == EFBIG;
      return full ? ErrorCode::kCapacity : ErrorCode::kUnavailable;
    }
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
    case SQLITE_CANTOPEN:
      return ErrorCode::kUnavailable;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::kCorrupt;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return ErrorCode::kMisconfigured;
    case SQLITE_TOOBIG:
      return ErrorCode::kTooLarge;
    default:
      return ErrorCode::kInternal;
  }
}

Result<std::unique_ptr<Database>> Database::Open(const std::string& path, Millis busy_timeout) {
  std::unique_ptr<Database> database(new Database(busy_timeout));
  const int result = sqlite3_open_v2(path.c_str(), &database->handle_,
                                     SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  if (database->handle_ == nullptr) {
    return Failure(ErrorCode::kCapacity, Blame::kEnvironment, "out of memory");
  }
  sqlite3_extended_result_codes(database->handle_, 1);
  if (result != SQLITE_OK) {
    database->Fail(result);
    return tl::unexpected<Error>(*database->TakeFailure());
  }
  sqlite3_busy_handler(database->handle_, &Database::OnBusy, database.get());
  return database;
}

Database::~Database() { sqlite3_close_v2(handle_); }

std::optional<Error> Database::TakeFailure() {
  std::optional<Error> failure = std::move(failure_);
  failure_.reset();
  return failure;
}

int Database::OnBusy(void* self, int count) {
  auto& database = *static_cast<Database*>(self);
  const std::int64_t now = SteadyMillis();
  if (count == 0) database.busy_since_ = now;
  if (now - database.busy_since_ >= database.busy_timeout_.count) return 0;
  ++database.busy_retries_;
  std::this_thread::sleep_for(std::chrono::microseconds(std::min(250 << std::min(count, 5), 5000)));
  return 1;
}

bool Database::Fail(int result) {
  const int system_error = errno;  // what sqlite3_system_errno does not know of writes
  if (failure_) return false;
  // errstr and not errmsg: a text of SQLite's, with nothing of ours in it.
  failure_ = Error{CodeOf(result, system_error), Blame::kEnvironment, sqlite3_errstr(result)};
  return false;
}

void Database::Run(const char* sql) {
  if (failed()) return;
  errno = 0;
  const int result = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) Fail(sqlite3_extended_errcode(handle_));
}

std::int64_t Database::ReadInt(const char* sql) {
  Statement statement(*this, sql);
  Rows rows = statement.Find();
  return rows.Next() ? rows.Int(0) : 0;
}

std::string Database::ReadText(const char* sql) {
  Statement statement(*this, sql);
  Rows rows = statement.Find();
  return rows.Next() ? std::string(rows.Bytes(0)) : std::string();
}

bool Database::InTransaction() const { return sqlite3_get_autocommit(handle_) == 0; }

std::uint64_t Database::Changes() const {
  return static_cast<std::uint64_t>(sqlite3_changes64(handle_));
}

bool Database::IsReadOnly() const { return sqlite3_db_readonly(handle_, "main") == 1; }

Rows::~Rows() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);  // says again what Next has said
  sqlite3_clear_bindings(statement_);
}

bool Rows::Next() {
  if (statement_ == nullptr || database_.failed()) return false;
  errno = 0;
  const int result = sqlite3_step(statement_);
  if (result == SQLITE_ROW) return true;
  return result == SQLITE_DONE ? false : database_.Fail(result);
}

std::int64_t Rows::Int(int column) const { return sqlite3_column_int64(statement_, column); }

std::string_view Rows::Bytes(int column) const {
  const void* bytes = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return bytes == nullptr
             ? std::string_view()
             : std::string_view(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

bool Rows::IsNull(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

Statement::~Statement() { sqlite3_finalize(handle_); }

bool Statement::Prepare() {
  if (database_.failed()) return false;
  if (handle_ != nullptr) {
    MCPS_CHECK(sqlite3_stmt_busy(handle_) == 0);
    return true;
  }
  const int result = sqlite3_prepare_v3(database_.handle_, sql_.c_str(), -1,
                                        SQLITE_PREPARE_PERSISTENT, &handle_, nullptr);
  return result == SQLITE_OK ? true : database_.Fail(result);
}

void Statement::Bind(int index, std::int64_t value) {
  if (const int result = sqlite3_bind_int64(handle_, index, value)) database_.Fail(result);
}

void Statement::Bind(int index, std::string_view text) {
  const int result =
      sqlite3_bind_text64(handle_, index, Start(text), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  if (result != SQLITE_OK) database_.Fail(result);
}

void Statement::Bind(int index, Blob blob) {
  const int result =
      sqlite3_bind_blob64(handle_, index, Start(blob.bytes), blob.bytes.size(), SQLITE_STATIC);
  if (result != SQLITE_OK) database_.Fail(result);
}

void Statement::Bind(int index, Null) {
  if (const int result = sqlite3_bind_null(handle_, index)) database_.Fail(result);
}

}  // namespace mcp_session::sqlite

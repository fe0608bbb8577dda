#include "mcp_session/sqlite/schema.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

namespace mcp_session {

Instant SystemWallClock() {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return Instant{duration_cast<milliseconds>(since_1970).count()};
}

namespace sqlite {
namespace {

// records: `id` is there for an owner's record only, who may list it. `seq` is its place in lists.
// `due` is when the sweep looks at it next: at its end; then, if it is remembered, when that is
// over, and until then it is not `held`: its data and events are gone. A stream's first event has
// the sequence stream_start + 1.
// events: `id` grows from event to event in the whole file, `record` is records.row.
// meta: `clock` is the highest version, token or event id there was; `held` counts the records
// that are, and `remembered` those that are not.
constexpr char kSchema[] = R"(
CREATE TABLE meta (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  clock INTEGER NOT NULL,
  held INTEGER NOT NULL,
  remembered INTEGER NOT NULL,
  probe INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO meta (one, clock, held, remembered) VALUES (1, 0, 0, 0);

CREATE TABLE records (
  row INTEGER PRIMARY KEY,
  record_tag TEXT NOT NULL UNIQUE,
  owner_tag TEXT,
  kind BLOB NOT NULL,
  id BLOB,
  seq INTEGER NOT NULL,
  version INTEGER NOT NULL,
  write_id INTEGER NOT NULL,
  fence INTEGER NOT NULL,
  idle INTEGER NOT NULL,
  last_end INTEGER,
  end INTEGER NOT NULL,
  remember INTEGER NOT NULL,
  due INTEGER NOT NULL,
  stream_start INTEGER NOT NULL,
  held INTEGER NOT NULL,
  data BLOB
) STRICT;
CREATE UNIQUE INDEX records_listed ON records (owner_tag, kind, seq)
  WHERE owner_tag IS NOT NULL AND held = 1;
CREATE INDEX records_remembered ON records (owner_tag) WHERE owner_tag IS NOT NULL AND held = 0;
CREATE INDEX records_due ON records (due);

CREATE TABLE events (
  id INTEGER PRIMARY KEY,
  record INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  data BLOB NOT NULL,
  UNIQUE (record, sequence)
) STRICT;

CREATE TABLE locks (
  record_tag TEXT PRIMARY KEY,
  holder INTEGER NOT NULL,
  token INTEGER NOT NULL,
  granted INTEGER NOT NULL,
  end INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX locks_end ON locks (end);

PRAGMA application_id = 0x4d435073;
PRAGMA user_version = 1;
)";

// mmap would turn a file that is cut short into a signal.
constexpr char kSettings[] = R"(
PRAGMA trusted_schema = OFF;
PRAGMA cell_size_check = ON;
PRAGMA mmap_size = 0;
PRAGMA temp_store = MEMORY;
PRAGMA journal_size_limit = 16777216;
)";

tl::unexpected<Error> Misconfigured(std::string message) {
  return Failure(ErrorCode::kMisconfigured, Blame::kEnvironment, std::move(message));
}

std::string WhyNot(int system_error) {
  return std::error_code(system_error, std::generic_category()).message();
}

// A file whose name is new in a folder is only there after power loss if the folder was synced.
void SyncFolderOf(const std::filesystem::path& path) {
  const int folder = open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  (void)fsync(folder);  // file systems that cannot do it have nothing to do
  close(folder);
}

struct Checked {};

// Makes an empty file, and answers 0 or errno. It is not opened where that can be helped: to close
// it again would give up the locks that another store of this process has taken on it meanwhile.
int MakeEmptyFile(const std::filesystem::path& path) {
  if (mknod(path.c_str(), S_IFREG | S_IRUSR | S_IWUSR, 0) == 0) return 0;
  if (errno != EPERM && errno != ENOSYS && errno != EOPNOTSUPP) return errno;
  // A file system that makes files no other way.
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0) return errno;
  close(file);
  return 0;
}

// Makes the file if it is not there.
Result<Checked> MakeFile(const std::filesystem::path& path, bool create) {
  const int open_error = create ? MakeEmptyFile(path) : ENOENT;
  if (open_error == 0) {
    SyncFolderOf(path);
    return Checked{};
  }
  struct stat found {};
  if (stat(path.c_str(), &found) == 0) {
    if (S_ISREG(found.st_mode)) return Checked{};
    return Misconfigured("the path of the file store is not a file");
  }
  const std::filesystem::path folder = path.parent_path();
  if (stat(folder.c_str(), &found) != 0) {
    return Misconfigured("the folder of the file store cannot be used: " + WhyNot(errno));
  }
  if (open_error == ENOSPC || open_error == EDQUOT) {
    return Failure(ErrorCode::kCapacity, Blame::kEnvironment, "the disk of the file store is full");
  }
  return Misconfigured("the file of the file store cannot be " +
                       std::string(create ? "created: " : "opened: ") + WhyNot(open_error));
}

// What went wrong while the file was opened. Not a database, and what SQLite may not open: a human
// has to look, and the file is not to be blamed.
tl::unexpected<Error> OpeningFailed(Error error, bool not_a_database) {
  if (not_a_database) return Misconfigured("the file is not a database of SQLite");
  error.message = "the file store cannot be opened: " + error.message;
  return tl::unexpected<Error>(std::move(error));
}

bool IsNotADatabase(const Error& error) {
  return error.message.find("not a database") != std::string::npos;
}

// Turning the write-ahead log on wants the file for itself for a moment, and does not wait for it.
Result<Checked> UseWriteAheadLog(Database& database, Millis patience) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience.count);
  for (;;) {
    const std::string mode = database.ReadText("PRAGMA journal_mode = WAL");
    const std::optional<Error> failure = database.TakeFailure();
    if (!failure && mode == "wal") return Checked{};
    if (!failure) return Misconfigured("the file system does not let SQLite keep a log (WAL)");
    const bool locked = failure->code == ErrorCode::kUnavailable;
    if (!locked || std::chrono::steady_clock::now() >= until) {
      return OpeningFailed(*failure, IsNotADatabase(*failure));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

// Whose file it is. True: nobody's, it is empty. In one transaction, for another process may be
// making it ours.
Result<bool> IsNew(Database& database) {
  const bool begins = !database.InTransaction();
  if (begins) database.Run("BEGIN");
  const std::int64_t application = database.ReadInt("PRAGMA application_id");
  const std::int64_t version = database.ReadInt("PRAGMA user_version");
  const std::int64_t tables = database.ReadInt("SELECT count(*) FROM sqlite_schema");
  if (begins) database.Run("COMMIT");
  if (std::optional<Error> failure = database.TakeFailure()) {
    return OpeningFailed(*failure, IsNotADatabase(*failure));
  }
  if (application == 0 && version == 0 && tables == 0) return true;
  if (application != kApplicationId) return Misconfigured("the file belongs to another program");
  if (version > kSchemaVersion) {
    return Misconfigured("the file was written by a newer version (schema " +
                         std::to_string(version) + ", this one knows " +
                         std::to_string(kSchemaVersion) + ")");
  }
  if (version < 1) return Misconfigured("the file has no schema version");
  return false;
}

Result<Checked> MakeSchema(Database& database) {
  database.Run("BEGIN IMMEDIATE");
  if (!database.failed()) {
    // Another process may have been first.
    MCPS_TRY(const bool is_new, IsNew(database));
    if (is_new) database.Run(kSchema);
    database.Run("COMMIT");
  }
  std::optional<Error> failure = database.TakeFailure();
  if (database.InTransaction()) {
    database.Run("ROLLBACK");
    (void)database.TakeFailure();  // it is closed now in any case
  }
  if (failure) return OpeningFailed(*failure, IsNotADatabase(*failure));
  return Checked{};
}

const char* SynchronousPragma(FileSynchronous synchronous) {
  switch (synchronous) {
    case FileSynchronous::kOff:
      return "PRAGMA synchronous = OFF";
    case FileSynchronous::kNormal:
      return "PRAGMA synchronous = NORMAL";
    case FileSynchronous::kFull:
      break;
  }
  return "PRAGMA synchronous = FULL";
}

}  // namespace

FileSynchronous SynchronousOf(Database& database) {
  switch (database.ReadInt("PRAGMA synchronous")) {
    case 0:
      return FileSynchronous::kOff;
    case 1:
      return FileSynchronous::kNormal;
    default:
      return FileSynchronous::kFull;
  }
}

Result<std::unique_ptr<Database>> OpenDatabase(const OpenOptions& options) {
  if (options.path.empty()) return Misconfigured("the file store has no path");
  std::error_code error;
  // Whole, so that no name means something else to SQLite.
  const std::filesystem::path path = std::filesystem::absolute(options.path, error);
  if (error) return Misconfigured("the path of the file store cannot be used: " + error.message());
  MCPS_TRY([[maybe_unused]] const Checked made, MakeFile(path, options.create));
  auto opened = Database::Open(path.string(), options.busy_timeout);
  if (!opened) {
    if (opened.error().code != ErrorCode::kUnavailable) return OpeningFailed(opened.error(), false);
    return Misconfigured("the file store cannot be opened: no permission for its file");
  }
  std::unique_ptr<Database> database = std::move(*opened);
  if (database->IsReadOnly()) return Misconfigured("the file of the file store is read-only");
  MCPS_TRY(const bool is_new, IsNew(*database));
  MCPS_TRY([[maybe_unused]] const Checked logged,
           UseWriteAheadLog(*database, options.busy_timeout));
  database->Run(SynchronousPragma(options.synchronous));
  database->Run(kSettings);
  if (is_new) {
    MCPS_TRY([[maybe_unused]] const Checked filled, MakeSchema(*database));
  }
  // Reads what every transaction needs, and so finds out now what is broken.
  database->ReadInt("SELECT clock FROM meta");
  database->ReadInt("SELECT count(*) FROM records WHERE row = 0");
  if (std::optional<Error> failure = database->TakeFailure()) {
    return OpeningFailed(*failure, IsNotADatabase(*failure));
  }
  return database;
}

}  // namespace sqlite
}  // namespace mcp_session

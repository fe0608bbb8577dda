// The file: how it is opened, what is in it, and whether it is ours (docs/formats.md).
//
// Points in time are wall clock, in milliseconds since 1970, so that a file means the same after a
// restart of the machine. Numbers of 64 bits are kept as signed ones.
#ifndef MCP_SESSION_SQLITE_SCHEMA_H_
#define MCP_SESSION_SQLITE_SCHEMA_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "mcp_session/base/result.h"
#include "mcp_session/base/time.h"
#include "mcp_session/sqlite/database.h"

namespace mcp_session {

// What an acknowledged write survives. All of them: the end of the process, kill -9 included.
enum class FileSynchronous : std::uint8_t {
  kFull,    // power loss too; every transaction waits for the disk
  kNormal,  // after power loss the last transactions may be missing, and the file is whole
  kOff,     // after power loss the file may be broken
};

// Milliseconds since 1970.
using WallClock = std::function<Instant()>;
Instant SystemWallClock();

namespace sqlite {

// In the header of the file, as PRAGMA application_id and user_version: "MCPs", and the version of
// the schema, which is raised when older programs could not read the file any more.
inline constexpr std::int64_t kApplicationId = 0x4d435073;
inline constexpr std::int64_t kSchemaVersion = 1;

struct OpenOptions {
  std::string path;
  FileSynchronous synchronous = FileSynchronous::kFull;
  Millis busy_timeout = Seconds(5);
  bool create = true;  // if it is not there: readable by its owner only
};

// As the open file has it, for this connection.
FileSynchronous SynchronousOf(Database& database);

// Opens the file and makes it ours if it is new and empty. kMisconfigured, in words: no path, no
// such folder, no permission, read-only, not a database, another program's, written by a newer
// version of this one, on a file system without shared memory. kUnavailable: another process kept
// it locked. kCorrupt: it is broken.
Result<std::unique_ptr<Database>> OpenDatabase(const OpenOptions& options);

}  // namespace sqlite
}  // namespace mcp_session

#endif  // MCP_SESSION_SQLITE_SCHEMA_H_

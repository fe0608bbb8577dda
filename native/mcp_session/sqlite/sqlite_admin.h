// SqliteAdmin: the file of a FileSessionStore as its operator sees it. Servers may have it open
// meanwhile: what this writes, they see.
//
// Tags, sizes and times are what there is to see; of an anonymous record there is no id, and of an
// owner no name (docs/formats.md).
#ifndef MCP_SESSION_SQLITE_SQLITE_ADMIN_H_
#define MCP_SESSION_SQLITE_SQLITE_ADMIN_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/base/result.h"
#include "mcp_session/base/time.h"
#include "mcp_session/sqlite/schema.h"
#include "mcp_session/stored/store_admin.h"

namespace mcp_session {

struct SqliteAdminOptions {
  std::string path;
  bool create = false;  // the file, if it is not there; else that is kMisconfigured
  FileSynchronous synchronous = FileSynchronous::kFull;  // as the server has it: see Check
  Millis busy_timeout = Seconds(5);  // how long a server may keep the file, then kUnavailable
  WallClock wall_clock = SystemWallClock;
};

class SqliteAdmin final : public StoreAdmin {
 public:
  // Fails as FileSessionStore::Open does.
  static Result<std::unique_ptr<SqliteAdmin>> Open(SqliteAdminOptions options);
  ~SqliteAdmin() override;

  // In the order of the file. A page has `limit` rows looked at (1 to 1000): what is over and not
  // remembered is left out.
  Result<Page> Scan(std::string_view cursor, std::size_t limit, bool whole) override;

  // In one transaction. kInvalidArgument: it is no record this could be (tags, sizes, the order of
  // its events). A place in a list that is taken becomes the next one that is free. Of a stream the
  // first event that is there counts as the first there was: who reads from the start is told of no
  // gap before it.
  Result<std::vector<Imported>> Import(const std::vector<StoredRecord>& records) override;

  Result<std::optional<StoredRecord>> Find(const StoredKey& key) override;
  Result<bool> End(const StoredKey& key) override;
  Result<std::uint64_t> EndUpTo(const std::vector<Ending>& endings) override;
  Result<std::uint64_t> Count() override;

  // Version, log, integrity, file system, free space, permissions, and how long 100 commits take.
  std::vector<CheckLine> Check() override;

 private:
  class State;
  explicit SqliteAdmin(std::unique_ptr<State> state);

  const std::unique_ptr<State> state_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SQLITE_SQLITE_ADMIN_H_

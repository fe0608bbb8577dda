// MigrationJournal: what a migration has seen in the source, so that what is removed there after it
// was copied is ended in the target too, even if the migration was broken off and run again.
//
// It is kept in memory, and in the target as records of a kind of their own that nobody but an
// operator can see. Each is written before the copies it tells of, and ends with the last of them.
#ifndef MCP_SESSION_CLI_MIGRATION_JOURNAL_H_
#define MCP_SESSION_CLI_MIGRATION_JOURNAL_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "mcp_session/base/result.h"
#include "mcp_session/base/time.h"
#include "mcp_session/stored/store_admin.h"

namespace mcp_session {

class MigrationJournal {
 public:
  // `source` names the source, the same in each run. `target` must outlive this.
  MigrationJournal(StoreAdmin& target, std::string_view source);

  static bool IsPage(const StoredRecord& record);

  // Reads what runs that were broken off have left.
  Result<void> Load();

  // Notes records of the source, before they are copied; those that are over do not matter.
  // `records` is how many live ones were not met before in this pass, `changed` how many of those
  // are new, or have another version, a later end or more events than when they were seen last.
  struct Noted {
    std::uint64_t records = 0;
    std::uint64_t changed = 0;
  };
  void BeginPass() { ++pass_; }
  Result<Noted> Note(const std::vector<StoredRecord>& records);

  // What has been seen and was not met in this pass, although its time is not over: it must have
  // been removed from the source, up to this version.
  std::vector<StoreAdmin::Ending> FindMissed() const;

  // How many records of the target are its pages.
  std::uint64_t CountPages() const;
  // Ends them: the migration is done.
  Result<void> Remove();

 private:
  struct Seen {
    std::uint64_t version = 0;
    Instant end{0};           // by the clock of this machine, in ms since 1970
    Instant written_end{0};   // the one in the pages, which may lag a little
    std::uint64_t event = 0;  // the last one of its stream; not in the pages
    std::uint64_t pass = 0;
  };
  struct Page {
    StoreAdmin::Ending ending;
    Instant end{0};
  };

  void ReadPage(const StoredRecord& page, Instant now);
  Result<void> WritePage(std::string lines, Instant end, Instant now);

  StoreAdmin& target_;
  const std::string heading_;  // of each page: the format and the source
  std::uint64_t pass_ = 0;
  std::uint64_t next_page_;
  std::unordered_map<std::string, Seen> seen_;  // by both tags
  std::vector<Page> pages_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_CLI_MIGRATION_JOURNAL_H_

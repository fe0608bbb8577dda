// Commands: what each command of a store does to the file. Transactions are begun and ended by
// whoever runs them (batch.h), and failures of SQLite stick in the Database (database.h): a reply
// counts only if there was none.
#ifndef MCP_SESSION_SQLITE_COMMANDS_H_
#define MCP_SESSION_SQLITE_COMMANDS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "mcp_session/base/error.h"
#include "mcp_session/base/time.h"
#include "mcp_session/sqlite/database.h"
#include "mcp_session/sqlite/records.h"
#include "mcp_session/sqlite/side_rows.h"
#include "mcp_session/store/command.h"

namespace mcp_session::sqlite {

struct CommandLimits {
  std::size_t max_record_bytes = 64u << 10;
  std::size_t max_records_per_owner = 64;
  std::size_t max_records = 0;  // 0: none
};

// What a Get does that should count as an access.
enum class Touching : std::uint8_t {
  kDo,    // in a transaction that writes: moves the end
  kAsk,   // in one that reads: says that it would have to write
  kSkip,  // nobody can write now: answers the record as it is
};

// Whether a command may change something, and so needs a transaction that writes.
bool IsMutation(const StoreCommand& command);

class Commands {
 public:
  Commands(Database& database, const CommandLimits& limits);

  // Does a command at the wall clock time `now`, and fills in the reply. A reply whose data is
  // what the command brought along has none: see CarriesData. False: nothing was done, it has to
  // come again in a transaction that writes.
  bool Run(const StoreCommand& command, Instant now, Touching touching, StoreReply* reply);

  // Whether the record in the reply of the last Run has the data of the command.
  bool carries_data() const { return carries_data_; }

  // A bounded part of the housekeeping, in a transaction that writes.
  void Sweep(Instant now);
  // When Sweep has something to do; kNever if there is nothing at all.
  Instant NextDue();

  RecordRows& records() { return records_; }
  EventRows& events() { return events_; }

 private:
  using Outcome = std::optional<ErrorCode>;

  Outcome Do(const store::Create& command, Instant now, StoreReply& reply);
  Outcome Do(const store::Get& command, Instant now, StoreReply& reply);
  Outcome Do(const store::Put& command, Instant now, StoreReply& reply);
  Outcome Do(const store::Touch& command, Instant now, StoreReply& reply);
  Outcome Do(const store::Remove& command, Instant now, StoreReply& reply);
  Outcome Do(const store::Take& command, Instant now, StoreReply& reply);
  Outcome Do(const store::Regenerate& command, Instant now, StoreReply& reply);
  Outcome Do(const store::RemoveOwned& command, Instant now, StoreReply& reply);
  Outcome Do(const store::List& command, Instant now, StoreReply& reply);
  Outcome Do(const store::Lock& command, Instant now, StoreReply& reply);
  Outcome Do(const store::Extend& command, Instant now, StoreReply& reply);
  Outcome Do(const store::Unlock& command, Instant now, StoreReply& reply);
  Outcome Do(const store::Append& command, Instant now, StoreReply& reply);
  Outcome Do(const store::ReadEvents& command, Instant now, StoreReply& reply);

  bool HasShare(std::string_view owner_tag, Instant now);
  bool HasRoom(Instant now);
  // The token a record gets that comes to this key now.
  std::uint64_t FenceFor(std::string_view record_tag, Instant now);

  const CommandLimits limits_;
  RecordRows records_;
  EventRows events_;
  LockRows locks_;
  Touching touching_ = Touching::kDo;
  bool must_write_ = false;
  bool carries_data_ = false;
};

}  // namespace mcp_session::sqlite

#endif  // MCP_SESSION_SQLITE_COMMANDS_H_

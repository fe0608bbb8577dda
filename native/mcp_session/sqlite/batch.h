// BatchRunner: many commands in one transaction, each answered as if it had been alone.
//
// Commands that may change something get a transaction that writes, the others one that only
// reads. What fails in it takes only its own command along, unless SQLite undoes all of it: then
// the rest is begun again. If the transaction cannot be begun or committed, every command that may
// have changed something is answered so, and what only reads is read again.
#ifndef MCP_SESSION_SQLITE_BATCH_H_
#define MCP_SESSION_SQLITE_BATCH_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "mcp_session/base/error.h"
#include "mcp_session/base/time.h"
#include "mcp_session/sqlite/commands.h"
#include "mcp_session/sqlite/database.h"
#include "mcp_session/sqlite/task.h"
#include "mcp_session/store/command.h"

namespace mcp_session::sqlite {

// How a transaction went, for whoever watches over the store.
struct Experience {
  std::optional<Error> trouble;  // what went wrong last
  bool in_writing = false;       // when something was to be written
  bool has_written = false;      // a transaction that writes was committed
  bool has_read = false;         // one that reads was
};

// What Sweep answers if it could not.
inline constexpr Instant kNotSwept{std::numeric_limits<std::int64_t>::min()};

class BatchRunner {
 public:
  BatchRunner(Database& database, Commands& commands);

  // Does them all, and takes the data of those whose reply carries it. The replies are in the
  // order of the tasks.
  std::vector<StoreReply> Run(std::vector<Task>& tasks);

  // A bounded part of the housekeeping. Answers when there is more to do, kNever if there is
  // nothing at all.
  Instant Sweep(Instant now);

  // Since it was asked last.
  Experience TakeExperience();

  std::uint64_t transactions() const { return transactions_; }

 private:
  struct Slot {
    StoreReply reply;
    bool is_mutation = false;
    bool is_settled = false;  // whatever becomes of the transaction
    bool carries_data = false;
    bool skips_touch = false;
  };

  // All of them in one transaction. False: some of it has to be done again.
  bool Attempt(const std::vector<Task>& tasks);
  bool RunOne(const Task& task, Slot& slot);
  // A command failed, and everything done so far is undone.
  bool Restart(Slot& slot, const Error& error);
  bool Begin();
  bool Commit();
  void Rollback();
  void GiveUpWriting(const Error& error, bool maybe_done);
  void Settle(Slot& slot, const Error& error, bool maybe_done);
  // What went wrong, if something did; noted for TakeExperience.
  std::optional<Error> TakeFailure();

  Database& database_;
  Commands& commands_;
  Statement begin_read_, begin_write_, commit_, rollback_;
  Statement savepoint_, release_, rollback_to_;
  std::vector<Slot> slots_;
  bool writing_ = false;
  bool may_write_ = true;  // whether a read may turn into a write
  int restarts_ = 0;
  Experience experience_;
  std::uint64_t transactions_ = 0;
};

}  // namespace mcp_session::sqlite

#endif  // MCP_SESSION_SQLITE_BATCH_H_

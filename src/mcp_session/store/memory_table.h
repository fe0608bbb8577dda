// MemoryTable: what all commands mean in memory: RecordCommands, and Take, locks, streams and new
// keys. MemorySessionStore puts a queue before one; stores that share their records among threads
// put locks before several.
#ifndef MCP_SESSION_STORE_MEMORY_TABLE_H_
#define MCP_SESSION_STORE_MEMORY_TABLE_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "mcp_session/store/command.h"
#include "mcp_session/store/event_readers.h"
#include "mcp_session/store/lock_table.h"
#include "mcp_session/store/record_commands.h"

namespace mcp_session {

class MemoryTable : public RecordCommands {
 public:
  MemoryTable(const MemoryStoreOptions& options, const SipKey& sip_key)
      : RecordCommands(options, sip_key) {
    CountReserved();
  }

  // Runs a command and fills `reply`, but for its ticket. False: it is a ReadEvents that waits;
  // its reply comes out of TakeAnswered, under `reader`.
  bool Run(StoreCommand& command, StoreTicket ticket, std::uint64_t reader, Instant now,
           StoreReply* reply);

  // Replies to those who waited, since the last call.
  bool has_answered() const { return readers_.has_answered(); }
  void TakeAnswered(std::vector<AnsweredReader>* answered) { readers_.TakeAnswered(answered); }

  Instant NextDeadline() const;
  void Tick(Instant now);

  // The steps of Regenerate, from a table to the same or another. Keys are storable.
  bool IsRepeated(const RecordKey& to, std::uint64_t write_id, Instant now, StoreReply* reply);
  std::optional<ErrorCode> CheckDeparture(const RecordKey& from, Instant now);
  std::optional<ErrorCode> CheckArrival(const RecordKey& to, bool owner_changes, Instant now);
  DetachedRecord Detach(const RecordKey& from, Instant now);
  void Attach(const RecordKey& to, DetachedRecord record, std::uint64_t write_id, Instant now,
              StoreReply* reply);

  using RecordCommands::Do;

 private:
  Outcome Do(store::Create& command, Instant now, StoreReply& reply);
  Outcome Do(const store::Take& command, Instant now, StoreReply& reply);
  Outcome Do(const store::Regenerate& command, Instant now, StoreReply& reply);
  Outcome Do(const store::Lock& command, Instant now, StoreReply& reply);
  Outcome Do(const store::Extend& command, Instant now, StoreReply& reply);
  Outcome Do(const store::Unlock& command, Instant now, StoreReply& reply);
  Outcome Do(store::Append& command, Instant now, StoreReply& reply);
  Outcome Do(const store::ReadEvents& command, Instant now, StoreReply& reply);

  HeldLock* FindHeld(const RecordKey& key, std::uint64_t holder, Instant now);
  void StampHeldLock(const PackedKey& key, RecordEntry& entry, Instant now);
  void Wait(const store::ReadEvents& command, StoreTicket ticket, std::uint64_t reader,
            Instant now);
  void WakeReaders(RecordEntry& entry, Instant now);
  void AnswerReader(const WaitingRead& read, Instant now);
  void CountReserved();

  LockTable locks_;
  EventReaders readers_;
};

// Moves a record from `source` to `target`, which may be the same table.
std::optional<ErrorCode> Regenerate(MemoryTable& source, MemoryTable& target,
                                    const store::Regenerate& command, Instant now,
                                    StoreReply* reply);

}  // namespace mcp_session

#endif  // MCP_SESSION_STORE_MEMORY_TABLE_H_

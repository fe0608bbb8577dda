// RecordStore: records in memory and nothing besides, for the WebAssembly module, whose engines ask
// for no more and whose size counts. A MemorySessionStore to whoever only creates, gets, puts,
// touches, removes and lists; other commands are kInvalidArgument.
#ifndef MCP_SESSION_STORE_RECORD_STORE_H_
#define MCP_SESSION_STORE_RECORD_STORE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/base/entropy.h"
#include "mcp_session/base/result.h"
#include "mcp_session/store/memory_options.h"
#include "mcp_session/store/record_commands.h"
#include "mcp_session/store/store.h"

namespace mcp_session {

class RecordStore final : public SessionStore {
 public:
  // Draws the key of its hash function from `entropy`, once.
  RecordStore(const MemoryStoreOptions& options, Entropy& entropy)
      : max_record_bytes_(options.max_record_bytes), commands_(options, MakeSipKey(entropy)) {}

  void Submit(StoreTicket ticket, StoreCommand command, Instant now) override;
  void Drain(std::vector<StoreReply>* replies) override;
  void OnReady(std::function<void()>) override {}  // all comes in Submit
  Instant NextDeadline() const override { return commands_.NextDeadline(); }
  void Tick(Instant now) override { commands_.Tick(now); }
  StoreStatus Status() const override { return {.backend = "memory"}; }

  // All live records as text, for another RecordStore to go on with when this one is gone: keys,
  // data, and what is left of their lives. What was only remembered, and ids of writes, are not
  // in it.
  std::string Snapshot(Instant now) const;

  // Takes up the records of a snapshot that was made `age` before `now`, in a store that has none:
  // those that are alive then, with versions higher than any the old store gave. kCorrupt: this is
  // no snapshot; kTooLarge and kCapacity: the limits are other ones now. After an error the store
  // has some of the records, and is to be thrown away.
  Result<void> Restore(std::string_view snapshot, Millis age, Instant now);

  // How many commands there were that may have changed something.
  std::uint64_t changes() const { return changes_; }

  // As of MemorySessionStore.
  std::size_t size() const { return commands_.size(); }
  std::size_t MemoryUse() const { return commands_.MemoryUse(); }

 private:
  const std::size_t max_record_bytes_;
  RecordCommands commands_;
  std::uint64_t changes_ = 0;
  std::vector<StoreReply> replies_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_STORE_RECORD_STORE_H_

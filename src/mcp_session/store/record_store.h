// RecordStore: records in memory and nothing besides, for the WebAssembly module, whose engines ask
// for no more and whose size counts. A MemorySessionStore to whoever only creates, gets, puts,
// touches, removes and lists; other commands are kInvalidArgument.
#ifndef MCP_SESSION_STORE_RECORD_STORE_H_
#define MCP_SESSION_STORE_RECORD_STORE_H_

#include <cstddef>
#include <functional>
#include <vector>

#include "mcp_session/base/entropy.h"
#include "mcp_session/store/memory_options.h"
#include "mcp_session/store/record_commands.h"
#include "mcp_session/store/store.h"

namespace mcp_session {

class RecordStore final : public SessionStore {
 public:
  // Draws the key of its hash function from `entropy`, once.
  RecordStore(const MemoryStoreOptions& options, Entropy& entropy)
      : commands_(options, MakeSipKey(entropy)) {}

  void Submit(StoreTicket ticket, StoreCommand command, Instant now) override;
  void Drain(std::vector<StoreReply>* replies) override;
  void OnReady(std::function<void()>) override {}  // all comes in Submit
  Instant NextDeadline() const override { return commands_.NextDeadline(); }
  void Tick(Instant now) override { commands_.Tick(now); }
  StoreStatus Status() const override { return {.backend = "memory"}; }

  // As of MemorySessionStore.
  std::size_t size() const { return commands_.size(); }
  std::size_t MemoryUse() const { return commands_.MemoryUse(); }

 private:
  RecordCommands commands_;
  std::vector<StoreReply> replies_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_STORE_RECORD_STORE_H_

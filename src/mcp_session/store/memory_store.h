// MemorySessionStore: records in this process, gone with it. The store for one node, for tests,
// and in WebAssembly the only one.
#ifndef MCP_SESSION_STORE_MEMORY_STORE_H_
#define MCP_SESSION_STORE_MEMORY_STORE_H_

#include <cstddef>
#include <functional>
#include <vector>

#include "mcp_session/base/entropy.h"
#include "mcp_session/store/memory_options.h"
#include "mcp_session/store/memory_table.h"
#include "mcp_session/store/store.h"

namespace mcp_session {

class MemorySessionStore final : public SessionStore {
 public:
  // Draws the key of its hash function from `entropy`, once: nobody can choose ids that collide.
  MemorySessionStore(const MemoryStoreOptions& options, Entropy& entropy);

  void Submit(StoreTicket ticket, StoreCommand command, Instant now) override;
  void Drain(std::vector<StoreReply>* replies) override;
  void OnReady(std::function<void()>) override {}  // all comes in Submit or Tick
  Instant NextDeadline() const override { return table_.NextDeadline(); }
  void Tick(Instant now) override;
  StoreStatus Status() const override { return {.backend = "memory"}; }

  // Records held, dead ones not yet freed included, and what they take, in bytes.
  std::size_t size() const { return table_.size(); }
  std::size_t MemoryUse() const { return table_.MemoryUse(); }

 private:
  void CollectAnswered();

  MemoryTable table_;
  std::vector<StoreReply> replies_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_STORE_MEMORY_STORE_H_

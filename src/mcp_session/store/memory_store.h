// MemorySessionStore: records in this process, gone with it. The store for one node, for tests,
// and in WebAssembly the only one.
#ifndef MCP_SESSION_STORE_MEMORY_STORE_H_
#define MCP_SESSION_STORE_MEMORY_STORE_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "mcp_session/base/entropy.h"
#include "mcp_session/store/store.h"

namespace mcp_session {

struct MemoryStoreOptions {
  std::size_t max_records = 100'000;
  std::size_t max_bytes = 256u << 20;        // data, keys and overhead, as MemoryUse counts them
  std::size_t max_record_bytes = 64u << 10;  // data of one record
  std::size_t max_records_per_owner = 64;    // of one non-empty owner, all kinds together
};

class MemorySessionStore final : public SessionStore {
 public:
  // Draws the key of its hash function from `entropy`, once: nobody can choose ids that collide.
  MemorySessionStore(const MemoryStoreOptions& options, Entropy& entropy);
  ~MemorySessionStore() override;

  void Submit(StoreTicket ticket, StoreCommand command, Instant now) override;
  void Drain(std::vector<StoreReply>* replies) override;
  Instant NextDeadline() const override;
  void Tick(Instant now) override;

  // Records held, dead ones not yet freed included, and what they take, in bytes.
  std::size_t size() const;
  std::size_t MemoryUse() const;

 private:
  class Table;
  std::unique_ptr<Table> table_;
  std::vector<StoreReply> replies_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_STORE_MEMORY_STORE_H_

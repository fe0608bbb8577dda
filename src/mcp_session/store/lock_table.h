// LockTable: who holds which lock, of a store in memory. A lock whose lease is over is not there,
// whether or not its memory was freed yet.
#ifndef MCP_SESSION_STORE_LOCK_TABLE_H_
#define MCP_SESSION_STORE_LOCK_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "mcp_session/base/time.h"
#include "mcp_session/store/flat_index.h"
#include "mcp_session/store/packed_key.h"

namespace mcp_session {

struct HeldLock {
  std::string key;  // PackedKey::bytes
  std::uint32_t key_sizes = 0;
  std::uint64_t holder = 0;
  std::uint64_t token = 0;
  Instant granted;
  Instant end;
};

class LockTable {
 public:
  // The lock of this key if somebody holds it, or null; good until the next Grant or Release.
  HeldLock* FindHeld(const PackedKey& key, Instant now);

  // What Grant would add to MemoryUse.
  static std::ptrdiff_t CostOfGrant(const PackedKey& key);

  // Adds a lock that nobody holds.
  HeldLock& Grant(const PackedKey& key, HeldLock lock, Instant now);

  void Release(const PackedKey& key);

  // Frees the locks whose lease is over.
  void Purge(Instant now);

  std::size_t size() const { return locks_.size(); }
  std::size_t MemoryUse() const { return locks_.MemoryUse() + bytes_; }

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::unique_ptr<HeldLock> lock;
    bool used() const { return lock != nullptr; }
  };
  std::size_t PositionOf(const PackedKey& key) const;
  void EraseAt(std::size_t at);

  FlatIndex<Slot> locks_;
  std::size_t bytes_ = 0;
  std::size_t purge_at_ = 64;  // at this size it is worth looking for those that are over
};

}  // namespace mcp_session

#endif  // MCP_SESSION_STORE_LOCK_TABLE_H_

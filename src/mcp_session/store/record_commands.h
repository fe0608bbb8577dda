// RecordCommands: what the commands on one record, and on those of an owner, mean in memory.
#ifndef MCP_SESSION_STORE_RECORD_COMMANDS_H_
#define MCP_SESSION_STORE_RECORD_COMMANDS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "mcp_session/base/siphash.h"
#include "mcp_session/store/command.h"
#include "mcp_session/store/memory_options.h"
#include "mcp_session/store/record_table.h"

namespace mcp_session {

class RecordCommands {
 public:
  using Outcome = std::optional<ErrorCode>;

  RecordCommands(const MemoryStoreOptions& options, const SipKey& sip_key)
      : options_(options), records_(sip_key) {}

  // Each fills `reply` in place, for it is large, and answers what went wrong.
  Outcome Do(store::Create& command, Instant now, StoreReply& reply);
  Outcome Do(const store::Get& command, Instant now, StoreReply& reply);
  Outcome Do(store::Put& command, Instant now, StoreReply& reply);
  Outcome Do(const store::Touch& command, Instant now, StoreReply& reply);
  Outcome Do(const store::Remove& command, Instant now, StoreReply& reply);
  Outcome Do(const store::RemoveOwned& command, Instant now, StoreReply& reply);
  Outcome Do(const store::List& command, Instant now, StoreReply& reply);

  // A Get whose key, a storable one, is hashed already.
  Outcome Get(const PackedKey& key, Instant now, Record& record);

  // Takes up a record that another table had, under a version higher than that. kExists, or
  // kCapacity; `key` is storable.
  Outcome Restore(const RecordKey& key, DetachedRecord record, Instant now);

  Instant NextDeadline() const { return records_.NextSweep(); }
  void Tick(Instant now);

  // Frees some of the dead, or if there are none forgets the remembered: for another table under
  // the same limits that is short of room. False: there was nothing to free.
  bool Reclaim(Instant now);

  // What other tables under the same limits hold.
  void SetElsewhere(const Holdings& elsewhere) { elsewhere_ = elsewhere; }

  const RecordTable& records() const { return records_; }
  std::size_t size() const { return records_.size(); }
  std::size_t MemoryUse() const { return records_.MemoryUse() + reserved_bytes_; }
  Holdings holdings() const {
    Holdings all = records_.holdings();
    all.bytes += reserved_bytes_;
    return all;
  }

 protected:
  // Into a fresh record, where it is: this is on the way of every Get.
  static void Describe(const RecordSlot& slot, Instant now, Record& record);

  const MemoryStoreOptions& options() const { return options_; }
  RecordTable& records() { return records_; }

  PackedKey Pack(const RecordKey& key) const { return PackedKey(records_.sip_key(), key); }
  RecordSlot* FindLive(const RecordKey& key, Instant now);
  std::uint64_t WriteId(const RecordEntry& entry) const;

  // What a command on a record that is not alive is answered.
  ErrorCode Absence(const PackedKey& key, Instant now) const;

  bool MakeShareFor(std::string_view owner, Instant now);
  // `anonymous`: for a record that has no owner.
  bool MakeRoomForBytes(bool anonymous, std::ptrdiff_t bytes, Instant now);
  bool FitsAnonymousShare(std::size_t records, std::size_t bytes) const;

  // What is kept beside the records counts too.
  void SetReservedBytes(std::size_t bytes) { reserved_bytes_ = bytes; }

 private:
  std::uint64_t Fence(const RecordEntry& entry) const;
  bool MakeRoomFor(const store::Create& command, const PackedKey& key, Instant now);
  bool HasRoom(bool anonymous, std::size_t records, std::size_t bytes) const;
  template <typename Fits>
  bool MakeRoom(Instant now, Fits fits);

  const MemoryStoreOptions options_;
  RecordTable records_;
  std::size_t reserved_bytes_ = 0;
  Holdings elsewhere_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_STORE_RECORD_COMMANDS_H_

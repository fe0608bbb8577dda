// RecordExtras: what few records have, kept beside them so that the others do not pay for it.
#ifndef MCP_SESSION_STORE_RECORD_EXTRAS_H_
#define MCP_SESSION_STORE_RECORD_EXTRAS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "mcp_session/base/time.h"
#include "mcp_session/store/event_log.h"
#include "mcp_session/store/flat_index.h"

namespace mcp_session {

struct RecordExtras {
  std::uint64_t write_id = 0;  // of the last write
  std::uint64_t fence = 0;     // the newest token granted for the record
  Millis remember{0};
  std::shared_ptr<EventLog> events;    // shared with nobody; a store without streams links less
  std::vector<std::uint64_t> readers;  // who waits for events; some may wait no more

  std::size_t MemoryUse() const;
};

// The extras of records by the hash of their key and their sequence.
class ExtrasTable {
 public:
  std::size_t MemoryUse() const { return slots_.MemoryUse() + bytes_; }

  // Null if there are none.
  const RecordExtras* Find(std::uint64_t hash, std::uint64_t record) const;

  // Calls change(extras), of which there are none or some, and keeps the books.
  template <typename Changer>
  void Change(std::uint64_t hash, std::uint64_t record, Changer change) {
    RecordExtras& extras = FindOrMake(hash, record);
    bytes_ -= extras.MemoryUse();
    change(extras);
    bytes_ += extras.MemoryUse();
  }

  // `extras` may be null: then nothing happens.
  void Insert(std::uint64_t hash, std::uint64_t record, std::unique_ptr<RecordExtras> extras);
  std::unique_ptr<RecordExtras> Take(std::uint64_t hash, std::uint64_t record);

  void Shrink() { slots_.Shrink(); }

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::uint64_t record = 0;
    std::unique_ptr<RecordExtras> extras;
    bool used() const { return record != 0; }
  };
  std::size_t PositionOf(std::uint64_t hash, std::uint64_t record) const;
  RecordExtras& FindOrMake(std::uint64_t hash, std::uint64_t record);

  FlatIndex<Slot> slots_;
  std::size_t bytes_ = 0;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_STORE_RECORD_EXTRAS_H_

// RecordTable: the records of a MemorySessionStore, found by key, listed by owner, swept when
// dead. It keeps the books (bytes, sequence, ends); what a command means is memory_store.cc.
//
// Looking a record up touches two places: its slot (hash and end, so that a sweep reads one block
// of memory and a dead record is not touched at all) and its entry, one allocation with its data,
// the bytes of its key and the count of those who hold the data.
#ifndef MCP_SESSION_STORE_RECORD_TABLE_H_
#define MCP_SESSION_STORE_RECORD_TABLE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/base/siphash.h"
#include "mcp_session/base/time.h"
#include "mcp_session/store/command.h"
#include "mcp_session/store/event_log.h"
#include "mcp_session/store/flat_index.h"
#include "mcp_session/store/packed_key.h"
#include "mcp_session/store/record_extras.h"

namespace mcp_session {

struct RecordEntry;

// What tables hold, the remembered too, and how much of that has no owner.
struct Holdings {
  std::size_t records = 0;
  std::size_t bytes = 0;
  std::size_t anonymous_records = 0;
  std::size_t anonymous_bytes = 0;  // of the entries alone

  bool operator==(const Holdings&) const = default;
};

// What an entry is besides data and key.
struct RecordHead {
  std::uint64_t sequence = 0;    // counts creations; the order of lists
  RecordEntry* older = nullptr;  // the neighbours in the list of its owner
  RecordEntry* newer = nullptr;
  std::uint64_t version = 0;
  Instant last_end = kNever;         // creation + max_life
  std::uint32_t idle_millis = 0;     // 0: no idle_ttl. kMaxLifetime fits.
  std::uint32_t key_sizes : 30 = 0;  // as in PackedKey
  std::uint32_t has_extras : 1 = 0;
  std::uint32_t is_remembered : 1 = 0;  // it is over
};

// A record with one version of its data, for good: those who were answered the data hold the
// entry, and a Put makes another one. The table changes the head of its entry, which nobody else
// looks at. The bytes of the key follow the struct.
struct RecordEntry : RecordHead {
  RecordEntry(const RecordHead& head, std::string&& data)
      : RecordHead(head), data(std::move(data)) {}

  const std::string data;

  std::string_view key() const;  // as PackedKey::bytes
  std::string_view owner() const;
  std::string_view kind() const;
  std::string_view id() const;
  bool HasKey(const PackedKey& key) const;  // takes as long whichever byte differs
  std::size_t MemoryUse() const;
};

struct RecordSlot {
  std::uint64_t hash = 0;
  // When it dies, or is forgotten if it is only remembered. Never for an unused slot, so that a
  // sweep need not look twice.
  Instant end = kNever;
  std::shared_ptr<RecordEntry> entry;

  bool used() const { return entry != nullptr; }
};

struct OwnerSlot {
  std::uint64_t hash = 0;
  RecordEntry* oldest = nullptr;
  RecordEntry* newest = nullptr;
  std::size_t count = 0;

  bool used() const { return oldest != nullptr; }
};

// A record between two keys.
struct DetachedRecord {
  std::string data;
  std::uint64_t version = 0;
  std::unique_ptr<RecordExtras> extras;
  Instant last_end = kNever;
  Instant end = kNever;
  std::uint32_t idle_millis = 0;
};

class RecordTable {
 public:
  // `sip_key` is for its hash function.
  explicit RecordTable(const SipKey& sip_key) : sip_key_(sip_key) {}

  const SipKey& sip_key() const { return sip_key_; }
  std::size_t size() const { return records_.size(); }
  std::size_t MemoryUse() const;
  Holdings holdings() const;

  // The live record with this key, or null; good until the next Insert, Erase or Sweep. A dead
  // one it meets is freed, or buried if it is to be remembered.
  RecordSlot* FindLive(const PackedKey& key, Instant now);

  // Whether a record with this key, which FindLive did not find, died and is remembered.
  bool Remembers(const PackedKey& key, Instant now) const;

  // What Insert would add to MemoryUse.
  std::size_t CostOfInsert(const PackedKey& key, std::string_view owner, const std::string& data,
                           bool with_extras) const;

  // Adds a record whose key is not alive, and gives it its first version. `lifetime` is valid.
  RecordSlot* Insert(const PackedKey& key, std::string data, const Lifetime& lifetime, Instant now);

  // Takes a record out, to be added under another key, whose key is not alive, here or in another
  // table. It gets a new version there.
  DetachedRecord Detach(RecordSlot* slot);
  RecordSlot* Attach(const PackedKey& key, DetachedRecord record);

  // What Replace would add to MemoryUse; less than nothing if the new data is smaller.
  static std::ptrdiff_t CostOfReplace(const RecordEntry& entry, const std::string& data);

  // New data, and with it a new version and a new entry.
  void Replace(RecordSlot& slot, std::string&& data);

  // Null: all is as RecordExtras begins. Good until the next change of any.
  const RecordExtras* ExtrasOf(const RecordEntry& entry) const {
    return entry.has_extras ? extras_.Find(HashOf(entry), entry.sequence) : nullptr;
  }

  // Calls change(extras).
  template <typename Change>
  void ChangeExtras(RecordEntry& entry, Change change) {
    entry.has_extras = 1;
    extras_.Change(HashOf(entry), entry.sequence, std::move(change));
  }

  // A log for the stream of a record: its sequences were never used before.
  std::shared_ptr<EventLog> MakeEventLog() const {
    return std::make_shared<EventLog>(highest_sequence_ + 1);
  }

  // Calls look(slot) for each live record; for those of an owner from the oldest to the newest.
  template <typename Look>
  void ForEachLive(Instant now, Look look) const {
    const auto look_if_live = [&](const RecordSlot& slot) {
      if (!slot.entry->is_remembered && now < slot.end) look(slot);
    };
    for (std::size_t at = 0; at < records_.capacity(); ++at) {
      const RecordSlot& slot = records_[at];
      if (slot.used() && slot.entry->owner().empty()) look_if_live(slot);
    }
    for (std::size_t at = 0; at < owners_.capacity(); ++at) {
      const RecordEntry* entry = owners_[at].oldest;
      for (; entry != nullptr; entry = entry->newer) look_if_live(SlotOf(*entry));
    }
  }

  std::uint64_t last_version() const { return last_version_; }

  // A number higher than each before it, for versions and the tokens of locks.
  std::uint64_t NextVersion() { return ++last_version_; }

  void Erase(const RecordSlot* slot) { EraseAt(PositionOf(*slot->entry)); }

  // The records of an owner from the oldest to the newest, linked by `newer`; null if it has
  // none. Some may be dead, none is only remembered.
  const OwnerSlot* FindOwner(std::string_view owner) const;
  const RecordSlot& SlotOf(const RecordEntry& entry) const { return records_[PositionOf(entry)]; }

  // Ends the dead ones of an owner, or all of them. Returns how many were alive.
  std::size_t EraseOwned(std::string_view owner, Instant now, bool only_dead);

  // False: certainly no record is dead. True: a Sweep may find some.
  bool MayHaveDead(Instant now) const { return earliest_end_ <= now; }

  // Frees dead records, going on where the last sweep stopped; looks at `max_slots` slots and
  // frees 250 records at most.
  void Sweep(Instant now, std::size_t max_slots);

  // Does not remember the record with this key any more; FindLive did not find it.
  void Forget(const PackedKey& key);

  // How many are only remembered, and a way to have their memory at once.
  std::size_t remembered() const { return remembered_; }
  void ForgetRemembered();
  Instant NextSweep() const;

  std::uint64_t last_sequence() const { return last_sequence_; }

 private:
  std::uint64_t HashOf(const RecordEntry& entry) const {
    return SipHash13(sip_key_, entry.key_sizes, entry.key());
  }
  std::unique_ptr<RecordExtras> TakeExtras(RecordEntry& entry);
  std::size_t PositionOf(const PackedKey& key) const;
  std::size_t PositionOf(const RecordEntry& entry) const;
  std::size_t OwnerPosition(std::string_view owner, std::uint64_t hash) const;
  std::uint64_t HashOfOwner(std::string_view owner) const;
  RecordSlot* InsertEntry(const PackedKey& key, DetachedRecord record);
  void EndAt(std::size_t at);  // a dead one
  void EraseAt(std::size_t at);
  void EndStream(const RecordExtras& extras);
  void CountIn(const RecordEntry& entry);
  void CountOut(const RecordEntry& entry);
  void SetEntry(RecordSlot& slot, const RecordHead& head, std::string&& data);
  void Link(RecordEntry& entry);
  void Unlink(const RecordEntry& entry);
  void Bridge(const RecordEntry& entry, RecordEntry* newer, RecordEntry* older);
  void RestartSweep();
  void ShrinkIndexes();

  SipKey sip_key_;
  FlatIndex<RecordSlot> records_;
  FlatIndex<OwnerSlot> owners_;
  ExtrasTable extras_;
  std::size_t entry_bytes_ = 0;  // what all entries take, with their keys and data
  std::size_t anonymous_ = 0;    // those without an owner, and what they take
  std::size_t anonymous_bytes_ = 0;
  std::uint64_t last_version_ = 0;
  std::uint64_t last_sequence_ = 0;
  std::uint64_t highest_sequence_ = 0;  // of all streams that ended
  std::size_t remembered_ = 0;

  // A sweep may take several calls. sweep_at_ is the next slot to look at; what stands before it
  // was seen, and its ends are in sweep_earliest_end_.
  bool sweeping_ = false;
  std::size_t sweep_at_ = 0;
  Instant sweep_earliest_end_ = kNever;
  Instant earliest_end_ = kNever;  // no record ends before
  Instant next_sweep_{std::numeric_limits<std::int64_t>::min()};
};

}  // namespace mcp_session

#endif  // MCP_SESSION_STORE_RECORD_TABLE_H_

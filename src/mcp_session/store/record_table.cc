#include "mcp_session/store/record_table.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "mcp_session/store/memory_cost.h"

namespace mcp_session {
namespace {

constexpr std::size_t kMaxFreesPerSweep = 250;
constexpr Millis kPauseWithinSweep{1};
constexpr Millis kPauseBetweenSweeps = Seconds(1);

std::size_t EntryBytes(std::size_t key_size) { return SharedBytes(sizeof(RecordEntry) + key_size); }

// Leaves so much room behind what it allocates.
template <typename T>
struct RoomyAllocator {
  using value_type = T;
  explicit RoomyAllocator(std::size_t room) : room(room) {}
  template <typename U>
  RoomyAllocator(const RoomyAllocator<U>& other) : room(other.room) {}
  T* allocate(std::size_t count) {
    return static_cast<T*>(::operator new(count * sizeof(T) + room));
  }
  void deallocate(T* memory, std::size_t) { ::operator delete(memory); }
  bool operator==(const RoomyAllocator&) const = default;
  std::size_t room;
};

std::shared_ptr<RecordEntry> MakeEntry(const RecordHead& head, std::string_view key,
                                       std::string&& data) {
  auto entry = std::allocate_shared<RecordEntry>(RoomyAllocator<RecordEntry>(key.size()), head,
                                                 std::move(data));
  std::memcpy(reinterpret_cast<char*>(entry.get() + 1), key.data(), key.size());
  return entry;
}

// The sizes of owner, kind and id.
std::size_t OwnerSize(std::uint32_t sizes) { return sizes >> 2 * kKeySizeBits; }
std::size_t KindSize(std::uint32_t sizes) { return sizes >> kKeySizeBits & kKeySizeMask; }
std::size_t IdSize(std::uint32_t sizes) { return sizes & kKeySizeMask; }

}  // namespace

std::string_view RecordEntry::key() const {
  return {reinterpret_cast<const char*>(this + 1), PackedSize(OwnerSize(key_sizes)) +
                                                       PackedSize(KindSize(key_sizes)) +
                                                       PackedSize(IdSize(key_sizes))};
}

std::string_view RecordEntry::owner() const { return key().substr(0, OwnerSize(key_sizes)); }

std::string_view RecordEntry::kind() const {
  return key().substr(PackedSize(OwnerSize(key_sizes)), KindSize(key_sizes));
}

std::string_view RecordEntry::id() const {
  const std::string_view all = key();
  const std::size_t size = IdSize(key_sizes);
  return all.substr(all.size() - PackedSize(size), size);
}

bool RecordEntry::HasKey(const PackedKey& other) const {
  if (key_sizes != other.sizes()) return false;
  const std::size_t size = other.bytes().size();
  const char* a = reinterpret_cast<const char*>(this + 1);
  const char* b = other.bytes().data();
  std::uint64_t difference = 0;
  for (std::size_t at = 0; at < size; at += 8) {
    std::uint64_t x, y;
    std::memcpy(&x, a + at, 8);
    std::memcpy(&y, b + at, 8);
    difference |= x ^ y;
  }
  return difference == 0;
}

std::size_t RecordEntry::MemoryUse() const {
  return EntryBytes(key().size()) + CharacterBytes(data);
}

std::size_t RecordTable::MemoryUse() const {
  return entry_bytes_ + records_.MemoryUse() + owners_.MemoryUse() + extras_.MemoryUse();
}

Holdings RecordTable::holdings() const {
  return {.records = size(),
          .bytes = MemoryUse(),
          .anonymous_records = anonymous_,
          .anonymous_bytes = anonymous_bytes_};
}

void RecordTable::CountIn(const RecordEntry& entry) {
  const std::size_t bytes = entry.MemoryUse();
  entry_bytes_ += bytes;
  if (!entry.owner().empty()) return;
  ++anonymous_;
  anonymous_bytes_ += bytes;
}

void RecordTable::CountOut(const RecordEntry& entry) {
  const std::size_t bytes = entry.MemoryUse();
  entry_bytes_ -= bytes;
  if (!entry.owner().empty()) return;
  --anonymous_;
  anonymous_bytes_ -= bytes;
}

RecordSlot* RecordTable::FindLive(const PackedKey& key, Instant now) {
  const std::size_t at = PositionOf(key);
  if (at == records_.kNone) return nullptr;
  if (records_[at].end <= now) {
    EndAt(at);
    return nullptr;
  }
  return records_[at].entry->is_remembered ? nullptr : &records_[at];
}

bool RecordTable::Remembers(const PackedKey& key, Instant now) const {
  if (remembered_ == 0) return false;
  const std::size_t at = PositionOf(key);
  return at != records_.kNone && now < records_[at].end;
}

std::size_t RecordTable::CostOfInsert(const PackedKey& key, std::string_view owner,
                                      const std::string& data, bool with_extras) const {
  std::size_t cost =
      EntryBytes(key.bytes().size()) + CharacterBytes(data) + records_.GrowthOfInsert();
  if (!owner.empty() && FindOwner(owner) == nullptr) cost += owners_.GrowthOfInsert();
  if (with_extras) cost += AllocatedBytes(sizeof(RecordExtras)) + 64;  // and its slot
  return cost;
}

RecordSlot* RecordTable::Insert(const PackedKey& key, std::string data, const Lifetime& lifetime,
                                Instant now) {
  DetachedRecord record;
  record.data = std::move(data);
  if (lifetime.max_life) record.last_end = now + *lifetime.max_life;
  record.end = record.last_end;
  if (lifetime.idle_ttl) {
    record.idle_millis = static_cast<std::uint32_t>(lifetime.idle_ttl->count);
    record.end = std::min(now + *lifetime.idle_ttl, record.last_end);
  }
  if (lifetime.remember > Millis{}) {
    record.extras = std::make_unique<RecordExtras>();
    record.extras->remember = lifetime.remember;
  }
  return InsertEntry(key, std::move(record));
}

DetachedRecord RecordTable::Detach(RecordSlot* slot) {
  RecordEntry& entry = *slot->entry;
  DetachedRecord record;
  record.data = entry.data;
  record.version = entry.version;
  record.last_end = entry.last_end;
  record.end = slot->end;
  record.idle_millis = entry.idle_millis;
  record.extras = TakeExtras(entry);
  if (record.extras != nullptr) {
    EndStream(*record.extras);
    record.extras->readers = {};  // they read by the old key
  }
  Erase(slot);
  return record;
}

RecordSlot* RecordTable::Attach(const PackedKey& key, DetachedRecord record) {
  return InsertEntry(key, std::move(record));
}

RecordSlot* RecordTable::InsertEntry(const PackedKey& key, DetachedRecord record) {
  // One with this key can only be remembered.
  const std::size_t old = PositionOf(key);
  if (old != records_.kNone) EraseAt(old);
  RecordHead head;
  head.sequence = ++last_sequence_;
  head.last_end = record.last_end;
  head.idle_millis = record.idle_millis;
  head.key_sizes = key.sizes();
  // What versions and tokens were in the table it comes from counts here too.
  last_version_ = std::max(last_version_, record.version);
  if (record.extras != nullptr) {
    last_version_ = std::max(last_version_, record.extras->fence);
    head.has_extras = 1;
    extras_.Insert(key.hash(), head.sequence, std::move(record.extras));
  }
  head.version = NextVersion();
  RecordSlot slot;
  slot.hash = key.hash();
  slot.end = record.end;
  slot.entry = MakeEntry(head, key.bytes(), std::move(record.data));
  RecordEntry& entry = *slot.entry;

  CountIn(entry);
  earliest_end_ = std::min(earliest_end_, slot.end);
  sweep_earliest_end_ = std::min(sweep_earliest_end_, slot.end);
  if (!entry.owner().empty()) Link(entry);
  const std::size_t capacity = records_.capacity();
  const std::size_t at = records_.Insert(std::move(slot));
  if (records_.capacity() != capacity) RestartSweep();
  return &records_[at];
}

std::ptrdiff_t RecordTable::CostOfReplace(const RecordEntry& entry, const std::string& data) {
  return static_cast<std::ptrdiff_t>(CharacterBytes(data)) -
         static_cast<std::ptrdiff_t>(CharacterBytes(entry.data));
}

void RecordTable::Replace(RecordSlot& slot, std::string&& data) {
  RecordHead head = *slot.entry;
  head.version = NextVersion();
  const std::shared_ptr<RecordEntry> old = slot.entry;
  SetEntry(slot, head, std::move(data));
  if (!old->owner().empty()) Bridge(*old, slot.entry.get(), slot.entry.get());
}

// The key stays.
void RecordTable::SetEntry(RecordSlot& slot, const RecordHead& head, std::string&& data) {
  CountOut(*slot.entry);
  slot.entry = MakeEntry(head, slot.entry->key(), std::move(data));
  CountIn(*slot.entry);
}

const OwnerSlot* RecordTable::FindOwner(std::string_view owner) const {
  const std::size_t at = OwnerPosition(owner, HashOfOwner(owner));
  return at == owners_.kNone ? nullptr : &owners_[at];
}

std::size_t RecordTable::EraseOwned(std::string_view owner, Instant now, bool only_dead) {
  const OwnerSlot* slot = FindOwner(owner);
  std::size_t live = 0;
  RecordEntry* next = slot == nullptr ? nullptr : slot->oldest;
  while (next != nullptr) {
    const std::size_t at = PositionOf(*next);
    next = next->newer;
    const bool is_live = now < records_[at].end;
    if (is_live) ++live;
    if (!is_live) {
      EndAt(at);
    } else if (!only_dead) {
      EraseAt(at);
    }
  }
  return live;
}

void RecordTable::Sweep(Instant now, std::size_t max_slots) {
  if (!sweeping_) {
    sweeping_ = true;
    RestartSweep();
  }
  std::size_t frees = 0;
  for (; sweep_at_ < records_.capacity(); --max_slots) {
    if (max_slots == 0 || frees == kMaxFreesPerSweep) {
      next_sweep_ = now + kPauseWithinSweep;
      return;
    }
    const Instant end = records_[sweep_at_].end;
    if (end <= now) {
      EndAt(sweep_at_);  // what stands in the slot then is looked at next
      ++frees;
    } else {
      sweep_earliest_end_ = std::min(sweep_earliest_end_, end);
      ++sweep_at_;
    }
  }
  sweeping_ = false;
  earliest_end_ = sweep_earliest_end_;
  next_sweep_ = now + kPauseBetweenSweeps;
  ShrinkIndexes();
}

void RecordTable::Forget(const PackedKey& key) {
  if (remembered_ == 0) return;
  const std::size_t at = PositionOf(key);
  if (at != records_.kNone) EraseAt(at);
}

void RecordTable::ForgetRemembered() {
  for (std::size_t at = 0; remembered_ > 0 && at < records_.capacity();) {
    if (records_[at].used() && records_[at].entry->is_remembered) {
      EraseAt(at);  // what moves into the slot is looked at next
    } else {
      ++at;
    }
  }
}

Instant RecordTable::NextSweep() const {
  if (records_.size() == 0) return kNever;
  return sweeping_ ? next_sweep_ : std::max(earliest_end_, next_sweep_);
}

std::size_t RecordTable::PositionOf(const PackedKey& key) const {
  return records_.Find(key.hash(),
                       [&key](const RecordSlot& slot) { return slot.entry->HasKey(key); });
}

std::size_t RecordTable::PositionOf(const RecordEntry& entry) const {
  return records_.Find(HashOf(entry),
                       [&entry](const RecordSlot& slot) { return slot.entry.get() == &entry; });
}

// The name of an owner is kept by its records only.
std::size_t RecordTable::OwnerPosition(std::string_view owner, std::uint64_t hash) const {
  return owners_.Find(hash,
                      [owner](const OwnerSlot& slot) { return slot.oldest->owner() == owner; });
}

std::uint64_t RecordTable::HashOfOwner(std::string_view owner) const {
  return SipHash13(sip_key_, owner.size(), owner);
}

void RecordTable::EndAt(std::size_t at) {
  RecordSlot& slot = records_[at];
  RecordEntry& entry = *slot.entry;
  const RecordExtras* extras = ExtrasOf(entry);
  if (entry.is_remembered || extras == nullptr || extras->remember == Millis{}) {
    return EraseAt(at);
  }
  slot.end = slot.end + extras->remember;
  EndStream(*TakeExtras(entry));
  if (!entry.owner().empty()) Unlink(entry);
  RecordHead head = entry;
  head.is_remembered = 1;
  SetEntry(slot, head, {});
  earliest_end_ = std::min(earliest_end_, slot.end);
  sweep_earliest_end_ = std::min(sweep_earliest_end_, slot.end);
  ++remembered_;
}

// Its sequences are not used again.
void RecordTable::EndStream(const RecordExtras& extras) {
  if (extras.events == nullptr) return;
  highest_sequence_ = std::max(highest_sequence_, extras.events->last_sequence());
}

std::unique_ptr<RecordExtras> RecordTable::TakeExtras(RecordEntry& entry) {
  if (!entry.has_extras) return nullptr;
  entry.has_extras = 0;
  return extras_.Take(HashOf(entry), entry.sequence);
}

void RecordTable::EraseAt(std::size_t at) {
  RecordEntry& entry = *records_[at].entry;
  if (const auto extras = TakeExtras(entry)) EndStream(*extras);
  if (entry.is_remembered) {
    --remembered_;
  } else if (!entry.owner().empty()) {
    Unlink(entry);
  }
  CountOut(entry);
  const std::size_t hole = records_.Erase(at);
  // A sweep must not miss a slot that moved from where it still has to look to where it was.
  const bool round_the_end = hole < at;
  if (at < sweep_at_ && (round_the_end || sweep_at_ <= hole)) {
    sweep_at_ = at;
  } else if (round_the_end && sweep_at_ <= hole) {
    sweep_at_ = 0;
  }
  if (records_.size() == 0) {
    sweeping_ = false;
    earliest_end_ = kNever;
    ShrinkIndexes();
  }
}

void RecordTable::Link(RecordEntry& entry) {
  const std::uint64_t hash = HashOfOwner(entry.owner());
  std::size_t at = OwnerPosition(entry.owner(), hash);
  if (at == owners_.kNone) {
    at = owners_.Insert(OwnerSlot{.hash = hash, .oldest = &entry});
  } else {
    entry.older = owners_[at].newest;
    entry.older->newer = &entry;
  }
  owners_[at].newest = &entry;
  ++owners_[at].count;
}

void RecordTable::Unlink(const RecordEntry& entry) {
  const std::size_t at = OwnerPosition(entry.owner(), HashOfOwner(entry.owner()));
  if (--owners_[at].count == 0) {
    owners_.Erase(at);
    return;
  }
  Bridge(entry, entry.newer, entry.older);
}

// Lets those who have `entry` for a neighbour have others: the older one `newer`, the newer one
// `older`.
void RecordTable::Bridge(const RecordEntry& entry, RecordEntry* newer, RecordEntry* older) {
  OwnerSlot* owner = nullptr;
  if (entry.older == nullptr || entry.newer == nullptr) {
    owner = &owners_[OwnerPosition(entry.owner(), HashOfOwner(entry.owner()))];
  }
  (entry.older != nullptr ? entry.older->newer : owner->oldest) = newer;
  (entry.newer != nullptr ? entry.newer->older : owner->newest) = older;
}

// What was seen stands elsewhere now, or there is a new sweep: look at everything.
void RecordTable::RestartSweep() {
  sweep_at_ = 0;
  sweep_earliest_end_ = kNever;
}

void RecordTable::ShrinkIndexes() {
  records_.Shrink();
  owners_.Shrink();
  extras_.Shrink();
  RestartSweep();
}

}  // namespace mcp_session

// The records of a RecordStore as text: a head, then each record; those of an owner from the oldest
// to the newest, for that is the order of lists. Numbers are little-endian.
#include <array>
#include <memory>
#include <optional>
#include <utility>

#include "mcp_session/store/record_store.h"
#include "mcp_session/store/rules.h"

namespace mcp_session {
namespace {

constexpr std::string_view kMagic = "mcp-session records 1\n";

// More writes than a store does between its last snapshot and its end: their versions are not used
// again either.
constexpr std::uint64_t kUnseenVersions = 1u << 20;

void AppendNumber(std::uint64_t value, std::string* out) {
  for (int i = 0; i < 8; ++i) out->push_back(static_cast<char>(value >> (8 * i)));
}

// What is left of a snapshot.
class Rest {
 public:
  explicit Rest(std::string_view text) : text_(text) {}

  bool empty() const { return text_.empty(); }
  bool ok() const { return ok_; }

  std::string_view Take(std::uint64_t size) {
    if (size > text_.size()) ok_ = false;
    if (!ok_) return {};
    const std::string_view taken = text_.substr(0, static_cast<std::size_t>(size));
    text_.remove_prefix(taken.size());
    return taken;
  }
  std::uint64_t TakeNumber() {
    std::uint64_t value = 0;
    const std::string_view bytes = Take(8);
    for (std::size_t i = bytes.size(); i-- > 0;) {
      value = value << 8 | static_cast<unsigned char>(bytes[i]);
    }
    return value;
  }
  // At most kMaxLifetime.
  Millis TakeTime() {
    const std::uint64_t value = TakeNumber();
    if (value > static_cast<std::uint64_t>(kMaxLifetime.count)) ok_ = false;
    return Millis{static_cast<std::int64_t>(value)};
  }

 private:
  std::string_view text_;
  bool ok_ = true;
};

// When an end comes that was `left` away when the snapshot was made; 0 is never.
Instant EndAfter(Millis left, Millis age, Instant now) {
  return left == Millis{} ? kNever : now + Millis{left.count - age.count};
}

}  // namespace

std::string RecordStore::Snapshot(Instant now) const {
  const RecordTable& table = commands_.records();
  std::string out(kMagic);
  AppendNumber(table.last_version(), &out);
  table.ForEachLive(now, [&](const RecordSlot& slot) {
    const RecordEntry& entry = *slot.entry;
    const RecordExtras* extras = table.ExtrasOf(entry);
    const auto left = [now](Instant end) {
      return static_cast<std::uint64_t>(end == kNever ? 0 : (end - now).count);
    };
    AppendNumber(left(slot.end), &out);
    AppendNumber(left(entry.last_end), &out);
    AppendNumber(entry.idle_millis, &out);
    AppendNumber(static_cast<std::uint64_t>(extras ? extras->remember.count : 0), &out);
    for (const std::string_view part :
         {entry.owner(), entry.kind(), entry.id(), std::string_view(entry.data)}) {
      AppendNumber(part.size(), &out);
      out += part;
    }
  });
  return out;
}

Result<void> RecordStore::Restore(std::string_view snapshot, Millis age, Instant now) {
  const auto corrupt = [] {
    return Failure(ErrorCode::kCorrupt, Blame::kCaller, "this is no snapshot of a store");
  };
  Rest rest(snapshot);
  if (rest.Take(kMagic.size()) != kMagic) return corrupt();
  const std::uint64_t last_version = rest.TakeNumber() + kUnseenVersions;
  while (rest.ok() && !rest.empty()) {
    DetachedRecord record;
    record.version = last_version;
    const Millis left = rest.TakeTime();
    const Millis life_left = rest.TakeTime();
    const Millis idle = rest.TakeTime();
    const Millis remember = rest.TakeTime();
    std::array<std::string_view, 4> parts;
    for (std::string_view& part : parts) part = rest.Take(rest.TakeNumber());
    const RecordKey key{parts[0], parts[1], parts[2]};
    if (!rest.ok() || left == Millis{} || !IsStorable(key)) return corrupt();
    if (parts[3].size() > max_record_bytes_) {
      return Failure(ErrorCode::kTooLarge, Blame::kCaller, "a record is too large for the store");
    }
    record.end = EndAfter(left, age, now);
    record.last_end = EndAfter(life_left, age, now);
    record.idle_millis = static_cast<std::uint32_t>(idle.count);
    if (record.end <= now) continue;
    record.data = parts[3];
    if (remember > Millis{}) {
      record.extras = std::make_unique<RecordExtras>();
      record.extras->remember = remember;
    }
    const auto failed = commands_.Restore(key, std::move(record), now);
    if (failed == ErrorCode::kExists) return corrupt();
    if (failed) return Failure(*failed, Blame::kCaller, "the store has no room for its records");
  }
  if (!rest.ok()) return corrupt();
  return {};
}

}  // namespace mcp_session

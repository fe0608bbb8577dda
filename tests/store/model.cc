#include "tests/store/model.h"

#include <algorithm>
#include <iterator>

namespace mcp_session {

Instant ModelRecord::End() const {
  Instant end = kNever;
  if (lifetime.idle_ttl) end = std::min(end, accessed + *lifetime.idle_ttl);
  if (lifetime.max_life) end = std::min(end, created + *lifetime.max_life);
  return end;
}

void Model::SetNow(Instant now) {
  now_ = now;
  for (auto at = records_.begin(); at != records_.end();) {
    const auto& [key, record] = *at;
    if (now < record.End()) {
      ++at;
      continue;
    }
    remembered_[key] = record.End() + record.lifetime.remember;
    may_be_forgotten_[key] = false;
    at = records_.erase(at);
  }
  std::erase_if(remembered_, [now](const auto& over) { return over.second <= now; });
  std::erase_if(locks_, [now](const auto& lock) { return lock.second.end <= now; });
}

ModelReply Model::Create(const ModelKey& key, const std::string& data, const Lifetime& lifetime,
                         std::uint64_t write_id) {
  if (data.size() > limits_.max_record_bytes) return {.error = ErrorCode::kTooLarge};
  if (ModelRecord* record = Find(key)) {
    if (write_id != 0 && write_id == record->write_id) return {.record = record};
    return {.error = ErrorCode::kExists};
  }
  if (records_.size() + remembered_.size() >= limits_.max_records) {
    for (auto& [other, forgotten] : may_be_forgotten_) forgotten = true;
  }
  if (records_.size() >= limits_.max_records || !HasShareFor(std::get<0>(key))) {
    return {.error = ErrorCode::kCapacity};
  }
  const ModelLock* held = FindLock(key);
  ModelRecord& record = records_[key];
  record = {.data = data,
            .write_id = write_id,
            .fence = held == nullptr ? 0 : held->token,
            .order = ++last_order_,
            .created = now_,
            .accessed = now_,
            .lifetime = lifetime};
  remembered_.erase(key);
  return {.record = &record, .is_written = true};
}

// It follows MemorySessionStore in when a Get moves the end; while no time passes, all do.
ModelReply Model::Get(const ModelKey& key) {
  ModelRecord* record = Find(key);
  if (record == nullptr) return Absence(key);
  if (record->lifetime.idle_ttl) {
    const std::int64_t idle = record->lifetime.idle_ttl->count;
    const std::int64_t left = (record->End() - now_).count;
    if (10 * left <= 9 * idle || idle - left >= 60'000) record->accessed = now_;
  }
  return {.record = record};
}

ModelReply Model::Put(const ModelKey& key, const std::string& data,
                      std::optional<std::uint64_t> expected, std::uint64_t write_id,
                      std::uint64_t fence) {
  if (data.size() > limits_.max_record_bytes) return {.error = ErrorCode::kTooLarge};
  ModelRecord* record = Find(key);
  if (record == nullptr) return Absence(key);
  if (write_id != 0 && write_id == record->write_id) return {.record = record};
  if (fence != 0 && fence < record->fence) return {.error = ErrorCode::kFenced};
  if (expected && *expected != record->version) {
    return {.error = ErrorCode::kConflict, .record = record};
  }
  record->data = data;
  record->write_id = write_id;
  record->accessed = now_;
  return {.record = record, .is_written = true};
}

ModelReply Model::Touch(const ModelKey& key) {
  ModelRecord* record = Find(key);
  if (record == nullptr) return Absence(key);
  record->accessed = now_;
  return {};
}

ModelReply Model::Remove(const ModelKey& key, std::optional<std::uint64_t> expected,
                         std::uint64_t fence) {
  ModelRecord* record = Find(key);
  if (record == nullptr) {
    may_be_forgotten_[key] = true;
    return {};
  }
  if (fence != 0 && fence < record->fence) return {.error = ErrorCode::kFenced};
  if (expected && *expected != record->version) {
    return {.error = ErrorCode::kConflict, .record = record};
  }
  records_.erase(key);
  return {.removed = 1};
}

ModelReply Model::Take(const ModelKey& key) {
  ModelRecord* record = Find(key);
  if (record == nullptr) return Absence(key);
  ModelReply reply{.taken = std::move(*record)};
  records_.erase(key);
  return reply;
}

ModelReply Model::Regenerate(const ModelKey& from, const ModelKey& to, std::uint64_t write_id) {
  ModelRecord* there = Find(to);
  if (there != nullptr && write_id != 0 && write_id == there->write_id) return {.record = there};
  ModelRecord* record = Find(from);
  if (record == nullptr) return Absence(from);
  if (there != nullptr) return {.error = ErrorCode::kExists};
  if (std::get<0>(from) != std::get<0>(to) && !HasShareFor(std::get<0>(to))) {
    return {.error = ErrorCode::kCapacity};
  }
  ModelRecord moved = std::move(*record);
  records_.erase(from);
  moved.write_id = write_id;
  moved.order = ++last_order_;
  if (const ModelLock* held = FindLock(to)) {
    if (held->token < moved.fence) moved.fence_is_sure = false;
    moved.fence = std::max(moved.fence, held->token);
  }
  remembered_.erase(to);
  return {.record = &(records_[to] = std::move(moved)), .is_written = true};
}

ModelReply Model::RemoveOwned(const std::string& owner) {
  if (owner.empty()) return {.error = ErrorCode::kInvalidArgument};
  const auto is_owned = [&owner](const auto& each) { return std::get<0>(each.first) == owner; };
  for (auto& each : may_be_forgotten_) each.second |= is_owned(each);
  return {.removed = std::erase_if(records_, is_owned)};
}

ModelReply Model::List(const std::string& owner, const std::string& kind, std::size_t limit,
                       std::uint64_t after) const {
  if (owner.empty()) return {.error = ErrorCode::kInvalidArgument};
  ModelReply reply;
  for (const auto& [key, record] : records_) {
    if (std::get<0>(key) == owner && std::get<1>(key) == kind && record.order > after) {
      reply.listed.emplace_back(std::get<2>(key), record);
    }
  }
  std::sort(reply.listed.begin(), reply.listed.end(),
            [](const auto& a, const auto& b) { return a.second.order < b.second.order; });
  if (reply.listed.size() > limit) {
    reply.listed.resize(limit);
    reply.listed_up_to = reply.listed.back().second.order;
  }
  return reply;
}

ModelReply Model::Lock(const ModelKey& key, std::uint64_t holder, Millis lease) {
  if (ModelLock* held = FindLock(key)) {
    if (held->holder != holder) return {.error = ErrorCode::kLocked, .lock = held};
    return {.lock = held};
  }
  ModelLock& lock = locks_[key];
  lock = {.holder = holder, .granted = now_, .end = now_ + lease};
  return {.lock = &lock, .is_granted = true};
}

ModelReply Model::Extend(const ModelKey& key, std::uint64_t holder, Millis lease) {
  ModelLock* held = FindLock(key);
  if (held == nullptr || held->holder != holder) return {.error = ErrorCode::kLockLost};
  held->end = std::max(held->end, std::min(now_ + lease, held->granted + kMaxHold));
  return {.lock = held};
}

ModelReply Model::Unlock(const ModelKey& key, std::uint64_t holder) {
  const ModelLock* held = FindLock(key);
  if (held == nullptr || held->holder != holder) return {.error = ErrorCode::kLockLost};
  locks_.erase(key);
  return {};
}

ModelReply Model::Append(const ModelKey& key, const std::string& data, std::size_t keep) {
  if (data.size() > limits_.max_record_bytes) return {.error = ErrorCode::kTooLarge};
  ModelRecord* record = Find(key);
  if (record == nullptr) return Absence(key);
  ModelStream& stream = record->stream;
  stream.kept.push_back({.data = data});
  while (stream.kept.size() > keep) stream.kept.pop_front();
  return {.appended = &stream};
}

ModelReply Model::ReadEvents(const ModelKey& key, std::uint64_t after, std::size_t limit) {
  const ModelRecord* record = Find(key);
  if (record == nullptr) return Absence(key);
  const ModelStream& stream = record->stream;
  if (!stream.started) {
    if (after == 0) return {};
    return {.error = ErrorCode::kGap};
  }
  const std::uint64_t start = after == 0 ? stream.base : after;
  const std::uint64_t oldest = stream.kept.front().sequence;
  if (start > stream.last || start + 1 < oldest) {
    return {.error = ErrorCode::kGap, .sequence = oldest - 1};
  }
  ModelReply reply;
  for (const ModelEvent& event : stream.kept) {
    if (event.sequence > start && reply.events.size() < limit) reply.events.push_back(event);
  }
  return reply;
}

ModelRecord* Model::Find(const ModelKey& key) {
  const auto at = records_.find(key);
  return at == records_.end() ? nullptr : &at->second;
}

ModelLock* Model::FindLock(const ModelKey& key) {
  const auto at = locks_.find(key);
  return at == locks_.end() ? nullptr : &at->second;
}

ModelReply Model::Absence(const ModelKey& key) const {
  if (!remembered_.contains(key)) return {.error = ErrorCode::kNotFound};
  const auto forgotten = may_be_forgotten_.find(key);
  return {.error = ErrorCode::kExpired,
          .or_not_found = forgotten != may_be_forgotten_.end() && forgotten->second};
}

std::size_t Model::CountOf(const std::string& owner) const {
  return static_cast<std::size_t>(
      std::count_if(records_.begin(), records_.end(),
                    [&owner](const auto& record) { return std::get<0>(record.first) == owner; }));
}

bool Model::HasShareFor(const std::string& owner) const {
  return owner.empty() || CountOf(owner) < limits_.max_records_per_owner;
}

}  // namespace mcp_session

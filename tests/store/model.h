// A store so simple that it can be read against the contract: one map, everything by scan. It
// follows MemorySessionStore where the contract leaves room: in when a Get moves the end, in the
// order of lists, in freeing the dead before it refuses.
#ifndef TESTS_STORE_MODEL_H_
#define TESTS_STORE_MODEL_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "mcp_session/store/store.h"

namespace mcp_session {

using ModelKey = std::tuple<std::string, std::string, std::string>;  // owner, kind, id

struct ModelRecord {
  std::string data;
  std::uint64_t version = 0;
  std::uint64_t sequence = 0;
  Instant created;
  Instant accessed;  // as far as the end goes
  Lifetime lifetime;

  Instant End() const {
    Instant end = kNever;
    if (lifetime.idle_ttl) end = std::min(end, accessed + *lifetime.idle_ttl);
    if (lifetime.max_life) end = std::min(end, created + *lifetime.max_life);
    return end;
  }
};

struct ModelLimits {
  std::size_t max_records;
  std::size_t max_records_per_owner;
  std::size_t max_record_bytes;
};

struct ModelReply {
  std::optional<ErrorCode> error;
  const ModelRecord* record = nullptr;
  std::vector<std::pair<std::string, ModelRecord>> listed;
  std::uint64_t listed_up_to = 0;  // sequence; 0 at the end of the list
  std::uint64_t removed = 0;
};

class Model {
 public:
  explicit Model(const ModelLimits& limits) : limits_(limits) {}

  // Time only matters in that the dead go. Everything below is about the living.
  void SetNow(Instant now) {
    now_ = now;
    for (auto at = records_.begin(); at != records_.end();) {
      at = at->second.End() <= now ? records_.erase(at) : std::next(at);
    }
  }

  ModelReply Create(const ModelKey& key, const std::string& data, const Lifetime& lifetime) {
    if (data.size() > limits_.max_record_bytes) return {.error = ErrorCode::kTooLarge};
    if (records_.contains(key)) return {.error = ErrorCode::kExists};
    const std::string& owner = std::get<0>(key);
    if (records_.size() >= limits_.max_records) return {.error = ErrorCode::kCapacity};
    if (!owner.empty() && CountOf(owner) >= limits_.max_records_per_owner) {
      return {.error = ErrorCode::kCapacity};
    }
    ModelRecord& record = records_[key];
    record = {data, ++last_version_, ++last_sequence_, now_, now_, lifetime};
    return {.record = &record};
  }

  ModelReply Get(const ModelKey& key) {
    ModelRecord* record = Find(key);
    if (record == nullptr) return {.error = ErrorCode::kNotFound};
    if (record->lifetime.idle_ttl) {
      const std::int64_t idle = record->lifetime.idle_ttl->count;
      const std::int64_t left = (record->End() - now_).count;
      if (10 * left <= 9 * idle || idle - left >= 60'000) record->accessed = now_;
    }
    return {.record = record};
  }

  ModelReply Put(const ModelKey& key, const std::string& data,
                 std::optional<std::uint64_t> expected) {
    if (data.size() > limits_.max_record_bytes) return {.error = ErrorCode::kTooLarge};
    ModelRecord* record = Find(key);
    if (record == nullptr) return {.error = ErrorCode::kNotFound};
    if (expected && *expected != record->version) {
      return {.error = ErrorCode::kConflict, .record = record};
    }
    record->data = data;
    record->version = ++last_version_;
    record->accessed = now_;
    return {.record = record};
  }

  ModelReply Touch(const ModelKey& key) {
    ModelRecord* record = Find(key);
    if (record == nullptr) return {.error = ErrorCode::kNotFound};
    record->accessed = now_;
    return {};
  }

  ModelReply Remove(const ModelKey& key) { return {.removed = records_.erase(key)}; }

  ModelReply RemoveOwned(const std::string& owner) {
    if (owner.empty()) return {.error = ErrorCode::kInvalidArgument};
    ModelReply reply{.removed = CountOf(owner)};
    for (auto at = records_.begin(); at != records_.end();) {
      at = std::get<0>(at->first) == owner ? records_.erase(at) : std::next(at);
    }
    return reply;
  }

  ModelReply List(const std::string& owner, const std::string& kind, std::size_t limit,
                  std::uint64_t after) const {
    if (owner.empty()) return {.error = ErrorCode::kInvalidArgument};
    ModelReply reply;
    for (const auto& [key, record] : records_) {
      if (std::get<0>(key) == owner && std::get<1>(key) == kind && record.sequence > after) {
        reply.listed.emplace_back(std::get<2>(key), record);
      }
    }
    std::sort(reply.listed.begin(), reply.listed.end(),
              [](const auto& a, const auto& b) { return a.second.sequence < b.second.sequence; });
    if (reply.listed.size() > limit) {
      reply.listed.resize(limit);
      reply.listed_up_to = reply.listed.back().second.sequence;
    }
    return reply;
  }

  const std::map<ModelKey, ModelRecord>& records() const { return records_; }

 private:
  ModelRecord* Find(const ModelKey& key) {
    const auto at = records_.find(key);
    return at == records_.end() ? nullptr : &at->second;
  }

  std::size_t CountOf(const std::string& owner) const {
    return static_cast<std::size_t>(
        std::count_if(records_.begin(), records_.end(),
                      [&owner](const auto& record) { return std::get<0>(record.first) == owner; }));
  }

  ModelLimits limits_;
  Instant now_;
  std::map<ModelKey, ModelRecord> records_;
  std::uint64_t last_version_ = 0;
  std::uint64_t last_sequence_ = 0;
};

}  // namespace mcp_session

#endif  // TESTS_STORE_MODEL_H_

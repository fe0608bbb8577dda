// A store so simple that it can be read against the contract: a few maps, everything by scan. What
// the contract leaves to the store (which versions, tokens and sequences) it is told: whoever runs
// it checks the store's choice and writes it down here.
#ifndef TESTS_STORE_MODEL_H_
#define TESTS_STORE_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "mcp_session/store/store.h"

namespace mcp_session {

using ModelKey = std::tuple<std::string, std::string, std::string>;  // owner, kind, id

struct ModelEvent {
  std::uint64_t sequence = 0;
  std::string data;
};

struct ModelStream {
  bool started = false;
  std::uint64_t base = 0;  // no event has a sequence up to this; known once it started
  std::uint64_t last = 0;
  std::deque<ModelEvent> kept;
};

struct ModelRecord {
  std::string data;
  std::uint64_t version = 0;  // the store's choice
  std::uint64_t write_id = 0;
  std::uint64_t fence = 0;    // no older token may write
  bool fence_is_sure = true;  // false: tokens of two keys met, and say nothing to each other
  std::uint64_t order = 0;    // counts creations
  Instant created;
  Instant accessed;  // as far as the end goes
  Lifetime lifetime;
  ModelStream stream;

  Instant End() const;
};

struct ModelLock {
  std::uint64_t holder = 0;
  std::uint64_t token = 0;  // the store's choice
  Instant granted;
  Instant end;
};

struct ModelLimits {
  std::size_t max_records;
  std::size_t max_records_per_owner;
  std::size_t max_record_bytes;
};

struct ModelReply {
  std::optional<ErrorCode> error;
  bool or_not_found = false;      // kExpired may have been forgotten
  ModelRecord* record = nullptr;  // with kConflict the current one
  std::optional<ModelRecord> taken;
  bool is_written = false;  // the record has a new version, for the store to say
  std::vector<std::pair<std::string, ModelRecord>> listed;
  std::uint64_t listed_up_to = 0;  // order; 0 at the end of the list
  std::uint64_t removed = 0;
  ModelLock* lock = nullptr;        // granted or held, or with kLocked who has it
  bool is_granted = false;          // the lock has a new token, for the store to say
  ModelStream* appended = nullptr;  // its last event has a sequence for the store to say
  std::vector<ModelEvent> events;
  std::optional<std::uint64_t> sequence;  // with kGap, if it is known which
};

class Model {
 public:
  explicit Model(const ModelLimits& limits) : limits_(limits) {}

  // Time only matters in that the dead go. Everything below is about the living.
  void SetNow(Instant now);

  ModelReply Create(const ModelKey& key, const std::string& data, const Lifetime& lifetime,
                    std::uint64_t write_id);
  ModelReply Get(const ModelKey& key);
  ModelReply Put(const ModelKey& key, const std::string& data,
                 std::optional<std::uint64_t> expected, std::uint64_t write_id,
                 std::uint64_t fence);
  ModelReply Touch(const ModelKey& key);
  ModelReply Remove(const ModelKey& key, std::optional<std::uint64_t> expected,
                    std::uint64_t fence);
  ModelReply Take(const ModelKey& key);
  ModelReply Regenerate(const ModelKey& from, const ModelKey& to, std::uint64_t write_id);
  ModelReply RemoveOwned(const std::string& owner);
  ModelReply List(const std::string& owner, const std::string& kind, std::size_t limit,
                  std::uint64_t after) const;
  ModelReply Lock(const ModelKey& key, std::uint64_t holder, Millis lease);
  ModelReply Extend(const ModelKey& key, std::uint64_t holder, Millis lease);
  ModelReply Unlock(const ModelKey& key, std::uint64_t holder);
  ModelReply Append(const ModelKey& key, const std::string& data, std::size_t keep);
  ModelReply ReadEvents(const ModelKey& key, std::uint64_t after, std::size_t limit);

  Instant now() const { return now_; }
  const std::map<ModelKey, ModelRecord>& records() const { return records_; }
  const std::map<ModelKey, ModelLock>& locks() const { return locks_; }
  const std::map<ModelKey, Instant>& remembered() const { return remembered_; }
  ModelRecord* Find(const ModelKey& key);
  ModelLock* FindLock(const ModelKey& key);

 private:
  ModelReply Absence(const ModelKey& key) const;
  std::size_t CountOf(const std::string& owner) const;
  bool HasShareFor(const std::string& owner) const;

  ModelLimits limits_;
  Instant now_;
  std::map<ModelKey, ModelRecord> records_;
  std::map<ModelKey, ModelLock> locks_;
  std::map<ModelKey, Instant> remembered_;  // until when
  std::map<ModelKey, bool> may_be_forgotten_;
  std::uint64_t last_order_ = 0;
};

}  // namespace mcp_session

#endif  // TESTS_STORE_MODEL_H_

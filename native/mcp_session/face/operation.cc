#include "mcp_session/face/operation.h"

#include <utility>

namespace mcp_session {
namespace {

Record TheRecord(StoreReply& reply) { return std::move(reply.record); }
Done Nothing(StoreReply&) { return {}; }
bool WhetherRemoved(StoreReply& reply) { return reply.removed > 0; }
std::uint64_t HowMany(StoreReply& reply) { return reply.removed; }
std::uint64_t TheToken(StoreReply& reply) { return reply.fence; }
std::uint64_t TheSequence(StoreReply& reply) { return reply.sequence; }
Millis TimeLeft(StoreReply& reply) { return reply.record.expires_in; }
RecordPage ThePage(StoreReply& reply) { return {std::move(reply.listed), std::move(reply.cursor)}; }
std::vector<StreamEvent> TheEvents(StoreReply& reply) { return std::move(reply.events); }

const char* InWords(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNotFound:
      return "there is no such record";
    case ErrorCode::kExpired:
      return "the time of the record is over";
    case ErrorCode::kExists:
      return "there is a record with this key";
    case ErrorCode::kConflict:
      return "somebody else wrote the record";
    case ErrorCode::kFenced:
      return "somebody else was granted the lock since";
    case ErrorCode::kLocked:
      return "somebody else has the lock";
    case ErrorCode::kLockLost:
      return "the lock is not held any more";
    case ErrorCode::kGap:
      return "some of the events are not kept any more";
    case ErrorCode::kTooLarge:
      return "the data is too large";
    case ErrorCode::kInvalidArgument:
      return "an argument is out of range";
    case ErrorCode::kCapacity:
      return "there is no room for more";
    case ErrorCode::kUnavailable:
      return "the store is unavailable";
    case ErrorCode::kMisconfigured:
      return "the store refuses us";
    case ErrorCode::kCorrupt:
      return "the record cannot be read";
    case ErrorCode::kCancelled:
      return "the call was cancelled";
    default:
      return "the store failed";
  }
}

}  // namespace

namespace operation {

Operation<Record> Create(RecordName name, std::string data, Lifetime lifetime,
                         std::uint64_t write_id) {
  return {[name = std::move(name), data = std::move(data), lifetime, write_id] {
            return StoreCommand(store::Create{name.key(), data, lifetime, write_id});
          },
          TheRecord};
}

Operation<Record> Get(RecordName name) {
  return {[name = std::move(name)] { return StoreCommand(store::Get{name.key()}); }, TheRecord};
}

Operation<Record> Put(RecordName name, std::string data, std::optional<std::uint64_t> expected,
                      WriteOptions options) {
  return {[name = std::move(name), data = std::move(data), expected, options] {
            return StoreCommand(
                store::Put{name.key(), data, expected, options.write_id, options.fence});
          },
          TheRecord};
}

Operation<Done> Touch(RecordName name) {
  return {[name = std::move(name)] { return StoreCommand(store::Touch{name.key()}); }, Nothing};
}

Operation<bool> Remove(RecordName name, std::optional<std::uint64_t> expected,
                       std::uint64_t fence) {
  return {[name = std::move(name), expected, fence] {
            return StoreCommand(store::Remove{name.key(), expected, fence});
          },
          WhetherRemoved};
}

Operation<Record> Take(RecordName name) {
  return {[name = std::move(name)] { return StoreCommand(store::Take{name.key()}); }, TheRecord};
}

Operation<Record> Regenerate(RecordName from, RecordName to, std::uint64_t write_id) {
  return {[from = std::move(from), to = std::move(to), write_id] {
            return StoreCommand(store::Regenerate{from.key(), to.key(), write_id});
          },
          TheRecord};
}

Operation<std::uint64_t> RemoveOwned(std::string owner) {
  return {[owner = std::move(owner)] { return StoreCommand(store::RemoveOwned{owner}); }, HowMany};
}

Operation<RecordPage> List(std::string owner, std::string kind, std::string cursor,
                           std::size_t limit) {
  return {[owner = std::move(owner), kind = std::move(kind), cursor = std::move(cursor), limit] {
            return StoreCommand(store::List{owner, kind, cursor, limit});
          },
          ThePage};
}

Operation<std::uint64_t> Lock(RecordName name, std::uint64_t holder, Millis lease) {
  return {[name = std::move(name), holder, lease] {
            return StoreCommand(store::Lock{name.key(), holder, lease});
          },
          TheToken};
}

Operation<Millis> Extend(RecordName name, std::uint64_t holder, Millis lease) {
  return {[name = std::move(name), holder, lease] {
            return StoreCommand(store::Extend{name.key(), holder, lease});
          },
          TimeLeft};
}

Operation<Done> Unlock(RecordName name, std::uint64_t holder) {
  return {[name = std::move(name), holder] {
            return StoreCommand(store::Unlock{name.key(), holder});
          },
          Nothing};
}

Operation<std::uint64_t> Append(RecordName name, std::string data, std::size_t keep) {
  return {[name = std::move(name), data = std::move(data), keep] {
            return StoreCommand(store::Append{name.key(), data, keep});
          },
          TheSequence};
}

Operation<std::vector<StreamEvent>> ReadEvents(RecordName name, std::uint64_t after,
                                               std::size_t limit, Millis wait) {
  return {[name = std::move(name), after, limit, wait] {
            return StoreCommand(store::ReadEvents{name.key(), after, limit, wait});
          },
          TheEvents};
}

}  // namespace operation

StoreError ErrorOf(StoreReply& reply) {
  StoreError error;
  error.code = *reply.error;
  error.message = InWords(error.code);
  error.maybe_done = reply.maybe_done;
  error.locked_for = error.code == ErrorCode::kLocked ? reply.record.expires_in : Millis{0};
  error.sequence = reply.sequence;
  error.current = std::move(reply.record);
  return error;
}

}  // namespace mcp_session

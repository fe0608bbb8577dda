// The operations on what is not one record: an owner's records, locks, streams.
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "mcp_session/base/decimal.h"
#include "mcp_session/redis/operations.h"
#include "mcp_session/store/rules.h"

namespace mcp_session {
namespace {

// Of one answer to List; the rest comes with the next.
constexpr std::string_view kMaxListBytes = "4194304";
constexpr std::size_t kMaxCursorDigits = 16;

StoreReply WithLock(const RedisAnswer& answer) {
  StoreReply reply;
  reply.fence = static_cast<std::uint64_t>(answer.Number(1));
  reply.record.expires_in = Millis{answer.Number(2)};
  return reply;
}

}  // namespace

RedisPlanned RedisOperations::Plan(const store::RemoveOwned& command) {
  if (command.owner.empty()) return FailedReply(ErrorCode::kInvalidArgument);
  if (command.owner.size() > kMaxKeyPartBytes) return StoreReply();
  RedisPlan plan;
  plan.index = RedisIndexKey(options_.prefix, OwnerTag(command.owner));
  AppendRedisScript(&plan.exchange.bytes, RedisScriptName::kRemoveOwned,
                    std::initializer_list<std::string_view>{plan.index}, {});
  plan.read = [this](const RedisDelivery& delivery) {
    StoreReply reply = ReadStatus(delivery);
    if (!reply.error) {
      reply.removed = static_cast<std::uint64_t>(RedisAnswer(delivery.replies[0]).Number(1));
    }
    return reply;
  };
  return plan;
}

RedisPlanned RedisOperations::Plan(const store::List& command) {
  const bool is_cursor = command.cursor.empty() || (command.cursor.size() <= kMaxCursorDigits &&
                                                    ParseDecimal(command.cursor));
  if (command.owner.empty() || command.limit == 0 || command.limit > kMaxListLimit || !is_cursor) {
    return FailedReply(ErrorCode::kInvalidArgument);
  }
  if (!IsStorable({command.owner, command.kind, "any"})) return StoreReply();
  RedisPlan plan;
  plan.index = RedisIndexKey(options_.prefix, OwnerTag(command.owner));
  AppendRedisScript(
      &plan.exchange.bytes, RedisScriptName::kList,
      std::initializer_list<std::string_view>{plan.index},
      std::initializer_list<std::string_view>{command.cursor, command.kind,
                                              std::to_string(command.limit), kMaxListBytes});
  plan.exchange.repeatable = true;
  plan.exchange.read_only = true;
  plan.read = [this](const RedisDelivery& delivery) {
    StoreReply reply = ReadStatus(delivery);
    return reply.error ? reply : ReadListed(RedisAnswer(delivery.replies[0]));
  };
  return plan;
}

StoreReply RedisOperations::ReadListed(const RedisAnswer& answer) {
  StoreReply reply;
  const std::int64_t now = answer.Number(1);
  reply.cursor = answer.Text(2);
  for (std::size_t i = 3; i + 2 < answer.size(); i += 3) {
    IndexMember member;
    if (!ParseIndexMember(answer.Text(i), &member)) return Corrupt();
    const std::optional<RedisRecord> found = DecodeRedisRecord(answer.Text(i + 2), member.tag);
    if (!found) return Corrupt();
    Record record;
    record.id = member.id;
    record.data = std::make_shared<const std::string>(found->data);
    record.version = found->header.version;
    record.expires_in = Millis{answer.Number(i + 1)};
    if (found->header.last_end != kNoLastEnd) {
      record.max_life_left = Millis{found->header.last_end - now};
    }
    reply.listed.push_back(std::move(record));
  }
  return reply;
}

RedisPlanned RedisOperations::Plan(const store::Lock& command) {
  if (!IsValid(command)) return FailedReply(ErrorCode::kInvalidArgument);
  const std::shared_ptr<const RedisKeys> keys = Keys(command.key);
  RedisPlan plan = ScriptPlan(
      RedisScriptName::kLock, keys, {keys->lock(), keys->fence(), keys->record()},
      {keys->record_tag(), Hex16(command.holder), std::to_string(command.lease.count)}, true);
  plan.read = [this](const RedisDelivery& delivery) {
    StoreReply reply = ReadStatus(delivery);
    if (!reply.error) return WithLock(RedisAnswer(delivery.replies[0]));
    if (reply.error == ErrorCode::kLocked) {
      reply.record.expires_in = Millis{RedisAnswer(delivery.replies[0]).Number(2)};
    }
    return reply;
  };
  return plan;
}

RedisPlanned RedisOperations::Plan(const store::Extend& command) {
  if (!IsValid(command)) return FailedReply(ErrorCode::kInvalidArgument);
  if (!IsStorable(command.key)) return FailedReply(ErrorCode::kLockLost);
  const std::shared_ptr<const RedisKeys> keys = Keys(command.key);
  RedisPlan plan = ScriptPlan(
      RedisScriptName::kExtend, keys, {keys->lock()},
      {Hex16(command.holder), std::to_string(command.lease.count), std::to_string(kMaxHold.count)},
      true);
  plan.read = [this](const RedisDelivery& delivery) {
    StoreReply reply = ReadStatus(delivery);
    return reply.error ? reply : WithLock(RedisAnswer(delivery.replies[0]));
  };
  return plan;
}

RedisPlanned RedisOperations::Plan(const store::Unlock& command) {
  if (!IsStorable(command.key)) return FailedReply(ErrorCode::kLockLost);
  const std::shared_ptr<const RedisKeys> keys = Keys(command.key);
  RedisPlan plan =
      ScriptPlan(RedisScriptName::kUnlock, keys, {keys->lock()}, {Hex16(command.holder)}, false);
  plan.read = [this](const RedisDelivery& delivery) { return ReadStatus(delivery); };
  return plan;
}

RedisPlanned RedisOperations::Plan(const store::Append& command) {
  if (command.data.size() > options_.max_record_bytes) return FailedReply(ErrorCode::kTooLarge);
  if (!IsValid(command)) return FailedReply(ErrorCode::kInvalidArgument);
  if (!IsStorable(command.key)) return FailedReply(ErrorCode::kNotFound);
  const std::shared_ptr<const RedisKeys> keys = Keys(command.key);
  RedisPlan plan = ScriptPlan(
      RedisScriptName::kAppend, keys, {keys->record(), keys->stream()},
      {keys->record_tag(), command.data, std::to_string(command.keep), keys->channel()}, false);
  plan.read = [this](const RedisDelivery& delivery) {
    StoreReply reply = ReadStatus(delivery);
    if (!reply.error) {
      reply.sequence = static_cast<std::uint64_t>(RedisAnswer(delivery.replies[0]).Number(1));
    }
    return reply;
  };
  return plan;
}

}  // namespace mcp_session

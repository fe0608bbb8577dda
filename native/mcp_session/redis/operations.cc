#include "mcp_session/redis/operations.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "mcp_session/base/decimal.h"
#include "mcp_session/store/rules.h"
#include "mcp_session/system/clock.h"

namespace mcp_session {
namespace {

// Bodies beyond this are not copied once more inside a script.
constexpr std::size_t kPadFrom = 4096;

// Enough for a command of two words, without the second one.
constexpr std::size_t kCommandSize = 80;

constexpr std::size_t kPutHeadSize = 89;
// Of a number in a record's header.
constexpr std::size_t kDigits = 16;

// Tags are hashes.
std::uint64_t RecordNumber(std::string_view tag) {
  std::uint64_t number = 0;
  std::memcpy(&number, tag.data(), std::min(tag.size(), sizeof(number)));
  return number;
}

StoreReply WithRecord(Record record) {
  StoreReply reply;
  reply.record = std::move(record);
  return reply;
}

std::string Number(std::int64_t number) { return std::to_string(number); }

std::string Expected(const std::optional<std::uint64_t>& version) {
  return version ? Digits16(*version) : std::string();
}

// "0" is none.
std::string Fence(std::uint64_t token) { return token == 0 ? "0" : Digits16(token); }

}  // namespace

StoreReply FailedReply(ErrorCode code, bool maybe_done) {
  StoreReply reply;
  reply.error = code;
  reply.maybe_done = maybe_done;
  return reply;
}

void AppendDigits16(std::uint64_t number, std::string* out) {
  number = std::min<std::uint64_t>(number, kNoLastEnd);
  out->append(kDigits, '0');
  for (auto digit = out->rbegin(); number > 0; number /= 10, ++digit) {
    *digit = static_cast<char>('0' + number % 10);
  }
}

std::string Digits16(std::uint64_t number) {
  std::string text;
  AppendDigits16(number, &text);
  return text;
}

std::string_view RedisAnswer::status() const { return Text(0); }

std::int64_t RedisAnswer::Number(std::size_t index) const {
  return index < size() ? reply_.elements[index].integer : 0;
}

std::string_view RedisAnswer::Text(std::size_t index) const {
  return index < size() ? std::string_view(reply_.elements[index].text) : std::string_view();
}

std::optional<ErrorCode> ErrorOfStatus(std::string_view status) {
  constexpr std::pair<std::string_view, ErrorCode> kErrors[] = {
      {"none", ErrorCode::kNotFound},   {"expired", ErrorCode::kExpired},
      {"exists", ErrorCode::kExists},   {"conflict", ErrorCode::kConflict},
      {"fenced", ErrorCode::kFenced},   {"full", ErrorCode::kCapacity},
      {"corrupt", ErrorCode::kCorrupt}, {"locked", ErrorCode::kLocked},
      {"lost", ErrorCode::kLockLost},
  };
  for (const auto& [word, code] : kErrors) {
    if (status == word) return code;
  }
  if (status == "ok" || status == "same") return std::nullopt;
  return ErrorCode::kUnavailable;
}

Record RecordOf(const RedisAnswer& answer, std::shared_ptr<const std::string> data) {
  Record record;
  record.data = std::move(data);
  record.version = static_cast<std::uint64_t>(answer.Number(1));
  record.expires_in = Millis{answer.Number(2)};
  if (answer.Number(3) >= 0) record.max_life_left = Millis{answer.Number(3)};
  return record;
}

RedisBody::RedisBody(std::string_view kind, std::string_view data)
    : padded(kind.size() + data.size() > kPadFrom ? "1" : "0"),
      checksum(Hex8(Crc32c(kind, data))),
      kind_size(Decimal3(kind.size())) {
  bytes.reserve(kRecordHeaderSize + kind.size() + data.size());
  if (padded == "1") bytes.assign(kRecordHeaderSize, ' ');
  bytes += kind;
  bytes += data;
}

std::uint64_t RedisOperations::NewWriteId() {
  if (next_write_id_ == 0) {
    std::array<std::uint8_t, 8> bytes;
    entropy_.Fill(bytes);
    for (const std::uint8_t byte : bytes) next_write_id_ = next_write_id_ << 8 | byte;
  }
  // 0 is none.
  if (next_write_id_ == 0) next_write_id_ = 1;
  return next_write_id_++;
}

std::optional<StoreReply> RedisOperations::FailureOf(const RedisDelivery& delivery) {
  switch (delivery.fate) {
    case RedisFate::kNotSent:
      return FailedReply(ErrorCode::kUnavailable);
    case RedisFate::kLost:
      return FailedReply(ErrorCode::kUnavailable, true);
    case RedisFate::kRefused:
      return FailedReply(ErrorCode::kMisconfigured);
    case RedisFate::kAnswered:
      break;
  }
  for (const RedisReply& reply : delivery.replies) {
    if (!reply.IsError()) continue;
    const ErrorCode code = ClassifyRedisError(reply.text).code;
    if (code == ErrorCode::kCorrupt) return Corrupt();
    return FailedReply(code, code == ErrorCode::kUnavailable && delivery.repeated);
  }
  return std::nullopt;
}

StoreReply RedisOperations::Corrupt() {
  ++counters_.corrupt;
  return FailedReply(ErrorCode::kCorrupt);
}

StoreReply RedisOperations::Desync() {
  ++counters_.desyncs;
  return FailedReply(ErrorCode::kUnavailable, true);
}

// `words` are the keys of the script, without the index, which comes last if the owner has one.
RedisPlan RedisOperations::ScriptPlan(RedisScriptName name, std::shared_ptr<const RedisKeys> keys,
                                      std::initializer_list<std::string_view> words,
                                      std::initializer_list<std::string_view> arguments,
                                      bool repeatable) {
  RedisPlan plan;
  plan.exchange.records[0] = RecordNumber(keys->record_tag());
  std::vector<std::string_view> all(words);
  const bool wants_index = name == RedisScriptName::kCreate || name == RedisScriptName::kTouch ||
                           name == RedisScriptName::kEnd;
  if (wants_index && !keys->index().empty()) all.push_back(keys->index());
  AppendRedisScript(&plan.exchange.bytes, name, all,
                    std::span(arguments.begin(), arguments.size()));
  plan.exchange.repeatable = repeatable;
  plan.keys = std::move(keys);
  return plan;
}

RedisPlanned RedisOperations::Plan(store::Create command) {
  if (command.data.size() > options_.max_record_bytes) return FailedReply(ErrorCode::kTooLarge);
  if (!IsStorable(command.key) || !IsValid(command.lifetime)) {
    return FailedReply(ErrorCode::kInvalidArgument);
  }
  const std::shared_ptr<const RedisKeys> keys = Keys(command.key);
  const RedisBody body(command.key.kind, command.data);
  const Lifetime& lifetime = command.lifetime;
  RedisPlan plan = ScriptPlan(
      RedisScriptName::kCreate, keys, {keys->record(), keys->stream(), keys->lock()},
      {keys->record_tag(), Number(lifetime.idle_ttl.value_or(Millis{0}).count),
       Number(lifetime.max_life.value_or(Millis{-1}).count), Number(lifetime.remember.count),
       Hex16(command.write_id == 0 ? NewWriteId() : command.write_id), body.checksum,
       body.kind_size, body.bytes, body.padded,
       MakeIndexMember(*keys, command.key.kind, command.key.id),
       std::to_string(options_.max_records_per_owner)},
      true);
  plan.read = [this, keys, data = std::make_shared<const std::string>(std::move(command.data))](
                  const RedisDelivery& delivery) -> StoreReply {
    if (std::optional<StoreReply> failure = FailureOf(delivery)) return std::move(*failure);
    const RedisAnswer answer(delivery.replies[0]);
    // Its own first try may have made what is there, and somebody changed it since.
    if (answer.status() == "exists" && delivery.repeated) {
      return FailedReply(ErrorCode::kUnavailable, true);
    }
    return ReadWrite(answer, keys->record_tag(), data);
  };
  return plan;
}

RedisPlanned RedisOperations::Plan(store::Put command) {
  if (command.data.size() > options_.max_record_bytes) return FailedReply(ErrorCode::kTooLarge);
  if (!IsStorable(command.key)) return FailedReply(ErrorCode::kNotFound);
  RedisPlan plan;
  plan.keys = Keys(command.key);
  RedisBody body(command.key.kind, command.data);
  RedisPut& put = plan.exchange.put.emplace();
  put.key = plan.keys->record();
  put.head.reserve(kPutHeadSize);
  put.head += kRecordMagic;
  put.head += plan.keys->record_tag();
  AppendHex16(command.write_id == 0 ? NewWriteId() : command.write_id, &put.head);
  put.head += body.checksum;
  put.head += body.kind_size;
  put.head += "   ";
  if (command.expected) {
    AppendDigits16(*command.expected, &put.head);
  } else {
    put.head += "----------------";
  }
  AppendDigits16(command.fence, &put.head);
  put.head += body.padded;
  put.body = std::move(body.bytes);
  if (options_.layout == RedisLayout::kCluster) {
    put.more_keys.push_back(plan.keys->stream());
    if (!plan.keys->index().empty()) put.more_keys.push_back(plan.keys->index());
  }
  plan.exchange.records[0] = RecordNumber(plan.keys->record_tag());
  plan.exchange.repeatable = true;
  plan.read = [this, keys = plan.keys,
               data = std::make_shared<const std::string>(std::move(command.data))](
                  const RedisDelivery& delivery) -> StoreReply {
    if (std::optional<StoreReply> failure = FailureOf(delivery)) return std::move(*failure);
    const std::vector<RedisReply>& answers = delivery.replies[0].elements;
    if (answers.size() != 2) return Desync();
    if (RedisAnswer(answers[1]).status() == "conflict" && delivery.repeated) {
      return FailedReply(ErrorCode::kUnavailable, true);
    }
    return ReadPut(answers[1], answers[0].integer / 1000, keys->record_tag(), data);
  };
  return plan;
}

// Done is a text: version, end, last end.
StoreReply RedisOperations::ReadPut(const RedisReply& answer, std::int64_t server_now,
                                    std::string_view tag, std::shared_ptr<const std::string> data) {
  if (!answer.IsText()) return ReadWrite(RedisAnswer(answer), tag, std::move(data));
  const std::string_view text = answer.text;
  if (text.size() != 3 * kDigits) return Desync();
  const std::optional<std::int64_t> version = ParseDecimal(text.substr(0, kDigits));
  const std::optional<std::int64_t> end = ParseDecimal(text.substr(kDigits, kDigits));
  const std::optional<std::int64_t> last_end = ParseDecimal(text.substr(2 * kDigits));
  if (!version || !end || !last_end) return Desync();
  Record record;
  record.data = std::move(data);
  record.version = static_cast<std::uint64_t>(*version);
  record.expires_in = Millis{*end - server_now};
  if (*last_end != kNoLastEnd) record.max_life_left = Millis{*last_end - server_now};
  return WithRecord(std::move(record));
}

StoreReply RedisOperations::ReadWrite(const RedisAnswer& answer, std::string_view tag,
                                      std::shared_ptr<const std::string> data) {
  if (answer.status().empty()) return Desync();
  const std::optional<ErrorCode> error = ErrorOfStatus(answer.status());
  if (error == ErrorCode::kCorrupt) return Corrupt();
  if (error && error != ErrorCode::kConflict) return FailedReply(*error);
  // What is there instead of, or since, what was to be written.
  if (answer.size() > 4) {
    const std::optional<RedisRecord> record = DecodeRedisRecord(answer.Text(4), tag);
    if (!record) return Corrupt();
    data = std::make_shared<const std::string>(record->data);
  }
  StoreReply reply = WithRecord(RecordOf(answer, std::move(data)));
  reply.error = error;
  return reply;
}

RedisPlanned RedisOperations::Plan(const store::Get& command) {
  if (!IsStorable(command.key)) return FailedReply(ErrorCode::kNotFound);
  RedisPlan plan;
  plan.keys = Keys(command.key);
  plan.touch_due = std::make_shared<bool>(false);
  plan.exchange.records[0] = RecordNumber(plan.keys->record_tag());
  plan.exchange.bytes.reserve(2 * (plan.key().size() + kCommandSize));
  AppendRedisCommand(&plan.exchange.bytes, {"GET", plan.key()});
  std::shared_ptr<const RedisKeys> ahead;
  if (command.ahead && IsStorable(*command.ahead) && options_.layout != RedisLayout::kCluster) {
    ahead = Keys(*command.ahead);
    AppendRedisCommand(&plan.exchange.bytes, {"GET", ahead->record()});
    ++plan.exchange.replies;
    plan.exchange.records[1] = RecordNumber(ahead->record_tag());
  }
  plan.exchange.repeatable = true;
  plan.exchange.read_only = true;
  plan.exchange.wants_time = true;
  plan.read = [this, keys = plan.keys, due = plan.touch_due.get(),
               ahead = std::move(ahead)](RedisDelivery& delivery) {
    std::optional<RedisReply> ahead_value;
    if (ahead != nullptr && delivery.replies.size() == 2) {
      // What is wrong with that is told to whoever Gets it.
      if (!delivery.replies[1].IsError()) ahead_value = std::move(delivery.replies[1]);
      delivery.replies.pop_back();
    }
    if (std::optional<StoreReply> failure = FailureOf(delivery)) return std::move(*failure);
    StoreReply reply =
        ReadGot(std::move(delivery.replies[0]), delivery.server_now, keys->record_tag(), due);
    if (ahead_value && !reply.error) {
      bool ahead_due = false;
      auto read = std::make_shared<StoreReply>(
          ReadGot(std::move(*ahead_value), delivery.server_now, ahead->record_tag(), &ahead_due));
      if (!ahead_due) reply.ahead = std::move(read);
    }
    return reply;
  };
  return plan;
}

StoreReply RedisOperations::ReadGot(RedisReply value, std::int64_t server_now, std::string_view tag,
                                    bool* touch_due) {
  if (value.type == RedisReply::Type::kNil) return FailedReply(ErrorCode::kNotFound);
  const std::optional<RedisRecord> record = DecodeRedisRecord(value.text, tag);
  if (!record) return Corrupt();
  const RedisRecordHeader& header = record->header;
  Millis left{header.end - server_now};
  if (left <= Millis{}) return FailedReply(ErrorCode::kExpired);
  Record got;
  got.version = header.version;
  if (header.last_end != kNoLastEnd) got.max_life_left = Millis{header.last_end - server_now};
  if (header.idle_ttl > Millis{}) {
    const Millis longest =
        got.max_life_left ? std::min(header.idle_ttl, *got.max_life_left) : header.idle_ttl;
    if (longest > left && IsTouchDue(Instant{left.count}, header.idle_ttl, Instant{0})) {
      *touch_due = true;
      left = longest;
    }
  }
  got.expires_in = left;
  value.text.erase(0, value.text.size() - record->data.size());
  got.data = std::make_shared<const std::string>(std::move(value.text));
  return WithRecord(std::move(got));
}

RedisPlan RedisOperations::PlanTouch(std::shared_ptr<const RedisKeys> keys) {
  RedisPlan plan = ScriptPlan(RedisScriptName::kTouch, keys, {keys->record(), keys->stream()},
                              {keys->record_tag()}, true);
  plan.read = [this](const RedisDelivery& delivery) { return ReadStatus(delivery); };
  return plan;
}

RedisPlanned RedisOperations::Plan(const store::Touch& command) {
  if (!IsStorable(command.key)) return FailedReply(ErrorCode::kNotFound);
  return PlanTouch(Keys(command.key));
}

StoreReply RedisOperations::ReadStatus(const RedisDelivery& delivery) {
  if (std::optional<StoreReply> failure = FailureOf(delivery)) return std::move(*failure);
  const RedisAnswer answer(delivery.replies[0]);
  if (answer.status().empty()) return Desync();
  const std::optional<ErrorCode> error = ErrorOfStatus(answer.status());
  if (error == ErrorCode::kCorrupt) return Corrupt();
  return error ? FailedReply(*error) : StoreReply();
}

RedisPlan RedisOperations::PlanEnd(const RecordKey& key,
                                   const std::optional<std::uint64_t>& expected,
                                   std::uint64_t fence, std::string_view take) {
  const std::shared_ptr<const RedisKeys> keys = Keys(key);
  RedisPlan plan = ScriptPlan(RedisScriptName::kEnd, keys, {keys->record(), keys->stream()},
                              {keys->record_tag(), Expected(expected), Fence(fence),
                               MakeIndexMember(*keys, key.kind, key.id), keys->channel(), take},
                              false);
  plan.read = [this, keys, take](const RedisDelivery& delivery) -> StoreReply {
    if (std::optional<StoreReply> failure = FailureOf(delivery)) return std::move(*failure);
    const RedisAnswer answer(delivery.replies[0]);
    if (take == "1") return ReadWrite(answer, keys->record_tag(), nullptr);
    if (answer.status() == "none" || answer.status() == "expired") return StoreReply();
    if (answer.status() == "conflict") return ReadWrite(answer, keys->record_tag(), nullptr);
    StoreReply reply = ReadStatus(delivery);
    if (!reply.error) reply.removed = 1;
    return reply;
  };
  return plan;
}

RedisPlanned RedisOperations::Plan(const store::Remove& command) {
  if (!IsStorable(command.key)) return StoreReply();
  return PlanEnd(command.key, command.expected, command.fence, "0");
}

RedisPlanned RedisOperations::Plan(const store::Take& command) {
  if (!IsStorable(command.key)) return FailedReply(ErrorCode::kNotFound);
  return PlanEnd(command.key, std::nullopt, 0, "1");
}

}  // namespace mcp_session

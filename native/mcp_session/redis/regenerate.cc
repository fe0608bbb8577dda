// Regenerate: a record gets another key, of another owner perhaps.
//
// Theory of operation. Where one script may have both keys, one script does it. If the kind
// changes, the checksum does too, which the script cannot compute: the record is read first, and
// the script goes only from the version that was read.
//
// In a cluster, keys of different owners are on different nodes. Then the record and its stream are
// read, written under the new key unless that is alive, and the old key is ended if it still has
// the version that was read. If it does not, somebody changed or ended it meanwhile: the new one is
// taken back, and all begins again, or there is nothing to move any more. If this process ends in
// between, both keys are alive with the same data until the old one's end; no write to either is
// lost, and no record that was ended comes back. A Regenerate that comes again with the same write
// id finds the new key written by itself, and ends the old one if that was not written since.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mcp_session/redis/store_state.h"
#include "mcp_session/redis/stored_events.h"
#include "mcp_session/store/rules.h"
#include "mcp_session/system/clock.h"

namespace mcp_session {

// One of them, from Submit to its answer. It lives in the callbacks of its exchanges.
class RedisSessionStore::State::Regeneration
    : public std::enable_shared_from_this<RedisSessionStore::State::Regeneration> {
 public:
  Regeneration(State& store, StoreTicket ticket, const store::Regenerate& command)
      : store_(store),
        ticket_(ticket),
        from_(*store.operations_.Keys(command.from)),
        to_(*store.operations_.Keys(command.to)),
        from_member_(MakeIndexMember(from_, command.from.kind, command.from.id)),
        to_member_(MakeIndexMember(to_, command.to.kind, command.to.id)),
        kind_(command.to.kind),
        kind_changes_(command.from.kind != command.to.kind),
        write_id_(Hex16(command.write_id == 0 ? store.operations_.NewWriteId() : command.write_id)),
        deadline_(MonotonicNow() + store.options_.command_timeout) {}

  Tags tags() const { return {from_.record_tag(), to_.record_tag()}; }

  void Start() {
    together_ = store_.route_->AreTogether(from_.record(), to_.record());
    if (together_ && !kind_changes_) return Move({}, nullptr);
    occupied_ = tags();
    store_.Occupy(occupied_);
    Read();
  }

 private:
  using Then = void (Regeneration::*)(const RedisDelivery&);

  void Send(const std::string& key, RedisExchange exchange, Then then) {
    exchange.deadline = deadline_;
    exchange.done = [self = shared_from_this(), then](const RedisDelivery& delivery) {
      ((*self).*then)(delivery);
    };
    store_.route_->Send(key, std::move(exchange));
  }

  void Answer(StoreReply reply) {
    store_.Answer(ticket_, std::move(reply));
    if (!occupied_.empty()) store_.Release(occupied_);
  }

  // Answers, if there is nothing to go on with.
  bool Failed(const RedisDelivery& delivery) {
    std::optional<StoreReply> failure = store_.operations_.FailureOf(delivery);
    if (!failure) return false;
    if (failure->error == ErrorCode::kUnavailable && written_) failure->maybe_done = true;
    Answer(std::move(*failure));
    return true;
  }

  void Read() {
    RedisExchange exchange;
    AppendRedisCommand(&exchange.bytes, {"GET", from_.record()});
    AppendRedisCommand(&exchange.bytes, {"XRANGE", from_.stream(), "-", "+"});
    exchange.replies = 2;
    exchange.repeatable = true;
    exchange.read_only = true;
    exchange.wants_time = true;
    Send(from_.record(), std::move(exchange), &Regeneration::OnRead);
  }

  void OnRead(const RedisDelivery& delivery) {
    if (Failed(delivery)) return;
    const std::string& value = delivery.replies[0].text;
    const bool absent = delivery.replies[0].type == RedisReply::Type::kNil;
    const std::optional<RedisRecord> record = DecodeRedisRecord(value, from_.record_tag());
    if (!absent && !record) return Answer(store_.operations_.Corrupt());
    if (together_) {
      // What is there, and at the new key, is for the script to say.
      if (absent) return Move(Digits16(0), nullptr);
      const RedisBody body(kind_, record->data);
      return Move(Digits16(record->header.version), &body);
    }
    if (absent) return LookAtNew(ErrorCode::kNotFound);
    if (record->header.end <= delivery.server_now) return LookAtNew(ErrorCode::kExpired);
    Write(*record, delivery.server_now, delivery.replies[1]);
  }

  void Move(const std::string& version, const RedisBody* body) {
    std::vector<std::string> keys = {from_.record(), from_.stream(), to_.record(), to_.stream(),
                                     to_.lock()};
    if (!from_.index().empty()) keys.push_back(from_.index());
    if (!to_.index().empty()) keys.push_back(to_.index());
    RunScript(RedisScriptName::kRegenerate, keys,
              {from_.record_tag(), to_.record_tag(), write_id_, from_member_, to_member_,
               std::to_string(store_.options_.max_records_per_owner),
               from_.index().empty() ? "0" : "1", to_.index().empty() ? "0" : "1", from_.channel(),
               version, body == nullptr ? "" : body->checksum,
               body == nullptr ? "" : body->kind_size, body == nullptr ? "" : kind_},
              true, &Regeneration::OnMoved);
  }

  void RunScript(RedisScriptName name, const std::vector<std::string>& keys,
                 const std::vector<std::string>& arguments, bool repeatable, Then then) {
    RedisExchange exchange;
    AppendRedisScript(&exchange.bytes, name,
                      std::vector<std::string_view>(keys.begin(), keys.end()),
                      std::vector<std::string_view>(arguments.begin(), arguments.end()));
    exchange.repeatable = repeatable;
    Send(keys[0], std::move(exchange), then);
  }

  void OnMoved(const RedisDelivery& delivery) {
    if (Failed(delivery)) return;
    const RedisAnswer answer(delivery.replies[0]);
    if (answer.status() == "changed") return Read();
    // Its own first try may have moved the record, and somebody changed it since.
    const bool may_be_ours = answer.status() == "none" || answer.status() == "exists";
    if (delivery.repeated && may_be_ours) {
      return Answer(FailedReply(ErrorCode::kUnavailable, true));
    }
    Answer(store_.operations_.ReadWrite(answer, to_.record_tag(), nullptr));
  }

  // There is nothing to move: perhaps because it was moved, by the same command.
  void LookAtNew(ErrorCode error) {
    error_ = error;
    RedisExchange exchange;
    AppendRedisCommand(&exchange.bytes, {"GET", to_.record()});
    exchange.repeatable = true;
    exchange.read_only = true;
    exchange.wants_time = true;
    Send(to_.record(), std::move(exchange), &Regeneration::OnLookedAtNew);
  }

  void OnLookedAtNew(const RedisDelivery& delivery) {
    if (Failed(delivery)) return;
    const std::optional<RedisRecord> record =
        DecodeRedisRecord(delivery.replies[0].text, to_.record_tag());
    if (!record || Hex16(record->header.write_id) != write_id_) return Answer(FailedReply(error_));
    bool ignored = false;
    StoreReply reply = store_.operations_.ReadGot(delivery.replies[0], delivery.server_now,
                                                  to_.record_tag(), &ignored);
    Answer(reply.error ? FailedReply(error_) : std::move(reply));
  }

  void Write(const RedisRecord& record, std::int64_t now, const RedisReply& events) {
    version_ = Digits16(record.header.version);
    data_ = std::make_shared<const std::string>(record.data);
    const RedisRecordHeader& header = record.header;
    const RedisBody body(kind_, *data_);
    std::vector<std::string> keys = {to_.record(), to_.stream(), to_.lock()};
    if (!to_.index().empty()) keys.push_back(to_.index());
    const bool has_last_end = header.last_end != kNoLastEnd;
    std::vector<std::string> arguments = {
        to_.record_tag(),
        std::to_string(header.version),
        std::to_string(header.idle_ttl.count),
        std::to_string(has_last_end ? header.last_end - now : -1),
        std::to_string(header.remember.count),
        std::to_string(header.end - now),
        Digits16(header.fence),
        write_id_,
        body.checksum,
        body.kind_size,
        body.bytes,
        std::string(body.padded),
        to_member_,
        /*order=*/"",
        std::to_string(store_.options_.max_records_per_owner),
        /*move=*/"1",
        events.elements.empty() ? std::string() : std::string(FirstOfStream(events.elements[0]))};
    for (const RedisReply& event : events.elements) {
      arguments.push_back(std::to_string(SequenceOfEvent(event)));
      arguments.emplace_back(DataOfEvent(event));
    }
    RunScript(RedisScriptName::kImport, keys, arguments, true, &Regeneration::OnWritten);
  }

  void OnWritten(const RedisDelivery& delivery) {
    if (Failed(delivery)) return;
    const RedisAnswer answer(delivery.replies[0]);
    if (answer.status() == "exists" && delivery.repeated) {
      return Answer(FailedReply(ErrorCode::kUnavailable, true));
    }
    reply_ = store_.operations_.ReadWrite(answer, to_.record_tag(), data_);
    if (reply_.error) return Answer(std::move(reply_));
    if (answer.status() == "same" && !delivery.repeated && !IsCopy(answer)) {
      return Answer(std::move(reply_));
    }
    written_ = true;
    End(from_, from_member_, version_, &Regeneration::OnOldEnded);
  }

  // Whether the new record, which this command has written before, is the copy of the old one as it
  // still is: then to end the old one is what is left to do. If not, all was done, or the write id
  // is that of another record's.
  bool IsCopy(const RedisAnswer& answer) const {
    const std::optional<RedisRecordHeader> header =
        DecodeRedisHeader(answer.Text(4), to_.record_tag());
    return header && header->moved && version_ < Digits16(header->version) &&
           *reply_.record.data == *data_;
  }

  void End(const RedisKeys& keys, const std::string& member, const std::string& version,
           Then then) {
    std::vector<std::string> words = {keys.record(), keys.stream()};
    if (!keys.index().empty()) words.push_back(keys.index());
    // Of what has this version there is one, so to end it twice is to end it once.
    RunScript(RedisScriptName::kEnd, words,
              {keys.record_tag(), version, "0", member, keys.channel(), "0"}, true, then);
  }

  void OnOldEnded(const RedisDelivery& delivery) {
    if (Failed(delivery)) return;
    const RedisAnswer answer(delivery.replies[0]);
    const bool was_us = answer.status() == "none" && delivery.repeated;
    if (answer.status() == "ok" || was_us) return Answer(std::move(reply_));
    TakeBack();
  }

  void TakeBack() {
    End(to_, to_member_, Digits16(reply_.record.version), &Regeneration::OnTakenBack);
  }

  void OnTakenBack(const RedisDelivery& delivery) {
    if (Failed(delivery)) return;
    if (RedisAnswer(delivery.replies[0]).status() == "conflict") {
      return Answer(FailedReply(ErrorCode::kUnavailable, true));  // somebody uses it already
    }
    written_ = false;
    Read();
  }

  State& store_;
  const StoreTicket ticket_;
  const RedisKeys from_;
  const RedisKeys to_;
  const std::string from_member_;
  const std::string to_member_;
  const std::string kind_;
  const bool kind_changes_;
  const std::string write_id_;
  const Instant deadline_;
  bool together_ = true;
  Tags occupied_;

  // Between slots.
  std::string version_;  // of the old record
  std::shared_ptr<const std::string> data_;
  bool written_ = false;  // the new one is there
  StoreReply reply_;
  ErrorCode error_ = ErrorCode::kNotFound;
};

void RedisSessionStore::State::Run(StoreTicket ticket, const store::Regenerate& command) {
  if (!IsStorable(command.to)) return Answer(ticket, FailedReply(ErrorCode::kInvalidArgument));
  if (!IsStorable(command.from)) return Answer(ticket, FailedReply(ErrorCode::kNotFound));
  const auto one = std::make_shared<Regeneration>(*this, ticket, command);
  InOrder(one->tags(), [one] { one->Start(); });
}

}  // namespace mcp_session

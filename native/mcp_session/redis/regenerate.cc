// Regenerate: a record gets another key, of another owner perhaps, in one script where one script
// may have both keys.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mcp_session/redis/store_state.h"
#include "mcp_session/store/rules.h"
#include "mcp_session/system/clock.h"

namespace mcp_session {

// One of them, from Submit to its answer. It lives in the callbacks of its exchanges.
//
// Steps: if the kind stays, the script is all. If it changes, the checksum does too, which the
// script cannot compute: the record is read first, and the script goes only from the version that
// was read.
class RedisSessionStore::State::Regeneration
    : public std::enable_shared_from_this<RedisSessionStore::State::Regeneration> {
 public:
  Regeneration(State& store, StoreTicket ticket, const store::Regenerate& command)
      : store_(store),
        ticket_(ticket),
        from_(store.operations_.Keys(command.from)),
        to_(store.operations_.Keys(command.to)),
        from_member_(MakeIndexMember(from_, command.from.kind, command.from.id)),
        to_member_(MakeIndexMember(to_, command.to.kind, command.to.id)),
        kind_(command.to.kind),
        kind_changes_(command.from.kind != command.to.kind),
        write_id_(command.write_id == 0 ? store.operations_.RandomWriteId()
                                        : Hex16(command.write_id)),
        deadline_(MonotonicNow() + store.options_.command_timeout) {}

  void Start() {
    if (!kind_changes_) return Move({}, nullptr);
    occupied_ = {from_.record_tag(), to_.record_tag()};
    store_.Occupy(occupied_);
    Read();
  }

 private:
  void Send(const std::string& key, RedisExchange exchange,
            void (Regeneration::*then)(const RedisDelivery&)) {
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

  void Read() {
    RedisExchange exchange;
    AppendRedisCommand(&exchange.bytes, {"GET", from_.record()});
    exchange.repeatable = true;
    exchange.read_only = true;
    Send(from_.record(), std::move(exchange), &Regeneration::OnRead);
  }

  // Only what the script needs to know is looked at: whether the record is alive, and what is at
  // its new key, is for the script to say.
  void OnRead(const RedisDelivery& delivery) {
    if (std::optional<StoreReply> failure = store_.operations_.FailureOf(delivery)) {
      return Answer(std::move(*failure));
    }
    if (delivery.replies[0].type == RedisReply::Type::kNil) return Move(Digits16(0), nullptr);
    const std::optional<RedisRecord> record =
        DecodeRedisRecord(delivery.replies[0].text, from_.record_tag());
    if (!record) return Answer(store_.operations_.Corrupt());
    const RedisBody body(kind_, record->data);
    Move(Digits16(record->header.version), &body);
  }

  void Move(const std::string& version, const RedisBody* body) {
    std::vector<std::string> keys = {from_.record(), from_.stream(), to_.record(), to_.stream(),
                                     to_.lock()};
    if (!from_.index().empty()) keys.push_back(from_.index());
    if (!to_.index().empty()) keys.push_back(to_.index());
    const std::vector<std::string> arguments = {
        from_.record_tag(),
        to_.record_tag(),
        write_id_,
        from_member_,
        to_member_,
        std::to_string(store_.options_.max_records_per_owner),
        from_.index().empty() ? "0" : "1",
        to_.index().empty() ? "0" : "1",
        from_.channel(),
        version,
        body == nullptr ? "" : body->checksum,
        body == nullptr ? "" : body->kind_size,
        body == nullptr ? "" : kind_};
    RedisExchange exchange;
    AppendRedisScript(&exchange.bytes, RedisScriptName::kRegenerate,
                      std::vector<std::string_view>(keys.begin(), keys.end()),
                      std::vector<std::string_view>(arguments.begin(), arguments.end()));
    exchange.repeatable = true;
    Send(from_.record(), std::move(exchange), &Regeneration::OnMoved);
  }

  void OnMoved(const RedisDelivery& delivery) {
    if (std::optional<StoreReply> failure = store_.operations_.FailureOf(delivery)) {
      return Answer(std::move(*failure));
    }
    const RedisAnswer answer(delivery.replies[0]);
    if (answer.status() == "changed") return Read();
    // Its own first try may have moved the record, and somebody changed it since.
    const bool may_be_ours = answer.status() == "none" || answer.status() == "exists";
    if (delivery.repeated && may_be_ours) {
      return Answer(FailedReply(ErrorCode::kUnavailable, true));
    }
    Answer(store_.operations_.ReadWrite(answer, to_.record_tag(), nullptr));
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
  Tags occupied_;
};

void RedisSessionStore::State::Run(StoreTicket ticket, const store::Regenerate& command) {
  if (!IsStorable(command.to)) return Answer(ticket, FailedReply(ErrorCode::kInvalidArgument));
  if (!IsStorable(command.from)) return Answer(ticket, FailedReply(ErrorCode::kNotFound));
  const auto one = std::make_shared<Regeneration>(*this, ticket, command);
  InOrder({MakeStoredKey(command.from).record_tag, MakeStoredKey(command.to).record_tag},
          [one] { one->Start(); });
}

}  // namespace mcp_session

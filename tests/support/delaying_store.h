// A store that answers late, not at all, or with trouble, on command. For tests of whoever waits
// for one.
#ifndef TESTS_SUPPORT_DELAYING_STORE_H_
#define TESTS_SUPPORT_DELAYING_STORE_H_

#include <cstddef>
#include <functional>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "mcp_session/base/check.h"
#include "mcp_session/store/store.h"

namespace mcp_session {

class DelayingStore final : public SessionStore {
 public:
  static constexpr std::size_t kAlways = std::numeric_limits<std::size_t>::max();

  // `inner` does the work. It answers at once (MemorySessionStore) and outlives this.
  explicit DelayingStore(SessionStore& inner) : inner_(inner) {}

  // From now on replies are kept until they are released.
  void Hold() { holding_ = true; }
  std::size_t held() const { return held_.size(); }
  // Lets go of all that is kept; later replies are not kept any more.
  void Release() {
    holding_ = false;
    while (!held_.empty()) ReleaseAt(0);
  }
  // Lets go of one, the oldest being 0.
  void ReleaseAt(std::size_t index) {
    MCPS_CHECK(index < held_.size());
    ready_.push_back(std::move(held_[index]));
    held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(index));
    if (on_ready_ != nullptr && ready_.size() == 1) on_ready_();
  }

  // The next commands are not done; this is their answer.
  void Fail(ErrorCode error, std::size_t times = kAlways) {
    failure_ = error;
    failures_ = times;
  }
  void Heal() { failures_ = 0; }

  // Records in the next replies have this data.
  void Corrupt(std::string data) {
    corrupt_ = std::make_shared<const std::string>(std::move(data));
  }
  void Repair() { corrupt_ = nullptr; }

  // Before each of the next Puts somebody else writes the record, so that it conflicts.
  void Interfere(std::size_t times) { interferences_ = times; }

  // From now on Gets are answered with what they want read ahead.
  void AnswerAhead() { answers_ahead_ = true; }

  // Commands submitted so far.
  std::size_t commands() const { return commands_; }
  std::size_t puts() const { return puts_; }

  void Submit(StoreTicket ticket, StoreCommand command, Instant now) override {
    ++commands_;
    const auto* put = std::get_if<store::Put>(&command);
    if (put != nullptr) ++puts_;
    if (failures_ > 0) {
      if (failures_ != kAlways) --failures_;
      StoreReply reply;
      reply.ticket = ticket;
      reply.error = failure_;
      return Keep(std::move(reply));
    }
    if (put != nullptr && interferences_ > 0) {
      --interferences_;
      WriteAgain(put->key, now);
    }
    const auto* get = std::get_if<store::Get>(&command);
    if (get != nullptr && get->ahead && answers_ahead_) {
      auto ahead = std::make_shared<StoreReply>(Ask({}, store::Get{*get->ahead}, now));
      StoreReply reply = Ask(ticket, *get, now);
      reply.ahead = std::move(ahead);
      return Keep(std::move(reply));
    }
    inner_.Submit(ticket, std::move(command), now);
    TakeReplies();
  }

  void Drain(std::vector<StoreReply>* replies) override {
    TakeReplies();
    std::move(ready_.begin(), ready_.end(), std::back_inserter(*replies));
    ready_.clear();
  }

  // Called when a reply that was kept is let go.
  void OnReady(std::function<void()> ready) override { on_ready_ = std::move(ready); }

  Instant NextDeadline() const override { return inner_.NextDeadline(); }
  void Tick(Instant now) override {
    inner_.Tick(now);
    TakeReplies();
  }
  StoreStatus Status() const override { return inner_.Status(); }

 private:
  StoreReply Ask(StoreTicket ticket, StoreCommand command, Instant now) {
    inner_.Submit(ticket, std::move(command), now);
    std::vector<StoreReply> replies;
    inner_.Drain(&replies);
    MCPS_CHECK(replies.size() == 1);
    return std::move(replies[0]);
  }

  // Of what was submitted, and of reads that waited for events.
  void TakeReplies() {
    std::vector<StoreReply> replies;
    inner_.Drain(&replies);
    for (StoreReply& reply : replies) Keep(std::move(reply));
  }

  // The same data under a new version.
  void WriteAgain(const RecordKey& key, Instant now) {
    const StoreReply found = Ask({}, store::Get{key}, now);
    if (!found.error) Ask({}, store::Put{key, *found.record.data, std::nullopt}, now);
  }

  void Keep(StoreReply reply) {
    if (corrupt_ != nullptr) {
      if (reply.record.data != nullptr) reply.record.data = corrupt_;
      for (Record& record : reply.listed) record.data = corrupt_;
    }
    (holding_ ? held_ : ready_).push_back(std::move(reply));
  }

  SessionStore& inner_;
  std::function<void()> on_ready_;
  bool holding_ = false;
  std::vector<StoreReply> held_;
  std::vector<StoreReply> ready_;
  ErrorCode failure_ = ErrorCode::kUnavailable;
  std::size_t failures_ = 0;
  std::shared_ptr<const std::string> corrupt_;
  std::size_t interferences_ = 0;
  bool answers_ahead_ = false;
  std::size_t commands_ = 0;
  std::size_t puts_ = 0;
};

}  // namespace mcp_session

#endif  // TESTS_SUPPORT_DELAYING_STORE_H_

// A backend that goes away and comes back, with what that does to commands that are under way.
#ifndef TESTS_FALLBACK_FLAKY_BACKEND_H_
#define TESTS_FALLBACK_FLAKY_BACKEND_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "mcp_session/base/check.h"
#include "mcp_session/store/store.h"

namespace mcp_session {

class FlakyBackend final : public SessionStore {
 public:
  // `inner` does the work; it answers at once (MemorySessionStore) and outlives this.
  explicit FlakyBackend(SessionStore& inner) : inner_(inner) {}

  // Commands are answered kUnavailable at once, and what is under way is lost: it was done, but
  // nobody hears of it.
  void GoAway() {
    state_ = StoreState::kUnavailable;
    for (StoreReply& reply : held_) ready_.push_back(Lost(reply.ticket));
    held_.clear();
  }
  void SetState(StoreState state) { state_ = state; }
  void ComeBack() { state_ = StoreState::kConnected; }

  // From now on replies stay under way until Deliver.
  void Hold(bool hold) { holding_ = hold; }
  std::size_t held() const { return held_.size(); }
  void Deliver() {
    for (StoreReply& reply : held_) ready_.push_back(std::move(reply));
    held_.clear();
  }
  // The next command is lost before it is done, and nobody knows.
  void LoseNext() { lose_next_ = true; }

  // From now on Gets are answered with what they want read ahead.
  void AnswerAhead() { answers_ahead_ = true; }

  std::size_t commands() const { return commands_; }

  void Submit(StoreTicket ticket, StoreCommand command, Instant now) override {
    ++commands_;
    if (state_ == StoreState::kUnavailable || state_ == StoreState::kMisconfigured) {
      StoreReply reply;
      reply.ticket = ticket;
      reply.error =
          state_ == StoreState::kUnavailable ? ErrorCode::kUnavailable : ErrorCode::kMisconfigured;
      ready_.push_back(std::move(reply));
      return;
    }
    if (std::exchange(lose_next_, false)) {
      ready_.push_back(Lost(ticket));
      return;
    }
    std::vector<StoreReply> replies;
    const auto* get = std::get_if<store::Get>(&command);
    std::shared_ptr<StoreReply> ahead;
    if (get != nullptr && get->ahead && answers_ahead_) {
      inner_.Submit({}, store::Get{*get->ahead}, now);
      inner_.Drain(&replies);
      ahead = std::make_shared<StoreReply>(std::move(replies[0]));
      replies.clear();
    }
    inner_.Submit(ticket, std::move(command), now);
    inner_.Drain(&replies);
    if (ahead != nullptr) replies[0].ahead = std::move(ahead);
    for (StoreReply& reply : replies) (holding_ ? held_ : ready_).push_back(std::move(reply));
  }

  void Drain(std::vector<StoreReply>* replies) override {
    for (StoreReply& reply : ready_) replies->push_back(std::move(reply));
    ready_.clear();
    inner_.Drain(replies);
  }
  void OnReady(std::function<void()>) override {}
  Instant NextDeadline() const override { return inner_.NextDeadline(); }
  void Tick(Instant now) override { inner_.Tick(now); }
  StoreStatus Status() const override {
    return {state_, "memory", state_ == StoreState::kConnected ? "" : "the cable is out"};
  }

 private:
  static StoreReply Lost(StoreTicket ticket) {
    StoreReply reply;
    reply.ticket = ticket;
    reply.error = ErrorCode::kUnavailable;
    reply.maybe_done = true;
    return reply;
  }

  SessionStore& inner_;
  StoreState state_ = StoreState::kConnected;
  bool holding_ = false;
  bool lose_next_ = false;
  bool answers_ahead_ = false;
  std::vector<StoreReply> held_;
  std::vector<StoreReply> ready_;
  std::size_t commands_ = 0;
};

}  // namespace mcp_session

#endif  // TESTS_FALLBACK_FLAKY_BACKEND_H_

// How a host finds its server: with what is known of it, what it says, and over which link.
#include <algorithm>
#include <string>
#include <utility>

#include "mcp_session/client_host/client_host_state.h"

namespace mcp_session {
namespace {

// Whether an opening that failed like this may have been of the wrong era.
bool IsOfAnotherEra(ErrorCode code) {
  switch (code) {
    case ErrorCode::kPeer:
    case ErrorCode::kParseError:
    case ErrorCode::kInvalidRequest:
    case ErrorCode::kMethodNotFound:
    case ErrorCode::kInvalidParams:
    case ErrorCode::kHeaderMismatch:
    case ErrorCode::kUnsupportedVersion:
      return true;
    default:
      return false;
  }
}

}  // namespace

void ClientHost::State::MakeClient() {
  ClientOptions options = options_;
  options.transport = link_->transport();
  options.resume = std::exchange(resume_, std::nullopt);
  guess_.reset();
  if (newer_ != nullptr) options.era = Era::kHandshake;
  if (!options.era && !options.resume && remembers_) {
    if (const auto revision = link_->Remembered()) {
      guess_ = EraOf(*revision);
      if (*guess_ == Era::kStateless) {
        options.resume = client_effect::Opened{*guess_, *revision, {}, EmptyObject()};
      } else {
        options.era = *guess_;
      }
    }
  }
  asks_ = !options.resume;
  client_.emplace(std::move(options));
  if (handlers_.sampling || handlers_.elicitation || handlers_.roots) client_->AnswerQuestions();
}

void ClientHost::State::StartOpening() {
  if (opening_) return;
  opening_ = true;
  tries_ = 0;
  if (!changing_) TryToOpen();
}

void ClientHost::State::TryToOpen() {
  ++tries_;
  if (!started_) {
    if (const Result<void> started = link_->Start(); !started) {
      EndOpening(tl::unexpected<ClientError>(ClientError{started.error(), {}}));
      // It wants one later.
      if (client_->wants_channel()) OnEvent(client_event::ChannelClosed{});
      return;
    }
    started_ = true;
  }
  Turn([&](Instant now, ClientEffects* effects) { client_->Open(now, effects); });
}

void ClientHost::State::EndOpening(const ClientResult<client_effect::Opened>& opened) {
  opening_ = false;
  for (Opened& opener : std::exchange(openers_, {})) {
    Later([opener = std::move(opener), opened] { opener(opened); });
  }
  for (const std::uint64_t number : std::exchange(queued_, {})) {
    if (opened) {
      Send(number);
    } else {
      Finish(number, tl::unexpected<ClientError>(opened.error()));
    }
  }
}

void ClientHost::State::HaveOpened(const client_effect::Opened& opened) {
  settled_ = true;
  refusal_.reset();
  for (auto& [number, waiting] : waiting_) {
    if (waiting.call.number != 0) waiting.operation = nullptr;
  }
  if (newer_ == nullptr && asks_) link_->Remember(opened.revision);
  asks_ = true;
  if (opening_) EndOpening(opened);
}

void ClientHost::State::FailOpening(Error error) {
  const auto fail = [this](Error why) {
    EndOpening(tl::unexpected<ClientError>(ClientError{std::move(why), {}}));
  };
  if (closing_) return fail(std::move(error));
  if (guess_ && IsOfAnotherEra(error.code)) {
    link_->Remember(std::nullopt);
    remembers_ = false;
    opening_ = true;
    return Change(nullptr);
  }
  if (newer_ != nullptr) {
    const std::string why = link_->Why();
    if (!why.empty()) {
      error.message = why;
    } else if (refusal_) {
      error = *refusal_;
    }
    fail(std::move(error));
    return Change(std::move(newer_));  // the next opening begins from the beginning
  }
  if (over_http()) {
    if (auto older = link_->Older()) {
      refusal_ = std::move(error);
      opening_ = true;
      return Change(std::move(older));
    }
  }
  const bool ended = error.code == ErrorCode::kTransport && !started_;
  if (opening_ && ended && !over_http() && tries_ < 2) {
    // Once it has been told that the channel is closed, the client knows what it was.
    return Later([self = shared_from_this()] {
      if (self->link_ != nullptr) self->TryToOpen();
    });
  }
  fail(std::move(error));
}

void ClientHost::State::HaveAnswered(const Error* error) {
  if (guess_ == Era::kStateless) {
    if (error == nullptr) guess_.reset();  // it was right
    const bool wrong = error != nullptr && error->code != ErrorCode::kMethodNotFound &&
                       error->code != ErrorCode::kInvalidParams &&
                       error->code != ErrorCode::kHeaderMismatch && IsOfAnotherEra(error->code);
    if (wrong) {
      link_->Remember(std::nullopt);
      remembers_ = false;
      guess_.reset();
      changing_ = true;
      wrong_ = true;
    }
  }
  // What may have been done is not asked for again, so it ends first.
  if (wrong_ && numbers_.empty()) {
    wrong_ = false;
    Change(nullptr);
  }
}

void ClientHost::State::Change(std::unique_ptr<ClientLink> link) {
  for (auto& [number, waiting] : waiting_) {
    if (waiting.call.number == 0 || !waiting.operation) continue;
    waiting.call = {};
    queued_.push_back(number);
    std::erase_if(numbers_, [n = number](const auto& each) { return each.second == n; });
  }
  changing_ = true;
  next_ = std::move(link);
  Later([self = shared_from_this()] { self->Changed(); });
}

void ClientHost::State::Changed() {
  if (link_ == nullptr) return;
  changing_ = false;
  started_ = false;
  if (closing_) return EndOpening(tl::unexpected<ClientError>(GivenUp()));
  for (auto& [number, question] : std::exchange(questions_, {})) {
    question->emit(boost::asio::cancellation_type::terminal);
  }
  if (next_ != nullptr) {
    const bool back = !over_http();
    link_->OnEvent([](const ClientEvent&) {});
    if (!back) (void)link_->Start();  // drops what is under way, and cannot fail
    newer_ = back ? nullptr : std::move(link_);
    link_ = std::move(next_);
    Begin();
  }
  std::optional<Subscription> wanted;
  if (const Subscription* current = client_->subscription()) wanted = *current;
  MakeClient();
  if (wanted) {
    Turn([&](Instant now, ClientEffects* effects) { client_->TakeOver(*wanted, now, effects); });
  }
  if (opening_ || !queued_.empty()) {
    opening_ = true;
    tries_ = 0;
    TryToOpen();
  }
}

}  // namespace mcp_session

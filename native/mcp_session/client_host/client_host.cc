#include "mcp_session/client_host/client_host.h"

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <string>
#include <utility>

#include "mcp_session/client_host/client_host_state.h"
#include "mcp_session/json/access.h"

namespace mcp_session {
namespace {

namespace asio = boost::asio;

using Outcome = std::variant<Json, RpcError>;

ClientOptions Declare(ClientOptions options, const ClientHandlers& handlers) {
  options.listens =
      handlers.on_notification || handlers.sampling || handlers.elicitation || handlers.roots;
  const auto declare = [&](const char* name, const QuestionHandler& handler) {
    if (!handler) return;
    if (Find(options.capabilities, name) == nullptr) options.capabilities[name] = EmptyObject();
  };
  declare("sampling", handlers.sampling);
  declare("elicitation", handlers.elicitation);
  declare("roots", handlers.roots);
  return options;
}

asio::awaitable<Outcome> AnswerNow(std::function<Outcome(const Json&)> answer, Json params) {
  Outcome outcome = answer(params);
  co_return outcome;
}

asio::awaitable<Outcome> Answered(QuestionHandler handler, Json params) {
  if (!handler) co_return RpcError{-32601, "method not found", {}};
  Outcome outcome = co_await handler(std::move(params));
  co_return outcome;
}

}  // namespace

ClientError GivenUp() {
  return {{ErrorCode::kCancelled, Blame::kCaller, "the request was given up"}, {}};
}

QuestionHandler AnswerAtOnce(std::function<Outcome(const Json& params)> answer) {
  return [answer = std::move(answer)](Json params) { return AnswerNow(answer, std::move(params)); };
}

ClientHost::State::State(asio::io_context& loop, std::unique_ptr<ClientLink> link,
                         ClientOptions options, ClientHandlers handlers)
    : loop_(loop),
      link_(std::move(link)),
      handlers_(std::move(handlers)),
      options_(Declare(std::move(options), handlers_)),
      resume_(options_.resume),
      timer_(loop) {
  MakeClient();
}

void ClientHost::State::Begin() {
  link_->OnEvent([weak = weak_from_this()](ClientEvent event) {
    if (const auto self = weak.lock()) self->OnEvent(std::move(event));
  });
}

void ClientHost::State::Open(Opened opened) {
  if (closing_) {
    return Later([opened] { opened(tl::unexpected<ClientError>(GivenUp())); });
  }
  openers_.push_back(std::move(opened));
  StartOpening();
}

std::uint64_t ClientHost::State::Run(ClientOperation operation, const CallSettings& settings,
                                     Answer answer) {
  const std::uint64_t number = ++last_number_;
  if (closing_) {
    Later([answer] { answer(tl::unexpected<ClientError>(GivenUp())); });
    return number;
  }
  Waiting& waiting = waiting_[number];
  waiting.operation = std::move(operation);
  waiting.settings = settings;
  waiting.answer = std::move(answer);
  if (!changing_ && (over_http() || client_->session() != nullptr)) {
    Send(number);
  } else {
    queued_.push_back(number);
    if (!changing_) StartOpening();
  }
  return number;
}

void ClientHost::State::Cancel(std::uint64_t number) {
  const auto found = waiting_.find(number);
  if (found == waiting_.end()) return;
  if (found->second.call.number == 0) {
    std::erase(queued_, number);
    return Finish(number, tl::unexpected<ClientError>(GivenUp()));
  }
  const CallId call = found->second.call;
  Turn([&](Instant now, ClientEffects* effects) { client_->Cancel(call, now, effects); });
}

void ClientHost::State::Close(std::function<void()> closed) {
  if (closed_) return Later(std::move(closed));
  closers_.push_back(std::move(closed));
  if (std::exchange(closing_, true)) return;
  for (const std::uint64_t number : std::exchange(queued_, {})) {
    Finish(number, tl::unexpected<ClientError>(GivenUp()));
  }
  Turn([&](Instant now, ClientEffects* effects) { client_->Close(now, effects); });
}

void ClientHost::State::Abandon() {
  closing_ = true;
  timer_.cancel();
  link_->OnEvent([](const ClientEvent&) {});
  link_.reset();
  newer_.reset();
  for (auto& [number, question] : questions_) question->emit(asio::cancellation_type::terminal);
  for (auto& [number, waiting] : std::exchange(waiting_, {})) {
    Later([answer = std::move(waiting.answer)] { answer(tl::unexpected<ClientError>(GivenUp())); });
  }
  for (Opened& opened : std::exchange(openers_, {})) {
    Later([opened = std::move(opened)] { opened(tl::unexpected<ClientError>(GivenUp())); });
  }
  for (auto& closed : std::exchange(closers_, {})) Later(std::move(closed));
}

std::optional<client_effect::Opened> ClientHost::State::session() const {
  const client_effect::Opened* session = client_->session();
  return session ? std::optional<client_effect::Opened>(*session) : std::nullopt;
}

void ClientHost::State::Later(std::function<void()> what) { asio::post(loop_, std::move(what)); }

void ClientHost::State::OnEvent(ClientEvent event) {
  if (std::holds_alternative<client_event::ChannelClosed>(event)) started_ = false;
  Turn([&](Instant now, ClientEffects* effects) {
    client_->Handle(std::move(event), now, effects);
  });
}

void ClientHost::State::Send(std::uint64_t number) {
  const auto found = waiting_.find(number);
  if (found == waiting_.end()) return;
  CallOptions options;
  options.timeout = found->second.settings.timeout;
  options.repeatable = found->second.settings.repeatable;
  options.wants_progress = found->second.settings.on_progress != nullptr;
  const ClientOperation operation =
      settled_ ? std::move(found->second.operation) : found->second.operation;
  Turn([&](Instant now, ClientEffects* effects) {
    const CallId call = operation(*client_, options, now, effects);
    found->second.call = call;
    numbers_[call.number] = number;
  });
}

void ClientHost::State::Finish(std::uint64_t number, ClientResult<Json> result) {
  const auto found = waiting_.find(number);
  if (found == waiting_.end()) return;
  Answer answer = std::move(found->second.answer);
  numbers_.erase(found->second.call.number);
  waiting_.erase(found);
  Later([answer = std::move(answer), result = std::move(result)] { answer(result); });
}

std::uint64_t ClientHost::State::NumberOf(CallId call) const {
  const auto found = numbers_.find(call.number);
  return found == numbers_.end() ? 0 : found->second;
}

void ClientHost::State::Do(ClientEffect& effect) {
  if (auto* answered = std::get_if<client_effect::Answered>(&effect)) {
    Finish(NumberOf(answered->call), std::move(answered->result));
    HaveAnswered(nullptr);
  } else if (auto* failed = std::get_if<client_effect::Failed>(&effect)) {
    const Error error = failed->error;
    Finish(NumberOf(failed->call), tl::unexpected<ClientError>(ClientError{
                                       std::move(failed->error), std::move(failed->rpc)}));
    HaveAnswered(&error);
  } else if (auto* progressed = std::get_if<client_effect::Progressed>(&effect)) {
    const auto found = waiting_.find(NumberOf(progressed->call));
    if (found == waiting_.end()) return;
    Later([tell = found->second.settings.on_progress, params = std::move(progressed->params)] {
      tell(params);
    });
  } else if (auto* opened = std::get_if<client_effect::Opened>(&effect)) {
    HaveOpened(*opened);
  } else if (auto* unopened = std::get_if<client_effect::OpenFailed>(&effect)) {
    FailOpening(std::move(unopened->error));
  } else if (auto* notified = std::get_if<client_effect::Notified>(&effect)) {
    if (!handlers_.on_notification) return;
    Later([self = shared_from_this(), notified = std::move(*notified)] {
      self->handlers_.on_notification(notified.method, notified.params);
    });
  } else if (auto* asked = std::get_if<client_effect::Asked>(&effect)) {
    Ask(std::move(*asked));
  } else if (const auto* withdrawn = std::get_if<client_effect::Withdrawn>(&effect)) {
    const auto found = questions_.find(withdrawn->question.number);
    if (found == questions_.end()) return;
    Later([signal = found->second] { signal->emit(asio::cancellation_type::terminal); });
  } else if (std::holds_alternative<client_effect::SessionLost>(effect)) {
    if (handlers_.on_session_lost) {
      Later([self = shared_from_this()] { self->handlers_.on_session_lost(); });
    }
  } else if (std::holds_alternative<client_effect::Closed>(effect)) {
    link_->Stop([self = shared_from_this()] {
      self->closed_ = true;
      for (auto& closed : std::exchange(self->closers_, {})) self->Later(std::move(closed));
    });
  } else {
    link_->Do(effect);
  }
}

void ClientHost::State::Ask(client_effect::Asked asked) {
  const QuestionHandler& handler = asked.method == "sampling/createMessage" ? handlers_.sampling
                                   : asked.method == "elicitation/create"   ? handlers_.elicitation
                                                                            : handlers_.roots;
  const QuestionId question = asked.question;
  auto signal = std::make_shared<asio::cancellation_signal>();
  questions_[question.number] = signal;
  asio::co_spawn(loop_, Answered(handler, std::move(asked.params)),
                 asio::bind_cancellation_slot(
                     signal->slot(), [self = shared_from_this(), question, signal](
                                         const std::exception_ptr& thrown, Outcome outcome) {
                       const auto found = self->questions_.find(question.number);
                       if (found == self->questions_.end() || found->second != signal) return;
                       self->questions_.erase(found);
                       if (thrown) outcome = RpcError{-32603, "internal error", {}};
                       self->Turn([&](Instant now, ClientEffects* effects) {
                         self->client_->Reply(question, std::move(outcome), now, effects);
                       });
                     }));
}

void ClientHost::State::SetTimer() {
  if (link_ == nullptr) return;
  const Instant due = client_->NextDeadline();
  if (due == timer_at_) return;
  timer_at_ = due;
  timer_.cancel();
  if (due == kNever) return;
  timer_.expires_at(ToSteadyTime(due));
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (error || self == nullptr) return;
    self->timer_at_ = kNever;
    self->OnEvent(client_event::Woken{});
  });
}

ClientHost::ClientHost(asio::io_context& loop, std::unique_ptr<ClientLink> link,
                       ClientOptions options, ClientHandlers handlers)
    : state_(
          std::make_shared<State>(loop, std::move(link), std::move(options), std::move(handlers))) {
  state_->Begin();
}

ClientHost::~ClientHost() { state_->Abandon(); }

void ClientHost::Open(Opened opened) { state_->Open(std::move(opened)); }

std::uint64_t ClientHost::Run(ClientOperation operation, const CallSettings& settings,
                              Answer answer) {
  return state_->Run(std::move(operation), settings, std::move(answer));
}

void ClientHost::Cancel(std::uint64_t number) { state_->Cancel(number); }
void ClientHost::Close(std::function<void()> closed) { state_->Close(std::move(closed)); }

std::optional<client_effect::Opened> ClientHost::session() const { return state_->session(); }

}  // namespace mcp_session

#include "mcp_session/server/mcp_server.h"

#include <algorithm>
#include <utility>

#include "mcp_session/base/check.h"
#include "mcp_session/server/server_state.h"

namespace mcp_session {

McpServer::State::State(ServerOptions options, SessionStore& store_in, Entropy& entropy_in)
    : engine(std::move(options), store_in, entropy_in), store(store_in), entropy(entropy_in) {}

void McpServer::State::Append(std::unique_ptr<Feature> feature) {
  std::unique_ptr<Feature>* last = &features_;
  while (*last != nullptr) last = &(*last)->next;
  *last = std::move(feature);
}

void McpServer::State::AddFirst(std::unique_ptr<Feature> feature) {
  std::unique_ptr<Feature>* place = &features_;
  if (*place != nullptr && (*place)->name == Feature::Name::kLogging) place = &(*place)->next;
  feature->next = std::move(*place);
  *place = std::move(feature);
}

Feature* McpServer::State::Find(Feature::Name name) const {
  Feature* feature = features_.get();
  while (feature != nullptr && feature->name != name) feature = feature->next.get();
  return feature;
}

// --- turns ---

void McpServer::State::Handle(const Event& event_in, Instant at, Effects* out) {
  MCPS_CHECK(effects == nullptr);  // a handler called Handle
  now = at;
  effects = out;
  event = &event_in;
  woken_ = false;
  for (Effect& effect : effects_outside_) effects->push_back(std::move(effect));
  effects_outside_.clear();
  std::vector<Running> answered;
  answered.swap(answered_outside_);
  for (const Running& call : answered) Finish(call);
  if (store.NextDeadline() <= now) store.Tick(now);
  const bool stopping = std::holds_alternative<event::Stopping>(event_in);
  for (Feature* feature = features_.get(); feature != nullptr; feature = feature->next.get()) {
    if (feature->deadline <= now) feature->HandleDeadline();
    if (stopping) feature->HandleStop();
  }
  engine.Handle(event_in, now, effects, &news_);
  Settle();
  effects = nullptr;
  event = nullptr;
}

Instant McpServer::State::NextDeadline() const {
  Instant next = std::min(store.NextDeadline(), engine.NextDeadline());
  for (Feature* feature = features_.get(); feature != nullptr; feature = feature->next.get()) {
    next = std::min(next, feature->deadline);
  }
  return next;
}

// Engine and store feed each other until neither has anything to say.
void McpServer::State::Settle() {
  std::vector<EngineNews> news;
  std::vector<StoreReply> replies;
  for (;;) {
    news.swap(news_);
    for (EngineNews& item : news) HandleNews(std::move(item));
    news.clear();
    store.Drain(&replies);
    for (StoreReply& reply : replies) {
      if (reply.ticket.number % 2 == 0) {
        engine.HandleReply(std::move(reply), now, effects, &news_);
      } else {
        HandleReply(std::move(reply));
      }
    }
    if (replies.empty() && news_.empty()) {
      engine.TakeSubmitted();  // what has no reply by now is told by OnReady
      return;
    }
    replies.clear();
  }
}

void McpServer::State::HandleNews(EngineNews news) {
  if (auto* started = std::get_if<CallStarted>(&news)) {
    Call& call = started->call;
    for (Feature* feature = features_.get(); feature != nullptr; feature = feature->next.get()) {
      if (feature->HandleCall(call)) return;
    }
    engine.Fail(call.id, ErrorCode::kMethodNotFound, "unknown method", effects);
  } else if (const auto* cancelled = std::get_if<CallCancelled>(&news)) {
    Cancel(cancelled->id);
  } else if (const auto* ended = std::get_if<SessionEnded>(&news)) {
    Forget(*ended);
  } else if (const auto* listens = std::get_if<SessionListens>(&news)) {
    for (Feature* feature = features_.get(); feature != nullptr; feature = feature->next.get()) {
      feature->HandleListening(*listens);
    }
  } else if (auto* answered = std::get_if<ClientAnswered>(&news)) {
    const Running* asked = asked_.Find(answered->call.number);
    if (asked == nullptr) return;
    const Running call = *asked;
    call->asking->HandleAnswer(*this, call, *answered);
  }
}

void McpServer::State::Cancel(CallId id) {
  const std::weak_ptr<HandlerCall::State>* found = open_.Find(id.number);
  if (found == nullptr) return;
  if (const Running call = found->lock()) {
    call->cancelled = true;
    call->running = false;
  }
  Close(id);
}

void McpServer::State::Forget(const SessionEnded& ended) {
  // What a principal owns outlives its sessions; the session's own state does not. What is left if
  // the store fails expires by itself.
  const std::string owner = OwnerOf({}, ended.session);
  store.Submit(Await(nullptr, nullptr, 0), store::RemoveOwned{owner}, now);
}

// --- what features do ---

void McpServer::State::Open(const Running& call) { open_.Insert(call->call.id.number, call); }

void McpServer::State::Close(CallId id) {
  open_.Erase(id.number);
  asked_.Erase(id.number);
}

StoreTicket McpServer::State::Await(Running call, Feature* feature, int step) {
  return StoreTicket{waits_.Insert(Wait{std::move(call), feature, step}) * 2 + 1};
}

void McpServer::State::HandleReply(StoreReply reply) {
  const std::optional<Wait> wait = waits_.Take(reply.ticket.number / 2);
  if (!wait || wait->feature == nullptr) return;
  if (wait->call != nullptr && wait->call->cancelled) return;
  wait->feature->HandleReply(wait->step, wait->call, reply);
}

bool McpServer::State::Run(HandlerRun handler) const {
  if (guard) return guard(handler);
  handler();
  return true;
}

// --- what handlers do ---

// Where effects go: to the turn, or, outside of one, to the next.
Effects* McpServer::State::Out() { return effects != nullptr ? effects : &effects_outside_; }

// Last of all that is done outside of a turn: the host may begin one before this returns.
void McpServer::State::Wake() {
  if (effects != nullptr || woken_) return;
  const bool submitted = engine.TakeSubmitted();
  if (effects_outside_.empty() && answered_outside_.empty() && !submitted) return;
  woken_ = true;
  if (wake) wake();
}

void McpServer::State::StoreReady() {
  if (effects != nullptr || woken_) return;  // this turn drains it, or the next that is coming
  woken_ = true;
  if (wake) wake();
}

void McpServer::State::Answered(Running call) {
  if (effects != nullptr) return Finish(call);
  answered_outside_.push_back(std::move(call));
  Wake();
}

void McpServer::State::Finish(const Running& call) {
  if (call->asking != nullptr && call->asking->EndRun(*this, call)) return;
  call->feature.HandleAnswer(call);
}

void McpServer::State::Progressed(CallId id, double progress, std::optional<double> total,
                                  std::string_view message) {
  engine.Progress(id, progress, total, message, Out());
  Wake();
}

void McpServer::State::StreamClosed(CallId id) {
  engine.CloseStream(id, Out());
  Wake();
}

void McpServer::State::Dropped(CallId id) {
  Close(id);
  engine.Fail(id, ErrorCode::kInternal, "the handler gave no answer", Out());
  Wake();
}

// --- the public face ---

McpServer::McpServer(ServerOptions options, SessionStore& store, Entropy& entropy)
    : state_(std::make_shared<State>(std::move(options), store, entropy)) {
  store.OnReady([state = state_.get()] { state->StoreReady(); });  // until the destructor
}

McpServer::~McpServer() { state_->store.OnReady(nullptr); }

void McpServer::KeepStreams() { state_->engine.KeepStreams(); }

void McpServer::Handle(const Event& event, Instant now, Effects* effects) {
  state_->Handle(event, now, effects);
}

Instant McpServer::NextDeadline() const { return state_->NextDeadline(); }

const HostPolicy& McpServer::hosts() const { return state_->engine.options().hosts; }

std::size_t McpServer::open_calls() const {
  return state_->engine.open_calls() + state_->running_tasks;
}

std::size_t McpServer::running_tasks() const { return state_->running_tasks; }

void McpServer::OnWake(std::function<void()> wake) { state_->wake = std::move(wake); }

void McpServer::GuardHandlers(HandlerGuard guard) { state_->guard = std::move(guard); }

}  // namespace mcp_session

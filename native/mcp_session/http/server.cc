// What each loop of an HttpServer does. How connections come is in accepting.cc, what the loops do
// together in server_loops.cc.
#include "mcp_session/http/server.h"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <utility>
#include <variant>

#include "mcp_session/base/check.h"
#include "mcp_session/host/handler_guard.h"
#include "mcp_session/http/server_state.h"
#include "mcp_session/system/clock.h"

namespace mcp_session {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// How long a connection may take to read our last words and close.
constexpr Millis kLingerTime = Seconds(2);
// Slower than the clock ticks there is no point in waiting.
constexpr Millis kShortestWait{1};

}  // namespace

HttpServer::State::Turn::Turn(State& state) : state_(state) {
  state_.now_ = MonotonicNow();
  state_.in_turn_ = true;
}
HttpServer::State::Turn::~Turn() {
  state_.Settle();
  state_.in_turn_ = false;
}

HttpServer::State::State(Shared& shared, asio::io_context& loop, McpServer& server,
                         Authenticator* authenticator)
    : shared_(shared),
      loop_(loop),
      server_(server),
      authenticator_(authenticator),
      acceptor_(loop),
      accepted_(loop),
      timer_(loop),
      now_(MonotonicNow()) {
  server_.KeepStreams();
  server_.ReadAhead();
  server_.OnWake([this] { Wake(); });
  server_.GuardHandlers(RunGuarded);
}

HttpServer::State::~State() { server_.OnWake(nullptr); }

void HttpServer::State::Run() {
  const auto work = asio::make_work_guard(loop_);
  { const Turn first_turn(*this); }
  while (!shared_.finished || !HasNothingLeft()) {
    if (loop_.run_one() == 0) return;  // somebody stops it from outside
    if (told_ || !HasNothingLeft()) continue;
    told_ = true;
    first().Post([this] { first().OnLoopFinished(); });
  }
}

// Stopped, and nothing on the loop refers to this any more.
bool HttpServer::State::HasNothingLeft() const {
  return stopping_ && free_slots_.size() == connections_.size() && !accepting_ && waits_ == 0 &&
         !waking_ && posted_ == 0 && !AwaitsTasks();
}

// They have as long to finish as calls do.
bool HttpServer::State::AwaitsTasks() const {
  return !grace_is_over_ && server_.running_tasks() > 0;
}

// Until all have, each goes on: others may ask it something, for a page.
void HttpServer::State::OnLoopFinished() {
  if (++finished_loops_ < shared_.loops.size()) return;
  shared_.finished = true;
  for (State* loop : shared_.loops) asio::post(loop->loop_, [] {});
}

void HttpServer::State::UseTls(std::shared_ptr<TlsContext> tls) {
  if (is_first()) {
    tls_ = std::move(tls);
  } else {
    Post([this, tls = std::move(tls)]() mutable { tls_ = std::move(tls); });
  }
}

void HttpServer::State::Stop() {
  Post([this] { OnStop(); });
}

void HttpServer::State::OnStop() {
  // The first has closed its acceptor then, so no connection comes after this.
  if (is_first()) {
    for (State* loop : shared_.loops) {
      if (loop != this) loop->Post([loop] { loop->OnStop(); });
    }
  }
  if (stopping_) {
    grace_ends_ = now_;
    grace_is_over_ = true;
    return;
  }
  stopping_ = true;
  grace_ends_ = now_ + options().grace;
  error_code ignored;  // it is not needed any more either way
  acceptor_.close(ignored);
  accepted_.close(ignored);
  waiting_ = false;
  Handle(event::Stopping{});
  ForEachConnection([](Connection& connection) { connection.OnStop(); });
}

void HttpServer::State::Wake() {
  if (std::exchange(waking_, true)) return;
  asio::post(loop_, [this] { OnWoken(); });
}

void HttpServer::State::OnWoken() {
  Turn turn(*this);
  waking_ = false;
  Handle(event::Woken{});
}

ExchangeId HttpServer::State::NewExchange(std::uint32_t slot) {
  return ExchangeId{(++exchanges_ << kSlotBits) | slot};
}

Connection* HttpServer::State::Find(ExchangeId exchange) const {
  const std::uint64_t slot = exchange.number & kSlotMask;
  if (slot >= connections_.size()) return nullptr;
  Connection* connection = connections_[slot].get();
  return connection != nullptr && connection->exchange() == exchange ? connection : nullptr;
}

void HttpServer::State::Verify(ExchangeId exchange, std::string_view token) {
  authenticator_->Authenticate(
      token, [this, exchange, alive = std::weak_ptr<bool>(alive_)](const Authentication& who) {
        if (alive.expired()) return;
        std::optional<Turn> turn;
        if (!in_turn_) turn.emplace(*this);
        if (Connection* connection = Find(exchange)) connection->OnVerified(who);
      });
}

void HttpServer::State::Ask(ExchangeId exchange, const HttpDynamicPage& page) {
  const std::weak_ptr<bool> alive = alive_;
  page.answer_later([this, &loop = loop_, exchange, alive](HttpAnswer answer) {
    asio::post(loop, [this, exchange, alive, answer = std::move(answer)] {
      if (alive.expired()) return;
      Turn turn(*this);
      if (Connection* connection = Find(exchange)) connection->OnPage(answer);
    });
  });
}

void HttpServer::State::Handle(const Event& event) {
  server_.Handle(event, now_, &effects_);
  for (const Effect& effect : effects_) Apply(effect);
  effects_.clear();
}

// An effect on an exchange whose client has gone meanwhile is for nobody.
void HttpServer::State::Apply(const Effect& effect) {
  if (const auto* respond = std::get_if<effect::HttpRespond>(&effect)) {
    if (Connection* connection = Find(respond->exchange)) connection->Respond(*respond);
  } else if (const auto* stream = std::get_if<effect::HttpStream>(&effect)) {
    if (Connection* connection = Find(stream->exchange)) connection->Stream(*stream);
  } else if (const auto* chunk = std::get_if<effect::HttpChunk>(&effect)) {
    if (Connection* connection = Find(chunk->exchange)) connection->Chunk(*chunk);
  } else if (const auto* end = std::get_if<effect::HttpEnd>(&effect)) {
    if (Connection* connection = Find(end->exchange)) connection->End();
  } else {
    MCPS_CHECK(std::holds_alternative<effect::Send>(effect));  // no channel was ever opened
  }
}

const HttpDynamicPage* HttpServer::State::FindDynamicPage(std::string_view path) const {
  const std::vector<HttpDynamicPage>& all = options().dynamic_pages;
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const HttpDynamicPage& page) { return page.path == path; });
  return found == all.end() ? nullptr : &*found;
}

void HttpServer::State::Gone(ExchangeId exchange) { gone_.push_back(exchange); }

void HttpServer::State::Changed(Connection* connection) { changed_.push_back(connection); }

void HttpServer::State::Delete(Connection* connection) { to_delete_.push_back(connection); }

bool HttpServer::State::Account(std::size_t before, std::size_t after) {
  if (after == before) return true;
  // Unsigned arithmetic wraps, and adds what is less than nothing all the same.
  const std::size_t buffered = shared_.buffered.fetch_add(after - before) + (after - before);
  return after < before || buffered <= options().max_buffered_bytes;
}

void HttpServer::State::Settle() {
  while (!changed_.empty() || !gone_.empty()) {
    if (!changed_.empty()) {
      Connection* connection = changed_.back();
      changed_.pop_back();
      connection->Advance();
    } else {
      const ExchangeId exchange = gone_.back();
      gone_.pop_back();
      Handle(event::ExchangeClosed{exchange});
    }
  }
  if (acceptor_.is_open()) {
    StartAccepting();
  } else if (shared_.wants_room) {
    MakeRoom();
  }
  DeleteConnections();
  SetTimer();
}

void HttpServer::State::DeleteConnections() {
  for (const Connection* connection : to_delete_) {
    const std::uint32_t slot = connection->slot();
    free_slots_.push_back(slot);
    connections_[slot].reset();
  }
  to_delete_.clear();
}

Millis HttpServer::State::TimeFor(Watch watch) const {
  switch (watch) {
    case Watch::kIdle:
      return options().idle_time;
    case Watch::kHead:
      return options().head_time;
    case Watch::kBody:
      return options().body_time;
    case Watch::kLinger:
      return kLingerTime;
    case Watch::kStalled:
      return options().write_time;
    case Watch::kQuiet:
      return options().keep_alive_interval;
    case Watch::kNothing:
      break;
  }
  return Millis{0};
}

Instant HttpServer::State::NextDeadline() const {
  Instant next = std::min(server_.NextDeadline(), accept_again_at_);
  if (stopping_) next = std::min(next, grace_ends_);
  for (const WatchList& list : watches_) {
    if (list.empty() || list.front().watch == Watch::kNothing) continue;
    next = std::min(next, list.front().since + TimeFor(list.front().watch));
  }
  return next;
}

void HttpServer::State::SetTimer() {
  if (stopping_ && open_ == 0 && !AwaitsTasks()) {
    timer_.cancel();
    timer_at_ = kNever;
    return;
  }
  const Instant due = std::max(NextDeadline(), now_ + kShortestWait);
  if (due >= timer_at_) return;  // it is early enough; OnTimer sets it again
  timer_at_ = due;
  timer_.expires_at(ToSteadyTime(due));
  ++waits_;
  timer_.async_wait([this](const error_code& error) {
    --waits_;
    if (!error) OnTimer();
  });
}

void HttpServer::State::OnTimer() {
  Turn turn(*this);
  timer_at_ = kNever;
  for (const WatchList& list : watches_) {
    while (!list.empty() && list.front().watch != Watch::kNothing) {
      const Watched& first = list.front();
      if (first.since + TimeFor(first.watch) > now_) break;
      first.connection->OnOverdue(first.watch);  // takes it off the list
    }
  }
  if (accept_again_at_ <= now_) accept_again_at_ = kNever;
  if (stopping_ && grace_ends_ <= now_) OnGraceOver();
  if (server_.NextDeadline() <= now_) Handle(event::Woken{});
}

void HttpServer::State::OnGraceOver() {
  const bool ends_streams = !std::exchange(grace_is_over_, true);
  grace_ends_ = now_ + kLingerTime;  // for their last words
  ForEachConnection([&](Connection& connection) {
    if (!ends_streams || !connection.EndStream()) connection.Drop();
  });
}

template <typename Action>
void HttpServer::State::ForEachConnection(Action action) {
  for (const auto& connection : connections_) {
    if (connection != nullptr && !connection->closed()) action(*connection);
  }
}

}  // namespace mcp_session

#include "mcp_session/http/server.h"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <utility>
#include <variant>

#include "mcp_session/base/check.h"
#include "mcp_session/host/handler_guard.h"
#include "mcp_session/http/server_state.h"
#include "mcp_session/system/clock.h"
#include "mcp_session/system/log.h"

namespace mcp_session {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// Exchange ids: the slot of the connection in the low bits, a number never used twice above.
constexpr int kSlotBits = 24;
constexpr std::uint64_t kSlotMask = (std::uint64_t{1} << kSlotBits) - 1;

// How long to leave the kernel alone when it has no descriptor for a connection.
constexpr Millis kAcceptPause{100};
// How long a connection may take to read our last words and close.
constexpr Millis kLingerTime = Seconds(2);
// Slower than the clock ticks there is no point in waiting.
constexpr Millis kShortestWait{1};

Result<tcp::endpoint> Resolve(asio::io_context& loop, const std::string& host, std::uint16_t port) {
  error_code error;
  const asio::ip::address address = asio::ip::make_address(host, error);
  if (!error) return tcp::endpoint(address, port);
  tcp::resolver resolver(loop);
  const auto found = resolver.resolve(host, std::to_string(port), tcp::resolver::passive, error);
  if (error || found.empty()) {
    return Failure(ErrorCode::kInvalidArgument, Blame::kCaller, "no such host: " + Redact(host));
  }
  return found.begin()->endpoint();
}

// Whether accept failed with this for want of descriptors or memory, ours or the system's.
bool IsShortage(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

std::string Authority(const std::string& host, std::uint16_t port) {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? '[' + host + ']' : host) + ':' + std::to_string(port);
}

std::string_view Complaint(const HttpServerOptions& options) {
  if (options.endpoint.empty() || options.endpoint[0] != '/') return "the endpoint is no path";
  if (options.max_connections == 0 || options.max_connections > kSlotMask) {
    return "max_connections is out of range";
  }
  if (options.max_header_bytes < 256 || options.max_header_bytes > (1u << 20)) {
    return "max_header_bytes is out of range";
  }
  for (const Millis time : {options.head_time, options.body_time, options.idle_time,
                            options.write_time, options.keep_alive_interval}) {
    if (time <= Millis{0}) return "a time is not positive";
  }
  const HttpCallerLimits& caller = options.caller_limits;
  if (caller.requests_per_second < 0 || caller.burst < 1 || caller.max_callers == 0) {
    return "a limit for each caller is out of range";
  }
  return Complaint(options.auth);
}

}  // namespace

std::string HttpAddress::Origin() const {
  return (tls ? "https://" : "http://") + Authority(host, port);
}

HttpServer::State::Turn::Turn(State& state) : state_(state) {
  state_.now_ = MonotonicNow();
  state_.in_turn_ = true;
}
HttpServer::State::Turn::~Turn() {
  state_.Settle();
  state_.in_turn_ = false;
}

HttpServer::State::State(asio::io_context& loop, McpServer& server, HttpServerOptions options)
    : loop_(loop),
      server_(server),
      options_(std::move(options)),
      pages_(options_.pages, options_.content_security_policy),
      caller_limits_(options_.caller_limits),
      acceptor_(loop),
      accepted_(loop),
      timer_(loop),
      now_(MonotonicNow()) {
  server_.KeepStreams();
  server_.OnWake([this] { Wake(); });
  server_.GuardHandlers(RunGuarded);
}

HttpServer::State::~State() { server_.OnWake(nullptr); }

Result<HttpAddress> HttpServer::State::Listen() {
  if (const auto complaint = Complaint(options_); !complaint.empty()) {
    return Failure(ErrorCode::kInvalidArgument, Blame::kCaller, std::string(complaint));
  }
  if (Result<void> loaded = ReloadTls(); !loaded) {
    return tl::unexpected<Error>(std::move(loaded.error()));
  }
  MCPS_TRY(const tcp::endpoint wanted, Resolve(loop_, options_.host, options_.port));
  error_code error;
  acceptor_.open(wanted.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(wanted, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  const tcp::endpoint bound = error ? wanted : acceptor_.local_endpoint(error);
  const HttpAddress address{bound.address().to_string(), bound.port(), tls_ != nullptr};
  if (error) {
    const std::string reason =
        error == asio::error::address_in_use ? "the port is in use" : error.message();
    return Failure(ErrorCode::kTransport, Blame::kEnvironment,
                   "cannot listen on " + Authority(address.host, address.port) + ": " + reason);
  }
  access_.emplace(options_, address.Origin() + options_.endpoint);
  StartAccepting();
  SetTimer();
  return address;
}

Result<void> HttpServer::State::ReloadTls() {
  if (options_.tls.certificate_file.empty()) return {};
  MCPS_TRY(tls_, TlsContext::Load(options_.tls));
  return {};
}

void HttpServer::State::Run() {
  while (!Finished() && loop_.run_one() > 0) {
  }
}

// Stopped, and nothing on the loop refers to this any more.
bool HttpServer::State::Finished() const {
  return stopping_ && free_slots_.size() == connections_.size() && !accepting_ && waits_ == 0 &&
         !waking_ && stops_ == 0;
}

void HttpServer::State::Stop() {
  ++stops_;
  asio::post(loop_, [this] {
    Turn turn(*this);
    --stops_;
    OnStop();
  });
}

void HttpServer::State::OnStop() {
  if (stopping_) {
    grace_ends_ = now_;
    grace_is_over_ = true;
    return;
  }
  stopping_ = true;
  grace_ends_ = now_ + options_.grace;
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

void HttpServer::State::StartAccepting() {
  if (waiting_) Admit();
  if (accepting_ || waiting_ || stopping_ || accept_again_at_ != kNever) return;
  accepting_ = true;
  acceptor_.async_accept(accepted_, [this](const error_code& error) { OnAccepted(error); });
}

// Closes the connection that has been without a request for longest.
bool HttpServer::State::MakeRoom() {
  const WatchList& idle = watches_[static_cast<std::size_t>(Watch::kIdle)];
  if (idle.empty()) return false;
  idle.front().connection->Drop();
  return true;
}

void HttpServer::State::OnAccepted(const error_code& error) {
  Turn turn(*this);
  accepting_ = false;
  if (stopping_) {
    error_code ignored;  // nobody will know it
    accepted_.close(ignored);
    return;
  }
  if (IsShortage(error.value())) {
    if (!MakeRoom()) accept_again_at_ = now_ + kAcceptPause;
    return;
  }
  waiting_ = !error;  // else that one is gone already
}

void HttpServer::State::Admit() {
  if (open_ >= options_.max_connections && !MakeRoom()) return;
  waiting_ = false;
  HttpSocket socket = std::exchange(accepted_, HttpSocket(loop_));
  error_code failed;
  socket.non_blocking(true, failed);
  if (!failed) socket.set_option(tcp::no_delay(true), failed);
  if (failed) return;
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<std::uint32_t>(connections_.size()));
    connections_.emplace_back();
  }
  const std::uint32_t slot = free_slots_.back();
  free_slots_.pop_back();
  connections_[slot] = std::make_unique<Connection>(*this, slot, std::move(socket), tls_.get());
  ++open_;
  connections_[slot]->Advance();
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
  options_.auth.authenticator->Authenticate(
      token, [this, exchange, alive = std::weak_ptr<bool>(alive_)](const Authentication& who) {
        if (alive.expired()) return;
        std::optional<Turn> turn;
        if (!in_turn_) turn.emplace(*this);
        if (Connection* connection = Find(exchange)) connection->OnVerified(who);
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
  const auto found = std::find_if(options_.dynamic_pages.begin(), options_.dynamic_pages.end(),
                                  [&](const HttpDynamicPage& page) { return page.path == path; });
  return found == options_.dynamic_pages.end() ? nullptr : &*found;
}

void HttpServer::State::Gone(ExchangeId exchange) { gone_.push_back(exchange); }

void HttpServer::State::Changed(Connection* connection) { changed_.push_back(connection); }

void HttpServer::State::Delete(Connection* connection) { to_delete_.push_back(connection); }

bool HttpServer::State::Account(std::size_t before, std::size_t after) {
  buffered_ += after;
  buffered_ -= before;
  return after <= before || buffered_ <= options_.max_buffered_bytes;
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
  if (acceptor_.is_open()) StartAccepting();
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
      return options_.idle_time;
    case Watch::kHead:
      return options_.head_time;
    case Watch::kBody:
      return options_.body_time;
    case Watch::kLinger:
      return kLingerTime;
    case Watch::kStalled:
      return options_.write_time;
    case Watch::kQuiet:
      return options_.keep_alive_interval;
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
  if (stopping_ && open_ == 0) {
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

HttpServer::HttpServer(asio::io_context& loop, McpServer& server, HttpServerOptions options)
    : state_(std::make_unique<State>(loop, server, std::move(options))) {}
HttpServer::~HttpServer() = default;

Result<HttpAddress> HttpServer::Listen() { return state_->Listen(); }
void HttpServer::Run() { state_->Run(); }
void HttpServer::Stop() { state_->Stop(); }
void HttpServer::Wake() { state_->Wake(); }
Result<void> HttpServer::ReloadTls() { return state_->ReloadTls(); }

}  // namespace mcp_session

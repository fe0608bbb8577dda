// How an HttpServer comes by connections: the first loop listens, accepts, and hands each to the
// loop that has the fewest.
#include <unistd.h>

#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "mcp_session/http/server_state.h"
#include "mcp_session/system/keep_alive.h"
#include "mcp_session/system/log.h"

namespace mcp_session {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// How long to leave the kernel alone when it has no descriptor for a connection.
constexpr Millis kAcceptPause{100};

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

}  // namespace

std::string HttpAddress::Origin() const {
  return (tls ? "https://" : "http://") + Authority(host, port);
}

Result<HttpAddress> HttpServer::State::Listen() {
  MCPS_TRY(const tcp::endpoint wanted, Resolve(loop_, options().host, options().port));
  error_code error;
  acceptor_.open(wanted.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) {
    // The comments that a quiet stream sends are no sign of life from its reader.
    SetKeepAlive(acceptor_.native_handle(), kHttpKeepAlive);
    acceptor_.bind(wanted, error);
  }
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  const tcp::endpoint bound = error ? wanted : acceptor_.local_endpoint(error);
  const HttpAddress address{bound.address().to_string(), bound.port(), tls_ != nullptr};
  if (error) {
    const std::string reason =
        error == asio::error::address_in_use ? "the port is in use" : error.message();
    return Failure(ErrorCode::kTransport, Blame::kEnvironment,
                   "cannot listen on " + Authority(address.host, address.port) + ": " + reason);
  }
  shared_.access.emplace(options(), address.Origin() + options().endpoint);
  return address;
}

void HttpServer::State::OnClosed() {
  --open_;
  --shared_.open;
  if (!shared_.wants_room.exchange(false) || is_first()) return;
  State& waiting = first();
  waiting.Post([&waiting] { waiting.accept_again_at_ = kNever; });
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
    if (MakeRoom()) return;
    AskForRoom();
    accept_again_at_ = now_ + kAcceptPause;
    return;
  }
  waiting_ = !error;  // else that one is gone already
}

// The next turn of each other loop closes one that is idle, or the turn in which one becomes it.
void HttpServer::State::AskForRoom() {
  if (shared_.wants_room.exchange(true)) return;
  for (State* loop : shared_.loops) {
    if (loop != this) loop->Post([] {});
  }
}

bool HttpServer::State::HasRoom() {
  const std::size_t limit = options().max_connections;
  if (shared_.open < limit || MakeRoom()) return true;
  AskForRoom();
  return shared_.open < limit;  // one was closed before it could see that it was asked
}

// Of several, the next after the last one that had a connection.
HttpServer::State& HttpServer::State::Emptiest() {
  const std::vector<State*>& loops = shared_.loops;
  std::size_t best = (last_ + 1) % loops.size();
  for (std::size_t i = 1; i < loops.size(); ++i) {
    const std::size_t other = (last_ + 1 + i) % loops.size();
    if (loops[other]->open_ < loops[best]->open_) best = other;
  }
  last_ = best;
  return *loops[best];
}

void HttpServer::State::Admit() {
  if (!HasRoom()) return;
  waiting_ = shared_.wants_room = false;
  HttpSocket socket = std::exchange(accepted_, HttpSocket(loop_));
  State& loop = Emptiest();
  ++loop.open_;
  ++shared_.open;
  if (&loop == this) return Take(std::move(socket));
  error_code failed;
  const auto protocol = acceptor_.local_endpoint(failed).protocol();
  const int descriptor = socket.release();
  HttpSocket handed(loop.loop_);
  handed.assign(protocol, descriptor, failed);
  if (failed) {
    ::close(descriptor);
    return loop.OnClosed();
  }
  loop.Post([&loop, handed = std::move(handed)]() mutable { loop.Take(std::move(handed)); });
}

void HttpServer::State::Take(HttpSocket socket) {
  error_code failed;
  socket.non_blocking(true, failed);
  if (!failed) socket.set_option(tcp::no_delay(true), failed);
  if (failed) return OnClosed();
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<std::uint32_t>(connections_.size()));
    connections_.emplace_back();
  }
  const std::uint32_t slot = free_slots_.back();
  free_slots_.pop_back();
  connections_[slot] = std::make_unique<Connection>(*this, slot, std::move(socket), tls_.get());
  connections_[slot]->Advance();
}

}  // namespace mcp_session

// The bytes of a connection, with TLS and without: what is read, what is written, and how it ends.
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <span>
#include <utility>

#include "mcp_session/http/connection.h"
#include "mcp_session/http/server_state.h"

namespace mcp_session {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// What is read ahead of the request being answered: enough to notice that the peer has gone.
constexpr std::size_t kReadAhead = 16u << 10;
// More than this is given back when all is sent.
constexpr std::size_t kKeptBuffer = 64u << 10;

}  // namespace

void Connection::Write() {
  if (closed() || awaiting_write_) return;
  const std::size_t before = sent_;
  error_code error;
  while (unsent() > 0) {
    const std::span<const char> rest(out_.data() + sent_, unsent());
    sent_ += tls_ ? tls_->Write(rest, &error)
                  : socket_.write_some(asio::buffer(rest.data(), rest.size()), error);
    if (!error) continue;
    if (error != asio::error::would_block && error != asio::error::try_again) return Drop();
    AwaitWritable();
    break;
  }
  if (sent_ != before) Restart(output_watch_);
  if (unsent() == 0) return OnAllWritten();
  if (sent_ > kKeptBuffer && sent_ > out_.size() / 2) {
    out_.erase(0, sent_);
    sent_ = 0;
  }
}

void Connection::AwaitWritable() {
  awaiting_write_ = true;
  socket_.async_wait(HttpSocket::wait_write, [this](const error_code& error) {
    HttpServer::State::Turn turn(server_);
    awaiting_write_ = false;
    if (closed()) return OnReturned();
    if (error) return Drop();
    Advance();
  });
}

void Connection::OnAllWritten() {
  out_.clear();
  sent_ = 0;
  if (out_.capacity() > kKeptBuffer) std::string().swap(out_);
  if (peer_done_ && step_ != Step::kAnswering) return Close();
  if (step_ != Step::kClosing) return;
  if (tls_) tls_->Finish();
  error_code ignored;  // whether the peer still listens shows in what we read
  socket_.shutdown(HttpSocket::shutdown_send, ignored);
  step_ = Step::kLingering;
}

bool Connection::WantsToRead() const {
  if (reading_ || peer_done_ || closed()) return false;
  if (step_ == Step::kReading && unsent() <= kUnsentAnswers && !awaiting_turn_) return true;
  return step_ == Step::kLingering || reader_.size() < kReadAhead;
}

void Connection::StartReading() {
  if (!WantsToRead()) return;
  const std::span<char> room = reader_.Prepare();
  const std::size_t before = std::exchange(accounted_, reader_.capacity());
  const bool admitted = server_.Account(before, accounted_);
  if (!admitted && step_ == Step::kReading && reader_.capacity() > kKeptBuffer) {
    Refuse(503, "the server is receiving too much at once");
    Write();
    return StartReading();
  }
  reading_ = true;
  if (tls_) {
    // Never from inside: what is decrypted already may be much.
    return asio::post(server_.loop(), [this, room] { ReadTls(room); });
  }
  socket_.async_read_some(
      asio::buffer(room.data(), room.size()),
      [this](const error_code& error, std::size_t bytes) { OnRead(error, bytes); });
}

// The handshake is in here, too.
void Connection::ReadTls(std::span<char> room) {
  error_code error = asio::error::operation_aborted;
  std::size_t bytes = 0;
  if (!closed()) bytes = tls_->Read(room, &error);
  if (error != asio::error::would_block) return OnRead(error, bytes);
  const auto direction =
      tls_->reading_waits_to_write() ? HttpSocket::wait_write : HttpSocket::wait_read;
  socket_.async_wait(direction, [this, room](const error_code& failed) {
    failed ? OnRead(failed, 0) : ReadTls(room);
  });
}

void Connection::OnRead(const error_code& error, std::size_t bytes) {
  HttpServer::State::Turn turn(server_);
  reading_ = false;
  if (closed()) return OnReturned();
  if (error) {
    peer_done_ = true;
    // Gone, unless it waits for the rest of an answer.
    const bool answering = step_ == Step::kWaiting || step_ == Step::kAnswering;
    if (error != asio::error::eof || answering || unsent() == 0) return Drop();
    step_ = Step::kClosing;
  } else if (step_ != Step::kLingering) {
    reader_.Commit(bytes);
  }
  Advance();
}

}  // namespace mcp_session

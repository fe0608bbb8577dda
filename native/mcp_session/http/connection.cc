#include "mcp_session/http/connection.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <span>
#include <utility>

#include "mcp_session/http/server_state.h"
#include "mcp_session/protocol/http.h"
#include "mcp_session/protocol/sse.h"

namespace mcp_session {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// What is read ahead of the request being answered: enough to notice that the peer has gone.
constexpr std::size_t kReadAhead = 16u << 10;
// Requests of one connection that are handled before others have their turn.
constexpr int kRequestsPerTurn = 32;
// No further request is answered while this much of earlier answers is not taken.
constexpr std::size_t kUnsentAnswers = 64u << 10;
// More than this is given back when all is sent.
constexpr std::size_t kKeptBuffer = 64u << 10;

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

Connection::Connection(HttpServer::State& server, std::uint32_t slot, HttpSocket socket,
                       const TlsContext* tls)
    : server_(server),
      slot_(slot),
      socket_(std::move(socket)),
      reader_(ReadLimits{server.options().max_header_bytes, server.options().max_body_bytes}) {
  if (tls != nullptr) tls_.emplace(*tls, socket_.native_handle());
  WatchList& nothing = server_.watches()[static_cast<std::size_t>(Watch::kNothing)];
  input_watch_ = nothing.insert(nothing.end(), Watched{this});
  output_watch_ = nothing.insert(nothing.end(), Watched{this});
}

Connection::~Connection() {
  for (const auto watched : {input_watch_, output_watch_}) {
    server_.watches()[static_cast<std::size_t>(watched->watch)].erase(watched);
  }
}

void Connection::Advance() {
  if (closed()) return;
  advancing_ = true;
  do {
    HandleRequests();
    Write();
  } while (std::exchange(held_up_, false) && unsent() <= kUnsentAnswers);
  if (server_.stopping() && step_ == Step::kReading && reader_.empty() && unsent() == 0) Close();
  if (!closed()) StartReading();
  if (!closed()) UpdateWatches();
  advancing_ = false;
}

void Connection::HandleRequests() {
  for (int handled = 0; step_ == Step::kReading; ++handled) {
    held_up_ = unsent() > kUnsentAnswers;
    if (held_up_) return;
    if (handled == kRequestsPerTurn) return AdvanceLater();
    switch (reader_.Read()) {
      case RequestReader::Progress::kNeedMore:
        return;
      case RequestReader::Progress::kHeadRead:
        OnHead();
        break;
      case RequestReader::Progress::kComplete:
        OnRequest();
        break;
      case RequestReader::Progress::kFailed:
        Refuse(reader_.failure_status(), reader_.failure_message());
        break;
    }
  }
}

std::string_view Connection::path() const {
  const std::string_view target = reader_.target();
  return target.substr(0, target.find('?'));
}

ResponseForm Connection::form() const {
  return {.keep_alive = keep_alive_ && !server_.stopping(),
          .http_1_0 = http_1_0_,
          .head_only = head_only_,
          .origin = origin_};
}

// Its body is still to come: worth waiting for?
void Connection::OnHead() {
  if (path() == server_.options().endpoint || NeedsToken()) {
    if (reader_.expects_continue()) out_ += kContinue;
    return;
  }
  NoteRequest();
  keep_alive_ = false;
  AnswerFromHost();
}

void Connection::NoteRequest() {
  first_ = false;
  keep_alive_ = reader_.keep_alive();
  http_1_0_ = reader_.http_1_0();
  head_only_ = reader_.method() == "HEAD";
  is_get_ = reader_.method() == "GET";
  NoteOrigin();
}

void Connection::OnRequest() {
  NoteRequest();
  SetWatch(input_watch_, Watch::kNothing);  // the next request has its own time
  if (IsPreflight()) {
    AnswerPreflight();
  } else if (NeedsToken()) {
    return Verify();
  } else {
    Dispatch({});
  }
  if (!closed()) reader_.Next();
}

HttpRequest Connection::Request() const {
  HttpRequest request(reader_.method(), reader_.body());
  for (std::size_t i = 0; i < reader_.header_count(); ++i) {
    request.AddHeader(reader_.header_name(i), reader_.header_value(i));
  }
  return request;
}

void Connection::Dispatch(std::string_view principal) {
  if (path() != server_.options().endpoint) return AnswerFromHost();
  if (!Open(principal)) return;
  step_ = Step::kAnswering;
  exchange_ = server_.NewExchange(slot_);
  server_.Handle(event::HttpRequested{exchange_, Request(), principal});
}

void Connection::AnswerFromHost() {
  const bool readable = is_get_ || head_only_;
  if (server_.stopping() && path() == "/readyz") {
    return RespondFromHost(503,
                           {{"content-type", "application/json"}, {"cache-control", "no-store"}},
                           "{\"status\":\"stopping\"}\n");
  }
  const HttpDynamicPage* dynamic = server_.FindDynamicPage(path());
  if (dynamic != nullptr && readable) {
    const HttpAnswer answer = dynamic->answer();
    return RespondFromHost(answer.status,
                           {{"content-type", answer.content_type},
                            {"cache-control", "no-store"},
                            {"x-content-type-options", "nosniff"}},
                           answer.body);
  }
  if (path() == "/healthz" && readable) {
    return RespondFromHost(200, {{"content-type", "text/plain"}, {"cache-control", "no-store"}},
                           "ok\n");
  }
  const std::string* metadata = server_.access().Metadata(path());
  if (metadata != nullptr && readable) {
    return RespondFromHost(200, {{"content-type", "application/json"}}, *metadata);
  }
  const Pages::Page* page = server_.pages().Find(path());
  if (page == nullptr && dynamic == nullptr && metadata == nullptr && path() != "/healthz") {
    return RespondFromHost(404, {{"content-type", "application/json"}},
                           RefusalBody(404, "nothing is at this path"));
  }
  if (!readable) {
    return RespondFromHost(405, {{"content-type", "application/json"}, {"allow", "GET, HEAD"}},
                           RefusalBody(405, "use GET or HEAD"));
  }
  if (MatchesEtag(reader_.FindHeader("if-none-match"), page->etag)) {
    return RespondFromHost(304, page->headers, {});
  }
  RespondFromHost(200, page->headers, page->bytes);
}

void Connection::RespondFromHost(int status, const ResponseHeaders& headers,
                                 std::string_view body) {
  AppendResponse(status, headers, body, form(), &out_);
  EndAnswer();
}

void Connection::Refuse(int status, std::string_view message) {
  keep_alive_ = head_only_ = false;
  NoteOrigin();
  RespondFromHost(status, {{"content-type", "application/json"}}, RefusalBody(status, message));
}

void Connection::Respond(const effect::HttpRespond& effect) {
  AppendResponse(effect.status, effect.headers, effect.body, form(), &out_);
  EndAnswer();
}

void Connection::Stream(const effect::HttpStream& effect) {
  if (http_1_0_) keep_alive_ = false;  // its end is the stream's
  streaming_ = true;
  AppendStreamHead(effect.status, effect.headers, form(), &out_);
  Changed();
}

void Connection::Chunk(const effect::HttpChunk& effect) {
  const std::size_t limit = server_.options().max_queued_bytes;
  // Much may have been said in one turn: has the kernel room for it?
  if (unsent() > limit) Write();
  if (unsent() > limit) Drop();
  if (closed()) return;
  AppendChunk(effect.bytes, form(), &out_);
  Changed();
}

void Connection::End() {
  AppendStreamEnd(form(), &out_);
  EndAnswer();
}

void Connection::EndAnswer() {
  CloseCall();
  exchange_ = {};
  streaming_ = false;
  step_ = form().keep_alive ? Step::kReading : Step::kClosing;
  Changed();
}

void Connection::Changed() {
  if (!advancing_) server_.Changed(this);
}

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
    const bool answering = step_ == Step::kVerifying || step_ == Step::kAnswering;
    if (error != asio::error::eof || answering || unsent() == 0) return Drop();
    step_ = Step::kClosing;
  } else if (step_ != Step::kLingering) {
    reader_.Commit(bytes);
  }
  Advance();
}

void Connection::AdvanceLater() {
  if (std::exchange(awaiting_turn_, true)) return;
  asio::post(server_.loop(), [this] {
    HttpServer::State::Turn turn(server_);
    awaiting_turn_ = false;
    if (closed()) return OnReturned();
    Advance();
  });
}

void Connection::UpdateWatches() {
  Watch input = Watch::kNothing;
  if (step_ == Step::kLingering) {
    input = Watch::kLinger;
  } else if (step_ == Step::kReading && unsent() <= kUnsentAnswers && !awaiting_turn_) {
    input = !reader_.in_head()           ? Watch::kBody
            : reader_.empty() && !first_ ? Watch::kIdle
                                         : Watch::kHead;
  }
  SetWatch(input_watch_, input);
  SetWatch(output_watch_, unsent() > 0 ? Watch::kStalled
                          : streaming_ ? Watch::kQuiet
                                       : Watch::kNothing);
}

void Connection::SetWatch(WatchList::iterator watched, Watch watch) {
  if (watched->watch == watch) return;
  WatchLists& lists = server_.watches();
  WatchList& to = lists[static_cast<std::size_t>(watch)];
  to.splice(to.end(), lists[static_cast<std::size_t>(watched->watch)], watched);
  watched->watch = watch;
  watched->since = server_.now();
}

void Connection::Restart(WatchList::iterator watched) {
  if (watched->watch == Watch::kNothing) return;
  WatchList& list = server_.watches()[static_cast<std::size_t>(watched->watch)];
  list.splice(list.end(), list, watched);
  watched->since = server_.now();
}

void Connection::OnOverdue(Watch watch) {
  SetWatch(input_watch_->watch == watch ? input_watch_ : output_watch_, Watch::kNothing);
  switch (watch) {
    case Watch::kNothing:
      return;
    case Watch::kIdle:
    case Watch::kLinger:
    case Watch::kStalled:
      return Drop();
    case Watch::kHead:
      if (reader_.empty()) return Drop();
      return Refuse(408, "the request's head did not come in time");
    case Watch::kBody:
      return Refuse(408, "the request's body did not come in time");
    case Watch::kQuiet: {
      std::string comment;
      AppendSseComment("keep-alive", &comment);
      AppendChunk(comment, form(), &out_);
      return Changed();
    }
  }
}

void Connection::OnStop() {
  Changed();
  if (is_get_) EndStream();
}

bool Connection::EndStream() {
  if (step_ != Step::kAnswering || !streaming_) return false;
  server_.Gone(exchange_);
  End();
  return true;
}

// Closed, or an operation of a closed connection came back: the last of these ends it.
void Connection::OnReturned() {
  if (!reading_ && !awaiting_write_ && !awaiting_turn_) server_.Delete(this);
}

void Connection::Drop() {
  if (closed()) return;
  if (step_ == Step::kAnswering) server_.Gone(exchange_);
  Close();
}

void Connection::Close() {
  CloseCall();
  exchange_ = {};
  step_ = Step::kClosed;
  SetWatch(input_watch_, Watch::kNothing);
  SetWatch(output_watch_, Watch::kNothing);
  server_.Account(std::exchange(accounted_, 0), 0);
  if (tls_) tls_->Finish();
  error_code ignored;  // there is nothing left to do about it
  socket_.close(ignored);
  server_.OnClosed();
  OnReturned();
}

}  // namespace mcp_session

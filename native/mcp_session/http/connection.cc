#include "mcp_session/http/connection.h"

#include <boost/asio/post.hpp>
#include <utility>

#include "mcp_session/http/server_state.h"
#include "mcp_session/protocol/http.h"
#include "mcp_session/protocol/sse.h"

namespace mcp_session {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// Requests of one connection that are handled before others have their turn.
constexpr int kRequestsPerTurn = 32;

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
    if (!dynamic->answer_later) return OnPage(dynamic->answer());
    step_ = Step::kWaiting;
    exchange_ = server_.NewExchange(slot_);
    return server_.Ask(exchange_, *dynamic);
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

void Connection::OnPage(const HttpAnswer& page) {
  RespondFromHost(page.status,
                  {{"content-type", page.content_type},
                   {"cache-control", "no-store"},
                   {"x-content-type-options", "nosniff"}},
                  page.body);
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

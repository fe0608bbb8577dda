#include "mcp_session/http_client/http_link.h"

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "mcp_session/http_client/client_tls.h"
#include "mcp_session/http_client/http_connection.h"
#include "mcp_session/http_client/sse_link.h"
#include "mcp_session/http_client/url.h"
#include "mcp_session/protocol/http.h"
#include "mcp_session/system/clock.h"

namespace mcp_session {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

constexpr std::size_t kReadBytes = 16u << 10;
constexpr std::size_t kMostHeaderBytes = 64u << 10;  // of larger fields Beast would throw
constexpr int kMaxInformational = 8;                 // responses 1xx before the one that counts

asio::awaitable<Result<std::string>> GiveToken(std::string token) {
  Result<std::string> result = std::move(token);
  co_return result;
}

bool CanBeSent(const std::pair<std::string, std::string>& header) {
  for (const char* ours : {"Connection", "Content-Length", "Host", "Transfer-Encoding"}) {
    if (EqualIgnoringCase(header.first, ours)) return false;
  }
  for (const char c : header.second) {
    if (c < ' ' && c != '\t') return false;
    if (c == 0x7F) return false;
  }
  return IsHeaderName(header.first);
}

// A POST without a session, and not of the stateless era.
bool Initializes(const client_effect::HttpSend& send) {
  if (send.method != "POST") return false;
  return std::none_of(send.headers.begin(), send.headers.end(), [](const auto& header) {
    return header.first == HeaderName(Header::kMcpMethod) ||
           header.first == HeaderName(Header::kSessionId) ||
           header.first == HeaderName(Header::kProtocolVersion);
  });
}

// Theory of operation. Each HttpSend is an Exchange, a coroutine that takes a connection that is
// not used or makes one, writes, and tells what comes. It ends by telling ResponseEnded or
// ExchangeFailed, once, or by HttpAbort, which cuts the connection and lets it tell nothing.
class HttpLink final : public ClientLink, public std::enable_shared_from_this<HttpLink> {
 public:
  HttpLink(asio::io_context& loop, HttpUrl url, std::shared_ptr<asio::ssl::context> tls,
           HttpLinkOptions options)
      : loop_(loop), url_(std::move(url)), tls_(std::move(tls)), options_(std::move(options)) {}

  ClientTransport transport() const override { return ClientTransport::kHttp; }
  void OnEvent(std::function<void(ClientEvent event)> tell) override { tell_ = std::move(tell); }
  Result<void> Start() override {
    while (!exchanges_.empty()) End(exchanges_.begin()->second);
    return {};
  }

  std::optional<Revision> Remembered() override {
    return options_.eras ? options_.eras->Find(OriginOf(url_)) : std::nullopt;
  }
  void Remember(std::optional<Revision> revision) override {
    if (options_.eras == nullptr) return;
    if (revision) {
      options_.eras->Remember(OriginOf(url_), *revision);
    } else {
      options_.eras->Forget(OriginOf(url_));
    }
  }

  std::unique_ptr<ClientLink> Older() override {
    if (!std::exchange(refused_, false)) return nullptr;
    return MakeSseLink(loop_, options_);
  }

  void Do(ClientEffect& effect) override {
    if (auto* send = std::get_if<client_effect::HttpSend>(&effect)) {
      auto exchange = std::make_shared<Exchange>();
      exchange->id = send->exchange;
      exchange->request = MakeRequest(*send);
      exchange->initializes = Initializes(*send);
      exchanges_[send->exchange.number] = exchange;
      asio::co_spawn(loop_, Converse(shared_from_this(), exchange), asio::detached);
    } else if (const auto* abort = std::get_if<client_effect::HttpAbort>(&effect)) {
      const auto found = exchanges_.find(abort->exchange.number);
      if (found != exchanges_.end()) End(found->second);
    }
  }

  void Stop(std::function<void()> done) override {
    Cut();
    done();
  }

  void Cut() {
    while (!exchanges_.empty()) End(exchanges_.begin()->second);
    for (const auto& connection : idle_) connection->Cut();
    idle_.clear();
  }

 private:
  struct Exchange {
    ExchangeId id;
    HttpConnection::Request request;
    std::shared_ptr<HttpConnection> connection;
    bool over = false;  // nobody wants to hear of it
    bool initializes = false;
    std::string token;
    std::optional<std::string> next_token;  // the server refused `token`
    bool refused = false;
    std::array<char, kReadBytes> room;
  };

  HttpConnection::Request MakeRequest(const client_effect::HttpSend& send) const {
    HttpConnection::Request request;
    request.version(11);
    request.method_string(send.method);
    request.target(url_.target);
    for (const auto& [name, value] : options_.headers) request.set(name, value);
    request.set(http::field::host, url_.authority);
    if (request.find(http::field::user_agent) == request.end()) {
      request.set(http::field::user_agent, "mcp-session");
    }
    for (const auto& [name, value] : send.headers) request.set(std::string(name), value);
    request.body() = send.body;
    if (send.method != "GET") request.content_length(send.body.size());
    return request;
  }

  void End(const std::shared_ptr<Exchange> exchange) {
    exchange->over = true;
    if (exchange->connection != nullptr) exchange->connection->Cut();
    exchanges_.erase(exchange->id.number);
  }

  void Tell(ClientEvent event) {
    if (tell_) tell_(std::move(event));
  }

  static asio::awaitable<void> Converse(std::shared_ptr<HttpLink> self,
                                        std::shared_ptr<Exchange> exchange) {
    std::string trouble;
    do {
      trouble = co_await self->Try(exchange);
    } while (trouble.empty() && exchange->next_token && !exchange->over);
    if (exchange->over) co_return;
    self->exchanges_.erase(exchange->id.number);
    if (trouble.empty()) {
      self->Tell(client_event::ResponseEnded{exchange->id});
    } else {
      if (exchange->connection != nullptr) exchange->connection->Cut();
      self->Tell(client_event::ExchangeFailed{exchange->id, false, trouble});
    }
  }

  // One request and its response, told unless there is another token to try (next_token).
  asio::awaitable<std::string> Try(std::shared_ptr<Exchange> exchange) {
    if (options_.token) {
      if (exchange->next_token) {
        exchange->token = *std::exchange(exchange->next_token, std::nullopt);
      } else {
        Result<std::string> token = co_await options_.token(std::string());
        if (!token) co_return token.error().message;
        exchange->token = std::move(*token);
      }
      exchange->request.erase(http::field::authorization);
      if (!exchange->token.empty()) {
        exchange->request.set(http::field::authorization, "Bearer " + exchange->token);
      }
    }
    if (exchange->over) co_return std::string();
    exchange->connection = TakeIdle();
    if (exchange->connection == nullptr) {
      exchange->connection =
          std::make_shared<HttpConnection>(loop_, url_, tls_, options_.verify_server);
      std::string trouble = co_await exchange->connection->Connect(options_.connect_time);
      if (!trouble.empty() || exchange->over) co_return trouble;
    }
    std::string trouble =
        co_await exchange->connection->Write(exchange->request, options_.write_time);
    if (!trouble.empty() || exchange->over) co_return trouble;
    co_return co_await Read(exchange);
  }

  asio::awaitable<std::string> Read(std::shared_ptr<Exchange> exchange) {
    std::optional<HttpConnection::Parser> parser;
    for (int i = 0;; ++i) {
      if (i == kMaxInformational) co_return "the server does not come to the point";
      parser.emplace();
      parser->header_limit(
          static_cast<std::uint32_t>(std::min(options_.max_header_bytes, kMostHeaderBytes)));
      parser->body_limit(boost::none);  // the client has its own limits
      std::string trouble = co_await exchange->connection->ReadHead(*parser);
      if (!trouble.empty() || exchange->over) co_return trouble;
      if (parser->get().result_int() >= 200) break;
    }
    if (parser->get().result_int() == 401 && options_.token &&
        !std::exchange(exchange->refused, true)) {
      std::string challenge(parser->get()[http::field::www_authenticate]);
      if (challenge.empty()) challenge = "Bearer";
      Result<std::string> token = co_await options_.token(std::move(challenge));
      if (exchange->over) co_return std::string();
      if (token && *token != exchange->token) exchange->next_token = std::move(*token);
    }
    const unsigned status = parser->get().result_int();
    if (exchange->initializes) refused_ = status == 400 || status == 404 || status == 405;
    const bool retries = exchange->next_token.has_value();
    if (!retries) {
      const auto& head = parser->get();
      const std::string type(head[http::field::content_type]);
      const std::string session(head[HeaderName(Header::kSessionId)]);
      Tell(client_event::ResponseStarted{exchange->id, static_cast<int>(status), type, session});
    }
    std::size_t skipped = 0;
    while (!parser->is_done()) {
      if (exchange->over) co_return std::string();
      std::size_t got = 0;
      std::string trouble = co_await exchange->connection->ReadBody(*parser, exchange->room.data(),
                                                                    exchange->room.size(), &got);
      if (exchange->over) co_return std::string();
      if (got > 0 && !retries) {
        Tell(client_event::ResponseBytes{exchange->id, {exchange->room.data(), got}});
      }
      if (!trouble.empty()) co_return trouble;
      skipped += got;
      if (retries && skipped > kReadBytes) break;
    }
    if (parser->is_done() && parser->keep_alive()) {
      GiveBack(std::exchange(exchange->connection, nullptr));
    } else {
      std::exchange(exchange->connection, nullptr)->Cut();
    }
    co_return std::string();
  }

  std::shared_ptr<HttpConnection> TakeIdle() {
    while (!idle_.empty()) {
      std::shared_ptr<HttpConnection> connection = std::move(idle_.back());
      idle_.pop_back();
      const bool fresh = MonotonicNow() - connection->idle_since <= options_.idle_time;
      if (fresh && connection->Quiet()) return connection;
      connection->Cut();
    }
    return nullptr;
  }

  void GiveBack(std::shared_ptr<HttpConnection> connection) {
    if (idle_.size() >= options_.max_idle_connections) return connection->Cut();
    connection->idle_since = MonotonicNow();
    idle_.push_back(std::move(connection));
  }

  asio::io_context& loop_;
  const HttpUrl url_;
  const std::shared_ptr<asio::ssl::context> tls_;  // null: without
  const HttpLinkOptions options_;
  std::function<void(ClientEvent)> tell_;
  std::map<std::uint64_t, std::shared_ptr<Exchange>> exchanges_;
  std::vector<std::shared_ptr<HttpConnection>> idle_;
  bool refused_ = false;  // to initialize, in a way that servers of HTTP+SSE would
};

// The coroutines of a link may outlive the one who owns it, by as much as it takes them to notice.
class OwnedLink final : public ClientLink {
 public:
  explicit OwnedLink(std::shared_ptr<HttpLink> link) : link_(std::move(link)) {}
  ~OwnedLink() override {
    link_->OnEvent(nullptr);
    link_->Cut();
  }
  ClientTransport transport() const override { return link_->transport(); }
  void OnEvent(std::function<void(ClientEvent event)> tell) override {
    link_->OnEvent(std::move(tell));
  }
  Result<void> Start() override { return link_->Start(); }
  void Do(ClientEffect& effect) override { link_->Do(effect); }
  void Stop(std::function<void()> done) override { link_->Stop(std::move(done)); }
  std::optional<Revision> Remembered() override { return link_->Remembered(); }
  void Remember(std::optional<Revision> revision) override { link_->Remember(revision); }
  std::unique_ptr<ClientLink> Older() override { return link_->Older(); }

 private:
  const std::shared_ptr<HttpLink> link_;
};

}  // namespace

TokenProvider FixedToken(std::string token) {
  return [token = std::move(token)](const std::string&) { return GiveToken(token); };
}

Result<std::unique_ptr<ClientLink>> MakeHttpLink(asio::io_context& loop, HttpLinkOptions options) {
  const auto invalid = [](const char* why) {
    return Failure(ErrorCode::kInvalidArgument, Blame::kCaller, why);
  };
  const std::optional<HttpUrl> url = ParseHttpUrl(options.url);
  if (!url) return invalid("the server's URL is http://HOST/PATH or https://HOST/PATH");
  if (options.token && !url->tls && !IsLoopback(*url)) {
    return invalid("a token goes to another machine over https only");
  }
  if (!std::all_of(options.headers.begin(), options.headers.end(), CanBeSent)) {
    return invalid("a header cannot be sent as it is");
  }
  std::shared_ptr<asio::ssl::context> tls;
  if (url->tls) {
    tls = MakeClientTls(options.ca_file);
    if (tls == nullptr) {
      return Failure(ErrorCode::kMisconfigured, Blame::kEnvironment,
                     "cannot read the certificates to trust the server by");
    }
  }
  return std::make_unique<OwnedLink>(
      std::make_shared<HttpLink>(loop, *url, std::move(tls), std::move(options)));
}

}  // namespace mcp_session

#include "mcp_session/auth/jwks_fetch.h"

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "mcp_session/http_client/client_tls.h"
#include "mcp_session/http_client/http_connection.h"
#include "mcp_session/http_client/url.h"

namespace mcp_session {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

constexpr std::uint32_t kMaxHeadBytes = 16u << 10;

// One attempt. Keeps itself alive for as long as the loop has something to do for it.
class Attempt : public std::enable_shared_from_this<Attempt> {
 public:
  using Done = std::function<void(Result<std::string>)>;

  Attempt(asio::io_context& loop, const HttpUrl& url, std::shared_ptr<asio::ssl::context> tls,
          Millis timeout, Done done)
      : loop_(loop),
        timeout_(timeout),
        done_(std::move(done)),
        connection_(loop, url, std::move(tls), true),
        timer_(loop) {
    request_.version(11);
    request_.method(http::verb::get);
    request_.target(url.target);
    request_.set(http::field::host, url.authority);
    request_.set(http::field::accept, "application/jwk-set+json, application/json");
    request_.set(http::field::user_agent, "mcp-session");
    request_.set(http::field::connection, "close");
  }

  void Start() {
    timer_.expires_after(std::chrono::milliseconds(timeout_.count));
    timer_.async_wait([self = shared_from_this()](const boost::system::error_code& cancelled) {
      if (!cancelled) self->Finish("no answer in time");
    });
    asio::co_spawn(loop_, Run(shared_from_this()), asio::detached);
  }

 private:
  static asio::awaitable<void> Run(std::shared_ptr<Attempt> self) {
    std::string trouble = co_await self->Ask();
    self->Finish(std::move(trouble));
  }

  // Fills keys_, or says why not.
  asio::awaitable<std::string> Ask() {
    std::string trouble = co_await connection_.Connect(timeout_);
    if (!trouble.empty()) co_return trouble;
    trouble = co_await connection_.Write(request_, timeout_);
    if (!trouble.empty()) co_return trouble;
    HttpConnection::Parser response;
    response.header_limit(kMaxHeadBytes);
    response.body_limit(boost::none);
    trouble = co_await connection_.ReadHead(response);
    if (!trouble.empty()) co_return trouble;
    if (response.get().result() != http::status::ok) {
      co_return "status " + std::to_string(response.get().result_int());
    }
    std::array<char, 4096> room;
    while (!response.is_done()) {
      std::size_t got = 0;
      trouble = co_await connection_.ReadBody(response, room.data(), room.size(), &got);
      if (!trouble.empty()) co_return trouble;
      keys_.append(room.data(), got);
      if (keys_.size() > kMaxJwksBytes) co_return "the answer is too large";
    }
    co_return std::string();
  }

  void Finish(std::string trouble) {
    if (!done_) return;
    const Done done = std::exchange(done_, nullptr);
    timer_.cancel();
    connection_.Cut();
    if (trouble.empty()) return done(std::move(keys_));
    done(Failure(ErrorCode::kUnavailable, Blame::kEnvironment, std::move(trouble)));
  }

  asio::io_context& loop_;
  const Millis timeout_;
  Done done_;  // null: it is over
  HttpConnection connection_;
  asio::steady_timer timer_;
  HttpConnection::Request request_;
  std::string keys_;
};

}  // namespace

Result<JwksSource> JwksFromUrl(asio::io_context& loop, const JwksFetchOptions& options) {
  const std::optional<HttpUrl> url = ParseHttpUrl(options.url);
  if (!url) {
    return Failure(ErrorCode::kInvalidArgument, Blame::kCaller,
                   "a key set is a file, https://HOST/PATH, or http:// on this machine");
  }
  if (!url->tls && !IsLoopback(*url)) {
    return Failure(ErrorCode::kInvalidArgument, Blame::kCaller,
                   "keys from another machine need https");
  }
  std::shared_ptr<asio::ssl::context> tls;
  if (url->tls) {
    tls = MakeClientTls(options.ca_file);
    if (tls == nullptr) {
      return Failure(ErrorCode::kMisconfigured, Blame::kEnvironment,
                     "cannot read the certificates to trust the authorization server by");
    }
  }
  return [&loop, url = *url, tls, timeout = options.timeout](Attempt::Done done) {
    std::make_shared<Attempt>(loop, url, tls, timeout, std::move(done))->Start();
  };
}

}  // namespace mcp_session

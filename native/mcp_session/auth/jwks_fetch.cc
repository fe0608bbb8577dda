#include "mcp_session/auth/jwks_fetch.h"

#include <openssl/ssl.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "mcp_session/http_client/client_tls.h"
#include "mcp_session/http_client/url.h"
#include "mcp_session/system/log.h"

namespace mcp_session {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::uint32_t kMaxHeadBytes = 16u << 10;

// One attempt. Keeps itself alive for as long as the loop has something to do for it.
class Attempt : public std::enable_shared_from_this<Attempt> {
 public:
  using Done = std::function<void(Result<std::string>)>;

  Attempt(asio::io_context& loop, const HttpUrl& url, std::shared_ptr<asio::ssl::context> tls,
          Done done)
      : url_(url),
        tls_(std::move(tls)),
        done_(std::move(done)),
        resolver_(loop),
        socket_(loop),
        timer_(loop) {}

  void Start(Millis timeout) {
    timer_.expires_after(std::chrono::milliseconds(timeout.count));
    timer_.async_wait([self = shared_from_this(), this](error_code cancelled) {
      if (!cancelled) Fail("no answer in time");
    });
    resolver_.async_resolve(
        url_.host, url_.port,
        [self = shared_from_this(), this](error_code error, tcp::resolver::results_type found) {
          if (!done_) return;
          if (error || found.empty()) return Fail("no such host");
          asio::async_connect(socket_, found,
                              [self, this](error_code e, const tcp::endpoint&) { OnConnected(e); });
        });
  }

 private:
  void OnConnected(error_code error) {
    if (!done_) return;
    if (error) return Fail("cannot connect");
    if (tls_ == nullptr) return Ask(socket_);
    stream_.emplace(socket_, *tls_);
    error_code ignored;  // neither can fail
    stream_->set_verify_mode(asio::ssl::verify_peer, ignored);
    stream_->set_verify_callback(asio::ssl::host_name_verification(url_.host), ignored);
    asio::ip::make_address(url_.host, error);
    if (error) SSL_set_tlsext_host_name(stream_->native_handle(), url_.host.c_str());
    stream_->async_handshake(asio::ssl::stream_base::client,
                             [self = shared_from_this(), this](error_code e) {
                               if (!done_) return;
                               if (e) return Fail("TLS: " + e.message());
                               Ask(*stream_);
                             });
  }

  template <typename Stream>
  void Ask(Stream& stream) {
    request_.version(11);
    request_.method(http::verb::get);
    request_.target(url_.target);
    request_.set(http::field::host, url_.authority);
    request_.set(http::field::accept, "application/jwk-set+json, application/json");
    request_.set(http::field::user_agent, "mcp-session");
    request_.set(http::field::connection, "close");
    response_.body_limit(kMaxJwksBytes);
    response_.header_limit(kMaxHeadBytes);
    http::async_write(stream, request_,
                      [self = shared_from_this(), this, &stream](error_code error, std::size_t) {
                        if (!done_) return;
                        if (error) return Fail("the connection broke");
                        http::async_read(stream, buffer_, response_,
                                         [self, this](error_code e, std::size_t) { OnRead(e); });
                      });
  }

  void OnRead(error_code error) {
    if (!done_) return;
    if (error == http::error::body_limit) return Fail("the answer is too large");
    if (error) return Fail("the answer broke off, or is no HTTP");
    if (response_.get().result() != http::status::ok) {
      return Fail("status " + std::to_string(response_.get().result_int()));
    }
    Finish(std::move(response_.get().body()));
  }

  void Fail(const std::string& why) {
    Finish(Failure(ErrorCode::kUnavailable, Blame::kEnvironment, Redact(why)));
  }

  void Finish(Result<std::string> result) {
    if (!done_) return;
    const Done done = std::exchange(done_, nullptr);
    timer_.cancel();
    resolver_.cancel();
    error_code ignored;  // all that was to be known is
    socket_.close(ignored);
    done(std::move(result));
  }

  const HttpUrl url_;
  const std::shared_ptr<asio::ssl::context> tls_;  // null: without
  Done done_;                                      // null: it is over
  tcp::resolver resolver_;
  tcp::socket socket_;
  std::optional<asio::ssl::stream<tcp::socket&>> stream_;
  asio::steady_timer timer_;
  boost::beast::flat_buffer buffer_{kMaxJwksBytes + kMaxHeadBytes};
  http::request<http::empty_body> request_;
  http::response_parser<http::string_body> response_;
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
    std::make_shared<Attempt>(loop, url, tls, std::move(done))->Start(timeout);
  };
}

}  // namespace mcp_session

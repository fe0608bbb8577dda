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
#include <charconv>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "mcp_session/system/log.h"

namespace mcp_session {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t kMaxUrlBytes = 2048;
constexpr std::uint32_t kMaxHeadBytes = 16u << 10;

struct Url {
  bool tls = false;
  std::string host;  // without brackets
  std::string authority;
  std::string port;
  std::string target;
};

std::optional<Url> ParseUrl(std::string_view text) {
  Url url;
  if (text.size() > kMaxUrlBytes) return std::nullopt;
  for (const char c : text) {
    if (c <= ' ' || c > '~') return std::nullopt;
  }
  if (text.starts_with("https://")) {
    url.tls = true;
    text.remove_prefix(8);
  } else if (text.starts_with("http://")) {
    text.remove_prefix(7);
  } else {
    return std::nullopt;
  }
  text = text.substr(0, text.find('#'));
  const std::size_t slash = text.find_first_of("/?");
  std::string_view authority = text.substr(0, slash);
  url.target = slash == std::string_view::npos ? "/" : text.substr(slash);
  if (url.target.starts_with('?')) url.target.insert(0, "/");
  url.authority = authority;
  std::string_view port = url.tls ? "443" : "80";
  const std::size_t colon =
      authority.find(':', authority.starts_with('[') ? authority.find(']') : 0);
  if (colon != std::string_view::npos) {
    port = authority.substr(colon + 1);
    authority = authority.substr(0, colon);
  }
  if (authority.starts_with('[') && authority.ends_with(']')) {
    authority = authority.substr(1, authority.size() - 2);
  }
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc() || end != port.data() + port.size() || number == 0) return std::nullopt;
  if (authority.empty() || authority.find_first_of("@[]") != std::string_view::npos) {
    return std::nullopt;
  }
  url.host = authority;
  url.port = port;
  return url;
}

bool IsLoopback(const std::string& host) {
  error_code error;
  const asio::ip::address address = asio::ip::make_address(host, error);
  return error ? host == "localhost" : address.is_loopback();
}

// One attempt. Keeps itself alive for as long as the loop has something to do for it.
class Attempt : public std::enable_shared_from_this<Attempt> {
 public:
  using Done = std::function<void(Result<std::string>)>;

  Attempt(asio::io_context& loop, const Url& url, std::shared_ptr<asio::ssl::context> tls,
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

  const Url url_;
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
  const std::optional<Url> url = ParseUrl(options.url);
  if (!url) {
    return Failure(ErrorCode::kInvalidArgument, Blame::kCaller,
                   "a key set is a file, https://HOST/PATH, or http:// on this machine");
  }
  if (!url->tls && !IsLoopback(url->host)) {
    return Failure(ErrorCode::kInvalidArgument, Blame::kCaller,
                   "keys from another machine need https");
  }
  std::shared_ptr<asio::ssl::context> tls;
  if (url->tls) {
    error_code error;
    tls = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
    tls->set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1, error);
    if (options.ca_file.empty()) {
      tls->set_default_verify_paths(error);
    } else {
      tls->load_verify_file(options.ca_file, error);
    }
    if (error) {
      return Failure(ErrorCode::kMisconfigured, Blame::kEnvironment,
                     "cannot read the certificates to trust the authorization server by");
    }
  }
  return [&loop, url = *url, tls, timeout = options.timeout](Attempt::Done done) {
    std::make_shared<Attempt>(loop, url, tls, std::move(done))->Start(timeout);
  };
}

}  // namespace mcp_session

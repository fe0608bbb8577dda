#include "mcp_session/http_client/http_connection.h"

#include <openssl/ssl.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <chrono>
#include <utility>

#include "mcp_session/system/log.h"

namespace mcp_session {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

auto Into(error_code& error) { return asio::redirect_error(asio::use_awaitable, error); }

std::string Because(const char* what, const error_code& error) {
  if (error == beast::error::timeout) return std::string(what) + " in time";
  std::string why = Redact(error.message());
  if (!why.empty() && why[0] >= 'A' && why[0] <= 'Z') why[0] = static_cast<char>(why[0] + 32);
  return std::string(what) + ": " + why;
}

}  // namespace

HttpConnection::HttpConnection(asio::io_context& loop, HttpUrl url,
                               std::shared_ptr<asio::ssl::context> tls, bool verify_server)
    : url_(std::move(url)), context_(std::move(tls)), loop_(loop) {
  if (context_ == nullptr) {
    plain_.emplace(loop);
    return;
  }
  tls_.emplace(loop, *context_);
  if (verify_server) {
    tls_->set_verify_mode(asio::ssl::verify_peer);
    tls_->set_verify_callback(asio::ssl::host_name_verification(url_.host));
  } else {
    tls_->set_verify_mode(asio::ssl::verify_none);
  }
  error_code not_an_address;
  asio::ip::make_address(url_.host, not_an_address);
  if (not_an_address) SSL_set_tlsext_host_name(tls_->native_handle(), url_.host.c_str());
}

asio::awaitable<HttpConnection::Trouble> HttpConnection::Connect(Millis time) {
  error_code error;
  tcp::resolver resolver(loop_);
  tcp::resolver::results_type found =
      co_await resolver.async_resolve(url_.host, url_.port, Into(error));
  if (cut_) co_return "given up";
  if (error || found.empty()) co_return "no such host";
  tcp().expires_after(std::chrono::milliseconds(time.count));
  co_await tcp().async_connect(found, Into(error));
  if (error) {
    std::string why = Because("cannot connect", error);
    co_return why;
  }
  error_code ignored;  // it only costs time
  tcp().socket().set_option(tcp::no_delay(true), ignored);
  if (tls_) {
    co_await tls_->async_handshake(asio::ssl::stream_base::client, Into(error));
    if (error) {
      std::string why = Because("TLS", error);
      co_return why;
    }
  }
  co_return std::string();
}

asio::awaitable<HttpConnection::Trouble> HttpConnection::Write(const Request& request,
                                                               Millis time) {
  error_code error;
  tcp().expires_after(std::chrono::milliseconds(time.count));
  if (tls_) {
    co_await http::async_write(*tls_, request, Into(error));
  } else {
    co_await http::async_write(*plain_, request, Into(error));
  }
  std::string why;
  if (error) why = Because("the connection broke", error);
  co_return why;
}

asio::awaitable<HttpConnection::Trouble> HttpConnection::ReadHead(Parser& parser) {
  error_code error;
  tcp().expires_never();
  if (tls_) {
    co_await http::async_read_header(*tls_, buffer_, parser, Into(error));
  } else {
    co_await http::async_read_header(*plain_, buffer_, parser, Into(error));
  }
  std::string why;
  if (error == http::error::end_of_stream) {
    why = "the connection closed before an answer";
  } else if (error == http::error::header_limit) {
    why = "the head of the answer is too large";
  } else if (error) {
    why = Because("the connection broke", error);
  }
  co_return why;
}

asio::awaitable<HttpConnection::Trouble> HttpConnection::ReadBody(Parser& parser, char* room,
                                                                  std::size_t size,
                                                                  std::size_t* got) {
  error_code error;
  parser.get().body().data = room;
  parser.get().body().size = size;
  parser.get().body().more = true;
  if (tls_) {
    co_await http::async_read_some(*tls_, buffer_, parser, Into(error));
  } else {
    co_await http::async_read_some(*plain_, buffer_, parser, Into(error));
  }
  *got = size - parser.get().body().size;
  std::string why;
  if (error && error != http::error::need_buffer) why = Because("the answer broke off", error);
  co_return why;
}

void HttpConnection::Cut() {
  cut_ = true;
  error_code ignored;  // it is over either way
  tcp().socket().close(ignored);
}

bool HttpConnection::Quiet() {
  std::array<char, 1> byte{};
  const ssize_t peeked =
      recv(tcp().socket().native_handle(), byte.data(), byte.size(), MSG_PEEK | MSG_DONTWAIT);
  return peeked < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) && buffer_.size() == 0;
}

}  // namespace mcp_session

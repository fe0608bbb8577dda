#include "mcp_session/http_client/http_connection.h"

#include <openssl/ssl.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/read_size.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/serializer.hpp>
#include <chrono>
#include <utility>
#include <vector>

#include "mcp_session/system/keep_alive.h"
#include "mcp_session/system/log.h"

namespace mcp_session {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t kReadAtOnce = 64u << 10;

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
  SetKeepAlive(tcp().socket().native_handle(), kHttpKeepAlive);
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
  http::request_serializer<http::string_body> serializer(request);
  std::vector<asio::const_buffer> pieces;
  while (!error && !serializer.is_done()) {
    serializer.next(error, [&pieces](error_code&, const auto& buffers) {
      pieces.assign(asio::buffer_sequence_begin(buffers), asio::buffer_sequence_end(buffers));
    });
    if (error) break;
    std::size_t written = 0;
    if (tls_) {
      written = co_await tls_->async_write_some(pieces, Into(error));
    } else {
      written = co_await plain_->async_write_some(pieces, Into(error));
    }
    serializer.consume(written);
  }
  std::string why;
  if (error) why = Because("the connection broke", error);
  co_return why;
}

// As http::async_read_some, which is much to compile for each kind of stream.
asio::awaitable<void> HttpConnection::ReadSome(Parser& parser, error_code* error) {
  for (;;) {
    if (buffer_.size() > 0) {
      error->clear();
      buffer_.consume(parser.put(buffer_.data(), *error));
      if (*error != http::error::need_more) co_return;
    }
    const auto room = buffer_.prepare(beast::read_size(buffer_, kReadAtOnce));
    std::size_t got = 0;
    if (tls_) {
      got = co_await tls_->async_read_some(room, Into(*error));
    } else {
      got = co_await plain_->async_read_some(room, Into(*error));
    }
    buffer_.commit(got);
    if (*error == asio::error::eof) {
      if (!parser.got_some()) {
        *error = http::error::end_of_stream;
      } else {
        error->clear();
        parser.put_eof(*error);
      }
      co_return;
    }
    if (*error) co_return;
  }
}

asio::awaitable<HttpConnection::Trouble> HttpConnection::ReadHead(Parser& parser) {
  error_code error;
  tcp().expires_never();
  parser.eager(false);
  while (!error && !parser.is_header_done()) co_await ReadSome(parser, &error);
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
  co_await ReadSome(parser, &error);
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

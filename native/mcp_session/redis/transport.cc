#include "mcp_session/redis/transport.h"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <utility>

#include "mcp_session/system/keep_alive.h"

namespace mcp_session {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using asio::local::stream_protocol;
using boost::system::error_code;

constexpr std::size_t kReadBytes = 64u << 10;

// How long a server may take for its first word, with TLS, before it is asked without, and how long
// one that hung up without a word is tried with TLS.
constexpr std::chrono::milliseconds kSecondLook(150);

constexpr KeepAlive kKeepAlive{Seconds(15), Seconds(5), Seconds(2)};

constexpr std::string_view kPing = "PING\r\n";

bool IsTlsError(const error_code& error) {
  return error.category() == asio::error::get_ssl_category();
}

RedisFailure Describe(const error_code& error) {
  if (error == asio::error::connection_refused) {
    return MakeRedisFailure(RedisCause::kRefused);
  }
  if (error == asio::error::eof || error == asio::ssl::error::stream_truncated) {
    return MakeRedisFailure(RedisCause::kClosed);
  }
  if (IsTlsError(error)) return MakeRedisFailure(RedisCause::kTls, "TLS: " + error.message());
  if (error == asio::error::access_denied) return MakeRedisFailure(RedisCause::kPermission);
  std::string words = error.message();
  for (char& c : words) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  const bool timed_out = error == asio::error::timed_out;
  return MakeRedisFailure(timed_out ? RedisCause::kTimedOut : RedisCause::kNetwork,
                          std::move(words));
}

std::optional<RedisFailure> FailureOf(const error_code& error) {
  return error ? std::optional(Describe(error)) : std::nullopt;
}

// What is the same over every kind of stream.
template <typename Self>
class TransportBase : public RedisTransport, public std::enable_shared_from_this<Self> {
 protected:
  template <typename Stream>
  void ReadFrom(Stream& stream, WasRead read) {
    stream.async_read_some(asio::buffer(input_),
                           [self = this->shared_from_this(), this, read = std::move(read)](
                               const error_code& error, std::size_t size) {
                             if (!closed_)
                               read(std::string_view(input_.data(), size), FailureOf(error));
                           });
  }

  template <typename Stream>
  void WriteTo(Stream& stream, std::string* bytes, Written written) {
    output_.swap(*bytes);
    bytes->clear();
    asio::async_write(stream, asio::buffer(output_),
                      [self = this->shared_from_this(), this, written = std::move(written)](
                          const error_code& error, std::size_t) {
                        if (!closed_) written(FailureOf(error));
                      });
  }

  template <typename Socket>
  void CloseSocket(Socket& socket) {
    closed_ = true;
    error_code ignored;
    socket.close(ignored);
  }

  bool closed_ = false;

 private:
  std::array<char, kReadBytes> input_;
  std::string output_;
};

class UnixTransport final : public TransportBase<UnixTransport> {
 public:
  UnixTransport(asio::io_context& loop, const RedisAddress& address)
      : address_(address), socket_(loop) {}

  void Connect(Connected connected) override {
    socket_.async_connect(
        stream_protocol::endpoint(address_.path),
        [self = shared_from_this(), this, connected = std::move(connected)](error_code error) {
          if (closed_) return;
          if (error == boost::system::errc::no_such_file_or_directory) {
            return connected(
                MakeRedisFailure(RedisCause::kRefused, "nobody listens: there is no such socket"));
          }
          connected(FailureOf(error));
        });
  }
  void Read(WasRead read) override { ReadFrom(socket_, std::move(read)); }
  void Write(std::string* bytes, Written written) override {
    WriteTo(socket_, bytes, std::move(written));
  }
  void Close() override { CloseSocket(socket_); }

 private:
  const RedisAddress address_;
  stream_protocol::socket socket_;
};

// A server that is spoken to with TLS and has none says nothing, and one that is spoken to without
// and wants it hangs up: both look like an outage, and are a mistake in the settings. So whoever
// behaves like this is tried the other way, over a second connection.
class TcpTransport final : public TransportBase<TcpTransport> {
 public:
  TcpTransport(asio::io_context& loop, const RedisAddress& address, const RedisTls& tls)
      : loop_(loop),
        address_(address),
        tls_(tls),
        resolver_(loop),
        socket_(loop),
        second_(loop),
        second_timer_(loop) {}

  void Connect(Connected connected) override {
    connected_ = std::move(connected);
    if (tls_.enabled) {
      if (std::optional<RedisFailure> failure = PrepareTls()) {
        asio::post(loop_, [self = shared_from_this(), this, failure = *failure] {
          if (!closed_) Report(failure);
        });
        return;
      }
    }
    error_code error;
    const asio::ip::address numeric = asio::ip::make_address(address_.host, error);
    if (!error) return ConnectTo(tcp::endpoint(numeric, address_.port));
    resolver_.async_resolve(
        address_.host, std::to_string(address_.port),
        [self = shared_from_this(), this](error_code failed, tcp::resolver::results_type found) {
          if (closed_) return;
          if (failed || found.empty()) {
            return Report(MakeRedisFailure(RedisCause::kHostNotFound));
          }
          asio::async_connect(socket_, found,
                              [self, this](error_code e, const tcp::endpoint&) { OnConnected(e); });
        });
  }
  void Read(WasRead read) override {
    if (tls_stream_) return ReadFrom(*tls_stream_, std::move(read));
    if (heard_) return ReadFrom(socket_, std::move(read));
    ReadFrom(socket_, [this, read = std::move(read)](std::string_view bytes,
                                                     std::optional<RedisFailure> failure) {
      if (failure) return LookForTls(std::move(*failure), read);
      heard_ = true;
      read(bytes, std::nullopt);
    });
  }
  void Write(std::string* bytes, Written written) override {
    tls_stream_ ? WriteTo(*tls_stream_, bytes, std::move(written))
                : WriteTo(socket_, bytes, std::move(written));
  }
  void Close() override {
    connected_ = nullptr;
    resolver_.cancel();
    second_timer_.cancel();
    error_code ignored;
    second_.close(ignored);
    CloseSocket(socket_);
  }

 private:
  // Files are read for each connection: a renewed certificate is taken up.
  std::optional<RedisFailure> PrepareTls() {
    const auto failure = [](std::string_view what) {
      return MakeRedisFailure(RedisCause::kTls, "TLS: cannot read " + std::string(what));
    };
    error_code error;
    tls_context_.set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1, error);
    if (!tls_.ca_file.empty()) {
      tls_context_.load_verify_file(tls_.ca_file, error);
      if (error) return failure("the CA file");
    } else {
      tls_context_.set_default_verify_paths(error);
      if (error) return failure("the certificates of the system");
    }
    if (!tls_.certificate_file.empty()) {
      tls_context_.use_certificate_chain_file(tls_.certificate_file, error);
      if (error) return failure("our certificate");
      tls_context_.use_private_key_file(tls_.key_file, asio::ssl::context::pem, error);
      if (error) return failure("our private key");
    }
    tls_stream_.emplace(socket_, tls_context_);
    const std::string& name = tls_.server_name.empty() ? address_.host : tls_.server_name;
    if (tls_.insecure) {
      tls_stream_->set_verify_mode(asio::ssl::verify_none, error);
    } else {
      tls_stream_->set_verify_mode(asio::ssl::verify_peer, error);
      tls_stream_->set_verify_callback(asio::ssl::host_name_verification(name), error);
    }
    error_code not_numeric;
    asio::ip::make_address(name, not_numeric);
    if (not_numeric) SSL_set_tlsext_host_name(tls_stream_->native_handle(), name.c_str());
    return std::nullopt;
  }

  void ConnectTo(const tcp::endpoint& endpoint) {
    socket_.async_connect(endpoint,
                          [self = shared_from_this(), this](error_code e) { OnConnected(e); });
  }

  void OnConnected(error_code error) {
    if (closed_) return;
    if (error) return Report(Describe(error));
    SetOptions();
    server_ = socket_.remote_endpoint(error);
    if (!tls_stream_) return Report(std::nullopt);
    LookForPlainSoon();
    tls_stream_->async_handshake(asio::ssl::stream_base::client,
                                 [self = shared_from_this(), this](error_code e) {
                                   if (!closed_) OnHandshake(e);
                                 });
  }

  // Whoever answers this says that it speaks Redis without TLS.
  void LookForPlainSoon() {
    second_timer_.expires_after(kSecondLook);
    second_timer_.async_wait([self = shared_from_this(), this](error_code cancelled) {
      if (cancelled || closed_ || !connected_) return;
      second_.async_connect(server_, [self, this](error_code e) {
        if (e || closed_ || !connected_) return;
        asio::async_write(second_, asio::buffer(kPing), [self](error_code, std::size_t) {});
        second_.async_read_some(asio::buffer(first_), [self, this](error_code e, std::size_t) {
          if (e || closed_ || !connected_ || (first_[0] != '+' && first_[0] != '-')) return;
          Report(MakeRedisFailure(RedisCause::kTls));
        });
      });
    });
  }

  // The server ended the connection, for `failure`, before its first word. Says so, or better.
  void LookForTls(RedisFailure failure, WasRead read) {
    const auto done = std::make_shared<WasRead>(std::move(read));
    const auto finish = [self = shared_from_this(), this, done](RedisFailure why) {
      if (closed_ || !*done) return;
      second_timer_.cancel();
      std::exchange(*done, nullptr)({}, std::move(why));
    };
    second_timer_.expires_after(kSecondLook);
    second_timer_.async_wait([finish, failure](error_code cancelled) {
      if (!cancelled) finish(failure);
    });
    second_.async_connect(server_, [self = shared_from_this(), this, finish,
                                    failure](error_code e) {
      if (e || closed_) return finish(failure);
      const auto stream = std::make_shared<asio::ssl::stream<tcp::socket&>>(second_, tls_context_);
      stream->async_handshake(asio::ssl::stream_base::client, [self, stream, finish,
                                                               failure](error_code e) {
        const bool is_alert = IsTlsError(e) && ERR_GET_REASON(e.value()) >= SSL_AD_REASON_OFFSET;
        if (e && !is_alert) return finish(failure);
        finish(MakeRedisFailure(RedisCause::kTls, "the server wants TLS"));
      });
    });
  }

  void OnHandshake(error_code error) {
    second_timer_.cancel();
    if (!connected_) return;
    if (!error) return Report(std::nullopt);
    if (error == asio::ssl::error::stream_truncated || error == asio::error::eof) {
      return Report(MakeRedisFailure(RedisCause::kTls,
                                     "TLS: the server closed the connection in the handshake"));
    }
    Report(Describe(error));
  }

  void Report(std::optional<RedisFailure> failure) {
    std::exchange(connected_, nullptr)(std::move(failure));
  }

  void SetOptions() {
    error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    SetKeepAlive(socket_.native_handle(), kKeepAlive);
  }

  asio::io_context& loop_;
  const RedisAddress address_;
  const RedisTls tls_;
  tcp::resolver resolver_;
  tcp::socket socket_;
  asio::ssl::context tls_context_{asio::ssl::context::tls_client};
  std::optional<asio::ssl::stream<tcp::socket&>> tls_stream_;
  Connected connected_;
  bool heard_ = false;  // anything, without TLS
  tcp::endpoint server_;
  tcp::socket second_;
  asio::steady_timer second_timer_;
  std::array<char, 1> first_{};  // what the server said over it
};

}  // namespace

std::shared_ptr<RedisTransport> MakeRedisTransport(asio::io_context& loop,
                                                   const RedisAddress& address,
                                                   const RedisTls& tls) {
  if (!address.path.empty()) return std::make_shared<UnixTransport>(loop, address);
  return std::make_shared<TcpTransport>(loop, address, tls);
}

}  // namespace mcp_session

#include "tests/auth/jwks_server.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace mcp_session {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

}  // namespace

struct JwksServer::Inside {
  explicit Inside(const TestCertificate* certificate)
      : acceptor(loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
    const std::string port = std::to_string(acceptor.local_endpoint().port());
    url = "http://127.0.0.1:" + port + "/keys";
    if (certificate != nullptr) {
      url = "https://localhost:" + port + "/keys";
      tls.emplace(asio::ssl::context::tls_server);
      tls->use_certificate_chain(
          asio::buffer(certificate->certificate.data(), certificate->certificate.size()));
      tls->use_private_key(asio::buffer(certificate->key.data(), certificate->key.size()),
                           asio::ssl::context::pem);
    }
    Accept();
    thread = std::thread([this] { loop.run(); });
  }

  struct Peer {
    Peer(tcp::socket connected, asio::ssl::context* tls) : socket(std::move(connected)) {
      if (tls != nullptr) stream.emplace(socket, *tls);
    }
    tcp::socket socket;
    std::optional<asio::ssl::stream<tcp::socket&>> stream;
    boost::beast::flat_buffer buffer;
    http::request<http::string_body> request;
    http::response<http::string_body> response;
  };
  using PeerPointer = std::shared_ptr<Peer>;

  void Accept() {
    acceptor.async_accept([this](error_code error, tcp::socket socket) {
      if (error) return;
      const auto peer = std::make_shared<Peer>(std::move(socket), tls ? &*tls : nullptr);
      peers.push_back(peer);
      if (!peer->stream) {
        Read(peer, peer->socket);
      } else {
        peer->stream->async_handshake(asio::ssl::stream_base::server, [this, peer](error_code e) {
          if (!e) Read(peer, *peer->stream);
        });
      }
      Accept();
    });
  }

  template <typename Stream>
  void Read(const PeerPointer& peer, Stream& stream) {
    http::async_read(stream, peer->buffer, peer->request,
                     [this, peer, &stream](error_code error, std::size_t) {
                       if (!error) Answer(peer, stream);
                     });
  }

  template <typename Stream>
  void Answer(const PeerPointer& peer, Stream& stream) {
    {
      const std::lock_guard lock(mutex);
      ++requests;
      target = std::string(peer->request.target());
      if (mute) return;
      peer->response.result(static_cast<http::status>(status));
      peer->response.body() = body;
    }
    peer->response.prepare_payload();
    http::async_write(stream, peer->response, [peer](error_code, std::size_t) {
      error_code ignored;
      peer->socket.shutdown(tcp::socket::shutdown_send, ignored);
    });
  }

  asio::io_context loop;
  tcp::acceptor acceptor;
  std::string url;
  std::optional<asio::ssl::context> tls;
  std::vector<PeerPointer> peers;

  std::mutex mutex;
  int status = 200;
  std::string body;
  bool mute = false;
  std::string target;
  int requests = 0;

  std::thread thread;
};

JwksServer::JwksServer() : inside_(std::make_unique<Inside>(nullptr)) {}
JwksServer::JwksServer(const TestCertificate& certificate)
    : inside_(std::make_unique<Inside>(&certificate)) {}
JwksServer::~JwksServer() { Stop(); }

const std::string& JwksServer::url() const { return inside_->url; }

void JwksServer::Say(int status, std::string body) {
  const std::lock_guard lock(inside_->mutex);
  inside_->status = status;
  inside_->body = std::move(body);
  inside_->mute = false;
}

void JwksServer::Mute() {
  const std::lock_guard lock(inside_->mutex);
  inside_->mute = true;
}

void JwksServer::Stop() {
  if (!inside_->thread.joinable()) return;
  asio::post(inside_->loop, [this] {
    inside_->acceptor.close();
    inside_->loop.stop();
  });
  inside_->thread.join();
}

std::string JwksServer::last_target() const {
  const std::lock_guard lock(inside_->mutex);
  return inside_->target;
}

int JwksServer::requests() const {
  const std::lock_guard lock(inside_->mutex);
  return inside_->requests;
}

}  // namespace mcp_session

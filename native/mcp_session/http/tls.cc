#include "mcp_session/http/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "mcp_session/base/check.h"

namespace mcp_session {
namespace {

namespace asio = boost::asio;

// A BIO over a socket, like OpenSSL's own, but for one thing: a peer that has gone is an error and
// no SIGPIPE, whatever the program does about signals.
int SocketOf(BIO* bio) {
  return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

int WriteToSocket(BIO* bio, const char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t n = send(SocketOf(bio), bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
    BIO_set_retry_write(bio);
  return static_cast<int>(n);
}

int ReadFromSocket(BIO* bio, char* room, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t n = recv(SocketOf(bio), room, static_cast<std::size_t>(size), 0);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) BIO_set_retry_read(bio);
  if (n == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return static_cast<int>(n);
}

long ControlSocket(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

const BIO_METHOD* SocketMethod() {
  static const BIO_METHOD* const kMethod = [] {
    BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    MCPS_CHECK(method != nullptr);
    BIO_meth_set_write(method, WriteToSocket);
    BIO_meth_set_read(method, ReadFromSocket);
    BIO_meth_set_ctrl(method, ControlSocket);
    return method;
  }();
  return kMethod;
}

// Of what a client offers we speak HTTP/1.1 only.
int SelectProtocol(SSL*, const unsigned char** out, unsigned char* out_size,
                   const unsigned char* offered, unsigned offered_size, void*) {
  constexpr std::string_view kOurs = "\x08http/1.1";
  unsigned char* selected = nullptr;
  const int found = SSL_select_next_proto(
      &selected, out_size, reinterpret_cast<const unsigned char*>(kOurs.data()),
      static_cast<unsigned>(kOurs.size()), offered, offered_size);
  *out = selected;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

Result<void> LoadFiles(SSL_CTX* context, const HttpTlsOptions& options) {
  const auto failure = [](std::string_view what) {
    ERR_clear_error();
    return Failure(ErrorCode::kMisconfigured, Blame::kEnvironment,
                   "TLS: cannot use " + std::string(what));
  };
  if (SSL_CTX_use_certificate_chain_file(context, options.certificate_file.c_str()) != 1) {
    return failure("the certificate");
  }
  if (SSL_CTX_use_PrivateKey_file(context, options.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return failure("the private key");
  }
  if (SSL_CTX_check_private_key(context) != 1) return failure("this key with this certificate");
  if (options.client_ca_file.empty()) return {};
  STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(options.client_ca_file.c_str());
  if (names == nullptr || SSL_CTX_load_verify_file(context, options.client_ca_file.c_str()) != 1) {
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    return failure("the certificates of clients");
  }
  SSL_CTX_set_client_CA_list(context, names);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return {};
}

}  // namespace

Result<std::shared_ptr<TlsContext>> TlsContext::Load(const HttpTlsOptions& options) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  MCPS_CHECK(context != nullptr);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                         SSL_OP_CIPHER_SERVER_PREFERENCE);
  // What is written may lie elsewhere when it is tried again.
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  // Sessions are not resumed by a cache of ours; TLS 1.3 has its tickets.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  static constexpr unsigned char kName[] = "mcp-session";
  SSL_CTX_set_session_id_context(context.get(), kName, sizeof kName - 1);
  SSL_CTX_set_alpn_select_cb(context.get(), SelectProtocol, nullptr);
  if (Result<void> loaded = LoadFiles(context.get(), options); !loaded) {
    return tl::unexpected<Error>(std::move(loaded.error()));
  }
  return std::shared_ptr<TlsContext>(new TlsContext(std::move(context)));
}

TlsSession::TlsSession(const TlsContext& context, int socket)
    : session_(SSL_new(context.native()), SSL_free) {
  MCPS_CHECK(session_ != nullptr);
  BIO* bio = BIO_new(SocketMethod());
  MCPS_CHECK(bio != nullptr);
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(socket)));
  BIO_set_init(bio, 1);
  SSL_set_bio(session_.get(), bio, bio);
  SSL_set_accept_state(session_.get());
}

TlsSession::~TlsSession() = default;

std::size_t TlsSession::Read(std::span<char> room, boost::system::error_code* error) {
  ERR_clear_error();
  std::size_t bytes = 0;
  const int result = SSL_read_ex(session_.get(), room.data(), room.size(), &bytes);
  *error = result == 1 ? boost::system::error_code() : ErrorOf(result);
  return bytes;
}

std::size_t TlsSession::Write(std::span<const char> bytes, boost::system::error_code* error) {
  ERR_clear_error();
  std::size_t written = 0;
  const int result = SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &written);
  const bool waited_to_write = waits_to_write_;
  *error = result == 1 ? boost::system::error_code() : ErrorOf(result);
  waits_to_write_ = waited_to_write;  // that is about reading
  return written;
}

boost::system::error_code TlsSession::ErrorOf(int result) {
  const int error = SSL_get_error(session_.get(), result);
  waits_to_write_ = error == SSL_ERROR_WANT_WRITE;
  switch (error) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return asio::error::would_block;
    case SSL_ERROR_ZERO_RETURN:
      return asio::error::eof;
    default:  // a broken connection, or what is no TLS: for the peer it comes to the same
      broken_ = true;
      ERR_clear_error();
      return asio::error::connection_reset;
  }
}

void TlsSession::Finish() {
  if (broken_ || finished_ || SSL_in_init(session_.get()) != 0) return;
  finished_ = true;
  ERR_clear_error();
  (void)SSL_shutdown(session_.get());  // the peer's answer is not waited for
  ERR_clear_error();
}

}  // namespace mcp_session

#include "tests/native/tls_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <utility>

namespace mcp_session {

TlsClient::TlsClient(std::uint16_t port, const TlsClientOptions& options)
    : session_(nullptr, SSL_free) {
  std::signal(SIGPIPE, SIG_IGN);
  socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  const timeval patience{10, 0};
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return;
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  if (!options.ca_file.empty()) {
    SSL_CTX_load_verify_file(context, options.ca_file.c_str());
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  }
  if (!options.certificate_file.empty()) {
    SSL_CTX_use_certificate_chain_file(context, options.certificate_file.c_str());
    SSL_CTX_use_PrivateKey_file(context, options.key_file.c_str(), SSL_FILETYPE_PEM);
  }
  SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
  SSL_CTX_set_max_proto_version(context, options.max_version);
  SSL_CTX_set_security_level(context, 0);  // even the oldest may be tried
  session_.reset(SSL_new(context));
  SSL_CTX_free(context);
  if (!options.protocol.empty()) {
    const std::string offered =
        std::string(1, static_cast<char>(options.protocol.size())) + options.protocol;
    SSL_set_alpn_protos(session_.get(), reinterpret_cast<const unsigned char*>(offered.data()),
                        static_cast<unsigned>(offered.size()));
  }
  SSL_set_fd(session_.get(), socket_);
  SSL_set_tlsext_host_name(session_.get(), "localhost");
  SSL_set1_host(session_.get(), "localhost");
  connected_ = SSL_connect(session_.get()) == 1;
}

TlsClient::~TlsClient() { close(socket_); }

std::string TlsClient::version() const { return SSL_get_version(session_.get()); }

std::string TlsClient::protocol() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(session_.get(), &name, &size);
  return size == 0 ? std::string() : std::string(reinterpret_cast<const char*>(name), size);
}

std::string TlsClient::server() const {
  X509* certificate = SSL_get1_peer_certificate(session_.get());
  if (certificate == nullptr) return {};
  char name[256] = {};
  X509_NAME_oneline(X509_get_subject_name(certificate), name, sizeof name);
  X509_free(certificate);
  return name;
}

bool TlsClient::Send(std::string_view bytes) {
  return SSL_write(session_.get(), bytes.data(), static_cast<int>(bytes.size())) ==
         static_cast<int>(bytes.size());
}

bool TlsClient::Fill() {
  char buffer[16384];
  const int n = SSL_read(session_.get(), buffer, sizeof buffer);
  if (n <= 0) return false;
  received_.append(buffer, static_cast<std::size_t>(n));
  return true;
}

std::string TlsClient::ReceiveUntil(std::string_view end) {
  std::size_t at;
  while ((at = received_.find(end)) == std::string::npos) {
    if (!Fill()) return std::exchange(received_, {});
  }
  std::string taken = received_.substr(0, at + end.size());
  received_.erase(0, taken.size());
  return taken;
}

void TlsClient::Finish() { SSL_shutdown(session_.get()); }

bool TlsClient::EndsProperly() {
  char byte;
  const int n = SSL_read(session_.get(), &byte, 1);
  return n <= 0 && SSL_get_error(session_.get(), n) == SSL_ERROR_ZERO_RETURN;
}

}  // namespace mcp_session

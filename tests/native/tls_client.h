// A TLS client for tests, over OpenSSL. It waits at most ten seconds for anything.
#ifndef TESTS_NATIVE_TLS_CLIENT_H_
#define TESTS_NATIVE_TLS_CLIENT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

// NOLINTNEXTLINE(readability-identifier-naming): OpenSSL's
struct ssl_st;

namespace mcp_session {

struct TlsClientOptions {
  std::string ca_file;           // whom to trust; empty: anybody
  std::string certificate_file;  // our own, and its key
  std::string key_file;
  int max_version = 0;   // TLS1_2_VERSION, ...; 0: the newest
  std::string protocol;  // to offer by ALPN
};

class TlsClient {
 public:
  // Connects to 127.0.0.1 and shakes hands.
  TlsClient(std::uint16_t port, const TlsClientOptions& options);
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  bool connected() const { return connected_; }
  std::string version() const;
  std::string protocol() const;  // that was agreed on by ALPN
  // The subject of the server's certificate.
  std::string server() const;

  bool Send(std::string_view bytes);
  // Bytes up to and with `end`; what there was, if the connection ends before.
  std::string ReceiveUntil(std::string_view end);
  // Whether the server says that it is done, and only then closes.
  bool EndsProperly();
  // Says that nothing more is sent; the connection stays open.
  void Finish();

 private:
  bool Fill();

  int socket_ = -1;
  std::unique_ptr<ssl_st, void (*)(ssl_st*)> session_;
  bool connected_ = false;
  std::string received_;
};

}  // namespace mcp_session

#endif  // TESTS_NATIVE_TLS_CLIENT_H_

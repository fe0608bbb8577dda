// TLS for the connections of an HttpServer.
#ifndef MCP_SESSION_HTTP_TLS_H_
#define MCP_SESSION_HTTP_TLS_H_

#include <boost/system/error_code.hpp>
#include <cstddef>
#include <memory>
#include <span>

#include "mcp_session/base/result.h"
#include "mcp_session/http/server.h"

// NOLINTNEXTLINE(readability-identifier-naming): OpenSSL's
struct ssl_ctx_st;
// NOLINTNEXTLINE(readability-identifier-naming): OpenSSL's
struct ssl_st;

namespace mcp_session {

// Certificate, key and whom to trust. Connections keep the one they began with.
class TlsContext {
 public:
  // Reads the files. kMisconfigured: which of them cannot be used.
  static Result<std::shared_ptr<TlsContext>> Load(const HttpTlsOptions& options);

  ssl_ctx_st* native() const { return context_.get(); }

 private:
  explicit TlsContext(std::shared_ptr<ssl_ctx_st> context) : context_(std::move(context)) {}
  std::shared_ptr<ssl_ctx_st> context_;
};

// The TLS of one connection, over a socket that does not block. The handshake is part of the first
// read. Errors: would_block when the socket has to become readable (Read) or writable (Write)
// first, eof when the peer has said that it is done, or what broke.
class TlsSession {
 public:
  // `socket` is the descriptor; it must outlive this.
  TlsSession(const TlsContext& context, int socket);
  ~TlsSession();

  std::size_t Read(std::span<char> room, boost::system::error_code* error);
  std::size_t Write(std::span<const char> bytes, boost::system::error_code* error);
  // After would_block of Read: it is the other direction that has to be waited for.
  bool reading_waits_to_write() const { return waits_to_write_; }
  // Tells the peer that nothing more comes. As far as it goes without waiting.
  void Finish();

 private:
  boost::system::error_code ErrorOf(int result);

  std::unique_ptr<ssl_st, void (*)(ssl_st*)> session_;
  bool waits_to_write_ = false;
  bool broken_ = false;
  bool finished_ = false;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_HTTP_TLS_H_

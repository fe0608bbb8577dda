// One connection to a server, with or without TLS. For HttpLink, and for who fetches keys.
#ifndef MCP_SESSION_HTTP_CLIENT_HTTP_CONNECTION_H_
#define MCP_SESSION_HTTP_CLIENT_HTTP_CONNECTION_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <boost/system/error_code.hpp>
#include <memory>
#include <optional>
#include <string>

#include "mcp_session/base/time.h"
#include "mcp_session/http_client/url.h"

namespace mcp_session {

class HttpConnection {
 public:
  using Request = boost::beast::http::request<boost::beast::http::string_body>;
  using Parser = boost::beast::http::response_parser<boost::beast::http::buffer_body>;
  // Why it went no further; empty: it went well. Follows the rules for messages of errors.
  using Trouble = std::string;

  HttpConnection(boost::asio::io_context& loop, HttpUrl url,
                 std::shared_ptr<boost::asio::ssl::context> tls, bool verify_server);

  boost::asio::awaitable<Trouble> Connect(Millis time);
  boost::asio::awaitable<Trouble> Write(const Request& request, Millis time);
  // The head of a response; then bytes of its body: up to `size` into `room`, told by `got`. Both
  // wait as long as it takes.
  boost::asio::awaitable<Trouble> ReadHead(Parser& parser);
  boost::asio::awaitable<Trouble> ReadBody(Parser& parser, char* room, std::size_t size,
                                           std::size_t* got);

  // Whatever goes on, ends, and nothing more will.
  void Cut();
  // Whether the server has said nothing since, not even that it closes.
  bool Quiet();

  Instant idle_since;

 private:
  // Until the parser is content, wants room, or the stream ends.
  boost::asio::awaitable<void> ReadSome(Parser& parser, boost::system::error_code* error);
  boost::beast::tcp_stream& tcp() { return tls_ ? tls_->next_layer() : *plain_; }

  const HttpUrl url_;
  const std::shared_ptr<boost::asio::ssl::context> context_;
  boost::asio::io_context& loop_;
  std::optional<boost::beast::tcp_stream> plain_;
  std::optional<boost::beast::ssl_stream<boost::beast::tcp_stream>> tls_;
  boost::beast::flat_buffer buffer_;
  bool cut_ = false;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_HTTP_CLIENT_HTTP_CONNECTION_H_

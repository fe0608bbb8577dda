// HttpServer: an McpServer behind HTTP/1.1, with the web pages that go with it.
//
// It runs on an event loop, the io_context it is given, and so do the handlers of the tools and
// whatever else is on that loop: a handler that blocks, blocks everybody there. One that has to
// wait keeps its ToolCall and answers later, from a timer on the same loop for instance. To use
// several processors, AddLoop adds loops, each with an McpServer and a thread of its own.
//
// Everything a peer can make the server hold or wait for has its limit in HttpServerOptions, which
// holds for all loops together. What the server refuses before McpServer hears of it (too large,
// too slow, malformed, unknown path) is answered by a JSON-RPC error without id (spec E-03), and if
// the rest of the request would only be in the way the connection is closed.
//
// Pages of the origins that ServerOptions::hosts admits may call from browsers: the server answers
// their preflights, and lets them read its answers.
//
// A client that closes its connection, or its sending side, before the answer is complete has
// gone: McpServer is told, which cancels a stateless call (spec S-44) and does not touch one of a
// session (spec H-49).
#ifndef MCP_SESSION_HTTP_SERVER_H_
#define MCP_SESSION_HTTP_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/auth/authenticator.h"
#include "mcp_session/base/limits.h"
#include "mcp_session/base/result.h"
#include "mcp_session/base/time.h"
#include "mcp_session/http/caller_limits.h"
#include "mcp_session/server/mcp_server.h"

namespace boost::asio {
class io_context;
}

namespace mcp_session {

// A file that is served as it is, to GET and HEAD, from memory that outlives the server.
struct HttpPage {
  std::string path;          // "/index.html"; compared exactly, without the query
  std::string content_type;  // "text/html; charset=utf-8"
  std::string_view bytes;
};

// What is made anew for each GET and HEAD: health, metrics. Never kept by anybody.
struct HttpAnswer {
  int status = 200;
  std::string content_type;  // "application/json"
  std::string body;
};
struct HttpDynamicPage {
  std::string path;  // as above; goes before a page at the same path
  // On the thread of the loop that has the connection; must not wait, or call the server.
  std::function<HttpAnswer()> answer;
  bool needs_token = false;  // for callers whom the authenticator knows, if there is one
  // Instead of `answer`: called as that, and calls `done` once, then or later, on any thread.
  using Done = std::function<void(HttpAnswer)>;
  std::function<void(Done done)> answer_later;
};

// Who may call. The endpoint is for callers with a good token only (spec A-01); pages are for
// everybody, unless they say otherwise. Tokens are taken from the Authorization header and from
// nowhere else.
struct HttpAuthOptions {
  // Must outlive the server. Null: everybody may call, and nobody has a name.
  Authenticator* authenticator = nullptr;
  // This server's endpoint as its clients know it, "https://mcp.example/mcp". Empty: as it listens.
  std::string resource;
  // Where clients get tokens: URLs. With some, the server says so at
  // /.well-known/oauth-protected-resource, also with the path of the resource behind it, and in
  // its refusals.
  std::vector<std::string> authorization_servers;
  std::vector<std::string> required_scopes;  // without all of these: 403 (spec A-02)
};

// TLS 1.2 or newer, from PEM files. Without a certificate there is none.
struct HttpTlsOptions {
  std::string certificate_file;  // ours, and those between it and whom clients trust
  std::string key_file;
  std::string client_ca_file;  // clients must have a certificate that one of these signed
};

struct HttpServerOptions {
  std::string host = "127.0.0.1";  // an address, or a name: its first address is taken
  std::uint16_t port = 8808;       // 0: any that is free
  HttpTlsOptions tls;
  std::string endpoint = "/mcp";  // where McpServer answers
  std::vector<HttpPage> pages;
  // Where none is at /healthz the server itself says "ok" there.
  std::vector<HttpDynamicPage> dynamic_pages;
  HttpAuthOptions auth;
  HttpCallerLimits caller_limits;  // by default none
  // Goes out with every page. Compiling WebAssembly needs 'wasm-unsafe-eval'.
  std::string content_security_policy =
      "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; object-src 'none'; "
      "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

  std::size_t max_connections = 10'000;      // beyond, idle ones are closed, or new ones wait
  std::size_t max_header_bytes = 16u << 10;  // beyond: 431
  std::size_t max_body_bytes = Limits().max_message_bytes;  // beyond: 413
  std::size_t max_buffered_bytes = 256u << 20;  // of all requests being received; beyond: 503
  // A stream whose reader leaves more than this unread when there is more to say is cut off.
  std::size_t max_queued_bytes = 1u << 20;

  Millis head_time = Seconds(10);   // until the head of a request is there, since its first byte
  Millis body_time = Seconds(30);   // until its body is there, since the head was
  Millis idle_time = Seconds(75);   // without a request, until the connection is closed
  Millis write_time = Seconds(30);  // without the peer reading a byte of what is there for it
  Millis keep_alive_interval = Seconds(15);  // a comment on every stream that is quiet this long
  Millis grace = Seconds(5);                 // what Stop leaves running calls to finish
};

// Where a server listens.
struct HttpAddress {
  std::string host;  // an address, without brackets
  std::uint16_t port = 0;
  bool tls = false;
  std::string Origin() const;  // "http://127.0.0.1:8808", "https://[::1]:8808"
};

class HttpServer {
 public:
  // `loop` and `server` must outlive this. It is the only host of `server`: it takes its OnWake
  // and GuardHandlers. `loop` must not run any more when this is destroyed, unless Run returned.
  HttpServer(boost::asio::io_context& loop, McpServer& server, HttpServerOptions options);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Adds a loop, which Run runs in a thread of its own. Each connection goes to the loop that has
  // the fewest. `server` is for this loop alone: its tools are those of the others, its store has
  // the same records (a SharedMemoryStore, a RedisSessionStore on `loop`). `authenticator` is that
  // of this loop; null: the one of the options, which several threads use then. All must outlive
  // this. Before Listen.
  void AddLoop(boost::asio::io_context& loop, McpServer& server,
               Authenticator* authenticator = nullptr);

  // Starts to listen. kInvalidArgument: no such host, or an option out of range; kMisconfigured: a
  // file for TLS cannot be used; kTransport: the system does not let us (the port is in use, ...).
  // Once, before Run.
  Result<HttpAddress> Listen();

  // Serves, by running the loops, until Stop has done its work: the first on this thread. Throws
  // std::system_error if the system has no thread for one.
  void Run();

  // Stops accepting, closes what is idle, says 503 at /readyz, ends streams that no call keeps
  // open, and lets calls and tasks finish for the grace period. Then the streams of the others are
  // ended, so that clients go elsewhere, and what has no stream is cut off. A second call cuts off
  // all. From any thread.
  void Stop();

  // Reads the files for TLS again, for connections to come. kMisconfigured: one cannot be used, and
  // all stays as it is. On the thread of the first loop.
  Result<void> ReloadTls();

  // Sends event::Woken to the first McpServer soon: a store has replies. On its loop's thread.
  void Wake();

 private:
  friend class Connection;
  struct Shared;
  class State;
  std::unique_ptr<Shared> shared_;
  std::vector<std::unique_ptr<State>> loops_;  // the first one accepts connections
};

}  // namespace mcp_session

#endif  // MCP_SESSION_HTTP_SERVER_H_

// One TCP connection: requests in, one after the other, and their responses out.
//
// Theory of operation. A connection reads until a request is whole, has it answered, and only then
// looks at the next one, whose bytes may be there already (pipelining). While the answer is not
// there it goes on reading, a little, to notice that the client has gone. Responses are appended
// to one string and written once per turn of the loop, without waiting if the kernel takes them.
//
//   kReading     no request is being answered
//   kWaiting     the request is whole, and waits for who sent it to be known, or for its page
//   kAnswering   one is; exchange() says which, unless the host answers it itself
//   kClosing     no more requests; what is left is written
//   kLingering   all is written and said to be the end; what the peer still sends is thrown away,
//                because closing with bytes unread would destroy the last response on its way
//   kClosed      waiting for its operations to come back, then deleted
//
// Only the server's State makes and deletes connections, and calls them, on the loop's thread.
#ifndef MCP_SESSION_HTTP_CONNECTION_H_
#define MCP_SESSION_HTTP_CONNECTION_H_

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "mcp_session/auth/authenticator.h"
#include "mcp_session/base/time.h"
#include "mcp_session/http/access.h"
#include "mcp_session/http/caller_limits.h"
#include "mcp_session/http/request_reader.h"
#include "mcp_session/http/response.h"
#include "mcp_session/http/server.h"
#include "mcp_session/http/tls.h"
#include "mcp_session/protocol/http.h"
#include "mcp_session/session/effect.h"

namespace mcp_session {

using HttpSocket =
    boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

// What a connection is given a limited time for. One list for each: the time is the same for all
// in it, so the list is in the order of their ends.
enum class Watch : std::uint8_t {
  kNothing,
  // About what comes in.
  kIdle,
  kHead,
  kBody,
  kLinger,
  // About what goes out.
  kStalled,
  kQuiet,
};
inline constexpr std::size_t kWatchCount = 7;

class Connection;
struct Watched {
  Connection* connection;
  Watch watch = Watch::kNothing;
  Instant since{};
};
using WatchList = std::list<Watched>;
using WatchLists = std::array<WatchList, kWatchCount>;

class Connection {
 public:
  // No further request is answered while this much of earlier answers is not taken.
  static constexpr std::size_t kUnsentAnswers = 64u << 10;

  // Without TLS if `tls` is null.
  Connection(HttpServer::State& server, std::uint32_t slot, HttpSocket socket,
             const TlsContext* tls);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Does all that can be done now: handles requests that are there, writes, reads on.
  void Advance();

  // Effects on the exchange.
  void Respond(const effect::HttpRespond& effect);
  void Stream(const effect::HttpStream& effect);
  void Chunk(const effect::HttpChunk& effect);
  void End();

  // Who sent the request of exchange().
  void OnVerified(const Authentication& who);
  // The page that the request of exchange() asks for.
  void OnPage(const HttpAnswer& page);

  // The time for `watch` is over.
  void OnOverdue(Watch watch);

  // The server stops: ends a stream that no call keeps open.
  void OnStop();
  // Ends the stream that is its answer, whatever waits for more of it; false if there is none.
  bool EndStream();
  // Closes at once. McpServer is told if it was working on something for this connection.
  void Drop();

  ExchangeId exchange() const { return exchange_; }
  std::uint32_t slot() const { return slot_; }
  bool closed() const { return step_ == Step::kClosed; }

 private:
  enum class Step : std::uint8_t { kReading, kWaiting, kAnswering, kClosing, kLingering, kClosed };

  void HandleRequests();
  void OnHead();
  void NoteRequest();
  void OnRequest();
  void NoteOrigin();
  bool IsPreflight() const;
  void AnswerPreflight();
  HttpRequest Request() const;
  bool NeedsToken() const;
  void Verify();
  void RefuseOrigin();
  void Reject(const Authentication& who);
  void RefuseToken(int status, Access::Reason reason, std::string_view message);
  void Dispatch(std::string_view principal);
  bool Open(std::string_view principal);
  void CloseCall();
  void AnswerFromHost();
  void RespondFromHost(int status, const ResponseHeaders& headers, std::string_view body);
  void Refuse(int status, std::string_view message);
  void EndAnswer();

  void Write();
  void AwaitWritable();
  void OnAllWritten();
  void StartReading();
  bool WantsToRead() const;
  void ReadTls(std::span<char> room);
  void OnRead(const boost::system::error_code& error, std::size_t bytes);
  void AdvanceLater();
  void UpdateWatches();
  void SetWatch(WatchList::iterator watched, Watch watch);
  void Restart(WatchList::iterator watched);
  void Close();
  void OnReturned();
  void Changed();

  std::string_view path() const;
  ResponseForm form() const;
  std::size_t unsent() const { return out_.size() - sent_; }

  HttpServer::State& server_;
  const std::uint32_t slot_;
  HttpSocket socket_;
  std::optional<TlsSession> tls_;
  RequestReader reader_;
  std::string peer_;  // how CallerLimits calls whoever is at the other end; once it is asked for
  std::size_t accounted_ = 0;  // what the server thinks reader_ takes
  std::string out_;            // to be sent; up to sent_ it is
  std::size_t sent_ = 0;

  Step step_ = Step::kReading;
  ExchangeId exchange_;  // zero: none
  // Of the request being answered.
  bool keep_alive_ = true;
  bool http_1_0_ = false;
  bool head_only_ = false;
  bool is_get_ = false;
  bool streaming_ = false;
  std::string origin_;                      // of the page that sent it, if that may read the answer
  CallerLimits::Caller* caller_ = nullptr;  // what it is counted for

  bool first_ = true;       // no request was read yet
  bool peer_done_ = false;  // it sends nothing more
  bool advancing_ = false;  // inside Advance
  bool held_up_ = false;    // requests wait because answers are not taken
  bool reading_ = false;    // operations of the loop that refer to this
  bool awaiting_write_ = false;
  bool awaiting_turn_ = false;

  WatchList::iterator input_watch_;
  WatchList::iterator output_watch_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_HTTP_CONNECTION_H_

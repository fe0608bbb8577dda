// The inside of HttpServer: a loop's side of it, and what the loops share. Connections are in
// connection.h.
//
// Theory of operation. Each loop has a State, which runs on its thread only, but for Post. The
// first one accepts connections and hands them over. They end together: the first is told to stop
// and tells the others, each says when it has nothing left, and when all have, all end.
//
// Whatever the loop calls us for is a turn: it begins with reading the clock
// and ends with Settle, which does what the turn has left to do until nothing is: connections that
// changed go on, McpServer hears of the clients that have gone. McpServer is called from turns
// only, never from inside its own effects. One timer serves all deadlines; it is only set anew
// when it would be late, so keep-alive traffic costs no timer operation.
#ifndef MCP_SESSION_HTTP_SERVER_STATE_H_
#define MCP_SESSION_HTTP_SERVER_STATE_H_

#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "mcp_session/http/access.h"
#include "mcp_session/http/caller_limits.h"
#include "mcp_session/http/connection.h"
#include "mcp_session/http/pages.h"
#include "mcp_session/http/server.h"
#include "mcp_session/http/tls.h"
#include "mcp_session/session/event.h"

namespace mcp_session {

// Exchange ids: the slot of the connection in the low bits, a number never used twice above.
inline constexpr int kSlotBits = 24;
inline constexpr std::uint64_t kSlotMask = (std::uint64_t{1} << kSlotBits) - 1;

// What the loops have in common.
struct HttpServer::Shared {
  explicit Shared(HttpServerOptions given)
      : options(std::move(given)),
        pages(options.pages, options.content_security_policy),
        caller_limits(options.caller_limits) {}

  const HttpServerOptions options;
  const Pages pages;
  std::optional<Access> access;  // since Listen
  std::vector<State*> loops;     // since Listen they stay these
  // For any thread.
  CallerLimits caller_limits;
  std::atomic<std::size_t> open{0};      // connections that are not closed
  std::atomic<std::size_t> buffered{0};  // what their requests take
  std::atomic<bool> wants_room{false};   // one waits until another is closed
  std::atomic<bool> finished{false};     // all loops are
};

class HttpServer::State {
 public:
  State(Shared& shared, boost::asio::io_context& loop, McpServer& server,
        Authenticator* authenticator);
  ~State();

  void Run();
  void Wake();
  // For connections to come. On the thread of the first loop, or before Run.
  void UseTls(std::shared_ptr<TlsContext> tls);

  // Of the first one only.
  Result<HttpAddress> Listen();
  void Stop();  // from any thread

  // For connections.
  //
  // A turn, for as long as it is in scope.
  class Turn {
   public:
    explicit Turn(State& state);
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    State& state_;
  };
  boost::asio::io_context& loop() { return loop_; }
  const HttpServerOptions& options() const { return shared_.options; }
  const Pages& pages() const { return shared_.pages; }
  const Access& access() const { return *shared_.access; }
  bool has_metadata_at(std::string_view path) const { return access().Metadata(path) != nullptr; }
  bool has_authenticator() const { return authenticator_ != nullptr; }
  CallerLimits& caller_limits() { return shared_.caller_limits; }
  const HostPolicy& hosts() const { return server_.hosts(); }
  // Null if there is none.
  const HttpDynamicPage* FindDynamicPage(std::string_view path) const;
  bool stopping() const { return stopping_; }
  Instant now() const { return now_; }
  WatchLists& watches() { return watches_; }

  // Asks the authenticator whose token this is, for Connection::OnVerified.
  void Verify(ExchangeId exchange, std::string_view token);
  // Has a page made that is answered later, for Connection::OnPage.
  void Ask(ExchangeId exchange, const HttpDynamicPage& page);
  // Hands an event to McpServer and does what it wants done.
  void Handle(const Event& event);
  // An id for an exchange of the connection in `slot`.
  ExchangeId NewExchange(std::uint32_t slot);
  // The client of an exchange has gone; McpServer hears of it at the end of the turn.
  void Gone(ExchangeId exchange);
  // The connection goes on at the end of the turn.
  void Changed(Connection* connection);
  // A connection has been closed.
  void OnClosed();
  // It is closed, and no operation of the loop refers to it: it ends with the turn.
  void Delete(Connection* connection);
  // Its buffers have grown or shrunk; false if all together are now over the limit.
  bool Account(std::size_t before, std::size_t after);

 private:
  // Does something in a turn of this loop, soon. From any thread.
  template <typename Action>
  void Post(Action action) {
    ++posted_;
    boost::asio::post(loop_, [this, action = std::move(action)]() mutable {
      Turn turn(*this);
      --posted_;
      action();
    });
  }

  State& first() const { return *shared_.loops.front(); }
  bool is_first() const { return &first() == this; }
  void StartAccepting();
  void OnAccepted(const boost::system::error_code& error);
  bool HasRoom();
  void AskForRoom();
  State& Emptiest();
  void Admit();
  void Take(HttpSocket socket);
  bool MakeRoom();
  void Settle();
  void DeleteConnections();
  void SetTimer();
  Instant NextDeadline() const;
  void OnTimer();
  bool HasNothingLeft() const;
  bool AwaitsTasks() const;
  void OnLoopFinished();
  void OnStop();
  void OnGraceOver();
  void OnWoken();
  void Apply(const Effect& effect);
  Connection* Find(ExchangeId exchange) const;
  Millis TimeFor(Watch watch) const;
  template <typename Action>
  void ForEachConnection(Action action);

  Shared& shared_;
  boost::asio::io_context& loop_;
  McpServer& server_;
  Authenticator* const authenticator_;  // null: without
  std::shared_ptr<TlsContext> tls_;     // null: without
  boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, boost::asio::io_context::executor_type>
      acceptor_;
  HttpSocket accepted_;
  boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                    boost::asio::wait_traits<std::chrono::steady_clock>,
                                    boost::asio::io_context::executor_type>
      timer_;

  Instant now_;
  WatchLists watches_;
  // By slot, the low bits of their exchange ids; null where a slot is free.
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<std::uint32_t> free_slots_;
  std::atomic<std::size_t> open_{0};  // connections that are not closed, or on their way here
  std::uint64_t exchanges_ = 0;

  Effects effects_;
  std::vector<Connection*> changed_;
  std::vector<ExchangeId> gone_;
  std::vector<Connection*> to_delete_;

  Instant timer_at_ = kNever;         // what timer_ is set to
  Instant accept_again_at_ = kNever;  // after the system had no descriptor for us
  Instant grace_ends_ = kNever;
  bool accepting_ = false;
  bool waiting_ = false;  // accepted_ is a connection there is no room for
  std::size_t last_ = 0;  // of the loops, the one that a connection went to
  int waits_ = 0;         // of timer_, cancelled ones included
  bool waking_ = false;
  bool stopping_ = false;
  bool grace_is_over_ = false;
  bool in_turn_ = false;
  bool told_ = false;  // that this loop has nothing left
  std::size_t finished_loops_ = 0;
  std::atomic<int> posted_ = 0;  // what Post has not done yet
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace mcp_session

#endif  // MCP_SESSION_HTTP_SERVER_STATE_H_

// RedisLink: the way to one Redis server, for as long as it is needed. It connects and connects
// again, sends what is handed to it, and says what became of it.
//
// Theory of operation. An exchange is one or more commands, written together, with one answer. What
// comes in one turn of the loop goes out in one write. Answers come in the order of the commands,
// so the oldest exchange in flight is the one being answered. Each has a deadline. When one passes
// while the exchange is in flight, the connection is closed and never used again: an answer that
// comes late would be taken for another's. While there is no connection, exchanges wait for one.
//
// An exchange that was in flight on a connection that broke is sent once more if it may be
// (`repeatable`). What is left of it on the way over the broken connection must not be carried out
// after that, so the server is told first to end that connection, if it permits us to. The order of
// exchanges never changes, nor when scripts have to be loaded again: then nothing more is sent
// until what is in flight is answered, and what was not done, or was only a read, is sent again
// first.
//
// Puts that wait at the same time go together (put_batch.h), in the place of the first of them, but
// never past an exchange about the same record. They are one in all that follows, until they are
// answered. Exchanges in a row that want the server's time share it: it is asked for in front of
// the first of them, since what is read after it was alive then, or is newer. Not across others:
// what a write finds dead must not be alive to the next read.
//
// On the loop's thread. `done` may be called from inside Send, if there is no room or the server
// refuses us; else it comes from the loop. Close drops all callbacks.
#ifndef MCP_SESSION_REDIS_LINK_H_
#define MCP_SESSION_REDIS_LINK_H_

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp_session/base/entropy.h"
#include "mcp_session/base/result.h"
#include "mcp_session/base/time.h"
#include "mcp_session/redis/connection.h"
#include "mcp_session/redis/errors.h"
#include "mcp_session/redis/options.h"
#include "mcp_session/redis/put_batch.h"
#include "mcp_session/redis/resp.h"
#include "mcp_session/redis/server_watch.h"
#include "mcp_session/store/store.h"

namespace mcp_session {

enum class RedisFate : std::uint8_t {
  kAnswered,
  kNotSent,  // certainly not done
  kLost,     // sent, and not answered: it may have been done
  kRefused,  // kMisconfigured: certainly not done
};

struct RedisDelivery {
  RedisFate fate = RedisFate::kAnswered;
  bool repeated = false;  // it was in flight before: what is answered may be its own doing
  std::vector<RedisReply> replies;
  // Before these, if it was asked for: the server's clock, in milliseconds since 1970.
  std::int64_t server_now = 0;
};

struct RedisExchange {
  std::string bytes;            // of the commands
  std::optional<RedisPut> put;  // or this, which may go together with others
  // Which records it is about: the first eight bytes of their tags. Zeros: of any.
  std::array<std::uint64_t, 2> records{};
  std::size_t replies = 1;
  Instant deadline;         // of MonotonicNow
  bool repeatable = false;  // doing it twice is as good as doing it once
  bool read_only = false;
  bool wants_time = false;  // RedisDelivery::server_now
  std::function<void(RedisDelivery)> done;
};

// Appends the bytes of its commands.
void AppendExchange(const RedisExchange& exchange, std::string* out);

// Where the server is now. Called on the loop; answers by calling what it is given, once, now or
// later.
using RedisLocator =
    std::function<void(std::function<void(tl::expected<RedisAddress, RedisFailure>)>)>;

class RedisLink : public std::enable_shared_from_this<RedisLink> {
 public:
  // All that is referred to must outlive the link, or its Close. `name` is for the log.
  RedisLink(boost::asio::io_context& loop, const RedisOptions& options, Entropy& entropy,
            RedisCounters& counters, RedisLocator locate);

  void Start();
  void Send(RedisExchange&& exchange);
  void Close();

  // Drops the connection as soon as nothing is in flight, and looks for the server anew.
  void Reconnect(std::string reason);

  // Nothing is on its way.
  bool IsIdle() const { return waiting_.empty() && in_flight_.empty() && again_.empty(); }

  StoreState state() const { return state_; }
  // Why it is not connected, or what is wrong although it is.
  const std::string& reason() const { return reason_; }
  // Whether the server may drop live records, as it said last. Nothing: it did not say.
  std::optional<bool> MayEvict() const { return watch_.MayEvict(); }
  // Of the last failure.
  RedisCause cause() const { return cause_; }

 private:
  struct Pending {
    RedisExchange exchange;
    std::vector<RedisReply> replies;
    bool repeated = false;
    bool reloaded = false;
    bool internal = false;                         // ours: never refused
    bool asks_time = false;                        // the first reply is the server's time
    std::vector<std::unique_ptr<Pending>> joined;  // puts that go together as this one
  };
  // They go from one queue to the next.
  using Queue = std::deque<std::unique_ptr<Pending>>;

  void Connect();
  void ConnectTo(const RedisAddress& address);
  void OnReady(const RedisServerInfo& info);
  void OnHeard();
  void OnReply(RedisReply&& reply);
  void OnAnswered(std::unique_ptr<Pending> answered);
  void OnWritten();
  void OnFailed(RedisFailure failure);
  void FlushSoon();
  void Flush();
  void JoinPuts();
  void OnTime(RedisReply&& reply);
  static void AppendPending(const Pending& pending, std::string* out);
  std::unique_ptr<Pending> Join(std::vector<std::unique_ptr<Pending>>&& group);
  std::size_t held() const;
  void SendInternal(std::string bytes, std::size_t replies,
                    std::function<void(const RedisDelivery&)> done);
  void LoadScriptsAgain();
  void EndLastConnections(const RedisServerInfo& info);
  void GoOnIfIdle();
  void Beat();
  void AskVitals();
  void LoseAll(bool repeat);
  void Finish(Pending&& pending, RedisFate fate);
  void FinishJoined(Pending&& pending, RedisFate fate);
  void RefuseWaiting();
  void SetState(StoreState state, std::string reason);
  void Note(const RedisVitals& vitals);
  void RetryLater(bool misconfigured, bool at_once);
  void Expire();
  void SetTimer(Instant at);
  void OnTimer();
  Millis Jitter();

  boost::asio::io_context& loop_;
  const RedisOptions& options_;
  Entropy& entropy_;
  RedisCounters& counters_;
  const RedisLocator locate_;

  std::shared_ptr<RedisConnection> connection_;
  StoreState state_ = StoreState::kConnecting;
  std::string reason_ = "not connected yet";
  RedisServerWatch watch_;
  RedisCause cause_ = RedisCause::kTimedOut;
  bool ready_ = false;
  bool closed_ = false;

  Queue waiting_;                      // not sent, in order
  Queue in_flight_;                    // sent, in order
  Queue again_;                        // answered, to be sent again when in_flight_ is empty
  std::size_t joined_ = 0;             // exchanges, less what they are in the above
  std::int64_t server_now_ = 0;        // as the server said last
  std::optional<RedisReply> no_time_;  // what it said instead
  std::string output_;                 // empty between writes, with room
  bool writing_ = false;
  bool flush_posted_ = false;
  bool reloading_ = false;  // again_ is being collected
  bool dropping_ = false;   // Reconnect when nothing is in flight
  std::string drop_reason_;
  std::string run_id_;                     // of the server that was connected to last
  std::vector<std::int64_t> left_behind_;  // connections to it that may not have ended there
  bool worked_ = false;  // this connection answered something it would not be dropped for

  boost::asio::steady_timer timer_;
  Instant timer_at_ = kNever;
  std::uint64_t timer_number_ = 0;
  Instant connect_by_ = kNever;  // the attempt to connect fails then
  Instant connect_at_ = kNever;  // the next attempt
  Instant ready_since_ = kNever;
  Instant last_heard_;
  Instant ask_vitals_at_ = kNever;
  int attempts_ = 0;  // that failed in a row
};

}  // namespace mcp_session

#endif  // MCP_SESSION_REDIS_LINK_H_

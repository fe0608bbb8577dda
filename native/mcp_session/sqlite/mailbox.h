// Mailbox: between the loop that a store belongs to and the thread that has its file. Commands go
// one way, replies the other, and nothing else happens under its lock.
#ifndef MCP_SESSION_SQLITE_MAILBOX_H_
#define MCP_SESSION_SQLITE_MAILBOX_H_

#include <boost/asio/any_io_executor.hpp>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mcp_session/base/time.h"
#include "mcp_session/sqlite/task.h"
#include "mcp_session/store/command.h"
#include "mcp_session/store/store.h"

namespace mcp_session::sqlite {

// So many commands may wait until the thread takes them.
inline constexpr std::size_t kMaxQueued = 1024;

struct Answer {
  StoreReply reply;
  WaitId wait;  // of the task
};

inline constexpr Instant kUnknownDue{std::numeric_limits<std::int64_t>::min()};

// What SessionStore::Tick asks for.
struct Tick {
  Instant now;   // on the clock of the loop
  Instant wall;  // the same on the wall clock
  bool sweeps = false;
};

// What the thread is to do next.
struct Work {
  std::vector<Task> tasks;
  std::optional<Tick> tick;
  bool stops = false;  // this was all
};

// Shared by the two, so that what was posted to the loop can come late.
class Mailbox : public std::enable_shared_from_this<Mailbox> {
 public:
  // `log` is called on the loop, as `ready` is.
  Mailbox(const boost::asio::any_io_executor& executor, std::function<void(std::string_view)> log);

  // On the loop.
  void OnReady(std::function<void()> ready) { ready_ = std::move(ready); }
  void Put(Task task);  // refused if kMaxQueued are waiting: its reply says so
  void Put(const Tick& tick);
  void Drain(std::vector<Answer>* answers);
  StoreStatus Status() const;
  // When, on the wall clock, a sweep has something to do, as far as it is known; the beginning of
  // time if it is not.
  Instant next_due() const;
  // Nothing is called any more. The thread is told to finish what is there.
  void Close();

  // On the thread. Waits for something to do, but not longer than `patience` if that is not 0.
  Work Wait(Millis patience);
  void Deliver(std::vector<Answer> answers);
  void Report(const StoreStatus& status, std::string log_line);
  void SetNextDue(Instant wall);

 private:
  // Has the loop call Notify; with the lock held.
  bool MustPost();
  void Post();
  void Notify();

  const boost::asio::any_io_executor executor_;

  // Of the loop.
  std::function<void()> ready_;
  std::function<void(std::string_view)> log_;
  bool is_ready_told_ = false;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Work work_;
  std::vector<Answer> answers_;
  std::vector<std::string> log_lines_;
  StoreStatus status_;
  bool is_posted_ = false;
  Instant next_due_ = kUnknownDue;
  bool has_new_ends_ = false;  // among the commands that wait are some that make something end
};

}  // namespace mcp_session::sqlite

#endif  // MCP_SESSION_SQLITE_MAILBOX_H_

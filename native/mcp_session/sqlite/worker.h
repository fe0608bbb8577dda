// Worker: the thread that has the file of a store, and what it does there in turns. In each it
// takes all commands that are waiting and does them in one transaction; their replies go back when
// that is committed.
#ifndef MCP_SESSION_SQLITE_WORKER_H_
#define MCP_SESSION_SQLITE_WORKER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "mcp_session/base/time.h"
#include "mcp_session/sqlite/batch.h"
#include "mcp_session/sqlite/commands.h"
#include "mcp_session/sqlite/database.h"
#include "mcp_session/sqlite/mailbox.h"
#include "mcp_session/sqlite/readers.h"
#include "mcp_session/sqlite/task.h"

namespace mcp_session::sqlite {

// How often another process' events are looked for while a reader waits.
inline constexpr Millis kPollInterval{50};

class Worker {
 public:
  // Starts the thread.
  Worker(std::unique_ptr<Database> database, const CommandLimits& limits,
         std::shared_ptr<Mailbox> mailbox);
  // The mailbox is closed. Waits until what was in it is done.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // From any thread.
  std::uint64_t transactions() const { return transactions_; }
  std::uint64_t commands() const { return command_count_; }
  std::uint64_t busy_retries() const { return database_->busy_retries(); }

 private:
  void Loop();
  // Does them, delivers the replies, and has those who wait for what was done read again.
  void Do(std::vector<Task> tasks);
  void Answer(std::vector<Task> tasks, std::vector<std::string>* written);
  void Housekeep(const Tick& tick);
  // Looks for what other processes appended.
  void Poll();
  void ReadAgain(std::vector<Task> tasks);
  void ReportExperience();

  const std::unique_ptr<Database> database_;
  Commands commands_;
  BatchRunner runner_;
  Statement data_version_;
  const std::shared_ptr<Mailbox> mailbox_;
  WaitingReaders readers_;
  Instant now_{0};  // the latest of all commands, wall clock

  bool is_polling_ = false;
  std::int64_t seen_data_version_ = 0;
  std::uint64_t seen_event_ = 0;

  StoreStatus status_;
  bool trouble_in_writing_ = false;
  bool is_full_ = false;
  bool is_broken_ = false;

  std::atomic<std::uint64_t> transactions_ = 0;
  std::atomic<std::uint64_t> command_count_ = 0;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace mcp_session::sqlite

#endif  // MCP_SESSION_SQLITE_WORKER_H_

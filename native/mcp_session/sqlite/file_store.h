// FileSessionStore: records in a file of this machine (SQLite), for servers that must not forget
// when they restart, and for several processes of one machine that share their sessions.
//
// What is acknowledged is in the file (FileStoreOptions::synchronous says what that survives). The
// file belongs to a thread of the store's own: the loop is never blocked by a disk. Everything that
// is submitted until that thread has time again is one transaction, so many callers share the wait
// for the disk.
//
// Any number of stores, in any number of processes, may have the same file open; not over a network
// file system. Who waits for events that another of them appends hears of it within some 50 ms. A
// process must not use a store, nor any connection of SQLite, that it had when it was forked.
//
// Ends are kept as wall clock times. A store goes by the offset between the loop's clock and the
// wall clock as it was when the file was opened: if somebody then sets the clock, its records keep
// their length of life, and the same records seen through a store opened later end sooner or later
// by what the clock was moved. Versions and tokens grow whatever the clock does.
#ifndef MCP_SESSION_SQLITE_FILE_STORE_H_
#define MCP_SESSION_SQLITE_FILE_STORE_H_

#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mcp_session/base/result.h"
#include "mcp_session/base/time.h"
#include "mcp_session/sqlite/schema.h"
#include "mcp_session/store/store.h"

namespace mcp_session {

namespace sqlite {
class Mailbox;
class Worker;
}  // namespace sqlite

struct FileStoreOptions {
  std::string path;  // of the file; beside it there are two more, with -wal and -shm at the end
  FileSynchronous synchronous = FileSynchronous::kFull;
  std::size_t max_record_bytes = 64u << 10;  // data of one record or event
  std::size_t max_records_per_owner = 64;    // of one non-empty owner, all kinds together
  // 0: as many as the disk holds. As many again may be remembered (Lifetime::remember).
  std::size_t max_records = 0;
  Millis busy_timeout =
      Seconds(5);  // how long another process may keep the file, then kUnavailable
  // Hears when the file is in trouble and when it works again. On the loop; may be empty.
  std::function<void(std::string_view line)> log;
  WallClock wall_clock = SystemWallClock;
};

// Since the file was opened.
struct FileStoreCounters {
  std::uint64_t transactions = 0;
  std::uint64_t commands = 0;
  std::uint64_t busy_retries = 0;  // because another process was writing
  std::uint64_t wal_bytes = 0;     // of the write-ahead log, now
};

class FileSessionStore final : public SessionStore {
 public:
  // Opens the file, which blocks, or makes a new one that only its owner can read. `executor` runs
  // what OnReady and `log` are called in; it belongs to the loop, which outlives the store and is
  // not kept running by it. `now` is the loop's time. kMisconfigured: no such folder, no
  // permission, read-only, not a database, another program's, or written by a newer version;
  // kUnavailable: another process kept it locked; kCorrupt: it is broken; kInvalidArgument: an
  // option is out of range. The message says which.
  static Result<std::unique_ptr<FileSessionStore>> Open(
      FileStoreOptions options, const boost::asio::any_io_executor& executor, Instant now);

  // Finishes what was submitted, which may block for as long as the disk does. The replies are
  // lost, and what was posted to the executor may come later: it does nothing then.
  ~FileSessionStore() override;
  FileSessionStore(const FileSessionStore&) = delete;
  FileSessionStore& operator=(const FileSessionStore&) = delete;

  // Of commands that nobody got round to yet 1,024 wait; beyond, they are answered kUnavailable.
  void Submit(StoreTicket ticket, StoreCommand command, Instant now) override;
  void Drain(std::vector<StoreReply>* replies) override;
  void OnReady(std::function<void()> ready) override;
  Instant NextDeadline() const override;
  void Tick(Instant now) override;
  StoreStatus Status() const override;

  FileStoreCounters Counters() const;

  // As the file had it when it was opened, which is what was asked for.
  FileSynchronous synchronous() const { return synchronous_; }

 private:
  FileSessionStore(std::shared_ptr<sqlite::Mailbox> mailbox, std::unique_ptr<sqlite::Worker> worker,
                   const std::string& path, FileSynchronous synchronous, Millis wall_offset,
                   Instant now);

  Instant NextSweep() const;
  Instant ToWall(Instant now) const { return now + wall_offset_; }

  const std::shared_ptr<sqlite::Mailbox> mailbox_;
  const std::unique_ptr<sqlite::Worker> worker_;
  const std::string wal_path_;
  const FileSynchronous synchronous_;
  const Millis wall_offset_;  // from the loop's clock to the wall clock
  Instant last_sweep_;
  std::uint64_t last_wait_ = 0;
  // Of the ReadEvents that are not answered: when their time is over, and their number.
  std::set<std::pair<Instant, std::uint64_t>> waits_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_SQLITE_FILE_STORE_H_

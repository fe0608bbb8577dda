#include "mcp_session/sqlite/file_store.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>
#include <variant>

#include "mcp_session/sqlite/mailbox.h"
#include "mcp_session/sqlite/task.h"
#include "mcp_session/sqlite/worker.h"

namespace mcp_session {
namespace {

// The least time between two sweeps, and if the first left something to do.
constexpr Millis kSweepInterval = Seconds(5);
constexpr Millis kSweepPause{50};

// SQLite's own limit is a thousand times that; a record is read and written whole.
constexpr std::size_t kMostRecordBytes = 1u << 20;

}  // namespace

Result<std::unique_ptr<FileSessionStore>> FileSessionStore::Open(
    FileStoreOptions options, const boost::asio::any_io_executor& executor, Instant now) {
  if (!executor || options.max_record_bytes == 0 || options.max_record_bytes > kMostRecordBytes ||
      options.busy_timeout < Millis{} || !options.wall_clock) {
    return Failure(ErrorCode::kInvalidArgument, Blame::kCaller,
                   "an option of the file store is out of range");
  }
  MCPS_TRY(auto database, sqlite::OpenDatabase({.path = options.path,
                                                .synchronous = options.synchronous,
                                                .busy_timeout = options.busy_timeout}));
  const FileSynchronous synchronous = sqlite::SynchronousOf(*database);
  const Instant wall = options.wall_clock();
  auto mailbox = std::make_shared<sqlite::Mailbox>(executor, std::move(options.log));
  const sqlite::CommandLimits limits{.max_record_bytes = options.max_record_bytes,
                                     .max_records_per_owner = options.max_records_per_owner,
                                     .max_records = options.max_records};
  auto worker = std::make_unique<sqlite::Worker>(std::move(database), limits, mailbox);
  return std::unique_ptr<FileSessionStore>(
      new FileSessionStore(std::move(mailbox), std::move(worker), options.path, synchronous,
                           Millis{wall.millis - now.millis}, now));
}

FileSessionStore::FileSessionStore(std::shared_ptr<sqlite::Mailbox> mailbox,
                                   std::unique_ptr<sqlite::Worker> worker, const std::string& path,
                                   FileSynchronous synchronous, Millis wall_offset, Instant now)
    : mailbox_(std::move(mailbox)),
      worker_(std::move(worker)),
      wal_path_(path + "-wal"),
      synchronous_(synchronous),
      wall_offset_(wall_offset),
      last_sweep_(now) {}

FileSessionStore::~FileSessionStore() { mailbox_->Close(); }

void FileSessionStore::Submit(StoreTicket ticket, StoreCommand command, Instant now) {
  sqlite::WaitId wait;
  const auto* read = std::get_if<store::ReadEvents>(&command);
  if (read != nullptr && read->wait > Millis{}) {
    wait = {.deadline = now + std::min(read->wait, kMaxEventWait), .number = ++last_wait_};
    waits_.emplace(wait.deadline, wait.number);
  }
  mailbox_->Put({.ticket = ticket,
                 .command = sqlite::OwnedCommand(std::move(command)),
                 .now = ToWall(now),
                 .wait = wait});
}

void FileSessionStore::Drain(std::vector<StoreReply>* replies) {
  std::vector<sqlite::Answer> answers;
  mailbox_->Drain(&answers);
  for (sqlite::Answer& answer : answers) {
    if (answer.wait.number != 0) waits_.erase({answer.wait.deadline, answer.wait.number});
    replies->push_back(std::move(answer.reply));
  }
}

void FileSessionStore::OnReady(std::function<void()> ready) { mailbox_->OnReady(std::move(ready)); }

Instant FileSessionStore::NextSweep() const {
  const Instant due = mailbox_->next_due();
  if (due == kNever) return kNever;
  if (due == sqlite::kUnknownDue) return last_sweep_ + kSweepInterval;
  // Sooner if the last one had more to do than it may.
  const Instant local{due.millis - wall_offset_.count};
  return std::max(local, last_sweep_ + (local <= last_sweep_ ? kSweepPause : kSweepInterval));
}

Instant FileSessionStore::NextDeadline() const {
  return waits_.empty() ? NextSweep() : std::min(NextSweep(), waits_.begin()->first);
}

void FileSessionStore::Tick(Instant now) {
  const bool sweeps = NextSweep() <= now;
  const bool has_waits = !waits_.empty() && waits_.begin()->first <= now;
  if (!sweeps && !has_waits) return;
  if (sweeps) last_sweep_ = now;
  mailbox_->Put(sqlite::Tick{.now = now, .wall = ToWall(now), .sweeps = sweeps});
  // They are answered now, whatever else comes.
  while (!waits_.empty() && waits_.begin()->first <= now) waits_.erase(waits_.begin());
}

StoreStatus FileSessionStore::Status() const { return mailbox_->Status(); }

FileStoreCounters FileSessionStore::Counters() const {
  std::error_code none;
  const std::uintmax_t wal_bytes = std::filesystem::file_size(wal_path_, none);
  return {.transactions = worker_->transactions(),
          .commands = worker_->commands(),
          .busy_retries = worker_->busy_retries(),
          .wal_bytes = none ? 0 : wal_bytes};
}

}  // namespace mcp_session

#include "mcp_session/sqlite/worker.h"

#include <signal.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

#include "mcp_session/base/check.h"
#include "mcp_session/stored/stored_key.h"

namespace mcp_session::sqlite {
namespace {

// Stands for every record there is.
constexpr std::string_view kAllRecords = "*";

// The record whose readers have to look again after this command. Empty: none.
std::string WrittenBy(const StoreCommand& command) {
  if (const auto* append = std::get_if<store::Append>(&command)) {
    return MakeStoredKey(append->key).record_tag;
  }
  if (const auto* remove = std::get_if<store::Remove>(&command)) {
    return MakeStoredKey(remove->key).record_tag;
  }
  if (const auto* take = std::get_if<store::Take>(&command)) {
    return MakeStoredKey(take->key).record_tag;
  }
  if (const auto* regenerate = std::get_if<store::Regenerate>(&command)) {
    return MakeStoredKey(regenerate->from).record_tag;
  }
  return std::string(std::holds_alternative<store::RemoveOwned>(command) ? kAllRecords : "");
}

// That a file is full ends nothing: what is there can be read, and removed.
StoreState StateAfter(const Error& trouble) {
  switch (trouble.code) {
    case ErrorCode::kMisconfigured:
    case ErrorCode::kCorrupt:
      return StoreState::kMisconfigured;
    case ErrorCode::kCapacity:
    case ErrorCode::kTooLarge:
      return StoreState::kConnected;
    default:
      return StoreState::kUnavailable;
  }
}

}  // namespace

Worker::Worker(std::unique_ptr<Database> database, const CommandLimits& limits,
               std::shared_ptr<Mailbox> mailbox)
    : database_(std::move(database)),
      commands_(*database_, limits),
      runner_(*database_, commands_),
      data_version_(*database_, "PRAGMA data_version"),
      mailbox_(std::move(mailbox)),
      status_(mailbox_->Status()) {
  // Signals are for the other threads. One that a write here causes, because a file may not become
  // longer, then is an error of that write and no more.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { Loop(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Worker::~Worker() { thread_.join(); }

void Worker::Loop() {
  for (;;) {
    Work work = mailbox_->Wait(readers_.empty() ? Millis{} : kPollInterval);
    Do(std::move(work.tasks));
    if (work.tick) Housekeep(*work.tick);
    if (!readers_.empty()) {
      Poll();
    } else {
      is_polling_ = false;
    }
    ReportExperience();
    transactions_ = runner_.transactions();
    if (work.stops) return;
  }
}

void Worker::Do(std::vector<Task> tasks) {
  if (tasks.empty()) return;
  command_count_ += tasks.size();
  for (Task& task : tasks) {
    now_ = std::max(now_, task.now);
    const auto* read = std::get_if<store::ReadEvents>(&task.command.get());
    task.may_wait = read != nullptr && read->wait > Millis{};
  }
  std::vector<std::string> written;
  Answer(std::move(tasks), &written);
  std::sort(written.begin(), written.end());
  written.erase(std::unique(written.begin(), written.end()), written.end());
  for (const std::string& tag : written) {
    if (readers_.empty()) break;
    ReadAgain(tag == kAllRecords ? readers_.TakeAll() : readers_.Take(tag));
  }
}

void Worker::ReadAgain(std::vector<Task> tasks) {
  if (tasks.empty()) return;
  for (Task& task : tasks) task.now = now_;
  Answer(std::move(tasks), nullptr);
}

void Worker::Answer(std::vector<Task> tasks, std::vector<std::string>* written) {
  std::vector<StoreReply> replies = runner_.Run(tasks);
  MCPS_CHECK(replies.size() == tasks.size());
  std::vector<sqlite::Answer> answers;
  answers.reserve(replies.size());
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    Task& task = tasks[i];
    StoreReply& reply = replies[i];
    const std::vector<StoreTicket> refused = std::move(task.refused);
    task.refused.clear();
    const bool is_empty = !reply.error && reply.events.empty();
    if (task.may_wait && is_empty && readers_.size() < kMaxWaitingReaders) {
      readers_.Add(std::move(task));
    } else {
      if (task.may_wait && is_empty) reply.error = ErrorCode::kCapacity;
      if (written != nullptr && !readers_.empty() && !reply.error) {
        if (std::string tag = WrittenBy(task.command.get()); !tag.empty()) {
          written->push_back(std::move(tag));
        }
      }
      answers.push_back({std::move(reply), task.wait});
    }
    for (const StoreTicket ticket : refused) {
      StoreReply refusal;
      refusal.ticket = ticket;
      refusal.error = ErrorCode::kUnavailable;
      answers.push_back({std::move(refusal), {}});
    }
  }
  // Counted before anybody can ask what it took.
  transactions_ = runner_.transactions();
  ReportExperience();
  mailbox_->Deliver(std::move(answers));
}

void Worker::Housekeep(const Tick& tick) {
  now_ = std::max(now_, tick.wall);
  std::vector<Task> due = readers_.TakeDue(tick.now);
  for (Task& task : due) task.may_wait = false;
  ReadAgain(std::move(due));
  if (tick.sweeps) mailbox_->SetNextDue(runner_.Sweep(now_));
}

void Worker::Poll() {
  std::int64_t version = 0;
  if (Rows rows = data_version_.Find(); rows.Next()) version = rows.Int(0);
  if (is_polling_ && version == seen_data_version_) return;
  const std::uint64_t last = commands_.events().LastId();
  std::vector<std::string> tags;
  if (is_polling_ && last > seen_event_) tags = commands_.events().TagsSince(seen_event_);
  const bool failed = database_->TakeFailure().has_value();
  // Readers that began to wait before the first look may have missed something since.
  if (!is_polling_ || failed) {
    ReadAgain(readers_.TakeAll());
  } else {
    for (const std::string& tag : tags) ReadAgain(readers_.Take(tag));
  }
  is_polling_ = !failed;
  seen_data_version_ = version;
  seen_event_ = last;
}

void Worker::ReportExperience() {
  const Experience experience = runner_.TakeExperience();
  if (is_broken_) return;  // whatever else works: somebody has to look
  if (experience.trouble) {
    const Error& trouble = *experience.trouble;
    is_broken_ = trouble.code == ErrorCode::kCorrupt;
    trouble_in_writing_ = experience.in_writing;
    const StoreState state = StateAfter(trouble);
    const bool is_full = trouble.code == ErrorCode::kCapacity;
    const bool is_new = state != status_.state || (is_full && !is_full_);
    is_full_ = is_full;
    if (!is_new) return;
    status_.state = state;
    status_.reason = state == StoreState::kConnected ? std::string() : trouble.message;
    mailbox_->Report(status_, "the file store is in trouble: " + trouble.message);
    return;
  }
  const bool heals = experience.has_written || (experience.has_read && !trouble_in_writing_);
  if (!heals || (status_.state == StoreState::kConnected && !is_full_)) return;
  is_full_ = false;
  status_.state = StoreState::kConnected;
  status_.reason.clear();
  mailbox_->Report(status_, "the file store works again");
}

}  // namespace mcp_session::sqlite

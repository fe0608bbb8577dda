#include "mcp_session/sqlite/batch.h"

#include <algorithm>
#include <utility>

namespace mcp_session::sqlite {
namespace {

// How often SQLite may undo a whole transaction before nothing is written any more.
constexpr int kMaxRestarts = 3;

}  // namespace

BatchRunner::BatchRunner(Database& database, Commands& commands)
    : database_(database),
      commands_(commands),
      begin_read_(database, "BEGIN"),
      begin_write_(database, "BEGIN IMMEDIATE"),
      commit_(database, "COMMIT"),
      rollback_(database, "ROLLBACK"),
      savepoint_(database, "SAVEPOINT command"),
      release_(database, "RELEASE command"),
      rollback_to_(database, "ROLLBACK TO command") {}

std::vector<StoreReply> BatchRunner::Run(std::vector<Task>& tasks) {
  slots_.clear();
  slots_.resize(tasks.size());
  writing_ = false;
  may_write_ = true;
  restarts_ = 0;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    slots_[i].is_mutation = IsMutation(tasks[i].command.get());
    writing_ = writing_ || slots_[i].is_mutation;
  }
  while (!Attempt(tasks)) {
  }
  std::vector<StoreReply> replies;
  replies.reserve(tasks.size());
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    Slot& slot = slots_[i];
    if (slot.carries_data) slot.reply.record.data = tasks[i].command.TakeData();
    slot.reply.ticket = tasks[i].ticket;
    replies.push_back(std::move(slot.reply));
  }
  return replies;
}

bool BatchRunner::Attempt(const std::vector<Task>& tasks) {
  if (std::all_of(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.is_settled; })) {
    return true;
  }
  if (!Begin()) return false;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (!slots_[i].is_settled && !RunOne(tasks[i], slots_[i])) return false;
  }
  return Commit();
}

bool BatchRunner::Begin() {
  ++transactions_;
  (writing_ ? begin_write_ : begin_read_).Run();
  if (writing_) commands_.records().LoadBooks();
  const std::optional<Error> error = TakeFailure();
  if (!error) return true;
  Rollback();
  if (writing_) {
    GiveUpWriting(*error, /*maybe_done=*/false);
  } else {
    for (Slot& slot : slots_) Settle(slot, *error, /*maybe_done=*/false);
  }
  return false;
}

bool BatchRunner::RunOne(const Task& task, Slot& slot) {
  const Books books = commands_.records().books();
  const Touching touching = slot.skips_touch || !may_write_ ? Touching::kSkip
                            : writing_                      ? Touching::kDo
                                                            : Touching::kAsk;
  slot.reply = StoreReply();
  slot.carries_data = false;
  if (writing_) savepoint_.Run();
  const bool is_done = commands_.Run(task.command.get(), task.now, touching, &slot.reply);
  if (writing_) release_.Run();
  const std::optional<Error> error = TakeFailure();
  if (!error && is_done) {
    slot.carries_data = commands_.carries_data();
    return true;
  }
  if (!error) {  // a Get that should write: all again, in a transaction that can
    Rollback();
    writing_ = true;
    return false;
  }
  if (!database_.InTransaction()) return Restart(slot, *error);
  if (writing_) {
    rollback_to_.Run();
    release_.Run();
    commands_.records().books() = books;
    if (TakeFailure()) {
      Rollback();
      return Restart(slot, *error);
    }
    if (!slot.is_mutation && !slot.skips_touch) {  // that it cannot write need not stop a Get
      slot.skips_touch = true;
      return RunOne(task, slot);
    }
  }
  Settle(slot, *error, /*maybe_done=*/false);
  return true;
}

bool BatchRunner::Restart(Slot& slot, const Error& error) {
  if (writing_ && !slot.is_mutation && !slot.skips_touch) {
    slot.skips_touch = true;
  } else {
    Settle(slot, error, /*maybe_done=*/false);
  }
  if (++restarts_ >= kMaxRestarts && writing_) GiveUpWriting(error, /*maybe_done=*/false);
  return false;
}

bool BatchRunner::Commit() {
  if (writing_) commands_.records().SaveBooks();
  commit_.Run();
  const std::optional<Error> error = TakeFailure();
  if (!error) {
    (writing_ ? experience_.has_written : experience_.has_read) = true;
    return true;
  }
  Rollback();
  // What only read was read from one state of the file, whether or not that could be ended well.
  if (!writing_) return true;
  GiveUpWriting(*error, /*maybe_done=*/error->code == ErrorCode::kUnavailable);
  return false;
}

void BatchRunner::Rollback() {
  if (database_.InTransaction()) rollback_.Run();
  (void)database_.TakeFailure();  // what led here is told already
}

void BatchRunner::GiveUpWriting(const Error& error, bool maybe_done) {
  for (Slot& slot : slots_) {
    if (slot.is_mutation) Settle(slot, error, maybe_done);
  }
  writing_ = false;
  may_write_ = false;
}

void BatchRunner::Settle(Slot& slot, const Error& error, bool maybe_done) {
  if (slot.is_settled) return;
  slot.is_settled = true;
  slot.carries_data = false;
  slot.reply = StoreReply();
  slot.reply.error = error.code;
  slot.reply.maybe_done = maybe_done;
}

std::optional<Error> BatchRunner::TakeFailure() {
  std::optional<Error> failure = database_.TakeFailure();
  if (failure) {
    experience_.trouble = failure;
    experience_.in_writing = writing_;
  }
  return failure;
}

Instant BatchRunner::Sweep(Instant now) {
  writing_ = false;
  const Instant due = commands_.NextDue();
  if (TakeFailure()) return kNotSwept;
  if (due > now) return due;
  writing_ = true;
  ++transactions_;
  begin_write_.Run();
  commands_.records().LoadBooks();
  commands_.Sweep(now);
  const Instant next_due = commands_.NextDue();
  commands_.records().SaveBooks();
  commit_.Run();
  if (!TakeFailure()) {
    experience_.has_written = true;
    return next_due;
  }
  Rollback();
  return kNotSwept;
}

Experience BatchRunner::TakeExperience() { return std::exchange(experience_, Experience()); }

}  // namespace mcp_session::sqlite

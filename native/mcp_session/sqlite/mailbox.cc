#include "mcp_session/sqlite/mailbox.h"

#include <boost/asio/post.hpp>
#include <chrono>
#include <iterator>
#include <utility>
#include <variant>

namespace mcp_session::sqlite {

Mailbox::Mailbox(const boost::asio::any_io_executor& executor,
                 std::function<void(std::string_view)> log)
    : executor_(executor), log_(std::move(log)) {
  status_.backend = "sqlite";
}

void Mailbox::Put(Task task) {
  {
    const std::lock_guard lock(mutex_);
    // Refusals take their turn as well: replies on one key keep their order.
    if (work_.tasks.size() >= kMaxQueued) {
      work_.tasks.back().refused.push_back(task.ticket);
      return;
    }
    // Nothing else makes anything end sooner than was known.
    const StoreCommand& command = task.command.get();
    if (std::holds_alternative<store::Create>(command) ||
        std::holds_alternative<store::Lock>(command)) {
      has_new_ends_ = true;
      next_due_ = kUnknownDue;
    }
    work_.tasks.push_back(std::move(task));
  }
  changed_.notify_one();
}

void Mailbox::Put(const Tick& tick) {
  {
    const std::lock_guard lock(mutex_);
    const bool sweeps = tick.sweeps || (work_.tick && work_.tick->sweeps);
    work_.tick = tick;
    work_.tick->sweeps = sweeps;
  }
  changed_.notify_one();
}

void Mailbox::Drain(std::vector<Answer>* answers) {
  is_ready_told_ = false;
  const std::lock_guard lock(mutex_);
  answers->swap(answers_);
}

StoreStatus Mailbox::Status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

Instant Mailbox::next_due() const {
  const std::lock_guard lock(mutex_);
  return next_due_;
}

void Mailbox::Close() {
  ready_ = nullptr;
  log_ = nullptr;
  {
    const std::lock_guard lock(mutex_);
    work_.stops = true;
  }
  changed_.notify_one();
}

Work Mailbox::Wait(Millis patience) {
  std::unique_lock lock(mutex_);
  const auto has_work = [this] { return !work_.tasks.empty() || work_.tick || work_.stops; };
  if (patience == Millis{}) {
    changed_.wait(lock, has_work);
  } else {
    changed_.wait_for(lock, std::chrono::milliseconds(patience.count), has_work);
  }
  const bool stops = work_.stops;
  Work work = std::exchange(work_, Work());
  work_.stops = stops;
  has_new_ends_ = false;
  return work;
}

void Mailbox::Deliver(std::vector<Answer> answers) {
  if (answers.empty()) return;
  bool must_post = false;
  {
    const std::lock_guard lock(mutex_);
    if (answers_.empty()) {
      answers_.swap(answers);
    } else {
      std::move(answers.begin(), answers.end(), std::back_inserter(answers_));
    }
    must_post = MustPost();
  }
  if (must_post) Post();
}

void Mailbox::Report(const StoreStatus& status, std::string log_line) {
  bool must_post = false;
  {
    const std::lock_guard lock(mutex_);
    status_ = status;
    log_lines_.push_back(std::move(log_line));
    must_post = MustPost();
  }
  if (must_post) Post();
}

void Mailbox::SetNextDue(Instant wall) {
  const std::lock_guard lock(mutex_);
  next_due_ = has_new_ends_ ? kUnknownDue : wall;
}

bool Mailbox::MustPost() { return !std::exchange(is_posted_, true); }

void Mailbox::Post() {
  boost::asio::post(executor_, [self = shared_from_this()] { self->Notify(); });
}

void Mailbox::Notify() {
  std::vector<std::string> lines;
  bool has_answers = false;
  {
    const std::lock_guard lock(mutex_);
    is_posted_ = false;
    lines.swap(log_lines_);
    has_answers = !answers_.empty();
  }
  for (const std::string& line : lines) {
    if (log_) log_(line);
  }
  if (!has_answers || is_ready_told_ || !ready_) return;
  is_ready_told_ = true;
  // A copy: it may end the store, and with it what it is called from.
  const std::function<void()> ready = ready_;
  ready();
}

}  // namespace mcp_session::sqlite

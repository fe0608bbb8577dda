#include "mcp_session/face/blocking_store.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <span>
#include <thread>
#include <utility>

#include "mcp_session/face/store_desk.h"
#include "mcp_session/system/clock.h"

namespace mcp_session {
namespace {

namespace asio = boost::asio;

// The entropy of a caller who did not promise that it may be used from several threads.
class GuardedEntropy final : public Entropy {
 public:
  explicit GuardedEntropy(Entropy& inner) : inner_(inner) {}
  void Fill(std::span<std::uint8_t> bytes) override {
    const std::lock_guard guard(mutex_);
    inner_.Fill(bytes);
  }

 private:
  std::mutex mutex_;
  Entropy& inner_;
};

// A call on its way between the caller's thread and the loop's.
template <typename T>
class Visit {
 public:
  // On the loop: whether it is still wanted; if so it counts as begun.
  bool Begin() {
    const std::lock_guard guard(mutex_);
    if (abandoned_) return false;
    begun_ = true;
    return true;
  }
  void Answer(T answer) {
    const std::lock_guard guard(mutex_);
    answer_ = std::move(answer);
    answered_.notify_one();
  }

  // On the caller's thread: the answer, or nothing after so long. Then nobody waits any more.
  std::optional<T> Wait(Millis length) {
    std::unique_lock guard(mutex_);
    answered_.wait_for(guard, std::chrono::milliseconds(length.count),
                       [this] { return answer_.has_value(); });
    abandoned_ = true;
    return std::move(answer_);
  }
  bool begun() {
    const std::lock_guard guard(mutex_);
    return begun_;
  }

  std::uint64_t number = 0;  // for StoreDesk::Cancel; the loop's

 private:
  std::mutex mutex_;
  std::condition_variable answered_;
  bool begun_ = false;
  bool abandoned_ = false;
  std::optional<T> answer_;
};

StoreError Late(bool maybe_done) {
  StoreError error;
  error.code = ErrorCode::kUnavailable;
  error.message = "the store did not answer in time";
  error.maybe_done = maybe_done;
  return error;
}

StoreError NotHeld() {
  StoreReply reply;
  reply.error = ErrorCode::kLockLost;
  return ErrorOf(reply);
}

}  // namespace

class BlockingStore::State {
 public:
  State(Entropy& entropy, Millis deadline)
      : entropy_(entropy), deadline_(deadline), work_(loop_.get_executor()) {}

  ~State() {
    work_.reset();
    loop_.stop();
    if (thread_.joinable()) thread_.join();
    // What was posted and not run goes with the loop, before the desk and the store it names.
  }

  Result<void> Open(const MakeStore& make) {
    MCPS_TRY(store_, make(loop_));
    desk_ = std::make_unique<StoreDesk>(*store_, loop_.get_executor(), entropy_);
    thread_ = std::thread([this] { loop_.run(); });
    return {};
  }

  // Has `begin` called with the desk and what to answer to, and waits for the answer.
  template <typename T, typename Begin>
  StoreResult<T> Call(Begin begin, Millis extra) {
    auto visit = std::make_shared<Visit<T>>();
    asio::post(loop_, [this, visit, begin = std::move(begin)] {
      if (!visit->Begin()) return;
      visit->number = begin(*desk_, [visit](T answer) { visit->Answer(std::move(answer)); });
    });
    std::optional<T> answer = visit->Wait(Millis{deadline_.count + extra.count});
    if (answer) return std::move(*answer);
    asio::post(loop_, [this, visit] { desk_->Cancel(visit->number); });
    return tl::unexpected<StoreError>(Late(visit->begun()));
  }

  // Runs something short on the loop, without waiting.
  template <typename Action>
  void Post(Action action) {
    asio::post(loop_, std::move(action));
  }

  StoreDesk& desk() { return *desk_; }
  Entropy& entropy() { return entropy_; }

 private:
  GuardedEntropy entropy_;
  const Millis deadline_;
  asio::io_context loop_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::unique_ptr<SessionStore> store_;
  std::unique_ptr<StoreDesk> desk_;
  std::thread thread_;
};

Result<std::unique_ptr<BlockingStore>> BlockingStore::Open(const MakeStore& make, Entropy& entropy,
                                                           Millis deadline) {
  auto state = std::make_unique<State>(entropy, deadline);
  if (Result<void> opened = state->Open(make); !opened) return tl::unexpected(opened.error());
  return std::unique_ptr<BlockingStore>(new BlockingStore(std::move(state)));
}

BlockingStore::BlockingStore(std::unique_ptr<State> state) : state_(std::move(state)) {}
BlockingStore::~BlockingStore() = default;

template <typename T>
StoreResult<T> BlockingStore::Run(Operation<T> operation, Millis extra) {
  StoreResult<StoreReply> reply = state_->Call<StoreReply>(
      [make = operation.make](StoreDesk& desk, StoreDesk::Answer answer) {
        return desk.Run(make, std::move(answer));
      },
      extra);
  if (!reply) return tl::unexpected<StoreError>(std::move(reply.error()));
  return ResultOf(operation, *reply);
}

std::uint64_t BlockingStore::WriteId(std::uint64_t given) {
  return given != 0 ? given : DrawNumber(state_->entropy());
}

StoreResult<Record> BlockingStore::Create(RecordName name, std::string data, Lifetime lifetime,
                                          std::uint64_t write_id) {
  return Run(operation::Create(std::move(name), std::move(data), lifetime, WriteId(write_id)));
}

StoreResult<Record> BlockingStore::Get(RecordName name) {
  return Run(operation::Get(std::move(name)));
}

StoreResult<Record> BlockingStore::Put(RecordName name, std::string data,
                                       std::optional<std::uint64_t> expected,
                                       WriteOptions options) {
  options.write_id = WriteId(options.write_id);
  return Run(operation::Put(std::move(name), std::move(data), expected, options));
}

StoreResult<Done> BlockingStore::Touch(RecordName name) {
  return Run(operation::Touch(std::move(name)));
}

StoreResult<bool> BlockingStore::Remove(RecordName name, std::optional<std::uint64_t> expected,
                                        std::uint64_t fence) {
  return Run(operation::Remove(std::move(name), expected, fence));
}

StoreResult<Record> BlockingStore::Take(RecordName name) {
  return Run(operation::Take(std::move(name)));
}

StoreResult<Record> BlockingStore::Regenerate(RecordName from, RecordName to,
                                              std::uint64_t write_id) {
  return Run(operation::Regenerate(std::move(from), std::move(to), WriteId(write_id)));
}

StoreResult<std::uint64_t> BlockingStore::RemoveOwned(std::string owner) {
  return Run(operation::RemoveOwned(std::move(owner)));
}

StoreResult<RecordPage> BlockingStore::List(std::string owner, std::string kind, std::string cursor,
                                            std::size_t limit) {
  return Run(operation::List(std::move(owner), std::move(kind), std::move(cursor), limit));
}

StoreResult<std::uint64_t> BlockingStore::Append(RecordName name, std::string data,
                                                 std::size_t keep) {
  return Run(operation::Append(std::move(name), std::move(data), keep));
}

StoreResult<std::vector<StreamEvent>> BlockingStore::ReadEvents(RecordName name,
                                                                std::uint64_t after,
                                                                std::size_t limit, Millis wait) {
  return Run(operation::ReadEvents(std::move(name), after, limit, wait), wait);
}

StoreResult<Record> BlockingStore::Update(RecordName name, const UpdateFunction& change,
                                          std::uint64_t fence) {
  StoreResult<Record> result;
  for (int tries = 0; tries < kUpdateTries; ++tries) {
    if (tries > 0) {
      const Millis pause = DrawPause(state_->entropy());
      std::this_thread::sleep_for(std::chrono::milliseconds(pause.count));
    }
    result = Get(name);
    if (!result) return result;
    std::optional<std::string> data = change(*result->data);
    if (!data) return result;
    result = Put(name, std::move(*data), result->version, {.fence = fence});
    if (result || result.error().code != ErrorCode::kConflict) return result;
  }
  return result;
}

StoreResult<ScopedLock> BlockingStore::Lock(RecordName name, LockOptions options) {
  using Grant = StoreResult<LockGrant>;
  StoreResult<Grant> answer = state_->Call<Grant>(
      [name, options](StoreDesk& desk, StoreDesk::LockAnswer done) {
        return desk.Lock(name, options, std::move(done));
      },
      options.wait);
  if (!answer) return tl::unexpected<StoreError>(std::move(answer.error()));
  if (!*answer) return tl::unexpected<StoreError>(std::move(answer->error()));
  return ScopedLock(*this, std::move(name), **answer);
}

StoreStatus BlockingStore::Status() const {
  StoreResult<StoreStatus> status = state_->Call<StoreStatus>(
      [](StoreDesk& desk, const std::function<void(StoreStatus)>& done) {
        done(desk.Status());
        return std::uint64_t{0};
      },
      Millis{0});
  if (status) return *status;
  return {StoreState::kUnavailable, {}, "the store's thread is busy"};
}

ScopedLock::ScopedLock(BlockingStore& store, RecordName name, LockGrant grant)
    : store_(&store), name_(std::move(name)), grant_(grant) {}

ScopedLock::ScopedLock(ScopedLock&& other) noexcept
    : store_(std::exchange(other.store_, nullptr)),
      name_(std::move(other.name_)),
      grant_(other.grant_) {}

ScopedLock::~ScopedLock() {
  if (store_ != nullptr) (void)Unlock();  // else its lease ends it
}

bool ScopedLock::valid() const { return store_ != nullptr && MonotonicNow() < grant_.valid_until; }

StoreResult<Done> ScopedLock::Extend(Millis lease) {
  const Instant asked = MonotonicNow();
  if (store_ == nullptr) return tl::unexpected<StoreError>(NotHeld());
  const auto left = store_->Run(operation::Extend(name_, grant_.holder, lease));
  if (!left) return tl::unexpected<StoreError>(left.error());
  grant_.valid_until = ValidUntil(asked, *left);
  return Done{};
}

StoreResult<Done> ScopedLock::Unlock() {
  if (store_ == nullptr) return tl::unexpected<StoreError>(NotHeld());
  BlockingStore& store = *std::exchange(store_, nullptr);
  auto done = store.Run(operation::Unlock(name_, grant_.holder));
  store.state_->Post([state = store.state_.get(), name = name_] { state->desk().Released(name); });
  return done;
}

}  // namespace mcp_session

#include "mcp_session/face/awaitable_store.h"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <utility>

#include "mcp_session/face/await.h"
#include "mcp_session/system/clock.h"

namespace mcp_session {
namespace {

namespace asio = boost::asio;

template <typename T>
using Begin = BeginOn<StoreDesk, T>;

StoreReply Gone() {
  StoreReply reply;
  reply.error = ErrorCode::kCancelled;
  return reply;
}

template <typename T>
StoreResult<T> Closed() {
  StoreReply reply = Gone();
  return tl::unexpected<StoreError>(ErrorOf(reply));
}

template <typename T>
asio::awaitable<StoreResult<T>> RunOperation(std::weak_ptr<StoreDesk> desk,
                                             Operation<T> operation) {
  Begin<StoreReply> begin = [make = operation.make](StoreDesk& open,
                                                    std::function<void(StoreReply)> done) {
    return open.Run(make, std::move(done));
  };
  StoreReply reply = co_await Await(desk, begin, Gone());
  StoreResult<T> result = ResultOf(operation, reply);
  co_return result;
}

asio::awaitable<StoreResult<LockGrant>> AwaitLock(std::weak_ptr<StoreDesk> desk, RecordName name,
                                                  LockOptions options) {
  Begin<StoreResult<LockGrant>> begin =
      [name, options](StoreDesk& open, std::function<void(StoreResult<LockGrant>)> done) {
        return open.Lock(name, options, std::move(done));
      };
  StoreResult<LockGrant> gone = Closed<LockGrant>();
  StoreResult<LockGrant> grant = co_await Await(desk, begin, gone);
  co_return grant;
}

asio::awaitable<StoreResult<LockGrant>> ExtendLock(std::weak_ptr<StoreDesk> desk, RecordName name,
                                                   LockGrant grant, Millis lease) {
  const Instant asked = MonotonicNow();
  Operation<Millis> operation = operation::Extend(std::move(name), grant.holder, lease);
  StoreResult<Millis> left = co_await RunOperation(desk, std::move(operation));
  if (!left) co_return tl::unexpected<StoreError>(left.error());
  grant.valid_until = ValidUntil(asked, *left);
  co_return grant;
}

asio::awaitable<StoreResult<Done>> UnlockLock(std::weak_ptr<StoreDesk> desk, RecordName name,
                                              LockGrant grant) {
  Operation<Done> operation = operation::Unlock(name, grant.holder);
  StoreResult<Done> done = co_await RunOperation(desk, std::move(operation));
  if (const auto open = desk.lock()) open->Released(name);
  co_return done;
}

asio::awaitable<StoreResult<Record>> RunUpdate(std::weak_ptr<StoreDesk> desk,
                                               asio::any_io_executor executor, RecordName name,
                                               UpdateFunction change, std::uint64_t fence) {
  StoreResult<Record> result;
  for (int tries = 0; tries < kUpdateTries; ++tries) {
    if (tries > 0) {
      const auto open = desk.lock();
      if (open == nullptr) co_return Closed<Record>();
      asio::steady_timer timer(executor, ToSteadyTime(MonotonicNow() + DrawPause(open->entropy())));
      co_await timer.async_wait(asio::use_awaitable);
    }
    Operation<Record> get = operation::Get(name);
    result = co_await RunOperation(desk, get);
    if (!result) co_return result;
    const std::optional<std::string> data = change(*result->data);
    if (!data) co_return result;
    const auto open = desk.lock();
    if (open == nullptr) co_return Closed<Record>();
    const WriteOptions options{fence, DrawNumber(open->entropy())};
    Operation<Record> put = operation::Put(name, *data, result->version, options);
    result = co_await RunOperation(desk, put);
    if (result || result.error().code != ErrorCode::kConflict) co_return result;
  }
  co_return result;
}

}  // namespace

AwaitableStore::AwaitableStore(SessionStore& store, asio::any_io_executor executor,
                               Entropy& entropy)
    : executor_(executor), desk_(std::make_shared<StoreDesk>(store, executor, entropy)) {}

AwaitableStore::Awaitable<Record> AwaitableStore::Create(RecordName name, std::string data,
                                                         Lifetime lifetime,
                                                         std::uint64_t write_id) {
  return RunOperation<Record>(
      desk_, operation::Create(std::move(name), std::move(data), lifetime, WriteId(write_id)));
}

AwaitableStore::Awaitable<Record> AwaitableStore::Get(RecordName name) {
  return RunOperation<Record>(desk_, operation::Get(std::move(name)));
}

AwaitableStore::Awaitable<Record> AwaitableStore::Put(RecordName name, std::string data,
                                                      std::optional<std::uint64_t> expected,
                                                      WriteOptions options) {
  options.write_id = WriteId(options.write_id);
  return RunOperation<Record>(desk_,
                              operation::Put(std::move(name), std::move(data), expected, options));
}

AwaitableStore::Awaitable<Done> AwaitableStore::Touch(RecordName name) {
  return RunOperation<Done>(desk_, operation::Touch(std::move(name)));
}

AwaitableStore::Awaitable<bool> AwaitableStore::Remove(RecordName name,
                                                       std::optional<std::uint64_t> expected,
                                                       std::uint64_t fence) {
  return RunOperation<bool>(desk_, operation::Remove(std::move(name), expected, fence));
}

AwaitableStore::Awaitable<Record> AwaitableStore::Take(RecordName name) {
  return RunOperation<Record>(desk_, operation::Take(std::move(name)));
}

AwaitableStore::Awaitable<Record> AwaitableStore::Regenerate(RecordName from, RecordName to,
                                                             std::uint64_t write_id) {
  return RunOperation<Record>(
      desk_, operation::Regenerate(std::move(from), std::move(to), WriteId(write_id)));
}

AwaitableStore::Awaitable<std::uint64_t> AwaitableStore::RemoveOwned(std::string owner) {
  return RunOperation<std::uint64_t>(desk_, operation::RemoveOwned(std::move(owner)));
}

AwaitableStore::Awaitable<RecordPage> AwaitableStore::List(std::string owner, std::string kind,
                                                           std::string cursor, std::size_t limit) {
  return RunOperation<RecordPage>(
      desk_, operation::List(std::move(owner), std::move(kind), std::move(cursor), limit));
}

AwaitableStore::Awaitable<std::uint64_t> AwaitableStore::Append(RecordName name, std::string data,
                                                                std::size_t keep) {
  return RunOperation<std::uint64_t>(desk_,
                                     operation::Append(std::move(name), std::move(data), keep));
}

AwaitableStore::Awaitable<std::vector<StreamEvent>> AwaitableStore::ReadEvents(RecordName name,
                                                                               std::uint64_t after,
                                                                               std::size_t limit,
                                                                               Millis wait) {
  return RunOperation<std::vector<StreamEvent>>(
      desk_, operation::ReadEvents(std::move(name), after, limit, wait));
}

AwaitableStore::Awaitable<Record> AwaitableStore::Update(RecordName name, UpdateFunction change,
                                                         std::uint64_t fence) {
  return RunUpdate(desk_, executor_, std::move(name), std::move(change), fence);
}

AwaitableStore::Awaitable<LockGrant> AwaitableStore::Lock(RecordName name, LockOptions options) {
  return AwaitLock(desk_, std::move(name), options);
}

AwaitableStore::Awaitable<LockGrant> AwaitableStore::Extend(RecordName name, LockGrant grant,
                                                            Millis lease) {
  return ExtendLock(desk_, std::move(name), grant, lease);
}

AwaitableStore::Awaitable<Done> AwaitableStore::Unlock(RecordName name, LockGrant grant) {
  return UnlockLock(desk_, std::move(name), grant);
}

}  // namespace mcp_session

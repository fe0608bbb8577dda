// The examples of docs/session-store.md: they are run as a test, on a store in memory.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <string>

#include "mcp_session/face/awaitable_store.h"
#include "mcp_session/face/blocking_store.h"
#include "mcp_session/factory/create_store.h"
#include "mcp_session/health/operator_pages.h"
#include "mcp_session/store/memory_store.h"
#include "mcp_session/system/entropy.h"

using namespace mcp_session;
namespace asio = boost::asio;

// The store that the environment wants; with nothing set, whatever is there.
Result<CreatedStore> OpenStore(asio::io_context& loop, Entropy& entropy) {
  StoreOptions options;
  ReadEnvironment([](const char* name) -> const char* { return std::getenv(name); }, &options);
  options.log = [](std::string_view line) { std::cerr << line << '\n'; };
  return CreateSessionStore(options, loop, entropy);
}

// With coroutines: a counter that loses no step, however many count at once.
asio::awaitable<StoreResult<Record>> Count(AwaitableStore& store, RecordName name) {
  const Lifetime day{.idle_ttl = Hours(24)};
  StoreResult<Record> made = co_await store.Create(name, "0", day);
  if (!made && made.error().code != ErrorCode::kExists) co_return made;
  UpdateFunction add_one = [](const std::string& data) {
    return std::optional<std::string>(std::to_string(std::stoi(data) + 1));
  };
  StoreResult<Record> counted = co_await store.Update(name, add_one);
  co_return counted;
}

// Without: one of several processes does the work, and a late one cannot spoil it.
StoreResult<Record> WriteReport(BlockingStore& store, const RecordName& name) {
  const LockOptions patient{.lease = Seconds(30), .wait = Seconds(5)};
  StoreResult<ScopedLock> lock = store.Lock(name, patient);
  if (!lock) return tl::unexpected(lock.error());  // kLocked, kUnavailable, ...
  StoreResult<Record> report = store.Get(name);
  if (!report) return report;
  return store.Put(name, *report->data + " and more", report->version, {.fence = lock->token()});
}

// Health, readiness and metrics for a server's options.
void AddOperatorPages(const MeteredStore& store, const CreatedStore& created,
                      HttpServerOptions* options) {
  options->dynamic_pages = OperatorPages(store, created);
}

int RunCount() {
  asio::io_context loop;
  SystemEntropy entropy;
  MemorySessionStore memory({}, entropy);
  AwaitableStore store(memory, loop.get_executor(), entropy);
  std::string data;
  for (int i = 0; i < 3; ++i) {
    const auto keep = [&](const std::exception_ptr&, const StoreResult<Record>& record) {
      data = record ? *record->data : "";
      if (data == "3") loop.stop();
    };
    asio::co_spawn(loop, Count(store, {"principal:ann", "counter", "visits"}), keep);
  }
  loop.run();
  return data == "3" ? 0 : 1;
}

int RunReport() {
  SystemEntropy entropy;
  const auto make = [&](asio::io_context&) -> Result<std::unique_ptr<SessionStore>> {
    return std::make_unique<MemorySessionStore>(MemoryStoreOptions{}, entropy);
  };
  auto store = BlockingStore::Open(make, entropy);
  if (!store) return 1;
  const RecordName name{"principal:ann", "report", "weekly"};
  if (!(*store)->Create(name, "some", {.idle_ttl = Hours(1)})) return 1;
  const StoreResult<Record> report = WriteReport(**store, name);
  return report && *report->data == "some and more" ? 0 : 1;
}

int RunFactory() {
  setenv("REDIS_URL", "redis://127.0.0.1:1", 1);  // nobody is there: said, and memory
  asio::io_context loop;
  SystemEntropy entropy;
  const Result<CreatedStore> created = OpenStore(loop, entropy);
  return created && created->fell_back ? 0 : 1;
}

int main() { return RunCount() + RunReport() + RunFactory(); }

#include "tests/redis/redis_backend.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <utility>
#include <vector>

#include "mcp_session/redis/store.h"
#include "mcp_session/system/clock.h"
#include "mcp_session/system/entropy.h"

namespace mcp_session {
namespace {

class RedisStoreUnderTest final : public StoreUnderTest {
 public:
  RedisStoreUnderTest(const StoreLimits& limits, const RedisSetup& setup, RedisServer& server)
      : setup_(setup), server_(server) {
    setup_.empty(server_);
    RedisOptions options;
    setup_.connect(server_, &options);
    options.max_record_bytes = limits.max_record_bytes;
    options.max_records_per_owner = limits.max_records_per_owner;
    // The machine may be busy with other things for long.
    options.connect_timeout = Seconds(20);
    options.command_timeout = Seconds(10);
    auto made = RedisSessionStore::Make(loop_, std::move(options), entropy_);
    EXPECT_TRUE(made.has_value()) << made.error().message;
    store_ = std::move(*made);
    // Not part of what a test measures.
    while (store_->Status().state != StoreState::kConnected) {
      if (store_->Status().state == StoreState::kMisconfigured) break;
      loop_.run_one_for(std::chrono::seconds(20));
    }
    EXPECT_EQ(store_->Status().state, StoreState::kConnected) << store_->Status().reason;
  }

  ~RedisStoreUnderTest() override {
    EXPECT_EQ(store_->counters().desyncs, 0u);
    store_ = nullptr;
    for (RedisServer* server : setup_.all(server_)) EXPECT_EQ(KeysWithoutExpiry(*server), "");
  }

  SessionStore& store() override { return *store_; }
  Instant Now() override { return MonotonicNow(); }

  void Wait(Millis length) override {
    boost::asio::steady_timer timer(loop_);
    bool over = false;
    timer.expires_after(std::chrono::milliseconds(length.count));
    timer.async_wait([&over](const boost::system::error_code&) { over = true; });
    while (!over) loop_.run_one();
  }

  // A turn: all that is ready, what that leads to at once included.
  void Pump() override {
    loop_.run_one_for(std::chrono::milliseconds(10));
    loop_.poll();
  }

 private:
  const RedisSetup& setup_;
  RedisServer& server_;
  boost::asio::io_context loop_;
  SystemEntropy entropy_;
  std::unique_ptr<RedisSessionStore> store_;
};

}  // namespace

std::string KeysWithoutExpiry(RedisServer& server) {
  return server.Command(
      {"EVAL",
       "local found = {} for _, key in ipairs(redis.call('KEYS', '*')) do "
       "if redis.call('PTTL', key) == -1 then table.insert(found, key) end end return found",
       "0"});
}

StoreBackend RedisBackend(RedisSetup setup) {
  const auto kept = std::make_shared<RedisSetup>(std::move(setup));
  const auto server = std::make_shared<std::shared_ptr<RedisServer>>();
  StoreBackend backend;
  backend.name = kept->name;
  backend.make = [kept, server](const StoreLimits& limits) {
    if (*server == nullptr) *server = kept->start();
    return std::make_unique<RedisStoreUnderTest>(limits, *kept, **server);
  };
  backend.tolerance = Millis{55};
  backend.idle_ttl = Seconds(3);
  backend.caps_records = false;
  return backend;
}

}  // namespace mcp_session

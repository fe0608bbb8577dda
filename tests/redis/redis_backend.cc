#include "tests/redis/redis_backend.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "mcp_session/redis/store.h"
#include "mcp_session/system/clock.h"
#include "mcp_session/system/entropy.h"

namespace mcp_session {
namespace {

// With time to spare: the machine may be busy with other things for long.
RedisOptions Patient(RedisOptions options) {
  options.connect_timeout = Seconds(20);
  options.command_timeout = Seconds(10);
  return options;
}

class RedisStoreUnderTest final : public StoreUnderTest {
 public:
  explicit RedisStoreUnderTest(RedisOptions options) {
    auto made = RedisSessionStore::Make(loop_, Patient(std::move(options)), entropy_);
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
    if (at_end_) at_end_();
  }

  void AtEnd(std::function<void()> at_end) { at_end_ = std::move(at_end); }

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
  boost::asio::io_context loop_;
  SystemEntropy entropy_;
  std::unique_ptr<RedisSessionStore> store_;
  std::function<void()> at_end_;
};

}  // namespace

std::string KeysWithoutExpiry(RedisServer& server) {
  return server.Command(
      {"EVAL",
       "local found = {} for _, key in ipairs(redis.call('KEYS', '*')) do "
       "if redis.call('PTTL', key) == -1 then table.insert(found, key) end end return found",
       "0"});
}

std::unique_ptr<StoreUnderTest> MakeRedisClient(RedisOptions options) {
  return std::make_unique<RedisStoreUnderTest>(std::move(options));
}

StoreBackend RedisBackend(RedisSetup setup) {
  const auto kept = std::make_shared<RedisSetup>(std::move(setup));
  const auto server = std::make_shared<std::shared_ptr<RedisServer>>();
  StoreBackend backend;
  backend.name = kept->name;
  backend.make = [kept, server](const StoreLimits& limits) {
    if (*server == nullptr) *server = kept->start();
    kept->empty(**server);
    RedisOptions options;
    kept->connect(**server, &options);
    options.max_record_bytes = limits.max_record_bytes;
    options.max_records_per_owner = limits.max_records_per_owner;
    auto made = std::make_unique<RedisStoreUnderTest>(std::move(options));
    made->AtEnd([kept, server] {
      for (RedisServer* one : kept->all(**server)) EXPECT_EQ(KeysWithoutExpiry(*one), "");
    });
    return made;
  };
  backend.tolerance = Millis{20};
  backend.dozen = Millis{95};
  backend.idle_ttl = Seconds(2);
  backend.caps_records = false;
  return backend;
}

}  // namespace mcp_session

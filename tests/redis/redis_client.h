// A RedisSessionStore and its loop, for tests that want to see what becomes of commands when
// something happens to the server.
#ifndef TESTS_REDIS_REDIS_CLIENT_H_
#define TESTS_REDIS_REDIS_CLIENT_H_

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mcp_session/redis/store.h"
#include "mcp_session/system/clock.h"
#include "mcp_session/system/entropy.h"

namespace mcp_session {

class RedisClient {
 public:
  explicit RedisClient(RedisOptions options) {
    options.log = [this](std::string_view line) { log_.emplace_back(line); };
    auto made = RedisSessionStore::Make(loop_, std::move(options), entropy_);
    EXPECT_TRUE(made.has_value());
    store_ = std::move(*made);
  }

  boost::asio::io_context& loop() { return loop_; }
  RedisSessionStore& store() { return *store_; }
  StoreState state() const { return store_->Status().state; }
  std::string reason() const { return store_->Status().reason; }
  const RedisCounters& counters() const { return store_->counters(); }
  const std::vector<std::string>& log() const { return log_; }

  // Runs the loop until `condition`; false if that takes longer than it may.
  bool RunUntil(const std::function<bool()>& condition,
                std::chrono::seconds patience = std::chrono::seconds(30)) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      loop_.run_one_for(std::chrono::milliseconds(20));
    }
    return true;
  }
  bool RunUntil(StoreState state) {
    return RunUntil([this, state] { return this->state() == state; });
  }
  void RunFor(Millis length) {
    const Instant end = MonotonicNow() + length;
    RunUntil([end] { return MonotonicNow() >= end; });
  }

  void Submit(StoreCommand command) {
    store_->Submit({++last_ticket_}, std::move(command), MonotonicNow());
  }

  // The replies to all that was submitted, in the order they came.
  std::vector<StoreReply> Replies() {
    std::vector<StoreReply> replies;
    EXPECT_TRUE(RunUntil([&] {
      store_->Drain(&replies);
      return answered_ + replies.size() >= last_ticket_;
    }));
    answered_ += replies.size();
    return replies;
  }

  StoreReply Run(StoreCommand command) {
    Submit(std::move(command));
    std::vector<StoreReply> replies = Replies();
    if (replies.size() != 1) {
      ADD_FAILURE() << replies.size() << " replies";
      return {};
    }
    return std::move(replies[0]);
  }

  StoreReply Create(const RecordKey& key, std::string data = "data") {
    return Run(store::Create{key, std::move(data), {.idle_ttl = Hours(1)}});
  }
  StoreReply Get(const RecordKey& key) { return Run(store::Get{key}); }
  StoreReply Put(const RecordKey& key, std::string data,
                 std::optional<std::uint64_t> expected = std::nullopt) {
    return Run(store::Put{key, std::move(data), expected});
  }

 private:
  boost::asio::io_context loop_;
  SystemEntropy entropy_;
  std::vector<std::string> log_;
  std::unique_ptr<RedisSessionStore> store_;
  std::uint64_t last_ticket_ = 0;
  std::uint64_t answered_ = 0;
};

}  // namespace mcp_session

#endif  // TESTS_REDIS_REDIS_CLIENT_H_

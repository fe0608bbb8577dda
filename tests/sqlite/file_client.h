// A FileSessionStore with a loop, run by a test that waits for its replies.
#ifndef TESTS_SQLITE_FILE_CLIENT_H_
#define TESTS_SQLITE_FILE_CLIENT_H_

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mcp_session/base/check.h"
#include "mcp_session/sqlite/file_store.h"
#include "tests/support/manual_clock.h"

namespace mcp_session {

// How long a test waits for what must come. Never used up by one that passes.
inline constexpr std::chrono::seconds kTestPatience{30};

class FileClient {
 public:
  // `clock` outlives this.
  FileClient(FileStoreOptions options, const ManualClock& clock) : clock_(clock) {
    auto opened = FileSessionStore::Open(std::move(options), loop_.get_executor(), clock_.Now());
    if (!opened) {
      failure_ = opened.error();
      return;
    }
    store_ = std::move(*opened);
    store_->OnReady([this] { ++ready_calls_; });
  }

  // Why there is no store.
  const std::optional<Error>& failure() const { return failure_; }
  FileSessionStore& store() { return *store_; }
  int ready_calls() const { return ready_calls_; }

  void Submit(std::uint64_t ticket, StoreCommand command) {
    store_->Submit({ticket}, std::move(command), clock_.Now());
  }

  // Waits until `count` have come. Fewer: they did not.
  std::vector<StoreReply> Replies(std::size_t count) {
    std::vector<StoreReply> replies;
    const auto until = std::chrono::steady_clock::now() + kTestPatience;
    for (;;) {
      store_->Drain(&replies);
      if (replies.size() >= count || std::chrono::steady_clock::now() >= until) return replies;
      Turn();
    }
  }

  StoreReply Run(StoreCommand command) {
    Submit(++last_ticket_, std::move(command));
    std::vector<StoreReply> replies = Replies(1);
    MCPS_CHECK(replies.size() == 1);
    return std::move(replies[0]);
  }

  // Lets the loop do what is there to do, for 10 ms at most if there is nothing.
  void Turn() { loop_.run_one_for(std::chrono::milliseconds(10)); }

  // Waits until `condition` holds. False: it never did.
  template <typename Condition>
  bool WaitFor(Condition condition) {
    const auto until = std::chrono::steady_clock::now() + kTestPatience;
    while (!condition()) {
      if (std::chrono::steady_clock::now() >= until) return false;
      Turn();
    }
    return true;
  }

  // Closes the file. Nothing else may be called then.
  void Close() { store_.reset(); }

 private:
  const ManualClock& clock_;
  boost::asio::io_context loop_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      loop_.get_executor()};
  std::optional<Error> failure_;
  std::unique_ptr<FileSessionStore> store_;
  int ready_calls_ = 0;
  std::uint64_t last_ticket_ = 0;
};

}  // namespace mcp_session

#endif  // TESTS_SQLITE_FILE_CLIENT_H_

// A FileSessionStore for the tests that any store can run.
#ifndef TESTS_SQLITE_FILE_BACKEND_H_
#define TESTS_SQLITE_FILE_BACKEND_H_

#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "mcp_session/sqlite/file_store.h"
#include "tests/sqlite/test_folder.h"
#include "tests/store/backend.h"
#include "tests/support/manual_clock.h"

namespace mcp_session {

class FileStoreUnderTest final : public StoreUnderTest {
 public:
  // On a file in a folder of its own.
  FileStoreUnderTest(const StoreLimits& limits, FileSynchronous synchronous)
      : folder_(std::make_unique<TestFolder>()), path_(folder_->File()) {
    Open(limits, synchronous);
  }

  // On a file that others may have open as well. For all of them it is the same time.
  FileStoreUnderTest(const std::string& path, const StoreLimits& limits,
                     FileSynchronous synchronous)
      : path_(path) {
    Open(limits, synchronous);
  }

  SessionStore& store() override { return *store_; }
  const std::string& path() const { return path_; }
  Instant Now() override { return clock_.Now(); }
  void Wait(Millis length) override { clock_.Advance(length); }

  // Until the store says that it is ready, or for a moment.
  void Pump() override { loop_.run_one_for(std::chrono::milliseconds(10)); }

 private:
  void Open(const StoreLimits& limits, FileSynchronous synchronous) {
    // Some day in 2025 when the clock starts.
    auto opened = FileSessionStore::Open({.path = path_,
                                          .synchronous = synchronous,
                                          .max_record_bytes = limits.max_record_bytes,
                                          .max_records_per_owner = limits.max_records_per_owner,
                                          .max_records = limits.max_records,
                                          .busy_timeout = Seconds(30),
                                          .wall_clock = [] { return Instant{1'750'000'000'000}; }},
                                         loop_.get_executor(), clock_.Now());
    if (!opened) {
      ADD_FAILURE() << opened.error().message;
      std::abort();
    }
    store_ = std::move(*opened);
    store_->OnReady([] {});
  }

  const std::unique_ptr<TestFolder> folder_;
  const std::string path_;
  ManualClock clock_;
  boost::asio::io_context loop_;
  // The loop waits for the store although nothing of its own is to come.
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      loop_.get_executor()};
  std::unique_ptr<FileSessionStore> store_;
};

inline StoreBackend FileBackend(std::string name, FileSynchronous synchronous) {
  return {.name = std::move(name), .make = [synchronous](const StoreLimits& limits) {
            return std::make_unique<FileStoreUnderTest>(limits, synchronous);
          }};
}

}  // namespace mcp_session

#endif  // TESTS_SQLITE_FILE_BACKEND_H_

// A FileSessionStore in a folder of its own, for tests.
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
#include "tests/store/contract.h"
#include "tests/support/manual_clock.h"

namespace mcp_session {

// The wall clock of a test when its ManualClock starts: some day in 2025.
inline constexpr Instant kWallStart{1'750'000'000'000};

class FileStoreUnderTest final : public StoreUnderTest {
 public:
  FileStoreUnderTest(const StoreLimits& limits, FileSynchronous synchronous) {
    auto opened = FileSessionStore::Open({.path = path_,
                                          .synchronous = synchronous,
                                          .max_record_bytes = limits.max_record_bytes,
                                          .max_records_per_owner = limits.max_records_per_owner,
                                          .max_records = limits.max_records,
                                          .wall_clock = [] { return kWallStart; }},
                                         loop_.get_executor(), clock_.Now());
    if (!opened) {
      ADD_FAILURE() << opened.error().message;
      std::abort();
    }
    store_ = std::move(*opened);
    store_->OnReady([] {});
  }

  SessionStore& store() override { return *store_; }
  const std::string& path() const { return path_; }
  Instant Now() override { return clock_.Now(); }
  void Wait(Millis length) override { clock_.Advance(length); }

  // Until the store says that it is ready, or for a moment.
  void Pump() override { loop_.run_one_for(std::chrono::milliseconds(10)); }

 private:
  TestFolder folder_;
  const std::string path_ = folder_.File();
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

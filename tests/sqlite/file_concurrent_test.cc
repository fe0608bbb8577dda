// Several stores on one file, in eight threads or two processes.
#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "mcp_session/sqlite/file_store.h"
#include "mcp_session/system/clock.h"
#include "tests/sqlite/file_backend.h"
#include "tests/sqlite/test_folder.h"
#include "tests/store/concurrent.h"
#include "tests/store/stopped_holder.h"

namespace mcp_session {
namespace {

class FileConcurrentTest : public testing::Test {
 protected:
  // Whether a commit waits for the disk is nothing that other stores see.
  MakeStoreClient MakeClient() {
    return [this](int) {
      return std::make_unique<FileStoreUnderTest>(folder_.File(), StoreLimits{},
                                                  FileSynchronous::kOff);
    };
  }

  TestFolder folder_;
};

TEST_F(FileConcurrentTest, WhatTheStoresSeeCanBeExplained) {
  const auto violation = RunManyHistories(MakeClient(), 30);
  EXPECT_EQ(violation, std::nullopt) << *violation;
}

TEST_F(FileConcurrentTest, NoUpdateIsLost) {
  EXPECT_EQ(RunConcurrentCounters(MakeClient(), 8, 500), std::nullopt);
}

// A store that goes by real time.
class RealTimeFile final : public StoreUnderTest {
 public:
  explicit RealTimeFile(const std::string& path) {
    auto opened = FileSessionStore::Open(
        {.path = path, .synchronous = FileSynchronous::kOff, .busy_timeout = Seconds(30)},
        loop_.get_executor(), MonotonicNow());
    if (!opened) std::abort();
    store_ = std::move(*opened);
    store_->OnReady([] {});
  }

  SessionStore& store() override { return *store_; }
  Instant Now() override { return MonotonicNow(); }
  void Wait(Millis length) override { loop_.run_for(std::chrono::milliseconds(length.count)); }
  void Pump() override { loop_.run_one_for(std::chrono::milliseconds(10)); }

 private:
  boost::asio::io_context loop_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      loop_.get_executor()};
  std::unique_ptr<FileSessionStore> store_;
};

TEST_F(FileConcurrentTest, AHolderWhoStoodStillForTooLongIsFenced) {
  const std::string path = folder_.File();
  EXPECT_EQ(RunStoppedHolder([&path] { return std::make_unique<RealTimeFile>(path); }, 20, 10),
            std::nullopt);
}

}  // namespace
}  // namespace mcp_session

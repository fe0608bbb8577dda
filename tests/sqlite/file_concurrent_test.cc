// Eight stores on eight threads, all on one file: what each of them saw must be explainable by
// doing the commands one at a time.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "tests/sqlite/file_backend.h"
#include "tests/sqlite/test_folder.h"
#include "tests/store/concurrent.h"

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

}  // namespace
}  // namespace mcp_session

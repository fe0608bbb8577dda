// A RedisClient among faults: all it says to its operator is searched for secrets, and what the
// process holds can be counted.
#ifndef TESTS_FAULTS_FAULT_CLIENT_H_
#define TESTS_FAULTS_FAULT_CLIENT_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "mcp_session/redis/options.h"
#include "tests/faults/loop_clock.h"
#include "tests/redis/redis_client.h"

namespace mcp_session {

// In every id, owner, password and piece of data of these tests; never in a log or a reason.
inline constexpr std::string_view kSecret = "hush";

// How much later than promised a reply may come, by the clock of its loop.
inline constexpr Millis kSlack{20};

inline RedisOptions FaultOptions(std::uint16_t port) {
  RedisOptions options;
  options.endpoints = {{.port = port}};
  options.connect_timeout = Seconds(2);
  options.command_timeout = Seconds(1);
  return options;
}

class FaultClient : public RedisClient {
 public:
  explicit FaultClient(RedisOptions options) : RedisClient(std::move(options)), clock_(loop()) {}
  ~FaultClient() { ExpectDiscreet(); }

  Instant LoopNow() const { return clock_.Now(); }

  void ExpectDiscreet() const {
    for (const std::string& line : log())
      EXPECT_THAT(line, testing::Not(testing::HasSubstr(kSecret)));
    EXPECT_THAT(reason(), testing::Not(testing::HasSubstr(kSecret)));
  }

  std::size_t LogLinesWith(std::string_view words) const {
    std::size_t lines = 0;
    for (const std::string& line : log()) lines += line.find(words) != std::string::npos ? 1 : 0;
    return lines;
  }

 private:
  LoopClock clock_;
};

// Descriptors and threads of this process.
struct Holdings {
  std::size_t descriptors = 0;
  std::size_t threads = 0;
  bool operator==(const Holdings&) const = default;
};

inline Holdings CountHoldings() {
  const auto count = [](const char* folder) {
    std::size_t entries = 0;
    for (auto at = std::filesystem::directory_iterator(folder);
         at != std::filesystem::directory_iterator(); ++at) {
      ++entries;
    }
    return entries;
  };
  return {count("/proc/self/fd"), count("/proc/self/task")};
}

}  // namespace mcp_session

#endif  // TESTS_FAULTS_FAULT_CLIENT_H_

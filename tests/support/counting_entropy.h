// Randomness that is the same in every run. Never for ids that anybody trusts.
#ifndef TESTS_SUPPORT_COUNTING_ENTROPY_H_
#define TESTS_SUPPORT_COUNTING_ENTROPY_H_

#include <cstdint>
#include <span>

#include "mcp_session/base/entropy.h"

namespace mcp_session {

// 0, 1, 2, ... 255, 0, ..., going on from call to call. The test runners in JavaScript count the
// same way, so transcripts may name the ids that are drawn.
class CountingEntropy final : public Entropy {
 public:
  void Fill(std::span<std::uint8_t> bytes) override {
    for (std::uint8_t& byte : bytes) byte = next_++;
  }

 private:
  std::uint8_t next_ = 0;
};

// The sequence of a seed: splitmix64. Also the source of random test inputs.
class SeededEntropy final : public Entropy {
 public:
  explicit SeededEntropy(std::uint64_t seed) : state_(seed) {}

  void Fill(std::span<std::uint8_t> bytes) override {
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(Next() >> 56);
  }

  std::uint64_t Next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  // 0 to bound - 1, near enough evenly for tests.
  std::uint64_t Below(std::uint64_t bound) { return Next() % bound; }

 private:
  std::uint64_t state_;
};

}  // namespace mcp_session

#endif  // TESTS_SUPPORT_COUNTING_ENTROPY_H_

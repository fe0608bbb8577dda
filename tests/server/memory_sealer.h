// A sealer for tests: what it sealed is in its memory, and a token says where.
#ifndef TESTS_SERVER_MEMORY_SEALER_H_
#define TESTS_SERVER_MEMORY_SEALER_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mcp_session/server/state_sealer.h"

namespace mcp_session {

class MemorySealer final : public StateSealer {
 public:
  std::string Seal(std::string_view state, std::string_view bound_to) override {
    sealed_.emplace_back(state, bound_to);
    return "token" + std::to_string(sealed_.size());
  }

  std::optional<std::string> Open(std::string_view token, std::string_view bound_to) override {
    for (std::size_t at = 0; at < sealed_.size(); ++at) {
      if (token != "token" + std::to_string(at + 1)) continue;
      if (sealed_[at].second != bound_to) return std::nullopt;
      return sealed_[at].first;
    }
    return std::nullopt;
  }

  // Inside a token that it gave out.
  const std::string& last_state() const { return sealed_.back().first; }
  // A token for what the server never sealed.
  std::string Forge(std::string state) {
    return Seal(std::move(state), sealed_.empty() ? "" : sealed_.back().second);
  }

 private:
  std::vector<std::pair<std::string, std::string>> sealed_;
};

}  // namespace mcp_session

#endif  // TESTS_SERVER_MEMORY_SEALER_H_

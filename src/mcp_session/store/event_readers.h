// EventReaders: the ReadEvents of a store in memory that wait for events.
#ifndef MCP_SESSION_STORE_EVENT_READERS_H_
#define MCP_SESSION_STORE_EVENT_READERS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "mcp_session/base/slot_map.h"
#include "mcp_session/base/time.h"
#include "mcp_session/store/command.h"

namespace mcp_session {

// The reply to a ReadEvents that waited, for the store that submitted it.
struct AnsweredReader {
  std::uint64_t reader = 0;
  StoreReply reply;
};

// A ReadEvents whose strings are its own.
struct WaitingRead {
  StoreTicket ticket;
  std::uint64_t reader = 0;
  std::string owner, kind, id;
  std::uint64_t after = 0;
  std::size_t limit = 0;

  // The views are good as long as this is.
  store::ReadEvents Command() const { return {{owner, kind, id}, after, limit, Millis{0}}; }
};

class EventReaders {
 public:
  std::size_t size() const { return waiting_.size(); }

  // The number by which Take finds it.
  std::uint64_t Add(WaitingRead read, Instant deadline) {
    const std::uint64_t number = waiting_.Insert(std::move(read));
    deadlines_.push({deadline, number});
    return number;
  }

  // Nothing if it waits no more.
  std::optional<WaitingRead> Take(std::uint64_t number) { return waiting_.Take(number); }

  // Not after the first deadline of those that wait.
  Instant NextDeadline() const { return deadlines_.empty() ? kNever : deadlines_.top().first; }

  // One that has waited long enough.
  std::optional<WaitingRead> TakeDue(Instant now) {
    while (NextDeadline() <= now) {
      const std::uint64_t number = deadlines_.top().second;
      deadlines_.pop();
      if (auto read = waiting_.Take(number)) return read;
    }
    return std::nullopt;
  }

  bool IsWaiting(std::uint64_t number) { return waiting_.Find(number) != nullptr; }

  bool has_answered() const { return !answered_.empty(); }
  void Answer(std::uint64_t reader, StoreReply reply) {
    answered_.push_back({reader, std::move(reply)});
  }
  void TakeAnswered(std::vector<AnsweredReader>* answered) {
    for (AnsweredReader& each : answered_) answered->push_back(std::move(each));
    answered_.clear();
  }

 private:
  using Deadline = std::pair<Instant, std::uint64_t>;
  SlotMap<WaitingRead> waiting_;
  std::priority_queue<Deadline, std::vector<Deadline>, std::greater<Deadline>> deadlines_;
  std::vector<AnsweredReader> answered_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_STORE_EVENT_READERS_H_

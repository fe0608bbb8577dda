// EventLog: the events of one record's stream, the last ones of them.
#ifndef MCP_SESSION_STORE_EVENT_LOG_H_
#define MCP_SESSION_STORE_EVENT_LOG_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mcp_session/store/command.h"

namespace mcp_session {

class EventLog {
 public:
  // The first event gets the sequence after `base`.
  explicit EventLog(std::uint64_t base) : base_(base), last_(base) {}

  std::uint64_t last_sequence() const { return last_; }
  std::size_t MemoryUse() const;

  // What Append would add to MemoryUse at most.
  static std::size_t CostOfAppend(const std::string& data);

  // Adds an event, drops the oldest beyond `keep`, and answers the event's sequence.
  std::uint64_t Append(std::string data, std::size_t keep);

  // Whether there are events after `after`; true as well if Read says that there is a gap.
  bool HasNews(std::uint64_t after) const { return Start(after) != last_; }

  // Appends at most `limit` of the events after `after`, 0 being from the first there was. If some
  // of them are gone, or `after` is none of this log's, appends nothing and answers the sequence
  // to read on after.
  std::optional<std::uint64_t> Read(std::uint64_t after, std::size_t limit,
                                    std::vector<StreamEvent>* events) const;

 private:
  std::uint64_t Start(std::uint64_t after) const { return after == 0 ? base_ : after; }
  std::uint64_t oldest() const { return last_ - (events_.size() - gone_) + 1; }

  std::uint64_t base_;  // no event has a sequence up to this
  std::uint64_t last_;
  std::vector<StreamEvent> events_;
  std::size_t gone_ = 0;  // so many at the front are dropped, their data freed
  std::size_t bytes_ = 0;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_STORE_EVENT_LOG_H_

// WaitingReaders: the ReadEvents that found nothing yet, by the record they wait for.
#ifndef MCP_SESSION_SQLITE_READERS_H_
#define MCP_SESSION_SQLITE_READERS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "mcp_session/base/time.h"
#include "mcp_session/sqlite/task.h"

namespace mcp_session::sqlite {

// So many may wait in one store.
inline constexpr std::size_t kMaxWaitingReaders = 16'384;

class WaitingReaders {
 public:
  bool empty() const { return tasks_.empty(); }
  std::size_t size() const { return tasks_.size(); }

  // `task` is a ReadEvents; its WaitId tells it from all others.
  void Add(Task task);

  // Each takes some out, to be read again: those for one record, those whose time is over at
  // `now` on the clock of the loop, all.
  std::vector<Task> Take(std::string_view record_tag);
  std::vector<Task> TakeDue(Instant now);
  std::vector<Task> TakeAll();

 private:
  struct Waiting {
    Task task;
    std::string record_tag;
  };
  Task Remove(std::map<WaitId, Waiting>::iterator at);

  std::map<WaitId, Waiting> tasks_;  // the one whose time is over first comes first
  std::unordered_map<std::string, std::set<WaitId>> by_record_;
};

}  // namespace mcp_session::sqlite

#endif  // MCP_SESSION_SQLITE_READERS_H_

// Task: a command on its way from the loop to the thread that has the file.
#ifndef MCP_SESSION_SQLITE_TASK_H_
#define MCP_SESSION_SQLITE_TASK_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "mcp_session/base/time.h"
#include "mcp_session/store/command.h"

namespace mcp_session::sqlite {

// A command with all that its views point to.
class OwnedCommand {
 public:
  // A part of a key or a cursor that is longer than any can be is cut off where that still shows.
  explicit OwnedCommand(StoreCommand command);

  const StoreCommand& get() const { return command_; }

  // The data of a Create or a Put. Not there any more after it.
  std::shared_ptr<const std::string> TakeData();

 private:
  StoreCommand command_;
  std::unique_ptr<char[]> bytes_;
};

// A ReadEvents that may wait, as the loop knows it.
struct WaitId {
  Instant deadline = kNever;  // on the clock of the loop
  std::uint64_t number = 0;   // 0: none
  friend auto operator<=>(const WaitId&, const WaitId&) = default;
};

struct Task {
  StoreTicket ticket;
  OwnedCommand command;
  Instant now;  // wall clock
  WaitId wait = {};
  bool may_wait = false;  // it is a ReadEvents whose time is not over
  // Commands that came after this one and found no place in the queue: to be answered after it.
  std::vector<StoreTicket> refused = {};
};

}  // namespace mcp_session::sqlite

#endif  // MCP_SESSION_SQLITE_TASK_H_

// A child process with pipes to its stdin, stdout and stderr. Private to this folder.
#ifndef MCP_SESSION_STDIO_CHILD_H_
#define MCP_SESSION_STDIO_CHILD_H_

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "mcp_session/base/result.h"

namespace mcp_session {

struct Child {
  pid_t id = -1;
  int input = -1;   // we write
  int output = -1;  // we read
  int errors = -1;  // we read
};

// Starts it; the descriptors are the caller's. kMisconfigured: there is no such program, or it
// cannot be run; kTransport: the system gives us no pipe or process.
Result<Child> StartChild(const std::vector<std::string>& command,
                         const std::vector<std::pair<std::string, std::string>>& environment);

}  // namespace mcp_session

#endif  // MCP_SESSION_STDIO_CHILD_H_

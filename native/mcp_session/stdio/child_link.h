// ChildLink: a ClientLink to a server that runs as a child of this process and speaks over its
// stdin and stdout, one message per line (spec T-01). What it says on stderr is read all the time.
//
// Stop closes its stdin and waits, then sends SIGTERM and waits, then SIGKILL (spec T-02); who
// destroys the link without Stop kills it. It sees the environment of this process: credentials
// go there (spec T-06). Programs that use it ignore SIGPIPE; the child does not.
#ifndef MCP_SESSION_STDIO_CHILD_LINK_H_
#define MCP_SESSION_STDIO_CHILD_LINK_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mcp_session/base/limits.h"
#include "mcp_session/base/result.h"
#include "mcp_session/base/time.h"
#include "mcp_session/client_host/client_link.h"

namespace boost::asio {
class io_context;
}

namespace mcp_session {

struct ChildLinkOptions {
  std::vector<std::string> command;  // the program, looked for in PATH, and its arguments
  std::vector<std::pair<std::string, std::string>> environment;  // added to ours
  // Lines of its stderr, on the loop's thread; null: they go to ours.
  std::function<void(std::string_view line)> on_stderr;
  Millis exit_time = Seconds(2);  // for it to end, after each of the first two steps of Stop
  std::size_t max_message_bytes = Limits().max_message_bytes;  // a longer line ends the channel
  // That it may leave unread; a child that lets more pile up is given up.
  std::size_t max_queued_bytes = 16u << 20;
};

// kInvalidArgument: there is no program in `command`, or a NUL in it. `loop` must outlive the link.
Result<std::unique_ptr<ClientLink>> MakeChildLink(boost::asio::io_context& loop,
                                                  ChildLinkOptions options);

}  // namespace mcp_session

#endif  // MCP_SESSION_STDIO_CHILD_LINK_H_

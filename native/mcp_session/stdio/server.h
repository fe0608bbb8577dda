// StdioServer: an McpServer behind stdin and stdout, one JSON-RPC message per line (spec T-01).
// Nothing but messages is written to the output; stderr is for the log.
//
// It runs on the io_context it is given, like HttpServer (http/server.h), and works with pipes,
// sockets, terminals and files. Programs that use it ignore SIGPIPE.
#ifndef MCP_SESSION_STDIO_SERVER_H_
#define MCP_SESSION_STDIO_SERVER_H_

#include <cstddef>
#include <memory>

#include "mcp_session/base/limits.h"
#include "mcp_session/base/result.h"
#include "mcp_session/base/time.h"
#include "mcp_session/server/mcp_server.h"

namespace boost::asio {
class io_context;
}

namespace mcp_session {

struct StdioServerOptions {
  int input = 0;  // descriptors; they stay open, and are put back as they were at the end
  int output = 1;
  // A longer line is answered by an error and skipped; no more than this of it is ever held.
  std::size_t max_message_bytes = Limits().max_message_bytes;
  // While more than this waits to be written nothing is read and handled; a reader that lets more
  // than 16 times this pile up, by what running calls still say, is given up.
  std::size_t max_queued_bytes = 1u << 20;
  Millis grace = Seconds(5);  // what the end of the input, or Stop, leaves running calls to finish
};

class StdioServer {
 public:
  // As for HttpServer: both must outlive this, which is the only host of `server`.
  StdioServer(boost::asio::io_context& loop, McpServer& server, StdioServerOptions options);
  ~StdioServer();
  StdioServer(const StdioServer&) = delete;
  StdioServer& operator=(const StdioServer&) = delete;

  // Serves, by running the loop, until the input ends, the output breaks or Stop is called, and
  // what was running then has been answered (spec T-03). kTransport: a descriptor is unusable.
  Result<void> Run();

  // Reads no more. A second call ends the grace period. From any thread.
  void Stop();

  // Sends event::Woken soon: a store has replies. On the loop's thread.
  void Wake();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace mcp_session

#endif  // MCP_SESSION_STDIO_SERVER_H_

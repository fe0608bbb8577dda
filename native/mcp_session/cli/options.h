// The command line of the program mcp-session.
#ifndef MCP_SESSION_CLI_OPTIONS_H_
#define MCP_SESSION_CLI_OPTIONS_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace mcp_session {

// mcp-session serve
struct ServeOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8808;
  std::string store = "auto";
  std::string on_unavailable;  // "fallback", "fail"; empty: as the factory has it
  std::string degrade;         // "local" or empty
  std::string prefix;          // of keys in Redis; empty: as the factory has it
  bool verbose = false;
  bool stdio = false;
  std::vector<std::string> allow_hosts;
  std::vector<std::string> allow_origins;
};

// The command line wants no work done: what to print, and how to exit.
struct CliExit {
  int code = 0;
  std::string out;    // for stdout
  std::string error;  // one line for stderr, without its end; may be empty
};

std::variant<ServeOptions, CliExit> ParseCommandLine(int argc, const char* const* argv);

}  // namespace mcp_session

#endif  // MCP_SESSION_CLI_OPTIONS_H_

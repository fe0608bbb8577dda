// Options of a command that its command line does not give: what the environment says, else what a
// file says. All have the same names: --rate-limit 9, MCP_SESSION_RATE_LIMIT=9, rate-limit = 9.
#ifndef MCP_SESSION_CLI_SETTINGS_H_
#define MCP_SESSION_CLI_SETTINGS_H_

#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace mcp_session {

// std::getenv, or what a test says instead.
using Environment = std::function<const char*(const char* name)>;

// Adds --config and the words about it to the help. `config` must outlive `command`.
void DefineSettings(CLI::App& command, std::string& config);

// To be called when the command line was parsed. The file is `config`, else MCP_SESSION_CONFIG's,
// else there is none. Lists are several words between commas in the environment, and [a, b] in the
// file. Answers what is wrong, without values; empty if nothing is.
std::string CompleteSettings(CLI::App& command, const std::string& config,
                             const Environment& environment);

}  // namespace mcp_session

#endif  // MCP_SESSION_CLI_SETTINGS_H_

// mcp-session migrate.
#ifndef MCP_SESSION_CLI_MIGRATE_H_
#define MCP_SESSION_CLI_MIGRATE_H_

#include "mcp_session/cli/options.h"

namespace mcp_session {

// Copies every record of a store into another one, with its version, what is left of its life, and
// its events. What is there already in this or a higher version stays, so it can be broken off and
// run again. It goes over the source until a pass finds nothing new, which is the proof that all is
// there; servers that go on writing to the source only make for more passes. The source is left as
// it is. The exit code: 0 if all is there, 1 if not, 2 for options that make no sense.
int Migrate(const MigrateOptions& options);

}  // namespace mcp_session

#endif  // MCP_SESSION_CLI_MIGRATE_H_

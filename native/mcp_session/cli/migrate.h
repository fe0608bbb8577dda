// mcp-session migrate.
#ifndef MCP_SESSION_CLI_MIGRATE_H_
#define MCP_SESSION_CLI_MIGRATE_H_

#include "mcp_session/cli/options.h"

namespace mcp_session {

// Copies every record of a store into another one, with its version, what is left of its life, and
// its events (StoreAdmin::Import), and leaves the source as it is. It goes over the source until
// nothing has changed there since the pass before, then ends in the target what was removed from
// the source after it was copied, and compares how many records there are. It may be broken off and
// run again. The exit code: 0 if all is there, 1 if not, or if the source was written to all the
// time, 2 for options that make no sense.
int Migrate(const MigrateOptions& options);

}  // namespace mcp_session

#endif  // MCP_SESSION_CLI_MIGRATE_H_

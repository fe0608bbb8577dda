// What SqliteAdmin::Check looks at.
#ifndef MCP_SESSION_SQLITE_CHECK_FILE_H_
#define MCP_SESSION_SQLITE_CHECK_FILE_H_

#include <string>
#include <vector>

#include "mcp_session/sqlite/database.h"
#include "mcp_session/stored/store_admin.h"

namespace mcp_session::sqlite {

// `path` is what `database` has open.
std::vector<CheckLine> CheckFile(Database& database, const std::string& path);

}  // namespace mcp_session::sqlite

#endif  // MCP_SESSION_SQLITE_CHECK_FILE_H_

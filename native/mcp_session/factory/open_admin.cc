#include "mcp_session/factory/open_admin.h"

#include <utility>

#include "mcp_session/factory/create_store.h"
#include "mcp_session/factory/store_url.h"
#include "mcp_session/redis/admin.h"
#include "mcp_session/sqlite/sqlite_admin.h"

namespace mcp_session {

Result<std::unique_ptr<StoreAdmin>> OpenStoreAdmin(std::string_view url,
                                                   const StoreOptions& options, bool create) {
  MCPS_TRY(const StoreUrl place, ParseStoreUrl(url));
  if (place.scheme == StoreScheme::kMemory) {
    return Failure(ErrorCode::kInvalidArgument, Blame::kCaller,
                   "memory lives in the process that serves: nobody else can look into it");
  }
  if (place.scheme == StoreScheme::kFile) {
    SqliteAdminOptions file;
    file.path = place.path;
    file.create = create;
    file.synchronous = SynchronousOf(place, options);
    MCPS_TRY(std::unique_ptr<StoreAdmin> admin, SqliteAdmin::Open(std::move(file)));
    return admin;
  }
  MCPS_TRY(std::unique_ptr<StoreAdmin> admin, RedisAdmin::Make(ToRedisOptions(place, options)));
  return admin;
}

}  // namespace mcp_session

// A record as a real Redis has it: its key, and as much of its life gone as a test wants.
#ifndef TESTS_REDIS_STORED_RECORD_H_
#define TESTS_REDIS_STORED_RECORD_H_

#include <string>

#include "mcp_session/base/time.h"
#include "mcp_session/store/command.h"
#include "tests/redis/redis_server.h"

namespace mcp_session {

// With the prefix that is the default.
std::string StoredKeyOf(const RecordKey& key);

// As if it had been left alone until so much of it is left. What goes with it stays as it is.
void SetTimeLeft(RedisServer& server, const RecordKey& key, Millis left);

}  // namespace mcp_session

#endif  // TESTS_REDIS_STORED_RECORD_H_

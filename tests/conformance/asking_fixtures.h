// What the conformance suite's scenarios about questions to the client ask for by name.
#ifndef TESTS_CONFORMANCE_ASKING_FIXTURES_H_
#define TESTS_CONFORMANCE_ASKING_FIXTURES_H_

#include "mcp_session/server/mcp_server.h"

namespace mcp_session {

// Tools and a prompt that ask. The first thing that was refused, if any.
Result<void> AddAskingFixtures(McpServer& server);

}  // namespace mcp_session

#endif  // TESTS_CONFORMANCE_ASKING_FIXTURES_H_

// The tools of everything_server that go on as tasks.
#ifndef TESTS_CONFORMANCE_TASK_FIXTURES_H_
#define TESTS_CONFORMANCE_TASK_FIXTURES_H_

#include <boost/asio/io_context.hpp>

#include "mcp_session/base/result.h"
#include "mcp_session/server/mcp_server.h"

namespace mcp_session {

// After ServeTasks. The first thing that was refused, if any.
Result<void> AddTaskFixtures(McpServer& server, boost::asio::io_context& loop);

}  // namespace mcp_session

#endif  // TESTS_CONFORMANCE_TASK_FIXTURES_H_

// The tools that every transcript's server has (README.md lists them). test_tools.mjs has the same.
#ifndef TESTS_TRANSCRIPTS_TEST_TOOLS_H_
#define TESTS_TRANSCRIPTS_TEST_TOOLS_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mcp_session/server/mcp_server.h"

namespace mcp_session {

class TestTools {
 public:
  // Registers them; `server` must not outlive this.
  void AddTo(McpServer& server);

  // What a transcript makes a waiting call do: "progress 1 of 3 with a text", "reply with a text",
  // "fail with a text". False: no such call, or it cannot do that.
  bool Drive(std::string_view name, std::string_view deed);

  // The names of the waiting calls that were cancelled since the last time, in the order in which
  // they started. They wait no more.
  std::vector<std::string> TakeCancelled();

 private:
  std::vector<std::pair<std::string, ToolCall>> waiting_;
};

}  // namespace mcp_session

#endif  // TESTS_TRANSCRIPTS_TEST_TOOLS_H_

#include "mcp_session/host/handler_guard.h"

#include <exception>
#include <string>

#include "mcp_session/system/log.h"

namespace mcp_session {

void RunGuarded(const ToolHandler& handler, ToolCall call) {
  std::string thrown;
  try {
    return handler(call);
  } catch (const std::exception& exception) {
    thrown = Redact(exception.what());
  } catch (...) {
    thrown = "something that is no std::exception";
  }
  LogLine("a tool threw: " + thrown);
  call.Reply(ToolResult::Error("the tool failed"));
}

}  // namespace mcp_session

#include "mcp_session/host/handler_guard.h"

#include <exception>
#include <string>

#include "mcp_session/system/log.h"

namespace mcp_session {

bool RunGuarded(HandlerRun handler) {
  std::string thrown;
  try {
    handler();
    return true;
  } catch (const std::exception& exception) {
    thrown = Redact(exception.what());
  } catch (...) {
    thrown = "something that is no std::exception";
  }
  LogLine("a handler threw: " + thrown);
  return false;
}

}  // namespace mcp_session

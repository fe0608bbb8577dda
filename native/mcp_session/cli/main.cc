#include <cstdio>
#include <variant>

#include "mcp_session/cli/options.h"
#include "mcp_session/cli/serve.h"
#include "mcp_session/system/log.h"

int main(int argc, char** argv) {
  const auto parsed = mcp_session::ParseCommandLine(argc, argv);
  if (const auto* options = std::get_if<mcp_session::ServeOptions>(&parsed)) {
    return mcp_session::Serve(*options);
  }
  const auto& done = std::get<mcp_session::CliExit>(parsed);
  std::fputs(done.out.c_str(), stdout);
  if (!done.error.empty()) mcp_session::LogLine(done.error);
  return done.code;
}

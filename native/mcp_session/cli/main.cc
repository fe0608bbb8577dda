#include <cstdio>
#include <cstdlib>
#include <string>
#include <variant>

#include "mcp_session/cli/ask.h"
#include "mcp_session/cli/check.h"
#include "mcp_session/cli/migrate.h"
#include "mcp_session/cli/options.h"
#include "mcp_session/cli/serve.h"
#include "mcp_session/cli/sessions.h"
#include "mcp_session/system/log.h"

namespace mcp_session {
namespace {

int Run(const ServeOptions& options) { return Serve(options); }
int Run(const CheckOptions& options) { return Check(options); }
int Run(const SessionsOptions& options) { return Sessions(options); }
int Run(const MigrateOptions& options) { return Migrate(options); }
int Run(const AskOptions& options) { return Ask(options); }
int Run(const CliExit& done) {
  std::fputs(done.out.c_str(), stdout);
  if (!done.error.empty()) LogLine(done.error);
  return done.code;
}

}  // namespace
}  // namespace mcp_session

int main(int argc, char** argv) {
  const mcp_session::Command command = mcp_session::ParseCommandLine(
      // NOLINTNEXTLINE(concurrency-mt-unsafe): before any other thread
      argc, argv, [](const char* name) -> const char* { return std::getenv(name); });
  return std::visit([](const auto& options) { return mcp_session::Run(options); }, command);
}

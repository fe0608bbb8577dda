#include "mcp_session/cli/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <utility>

#include "mcp_session/server/mcp_server.h"

namespace mcp_session {
namespace {

constexpr int kUsageError = 2;

CliExit Usage(std::string complaint) {
  // One line, whatever the arguments had in them.
  std::replace_if(
      complaint.begin(), complaint.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return CliExit{kUsageError, {}, std::move(complaint) + " (see mcp-session --help)"};
}

// As CLI11 asks: the complaint, or nothing.
std::string IsPort(const std::string& text) {
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, port);
  return error == std::errc() && stopped == end ? "" : "must be a number from 0 to 65535";
}

std::string IsPolicy(const std::string& text) {
  return text == "fallback" || text == "fail" ? "" : "must be fallback or fail";
}

std::string IsDegrade(const std::string& text) { return text == "local" ? "" : "must be local"; }

void Define(CLI::App& serve, ServeOptions& options) {
  serve.add_option("--host", options.host, "Address or name to listen on")
      ->type_name("HOST")
      ->capture_default_str();
  serve.add_option("--port", options.port, "Port to listen on; 0 takes any free one")
      ->type_name("PORT")
      ->check(IsPort, "")
      ->capture_default_str();
  serve
      .add_option("--store", options.store,
                  "Where state is kept: auto (REDIS_URL, else a Redis at localhost:6379, else "
                  "memory), memory, or the URL of a store (redis://HOST:PORT, rediss://HOST:PORT, "
                  "unix:///SOCKET, redis+sentinel://HOST,HOST/MASTER, redis+cluster://HOST,HOST, "
                  "file:PATH)")
      ->type_name("STORE")
      ->capture_default_str();
  serve
      .add_option("--on-unavailable", options.on_unavailable,
                  "If the store cannot be reached at the start: fallback (memory) or fail; by "
                  "default fail for a store that was named")
      ->type_name("POLICY")
      ->check(IsPolicy, "");
  serve
      .add_option("--degrade", options.degrade,
                  "local: while the store is away, keep new records in memory and move them when "
                  "it is back")
      ->type_name("HOW")
      ->check(IsDegrade, "");
  serve.add_option("--prefix", options.prefix, "Of every key in Redis (mcp:session:)")
      ->type_name("PREFIX");
  serve.add_flag("--verbose", options.verbose, "Say what is looked at on the way to a store")
      ->disable_flag_override();
  serve
      .add_flag("--stdio", options.stdio,
                "Speak over stdin and stdout, one message per line, instead of HTTP")
      ->disable_flag_override();
  serve
      .add_option("--allow-host", options.allow_hosts,
                  "A Host header to answer to besides the loopback names and --host; may be "
                  "repeated")
      ->type_name("NAME")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  serve
      .add_option("--allow-origin", options.allow_origins,
                  "An origin whose pages may call besides our own (https://app.example); may be "
                  "repeated")
      ->type_name("ORIGIN")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

}  // namespace

std::variant<ServeOptions, CliExit> ParseCommandLine(int argc, const char* const* argv) {
  ServeOptions options;
  CLI::App app("Keeps the state of Model Context Protocol conversations.", "mcp-session");
  app.set_version_flag("--version", "mcp-session " + ServerOptions().version);
  CLI::App& serve = *app.add_subcommand("serve", "Run a server with a few demonstration tools.");
  Define(serve, options);
  // What nobody knows is named by us, not by an exception.
  app.allow_extras();
  serve.allow_extras();
  std::vector<std::string> arguments(argv + 1, argv + argc);
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
  // CLI11 tells everything by exceptions, --help included.
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::CallForVersion& version) {
    return CliExit{0, std::string(version.what()) + "\n", {}};
  } catch (const CLI::CallForHelp&) {
    return CliExit{0, app.help("", CLI::AppFormatMode::All), {}};
  } catch (const CLI::ParseError& error) {
    return Usage(error.what());
  }
  const std::vector<std::string> unknown = app.remaining(true);
  if (!unknown.empty()) {
    const std::string& first = unknown.front();
    return Usage((first.starts_with('-') ? "unknown option " : "unknown argument ") + first);
  }
  if (!serve.parsed()) return Usage("there must be a command: mcp-session serve");
  return options;
}

}  // namespace mcp_session
